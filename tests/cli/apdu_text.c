/* SPDX-License-Identifier: MIT */
/* The grammar of APDUs: what each spelling means, what is refused and where, what is masked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"
#include "cli/apdu_text.h"

/* Files are called by what they hold; the secret is 1234. */
static int source_read(void *user, enum apdu_source_kind kind, const char *name, struct buffer *data)
{
    (void)user;
    if (kind == APDU_SECRET)
        return buffer_append(data, "1234", 4);
    if (kind == APDU_STDIN)
        return buffer_append(data, "\xAA\xBB", 2);
    if (strcmp(name, "missing") == 0)
        return detail_set(RC_IO, "cannot open missing");
    return buffer_append(data, name, strlen(name));
}

static const struct apdu_source source = {.read = source_read};

static void expect_bytes(const char *text, const char *hex)
{
    struct apdu_text apdu;
    struct apdu_fault fault = {0};
    char *got;

    if (apdu_text_parse(text, strlen(text), false, &source, &apdu, &fault) != RC_OK)
        fail_msg("%s: refused at %zu: %s", text, fault.column, fault.words);
    got = hex_new(apdu.bytes.data, apdu.bytes.length);
    assert_string_equal(got, hex);
    free(got);
    apdu_text_fini(&apdu);
}

static void expect_fault(const char *text, size_t column, const char *part)
{
    struct apdu_text apdu;
    struct apdu_fault fault = {0};

    if (apdu_text_parse(text, strlen(text), false, &source, &apdu, &fault) != RC_INVALID_VALUE)
        fail_msg("%s: not refused", text);
    if (fault.column != column || strstr(fault.words, part) == NULL)
        fail_msg("%s: column %zu, not %zu: %s", text, fault.column, column, fault.words);
}

static void plain_spellings(void **state)
{
    (void)state;
    expect_bytes("00A4040007A0000002471001", "00A4040007A0000002471001");
    expect_bytes("00a4 0400 07 A0:00:00:02:47:10:01 00", "00A4040007A000000247100100");
    expect_bytes("00:A4:04:00", "00A40400");
    expect_bytes("00:A4:04:00:02:3F:00", "00A40400023F00");
    expect_bytes("0x00, 0xB0, 0x00, 0x00, 0x10", "00B0000010");
    expect_bytes("00A40400 0E \"1PAY.SYS.DDF01\"", "00A404000E315041592E5359532E4444463031");
    expect_bytes("00D6000004@file", "00D600000466696C65");
    expect_bytes("0020000108{pin:8}", "002000010831323334FFFFFFFF");
    expect_bytes("  00B0000010  ", "00B0000010");
}

static void short_spellings(void **state)
{
    (void)state;
    expect_bytes("84/08", "0084000008");
    expect_bytes("a4", "00A40000");
    expect_bytes("80ca", "80CA0000");
    expect_bytes("a40400", "00A40400");
    expect_bytes("00a40400", "00A40400");
    expect_bytes("a40400:a000000308", "00A4040005A000000308");
    expect_bytes("a40400:a000000308/", "00A4040005A00000030800");
    expect_bytes("00A4 0400 : A0 00 00 03 08 / 10", "00A4040005A00000030810");
    expect_bytes("b00000/0000", "00B00000000000");
    expect_bytes("b00000/0100", "00B00000000100");
    expect_bytes("d60000:-", "00D6000002AABB");
    expect_bytes("d60000:@name/with/slashes=", "00D60000116E616D652F776974682F736C6173686573");
    expect_bytes("d60000:@\"a b\"/00", "00D600000361206200");
    expect_bytes("200001:{pin}", "002000010431323334");
    expect_bytes("240001:{pin:6}{newpin:6}", "002400010C31323334FFFF31323334FFFF");
    /* Le 00 is the most that the form of the APDU can ask for. */
    expect_bytes("b00000/00", "00B0000000");
}

static void long_data_make_an_extended_apdu(void **state)
{
    struct apdu_text apdu;
    struct apdu_fault fault;
    char text[16 + 2 * 300];

    (void)state;
    memcpy(text, "d60000:", 7);
    memset(text + 7, 'A', 600);
    memcpy(text + 607, "/00", 4);
    assert_int_equal(apdu_text_parse(text, strlen(text), false, NULL, &apdu, &fault), RC_OK);
    assert_int_equal(apdu.bytes.length, 4 + 3 + 300 + 2);
    assert_memory_equal(apdu.bytes.data, "\x00\xD6\x00\x00\x00\x01\x2C", 7);
    assert_memory_equal(apdu.bytes.data + 307, "\x00\x00", 2);
    apdu_text_fini(&apdu);
}

