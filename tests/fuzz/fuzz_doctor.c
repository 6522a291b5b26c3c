/* SPDX-License-Identifier: MIT */
/*
 * What doctor reads of files that may be anybody's: no reader of a format looks behind its text, what is
 * copied fits and is a part of the text, and what may stand in a command is plain. The first byte chooses the
 * format, the rest is the file.
 */
#include <stdlib.h>
#include <string.h>

#include "cli/doctor/parse.h"
#include "cli/doctor/person.h"
#include "cli/doctor/system.h"
#include "driver/ccid_descriptor.h"
#include "tests/fuzz/fuzz.h"

static void check_texts(const char *text)
{
    static const char *const keys[] = {"DRIVER", "UID", "name", "usb", "disable-ccid", "Uid:"};
    char value[24];

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (parse_value(text, keys[i], value, sizeof value))
            FUZZ_CHECK(strlen(value) < sizeof value && strstr(text, value) != NULL);
        else
            FUZZ_CHECK(value[0] == '\0');
        FUZZ_CHECK(parse_word(text, keys[i], value, sizeof value) == parse_has_word(text, keys[i]));
        FUZZ_CHECK(strstr(text, value) != NULL);
        FUZZ_CHECK(!parse_has_both(text, keys[i], NULL) || strstr(text, keys[i]) != NULL);
    }
}

static void check_accounts(const char *text)
{
    char value[24];
    unsigned long number;

    if (parse_account(text, "alice", 3, value, sizeof value))
        FUZZ_CHECK(strstr(text, value) != NULL && strstr(text, "alice") != NULL);
    if (parse_account_number(text, 1000, 0, value, sizeof value))
        FUZZ_CHECK(strchr(value, ':') == NULL && strchr(value, '\n') == NULL);
    if (parse_number(value, 10, 100, &number))
        FUZZ_CHECK(number <= 100);
}

static void check_rules(const char *text)
{
    struct parse_rules rules;

    parse_rules(text, 0x1209, 0xCC1D, &rules);
    FUZZ_CHECK(strlen(rules.group) < sizeof rules.group && strlen(rules.mode) < sizeof rules.mode);
    FUZZ_CHECK(strstr(text, rules.group) != NULL);
    FUZZ_CHECK(rules.matches ||
               (!rules.uaccess && !rules.reader && !rules.ignored && rules.group[0] == '\0'));
    if (rules.ignored)
        FUZZ_CHECK(strstr(text, "PCSCLITE_IGNORE") != NULL);
}

static void check_bundle(const char *text)
{
    char version[16];

    if (parse_bundle(text, 0x1209, 0xCC1D))
        FUZZ_CHECK(strstr(text, "ifdVendorID") != NULL && strstr(text, "ifdProductID") != NULL);
    (void)parse_bundle_version(text, version, sizeof version);
    FUZZ_CHECK(strlen(version) < sizeof version && strchr(version, '<') == NULL);
}

static void check_acl(const uint8_t *bytes, size_t size)
{
    gid_t groups[] = {100};
    struct person person = {.uid = 1000, .groups = groups, .group_count = 1};
    int all = parse_acl(bytes, size, 0, 0, &person, 6), one = parse_acl(bytes, size, 0, 0, &person, 4);

    FUZZ_CHECK(all >= -1 && all <= 1 && (all == -1) == (one == -1));
    /* Who may write and read may read. */
    FUZZ_CHECK(all != 1 || one == 1);
}

static void check_clean(char *text)
{
    char *again;

    system_clean(text);
    again = strdup(text);
    FUZZ_CHECK(again != NULL);
    system_clean(again);
    FUZZ_CHECK(strcmp(text, again) == 0);
    for (const char *at = text; *at != '\0'; at++)
        FUZZ_CHECK((unsigned char)*at >= 0x20 && *at != 0x7F);
    if (parse_is_plain(text, "._-"))
        FUZZ_CHECK(strpbrk(text, " \t\"'`$;&|<>(){}*?~#!\\/") == NULL && text[0] != '-');
    free(again);
}

static void check_descriptors(const uint8_t *bytes, size_t size)
{
    struct bytes in = bytes_of(bytes, size);
    struct ccid_descriptor descriptor;
    size_t count = 0;

    while (ccid_descriptor_next(&in, &descriptor) == 1)
        FUZZ_CHECK(++count <= size && (descriptor.slots >= 1 || descriptor.defect != CCID_SOUND));
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    char *text;

    if (size == 0)
        return 0;
    text = malloc(size);
    FUZZ_CHECK(text != NULL);
    memcpy(text, input + 1, size - 1);
    text[size - 1] = '\0';
    switch ((uint8_t)(input[0] - '0') % 7) {
    case 0:
        check_texts(text);
        break;
    case 1:
        check_accounts(text);
        break;
    case 2:
        check_rules(text);
        break;
    case 3:
        check_bundle(text);
        break;
    case 4:
        check_acl(input + 1, size - 1);
        break;
    case 5:
        check_clean(text);
        break;
    default:
        check_descriptors(input + 1, size - 1);
        break;
    }
    free(text);
    return 0;
}
