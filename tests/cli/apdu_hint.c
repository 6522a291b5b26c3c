/* SPDX-License-Identifier: MIT */
/* The words under an APDU that is being typed. */
#include "cli/apdu_hint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void hints_tell_case_and_what_is_missing(void **state)
{
    static const struct {
        const char *line, *end; /* how the hint ends; NULL: there is none */
    } rows[] = {
        {"", NULL},
        {"00", NULL},
        {"hello", NULL},
        {"00A4", "2 bytes of the header to come"},
        {"00 A4 04", "1 byte of the header to come"},
        {"00A40400", "case 1: complete"},
        {"00A4040", "1 byte of the header to come, half a byte"},
        {"b08100", "READ BINARY as it stands, or 1 byte of the header to come"},
        {"00D60000\"1234", "case 3: Lc=49, 46 bytes to come"},
        {"00B0000010", "case 2: Le=16, or Lc=16 with its data to come"},
        {"00B0000000", "case 2: Le=256"},
        {"00A4040005A00000", "case 3: Lc=5, 2 bytes to come"},
        {"00A4040005A000000308", "case 3: Lc=5, complete"},
        {"00A4040005A00000030800", "case 4: Lc=5 and Le, complete"},
        {"00A4040005A0000003080000", "1 byte too many behind Lc=5"},
        {"00B000000001", "extended: one byte of the length to come"},
        {"00B00000000100", "case 2 extended: Le=256, or Lc=256 with its data to come"},
        {"00B00000000000", "case 2 extended: Le=65536"},
        {"00D6000000000201", "case 3 extended: Lc=2, 1 byte to come"},
        {"00D60000000002010200", "case 4 extended: one byte of Le to come"},
        {"00D6000000000201020000", "case 4 extended: Lc=2 and Le, complete"},
        {"00A4040004 \"1PAY\"", "case 3: Lc=4, complete"},
        {"a40400:a000", "2 data bytes, Lc is put in"},
        {"a40400:a000000308/", "Lc and Le are put in"},
        {"00A4040005A000000308 =9000", "case 3: Lc=5, complete"},
        {"00200001{pin:8}", NULL},
        {"00D60000@file", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[APDU_HINT_MAX];
        bool any = apdu_hint(rows[i].line, EXPLAIN_ISO, text);

        if (any != (rows[i].end != NULL))
            fail_msg("\"%s\": \"%s\"", rows[i].line, text);
        if (any && (strlen(text) < strlen(rows[i].end) ||
                    strcmp(text + strlen(text) - strlen(rows[i].end), rows[i].end) != 0))
            fail_msg("\"%s\": \"%s\"", rows[i].line, text);
    }
}

static void hints_name_the_instruction(void **state)
{
    char text[APDU_HINT_MAX];

    (void)state;
    assert_true(apdu_hint("00B0", EXPLAIN_ISO, text));
    assert_ptr_equal(strstr(text, "READ BINARY"), text);
    assert_true(apdu_hint("a40400:", EXPLAIN_ISO, text));
    assert_ptr_equal(strstr(text, "SELECT"), text);
}

static void hints_hold_no_data(void **state)
{
    char text[APDU_HINT_MAX];

    (void)state;
    assert_true(apdu_hint("0020000108 \"12345678\"", EXPLAIN_ISO, text));
    assert_null(strstr(text, "1234"));
    assert_true(apdu_hint("00200001083132333435363738", EXPLAIN_ISO, text));
    assert_null(strstr(text, "31"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hints_tell_case_and_what_is_missing),
        cmocka_unit_test(hints_name_the_instruction),
        cmocka_unit_test(hints_hold_no_data),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
