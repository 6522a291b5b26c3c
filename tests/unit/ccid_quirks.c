/* SPDX-License-Identifier: MIT */
/* driver/ccid_quirks: lookup by device and firmware, rows put together, descriptors corrected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "driver/ccid_quirks.h"

static void others_are_left_alone(void **state)
{
    static const uint16_t devices[][2] = {{0x1050, 0x0407},
                                          {0x234b, 0x0000},
                                          {0x076b, 0x3021},
                                          {0x058f, 0x0001},
                                          {0x04e6, 0x0000},
                                          {0x9540, 0x058f},
                                          {0, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++) {
        struct ccid_quirk quirk = ccid_quirks_find(devices[i][0], devices[i][1], 0x0100);

        assert_null(ccid_quirks_next(NULL, devices[i][0], devices[i][1], 0x0100));
        assert_true(!quirk.flags && !quirk.max_rate && !quirk.ifsd && !quirk.open_times && !quirk.extra_ms);
        assert_true(!quirk.below && !quirk.pin_min && !quirk.pin_max);
    }
}

/* No row is for a whole vendor, or without effect, and each says what it is about. */
static void rows_make_sense(void **state)
{
    unsigned count = 0;

    (void)state;
    for (unsigned vendor = 0; vendor < 0x10000; vendor++)
        assert_null(ccid_quirks_next(NULL, (uint16_t)vendor, 0, 0));
    for (unsigned product = 0; product < 0x10000; product++) {
        const struct ccid_quirk *row = NULL;

        assert_null(ccid_quirks_next(NULL, 0, (uint16_t)product, 0));
        while ((row = ccid_quirks_next(row, 0x04e6, (uint16_t)product, 0))) {
            assert_true(row->note && *row->note);
            assert_true(row->flags || row->max_rate || row->ifsd || row->open_times || row->extra_ms);
            assert_true(!(row->flags & CCID_FIRMWARE_BAD) || row->below);
            count++;
        }
    }
    assert_true(count > 15);
}

static void old_firmware(void **state)
{
    static const uint16_t rows[][3] = {
        {0x04e6, 0xe001, 0x0516}, {0x04e6, 0x5111, 0x0620}, {0x04e6, 0xe003, 0x0510},
        {0x04e6, 0x5291, 0x0112}, {0x0d46, 0x3001, 0x0037}, {0x0d46, 0x3002, 0x0037},
        {0x09c3, 0x0008, 0x0203}, {0x0dc3, 0x1004, 0x0502}, {0x0dc3, 0x1102, 0x0607},
        {0x0dc3, 0x0900, 0x0200}, {0x058f, 0x9520, 0x0102}, {0x072f, 0x2200, 0x0206},
        {0x08c3, 0x0401, 0x5000}, {0x08c3, 0x0402, 0x5000}, {0x0b0c, 0x0050, 0x0101},
        {0x03f0, 0x0036, 0x0124}, {0x062d, 0x0001, 0x0102},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ccid_quirk old = ccid_quirks_find(rows[i][0], rows[i][1], rows[i][2] - 1);
        struct ccid_quirk new = ccid_quirks_find(rows[i][0], rows[i][1], rows[i][2]);

        assert_true(old.flags & CCID_FIRMWARE_BAD);
        assert_int_equal(old.below, rows[i][2]);
        assert_true(ccid_quirks_find(rows[i][0], rows[i][1], 0).flags & CCID_FIRMWARE_BAD);
        assert_false(new.flags &CCID_FIRMWARE_BAD);
        assert_int_equal(new.below, 0);
    }
}

