/* SPDX-License-Identifier: MIT */
/* Explanations, logs and the list of ATRs when memory runs out: the n-th allocation fails, for n = 1, 2, 3 …
 * The failure is told, and nothing leaks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rc.h"
#include "cli/atr_list.h"
#include "cli/explain/bytes.h"
#include "cli/explain/log.h"
#include "tests/unit/failing_alloc.h"

int __real_vasprintf(char **text, const char *format, va_list arguments);
int __wrap_vasprintf(char **text, const char *format, va_list arguments);
void *__real_reallocarray(void *block, size_t count, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size);

__attribute__((format(printf, 2, 0))) int __wrap_vasprintf(char **text, const char *format, va_list arguments)
{
    return failing_alloc_fails() ? -1 : __real_vasprintf(text, format, arguments);
}

void *__wrap_reallocarray(void *block, size_t count, size_t size)
{
    return failing_alloc_fails() ? NULL : __real_reallocarray(block, count, size);
}

static void explaining(void **state)
{
    static const uint8_t atr[] = {0x3B, 0xFD, 0x13, 0x00, 0x00, 0x81, 0x31, 0xFE, 0x15, 0x80, 0x73, 0xC0,
                                  0x21, 0xC0, 0x57, 0x59, 0x75, 0x62, 0x69, 0x4B, 0x65, 0x79, 0x40};
    unsigned n = 0;

    (void)state;
    do {
        struct explanation explanation = {0};
        char *hex;

        failing_alloc_arm(++n);
        explain_atr(atr, sizeof atr, 0, 0, &explanation);
        hex = explanation_hex(&explanation, atr, sizeof atr);
        failing_alloc_arm(0);
        assert_true(explanation.failed || !hex || !failing_alloc_hit());
        free(hex);
        explanation_fini(&explanation);
    } while (failing_alloc_hit());
    assert_true(n > 40);
}

static int count_items(void *user, const struct log_item *item)
{
    *(unsigned *)user += (unsigned)item->length;
    return RC_OK;
}

static void reading_a_log(void **state)
{
    static const char log[] =
        "> 00 A4 00 00 02 3F 00\n< 90 00 : x\nOutgoing APDU (5 bytes):\n00 CA 00 6E 00 ...n.\n"
        "C:00B2010C00:6A83:\nA>> T=1 (4+0000) 00840000 08\nDEBUG RECV: 0102 SW=9000\n6A 82\n";
    unsigned n = 0, skipped;

    (void)state;
    do {
        unsigned bytes = 0;
        int rc;

        failing_alloc_arm(++n);
        rc = log_read(log, sizeof log - 1, count_items, &bytes, &skipped);
        failing_alloc_arm(0);
        assert_int_equal(rc, failing_alloc_hit() ? RC_NO_MEMORY : RC_OK);
        assert_true(rc || bytes == 7 + 2 + 5 + 5 + 2 + 5 + 4 + 2);
    } while (failing_alloc_hit());
    assert_true(n > 1);
}

static void finding_names(void **state)
{
    static const char list[] = "3B 02 .. ..\n\tone\n\ttwo\n\n3B 02 14 50\n\tthree\n";
    static const uint8_t atr[] = {0x3B, 0x02, 0x14, 0x50};
    unsigned n = 0;

    (void)state;
    do {
        struct atr_names names = {0};
        int rc;

        failing_alloc_arm(++n);
        rc = atr_list_find(list, sizeof list - 1, atr, sizeof atr, &names);
        failing_alloc_arm(0);
        assert_int_equal(rc, failing_alloc_hit() ? RC_NO_MEMORY : RC_OK);
        assert_true(rc || names.count == 3);
        atr_names_fini(&names);
    } while (failing_alloc_hit());
    assert_true(n > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(explaining),
        cmocka_unit_test(reading_a_log),
        cmocka_unit_test(finding_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
