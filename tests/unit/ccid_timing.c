/* SPDX-License-Identifier: MIT */
/* driver/ccid_timing: waiting times, against values reckoned by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "driver/ccid_timing.h"

/* ISO 7816-3 defaults, at 4 MHz. */
static const struct ccid_descriptor reader = {.clock_khz = 4000};
static const struct atr plain = {.fi = 372, .di = 1, .wi = 10, .ifsc = 32, .bwi = 4, .cwi = 13};

static void t0_at_the_default_speed(void **state)
{
    (void)state;
    /* WWT = 960 * 10 * 372 / 4000 = 892.8 ms; EGT = 12 * 372 / 4000 = 1.116 ms; 5 EGT + 260 WWT = 232133.58
     */
    assert_in_range(ccid_timing_ms(&reader, &plain, PROTOCOL_T0, 0x11), 232134, 232136);
}

static void t1_at_the_default_speed(void **state)
{
    (void)state;
    /* BWT = 11 * 0.093 + 16 * 960 * 372 / 4000 = 1429.5; CWT = 8203 * 0.093 = 762.9; EGT 1.116;
     * 260 EGT + BWT + 260 CWT + 1000 = 201068.2 */
    assert_in_range(ccid_timing_ms(&reader, &plain, PROTOCOL_T1, 0x11), 201068, 201070);
}

static void a_faster_card_has_less_time(void **state)
{
    (void)state;
    /* 95: F 512, D 16, at 4 MHz 8 us: 260 * 12 * .008 + (11 * .008 + 1428.48) + 260 * 8203 * .008 + 1000 */
    assert_in_range(ccid_timing_ms(&reader, &plain, PROTOCOL_T1, 0x95), 19515, 19517);
}

/* BWT does not depend on F and D (11.4.3), and WWT has the F that the card indicates (10.2), even if a lower
 * one is in force. */
static void what_the_speed_does_not_change(void **state)
{
    struct atr atr = plain;

    (void)state;
    atr.cwi = 0;
    atr.bwi = 9;
    assert_in_range(ccid_timing_ms(&reader, &atr, PROTOCOL_T1, 0x18), 46700, 46900);
    atr.fi = 512; /* WWT = 1228.8 */
    assert_in_range(ccid_timing_ms(&reader, &atr, PROTOCOL_T0, 0x11), 319493, 319496);
}

static void three_seconds_are_the_least(void **state)
{
    const struct ccid_descriptor fast = {.clock_khz = 20000};
    struct atr atr = plain;

    (void)state;
    atr.cwi = atr.bwi = 0;
    atr.wi = 1;
    assert_int_equal(ccid_timing_ms(&fast, &atr, PROTOCOL_T1, 0x18), 3000);
    /* 17.856 ms each: 260 of them are more than three seconds */
    assert_in_range(ccid_timing_ms(&fast, &atr, PROTOCOL_T0, 0x18), 4643, 4644);
}

static void guard_time_counts(void **state)
{
    struct atr atr = plain;
    uint64_t without, with;

    (void)state;
    without = ccid_timing_ms(&reader, &atr, PROTOCOL_T1, 0x11);
    atr.n = 254; /* 254 etu more for each of 260 characters: 6141.7 ms */
    with = ccid_timing_ms(&reader, &atr, PROTOCOL_T1, 0x11);
    assert_in_range(with - without, 6141, 6143);
    atr.n = 255; /* the least there is: 11 etu, one less */
    assert_true(ccid_timing_ms(&reader, &atr, PROTOCOL_T1, 0x11) < without);
    assert_int_equal(ccid_timing_ms(&reader, &atr, PROTOCOL_T0, 0x11),
                     ccid_timing_ms(&reader, &plain, PROTOCOL_T0, 0x11));
}

static void the_unknown_is_a_minute(void **state)
{
    const struct ccid_descriptor none = {.clock_khz = 0};

    (void)state;
    assert_int_equal(ccid_timing_ms(&reader, &plain, PROTOCOL_T1, 0x70), 60000);
    assert_int_equal(ccid_timing_ms(&reader, &plain, PROTOCOL_T0, 0x10), 60000);
    assert_int_equal(ccid_timing_ms(&reader, &plain, PROTOCOL_RAW, 0x11), 60000);
    assert_int_equal(ccid_timing_ms(&none, &plain, PROTOCOL_T1, 0x11), 60000);
}

/* Whatever an ATR and a descriptor may say, and be it nonsense. */
static void nothing_overflows(void **state)
{
    const struct ccid_descriptor slow = {.clock_khz = 1};
    struct atr atr = plain;

    (void)state;
    atr.n = 254;
    atr.wi = 255;
    atr.fi = 2048;
    atr.bwi = atr.cwi = 255; /* four bits count */
    for (unsigned fd = 0; fd < 256; fd++) {
        assert_in_range(ccid_timing_ms(&slow, &atr, PROTOCOL_T0, (uint8_t)fd), 3000, UINT64_C(1) << 40);
        assert_in_range(ccid_timing_ms(&slow, &atr, PROTOCOL_T1, (uint8_t)fd), 3000, UINT64_C(1) << 40);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(t0_at_the_default_speed),     cmocka_unit_test(t1_at_the_default_speed),
        cmocka_unit_test(a_faster_card_has_less_time), cmocka_unit_test(what_the_speed_does_not_change),
        cmocka_unit_test(three_seconds_are_the_least), cmocka_unit_test(guard_time_counts),
        cmocka_unit_test(the_unknown_is_a_minute),     cmocka_unit_test(nothing_overflows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
