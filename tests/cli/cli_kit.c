/* SPDX-License-Identifier: MIT */
/* The kit's pure pieces: picking, exit statuses, names, words of a line, suggestions, attributes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rc.h"
#include "cli/attributes.h"
#include "cli/dispatch.h"
#include "cli/names.h"
#include "cli/readers.h"
#include "cli/status.h"
#include "cli/suggest.h"

static char names[][20] = {"Alpha Reader 00 00", "Beta Reader 01 00", "Alpha"};
static char devices[][12] = {"usb:1-1", "sim:iso", "vpcd:35963"};
static char no_problem[] = "";

static struct reader_entry entries[] = {
    {.name = names[0], .device = devices[0], .problem = no_problem},
    {.name = names[1], .device = devices[1], .problem = no_problem},
    {.name = names[2], .device = devices[2], .problem = no_problem},
};
static const struct reader_list readers = {entries, 3};

static int pick(const struct reader_list *list, const char *choice)
{
    size_t index = 99;

    switch (readers_pick(list, choice, &index)) {
    case PICK_ONE:
        return (int)index;
    case PICK_NONE:
        return -1;
    case PICK_SEVERAL:
        return -2;
    case PICK_NO_READERS:
        return -3;
    }
    return -4;
}

static void readers_are_picked(void **state)
{
    const struct reader_list none = {NULL, 0}, one = {entries, 1};

    (void)state;
    assert_int_equal(pick(&none, NULL), -3);
    assert_int_equal(pick(&none, "x"), -3);
    assert_int_equal(pick(&one, NULL), 0);
    assert_int_equal(pick(&readers, NULL), -2);
    assert_int_equal(pick(&readers, "0"), 0);
    assert_int_equal(pick(&readers, "#1"), 1);
    assert_int_equal(pick(&readers, "7"), -1);
    assert_int_equal(pick(&readers, "Alpha"), 2); /* exact before part */
    assert_int_equal(pick(&readers, "alpha"), -2);
    assert_int_equal(pick(&readers, "BETA"), 1);
    assert_int_equal(pick(&readers, "reader 01"), 1);
    assert_int_equal(pick(&readers, "Reader"), -2);
    assert_int_equal(pick(&readers, "vpcd:35963"), 2);
    assert_int_equal(pick(&readers, "gamma"), -1);
}

static void every_code_has_a_status_and_words(void **state)
{
    size_t count;
    const struct status_words *rows = status_table(&count);

    (void)state;
    assert_true(count > 60);
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(rows[i].what);

        assert_ptr_equal(status_of_scard(rows[i].code), &rows[i]); /* no code twice */
        assert_string_not_equal(status_name((int)rows[i].status), "unknown");
        assert_true(length > 0 && rows[i].what[length - 1] != '.');
        assert_true(rows[i].advice[0] == '\0' || strchr(".", rows[i].advice[strlen(rows[i].advice) - 1]));
        assert_true(i == 0 || rows[i].status != STATUS_DONE);
    }
    assert_int_equal(status_of_scard(0x80109999)->status, STATUS_TRANSPORT);
}

static void published_statuses(void **state)
{
    (void)state;
    assert_int_equal(status_of_scard(SCARD_E_NO_SERVICE)->status, 3);
    assert_int_equal(status_of_scard(SCARD_E_UNKNOWN_READER)->status, 4);
    assert_int_equal(status_of_scard(SCARD_E_NO_READERS_AVAILABLE)->status, 4);
    assert_int_equal(status_of_scard(SCARD_E_NO_SMARTCARD)->status, 5);
    assert_int_equal(status_of_scard(SCARD_E_SHARING_VIOLATION)->status, 6);
    assert_int_equal(status_of_scard(SCARD_W_SECURITY_VIOLATION)->status, 7);
    assert_int_equal(status_of_scard(SCARD_W_RESET_CARD)->status, 8);
    assert_int_equal(status_of_scard(SCARD_W_REMOVED_CARD)->status, 8);
    assert_int_equal(status_of_scard(SCARD_W_UNRESPONSIVE_CARD)->status, 9);
    assert_int_equal(status_of_scard(SCARD_E_TIMEOUT)->status, 10);
    assert_int_equal(status_of_scard(SCARD_E_CANCELLED)->status, 130);
}