static void firmware_ranges(void **state)
{
    (void)state;
    assert_false(ccid_quirks_find(0x0529, 0x0620, 0x0011).flags & CCID_NO_IFSD);
    assert_true(ccid_quirks_find(0x0529, 0x0620, 0x0012).flags & CCID_NO_IFSD);
    assert_true(ccid_quirks_find(0x0529, 0x0620, 0x0013).flags & CCID_NO_IFSD);
    assert_false(ccid_quirks_find(0x0529, 0x0620, 0x0014).flags & CCID_NO_IFSD);
    assert_false(ccid_quirks_find(0x046a, 0x00a1, 0x00ff).flags & CCID_SHORT_IS_EXTENDED);
    assert_true(ccid_quirks_find(0x046a, 0x00a1, 0x0100).flags & CCID_SHORT_IS_EXTENDED);
    assert_false(ccid_quirks_find(0x046a, 0x00a1, 0x0101).flags & CCID_SHORT_IS_EXTENDED);
    assert_false(ccid_quirks_find(0x413c, 0x2101, 0x0201).flags & CCID_EMPTY_PACKETS);
    assert_int_equal(ccid_quirks_find(0x04e6, 0x5115, 0x0513).ifsd, 48);
    assert_int_equal(ccid_quirks_find(0x04e6, 0x5115, 0x0514).ifsd, 0);
    assert_int_equal(ccid_quirks_find(0x04e6, 0x5117, 0xffff).ifsd, 0);
}

/* SPR532 below 0504 has four rows. */
static void rows_together(void **state)
{
    struct ccid_quirk quirk = ccid_quirks_find(0x04e6, 0xe003, 0x0503);
    const struct ccid_quirk *row = NULL;
    unsigned count = 0;

    (void)state;
    while ((row = ccid_quirks_next(row, 0x04e6, 0xe003, 0x0503)))
        count++;
    assert_int_equal(count, 4);
    assert_int_equal(quirk.ifsd, 48);
    assert_int_equal(quirk.below, 0x0510);
    assert_true(quirk.flags & CCID_MESSAGE_271 && quirk.flags & CCID_ABORT_AT_OPEN &&
                quirk.flags & CCID_FIRMWARE_BAD);
    quirk = ccid_quirks_find(0x072f, 0x2200, 0x0214);
    assert_int_equal(quirk.open_times, 10);
    assert_int_equal(ccid_quirks_find(0x08e6, 0x34d2, 0x0100).extra_ms, 300000);
    quirk = ccid_quirks_find(0x08e6, 0x3478, 0x0100);
    assert_true(quirk.pin_min == 4 && quirk.pin_max == 8 && quirk.flags & CCID_PIN_KEY_ONLY);
}

static struct ccid_descriptor corrected(uint16_t vendor, uint16_t product, enum ccid_level level,
                                        uint32_t message)
{
    struct ccid_descriptor descriptor = {.level = level,
                                         .max_message = message,
                                         .rate = 10752,
                                         .max_rate = 344086,
                                         .max_ifsd = 247,
                                         .protocols = 3,
                                         .pin_verify = true,
                                         .pin_modify = true};
    struct ccid_quirk quirk = ccid_quirks_find(vendor, product, 0x0100);

    ccid_quirks_apply(&quirk, &descriptor);
    return descriptor;
}

static void corrections(void **state)
{
    struct ccid_descriptor d;

    (void)state;
    d = corrected(0x076b, 0x3a21, CCID_SHORT_APDU, 271);
    assert_true(d.level == CCID_EXTENDED_APDU && !d.pin_verify && !d.pin_modify);
    d = corrected(0x076b, 0x3a21, CCID_TPDU, 271);
    assert_int_equal(d.level, CCID_TPDU);
    assert_int_equal(corrected(0x0d46, 0x3010, CCID_EXTENDED_APDU, 271).level, CCID_SHORT_APDU);
    assert_int_equal(corrected(0x058f, 0x9540, CCID_TPDU, 271).max_rate, 200000);
    assert_int_equal(corrected(0x04e6, 0x5116, CCID_TPDU, 263).max_message, 271);
    assert_int_equal(corrected(0x04e6, 0x5116, CCID_TPDU, 512).max_message, 512);
    assert_int_equal(corrected(0x04e6, 0x5115, CCID_TPDU, 263).max_ifsd, 48);
    assert_int_equal(corrected(0x09be, 0x0002, CCID_TPDU, 271).max_ifsd, 254);
    d = corrected(0x1050, 0x0407, CCID_SHORT_APDU, 263);
    assert_true(d.level == CCID_SHORT_APDU && d.max_message == 263 && d.max_rate == 344086 &&
                d.max_ifsd == 247);
    assert_true(d.pin_verify && d.pin_modify);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_are_left_alone), cmocka_unit_test(rows_make_sense),
        cmocka_unit_test(old_firmware),          cmocka_unit_test(firmware_ranges),
        cmocka_unit_test(rows_together),         cmocka_unit_test(corrections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
