/* SPDX-License-Identifier: MIT */
/* A PIN as bytes, and what a status word says of one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"
#include "cli/pin_block.h"
#include "cli/pin_card.h"

static void expect(const char *coding, const char *pad, const char *pin, const char *wanted)
{
    struct pin_format format;
    struct buffer block = {0};
    char hex[600];

    assert_int_equal(pin_format_parse(coding, pad, &format), RC_OK);
    assert_int_equal(pin_block_append(&format, (const uint8_t *)pin, strlen(pin), &block), RC_OK);
    hex_format(block.data, block.length, hex);
    assert_string_equal(hex, wanted);
    buffer_fini(&block);
}

static void refuse(const char *coding, const char *pad, const char *pin)
{
    struct pin_format format;
    struct buffer block = {0};

    assert_int_equal(pin_format_parse(coding, pad, &format), RC_OK);
    detail_clear();
    assert_int_equal(pin_block_append(&format, (const uint8_t *)pin, strlen(pin), &block), RC_INVALID_VALUE);
    assert_true(strlen(detail_get()) > 0);
    assert_true(strlen(pin) < 3 || strstr(detail_get(), pin) == NULL);
    buffer_fini(&block);
}

static void codings(void **state)
{
    (void)state;
    expect(NULL, NULL, "1234", "31323334");
    expect("ascii", "FF:8", "1234", "31323334FFFFFFFF");
    expect("ascii", "00:8", "12345678", "3132333435363738");
    expect("bcd", NULL, "1234", "1234");
    expect("BCD", NULL, "12345", "12345F");
    expect("bcd", "ff:8", "12345", "12345FFFFFFFFFFF");
    /* ISO 9564-1, format 2 */
    expect("iso9564", NULL, "1234", "241234FFFFFFFFFF");
    expect("iso9564", NULL, "12345", "2512345FFFFFFFFF");
    expect("iso9564", NULL, "123456789012", "2C123456789012FF");
    expect("hex", NULL, "00ff 7A", "00FF7A");
    expect("hex", "00:4", "7A", "7A000000");
}

static void what_has_no_block(void **state)
{
    (void)state;
    refuse(NULL, NULL, "");
    refuse(NULL, "FF:8", "987654321");
    refuse("bcd", NULL, "98a6");
    refuse("bcd", "FF:2", "98765");
    refuse("iso9564", NULL, "987");
    refuse("iso9564", NULL, "9876543210987");
    refuse("iso9564", NULL, "98-65");
    refuse("hex", NULL, "9");
    refuse("hex", NULL, "98zz");
    refuse("hex", NULL, "  ");
}

static void a_pad_is_a_byte_and_a_length(void **state)
{
    static const char *const bad[] = {"",       "F",    "FF",    "FF:", "FF:0",
                                      "FF:256", "GG:8", "FF:8x", "FF8", "FFF:8"};
    struct pin_format format;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(pin_format_parse("ascii", bad[i], &format), RC_INVALID_VALUE);
    assert_int_equal(pin_format_parse("iso9564", "FF:8", &format), RC_INVALID_VALUE);
    assert_int_equal(pin_format_parse("ascii", "00:255", &format), RC_OK);
    assert_int_equal(format.length, 255);
}

static void what_a_word_says(void **state)
{
    (void)state;
    assert_int_equal(pin_state_of(0x9000).condition, PIN_VERIFIED);
    assert_int_equal(pin_state_of(0x9000).tries, -1);
    assert_int_equal(pin_state_of(0x63C1).condition, PIN_WAITS);
    assert_int_equal(pin_state_of(0x63CF).tries, 15);
    assert_int_equal(pin_state_of(0x63C0).condition, PIN_BLOCKED);
    assert_int_equal(pin_state_of(0x6983).condition, PIN_BLOCKED);
    assert_int_equal(pin_state_of(0x6983).tries, 0);
    assert_int_equal(pin_state_of(0x6A88).condition, PIN_ABSENT);
    assert_int_equal(pin_state_of(0x6300).condition, PIN_UNTOLD);
    assert_int_equal(pin_state_of(0x6B00).condition, PIN_UNTOLD);
    assert_int_equal(pin_state_of(0x6700).tries, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codings),
        cmocka_unit_test(what_has_no_block),
        cmocka_unit_test(a_pad_is_a_byte_and_a_length),
        cmocka_unit_test(what_a_word_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