static void faults_name_the_place(void **state)
{
    (void)state;
    expect_fault("", 0, "nothing to send");
    expect_fault("   ", 3, "nothing to send");
    expect_fault("=9000", 0, "nothing to send");
    expect_fault("00A40", 4, "odd number");
    expect_fault("00A4z0", 4, "'z'");
    expect_fault("00A40z", 5, "'z'");
    expect_fault("20:123z34", 6, "'z'");
    expect_fault("00G4", 2, "'G'");
    expect_fault("hello", 0, "'h'");
    expect_fault("00A4040005A0", 0, "5 data bytes");
    expect_fault("00A4040002A000/00", 14, "short form");
    expect_fault(":A0", 0, "header");
    expect_fault("00A4\"x\"", 4, "header of 2");
    expect_fault("a40400:a0/123456", 9, "Le");
    expect_fault("a40400:a0/00 x", 13, "may follow Le");
    expect_fault("a40400:\"abc", 7, "not closed");
    expect_fault("a40400:@", 7, "file name");
    expect_fault("200001:{PIN}", 7, "{pin}");
    expect_fault("200001:{pin", 7, "{pin}");
    expect_fault("200001:{pin:3}", 7, "longer than 3");
    /* No part of a secret is taken for a length: the fault would tell it. */
    expect_fault("00200081{pin}", 8, "a secret is data");
    expect_fault("0020008100{pin}", 10, "a secret is data");
    expect_fault("{pin}", 0, "header");
    expect_fault("a4=90", 5, "four digits");
    expect_fault("a4=900g", 6, "four digits");
    expect_fault("a4=9000 1", 8, "nothing may follow");
    expect_fault("a4=9000|", 8, "four digits");
}

static void raw_takes_malformed_bytes(void **state)
{
    struct apdu_text apdu;
    struct apdu_fault fault;

    (void)state;
    assert_int_equal(apdu_text_parse("00A4040005A0", 12, true, NULL, &apdu, &fault), RC_OK);
    assert_int_equal(apdu.bytes.length, 6);
    apdu_text_fini(&apdu);
    assert_int_equal(apdu_text_parse("00A4", 4, true, NULL, &apdu, &fault), RC_OK);
    assert_int_equal(apdu.bytes.length, 2);
    apdu_text_fini(&apdu);
}

static void a_source_that_fails_ends_the_parse(void **state)
{
    struct apdu_text apdu;
    struct apdu_fault fault;

    (void)state;
    assert_int_equal(apdu_text_parse("d60000:@missing", 15, false, &source, &apdu, &fault), RC_IO);
    assert_int_equal(apdu_text_parse("d60000:@f", 9, false, NULL, &apdu, &fault), RC_INVALID_VALUE);
}

static bool accepts(const char *text, uint16_t sw)
{
    struct apdu_text apdu;
    struct apdu_fault fault;
    bool result;

    assert_int_equal(apdu_text_parse(text, strlen(text), false, NULL, &apdu, &fault), RC_OK);
    result = apdu_text_accepts(apdu.expect, apdu.expect_count, sw);
    apdu_text_fini(&apdu);
    return result;
}

static void expectations(void **state)
{
    struct apdu_text apdu;
    struct apdu_fault fault;
    char text[32];

    (void)state;
    assert_true(accepts("a4", 0x9000));
    assert_true(accepts("a4", 0x6110));
    assert_true(accepts("a4", 0x6283));
    assert_false(accepts("a4", 0x63C2));
    assert_false(accepts("a4", 0x6A82));
    assert_true(accepts("a4=6A82", 0x6A82));
    assert_false(accepts("a4=6A82", 0x9000));
    assert_true(accepts("a4=", 0x9000));
    assert_false(accepts("a4=", 0x6110));
    assert_true(accepts("a4=61xx|9000", 0x61FF));
    assert_true(accepts("a4=61XX|9000", 0x9000));
    assert_false(accepts("a4=61xx|9000", 0x6200));
    assert_true(accepts("a4=xxxx", 0x1234));
    assert_int_equal(apdu_text_parse("a4=61xx|9000", 12, false, NULL, &apdu, &fault), RC_OK);
    assert_string_equal(apdu_text_expect_format(apdu.expect, apdu.expect_count, text, sizeof text),
                        "61xx|9000");
    assert_string_equal(apdu_text_expect_format(apdu.expect, apdu.expect_count, text, 6), "61xx");
    apdu_text_fini(&apdu);
}