static void durations_and_numbers(void **state)
{
    int64_t ms = -1;
    uint64_t number = 0;

    (void)state;
    assert_true(names_duration_parse("5", &ms) && ms == 5000);
    assert_true(names_duration_parse("0.25", &ms) && ms == 250);
    assert_true(names_duration_parse("250ms", &ms) && ms == 250);
    assert_true(names_duration_parse("0.0001", &ms) && ms == 1); /* rounded up: never turned into "at once" */
    assert_true(names_duration_parse("2m", &ms) && ms == 120000);
    assert_true(names_duration_parse("0", &ms) && ms == 0);
    assert_false(names_duration_parse("", &ms));
    assert_false(names_duration_parse("-1", &ms));
    assert_false(names_duration_parse("1h", &ms));
    assert_false(names_duration_parse("inf", &ms));
    assert_false(names_duration_parse("nan", &ms));
    assert_false(names_duration_parse("1..2", &ms));
    assert_false(names_duration_parse("99999999999", &ms));
    assert_true(names_number_parse("12", &number) && number == 12);
    assert_true(names_number_parse("0x42000D48", &number) && number == 0x42000D48);
    assert_false(names_number_parse("12x", &number));
    assert_false(names_number_parse("0x", &number));
    assert_false(names_number_parse("+1", &number));
    assert_false(names_number_parse("99999999999999999999999", &number));
}

static void expect_words(const char *line, int wanted, const char *first, const char *last)
{
    char **words;
    int count;

    assert_int_equal(dispatch_split(line, &words, &count), RC_OK);
    assert_int_equal(count, wanted);
    assert_null(words[count]);
    if (wanted > 0) {
        assert_string_equal(words[0], first);
        assert_string_equal(words[count - 1], last);
    }
    free(words);
}

static void lines_are_split(void **state)
{
    char **words;
    int count;

    (void)state;
    expect_words("", 0, NULL, NULL);
    expect_words("   ", 0, NULL, NULL);
    expect_words("# all of it", 0, NULL, NULL);
    expect_words("list", 1, "list", "list");
    expect_words("a b c d e f g", 7, "a", "g");
    expect_words("apdu 'two words' # rest", 2, "apdu", "two words");
    expect_words("a \"b \\\" c\"", 2, "a", "b \" c");
    expect_words("a b\\ c", 2, "a", "b c");
    expect_words("a ''", 2, "a", "");
    expect_words("a x#y", 2, "a", "x#y");
    expect_words("a 'b'\"c\"d\r\n", 2, "a", "bcd");
    assert_int_equal(dispatch_split("a 'b", &words, &count), RC_INVALID_VALUE);
}

static int run_nothing(struct call *call)
{
    (void)call;
    return 0;
}

static void near_names_are_suggested(void **state)
{
    static const struct command list = {.name = "list", .alias = "readers", .run = run_nothing};
    static const struct command hidden = {.name = "lisp", .flags = COMMAND_HIDDEN, .run = run_nothing};
    static const struct command disconnect = {.name = "disconnect", .run = run_nothing};
    static const struct command *const commands[] = {&hidden, &list, &disconnect, NULL};

    (void)state;
    assert_int_equal(suggest_distance("list", "list"), 0);
    assert_int_equal(suggest_distance("list", "lsit"), 1);
    assert_int_equal(suggest_distance("list", ""), 4);
    assert_int_equal(suggest_distance("", "ab"), 2);
    assert_ptr_equal(command_find(commands, "readers"), &list);
    assert_null(command_find(commands, "lis"));
    assert_ptr_equal(command_suggest(commands, "lsit"), &list);
    assert_ptr_equal(command_suggest(commands, "disc"), &disconnect);
    assert_null(command_suggest(commands, "frobnicate"));
    assert_string_equal(suggest_option(NULL, "--timout=5"), "timeout");
    assert_string_equal(suggest_option(NULL, "--jsno"), "json");
    assert_null(suggest_option(NULL, "--frobnicate"));
    assert_null(suggest_option(NULL, "-"));
}

static void attributes_have_names_and_meanings(void **state)
{
    const uint8_t version[] = {0x34, 0x12, 0x02, 0x01}, clock[] = {0xA0, 0x0F, 0, 0}, text[] = "Maker";
    const struct attribute *attribute;
    char words[64];
    DWORD id;

    (void)state;
    assert_true(attributes_find("vendor-name", &id, &attribute));
    assert_int_equal(id, SCARD_ATTR_VENDOR_NAME);
    assert_string_equal(attributes_describe(attribute, text, sizeof text, words, sizeof words), "Maker");
    assert_true(attributes_find("SCARD_ATTR_DEFAULT_CLK", &id, &attribute));
    assert_string_equal(attributes_describe(attribute, clock, 4, words, sizeof words), "4000 kHz");
    assert_true(attributes_find("0x00010102", &id, &attribute));
    assert_string_equal(attributes_describe(attribute, version, 4, words, sizeof words), "1.2.4660");
    assert_true(attributes_find("0x12345678", &id, &attribute));
    assert_null(attribute);
    assert_string_equal(attributes_describe(NULL, version, 4, words, sizeof words), "");
    assert_false(attributes_find("vendor", &id, &attribute));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_are_picked),
        cmocka_unit_test(every_code_has_a_status_and_words),
        cmocka_unit_test(published_statuses),
        cmocka_unit_test(durations_and_numbers),
        cmocka_unit_test(lines_are_split),
        cmocka_unit_test(near_names_are_suggested),
        cmocka_unit_test(attributes_have_names_and_meanings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