static void expect_secret(const char *text, size_t offset, size_t length)
{
    struct apdu_text apdu;
    struct apdu_fault fault;

    assert_int_equal(apdu_text_parse(text, strlen(text), false, &source, &apdu, &fault), RC_OK);
    if (apdu.secret_length != length || (length > 0 && apdu.secret_offset != offset))
        fail_msg("%s: secret %zu+%zu", text, apdu.secret_offset, apdu.secret_length);
    apdu_text_fini(&apdu);
}

static void secrets_are_marked(void **state)
{
    (void)state;
    expect_secret("200001:31323334", 5, 4);
    expect_secret("002000010431323334", 5, 4);
    expect_secret("a40400:a000", 0, 0);
    /* What was asked for is a secret whatever the instruction. */
    expect_secret("d60000:aa{pin}bb", 6, 4);
    expect_secret("00D6000006AA{pin}BB", 6, 4);
    /* The whole data field of VERIFY, not only the part that was asked for. */
    expect_secret("200001:{pin}FF", 5, 5);
}

static void expect_masked(const char *line, const char *wanted)
{
    char *masked = apdu_text_masked(line);

    assert_non_null(masked);
    assert_string_equal(masked, wanted);
    free(masked);
}

static void histories_are_masked(void **state)
{
    (void)state;
    expect_masked("apdu 00A4040007A0000002471001", "apdu 00A4040007A0000002471001");
    expect_masked("apdu 002000010431323334", "apdu 0020000104**");
    expect_masked("002000010431323334=9000", "0020000104**");
    expect_masked("00 20 00 01 04 31 32 33 34", "00 20 00 01 04 **");
    expect_masked("00:20:00:01:04:31:32:33:34", "00:20:00:01:04:**");
    expect_masked("200001 31323334", "200001 **");
    expect_masked("200001  31 32 33 34", "200001  **");
    expect_masked("200001 {pin}", "200001 {pin}");
    expect_masked("apdu 200001:31323334", "apdu 200001:**");
    expect_masked("apdu 20:\"1234\"", "apdu 20:**");
    expect_masked("apdu '00240001:31323334 35363738'", "apdu '00240001:**");
    expect_masked("apdu 00A4040000 002000010431323334", "apdu 00A4040000 0020000104**");
    expect_masked("00 20 00 01 04\"1234\"", "00 20 00 01 04**");
    /* Malformed or not, data behind a VERIFY header are hidden. */
    expect_masked("apdu 00200001083132333", "apdu 0020000108**");
    expect_masked("0x00 0x20 0x00 0x01 0x04 0x31 0x32", "0x00 0x20 0x00 0x01 0x04 **");
    /* The name of a secret is none. */
    expect_masked("apdu 00200001:{pin:8}=9000", "apdu 00200001:{pin:8}=9000");
    /* The middle of a harmless APDU is no VERIFY. */
    expect_masked("00 B0 00 20 10", "00 B0 00 20 10");
    expect_masked("list --json", "list --json");
    expect_masked("", "");
}

static void what_looks_like_an_apdu(void **state)
{
    (void)state;
    assert_true(apdu_text_looks_like("00A40400"));
    assert_true(apdu_text_looks_like("  00 A4 04 00"));
    assert_true(apdu_text_looks_like("a40400:a000=9000"));
    assert_true(apdu_text_looks_like("84/08"));
    assert_true(apdu_text_looks_like("0x00 0xA4"));
    assert_false(apdu_text_looks_like("list"));
    assert_false(apdu_text_looks_like("begin"));
    assert_false(apdu_text_looks_like("# 00A4"));
    assert_false(apdu_text_looks_like("end"));
    assert_false(apdu_text_looks_like("a"));
    assert_false(apdu_text_looks_like(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_spellings),
        cmocka_unit_test(short_spellings),
        cmocka_unit_test(long_data_make_an_extended_apdu),
        cmocka_unit_test(faults_name_the_place),
        cmocka_unit_test(raw_takes_malformed_bytes),
        cmocka_unit_test(a_source_that_fails_ends_the_parse),
        cmocka_unit_test(expectations),
        cmocka_unit_test(secrets_are_marked),
        cmocka_unit_test(histories_are_masked),
        cmocka_unit_test(what_looks_like_an_apdu),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
