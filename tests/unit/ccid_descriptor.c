/* SPDX-License-Identifier: MIT */
/* driver/ccid_descriptor: finding the interface and its class descriptor, corrections, damaged descriptors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "driver/ccid_descriptor.h"

#define CONFIGURATION 9, 2, 93, 0, 1, 1, 0, 0x80, 50
#define INTERFACE(number, alternate, code, protocol) 9, 4, number, alternate, 3, code, 0, protocol, 4
#define BULK_OUT 7, 5, 0x01, 2, 64, 0, 0
#define BULK_IN 7, 5, 0x82, 2, 0x00, 0x02, 0
#define INTERRUPT 7, 5, 0x83, 3, 8, 0, 24
/* A TPDU reader: 5 V and 3 V, T=0 and T=1, 4 and 8 MHz, 10752 to 344086 bit/s, feature 00010230, 2 of 4 slots
 * busy. */
#define CLASS_OF(type)                                                                                       \
    54, type, 0x10, 0x01, 3, 3, 3, 0, 0, 0, 0xa0, 0x0f, 0, 0, 0x40, 0x1f, 0, 0, 2, 0x00, 0x2a, 0, 0, 0x16,   \
        0x40, 5, 0, 53, 252, 0, 0, 0, 2, 0, 0, 0, 9, 0, 0, 0, 0x30, 0x02, 0x01, 0, 0x0f, 0x01, 0, 0, 0xc0,   \
        0xc2, 16, 2, 1, 2
#define CLASS CLASS_OF(0x21)
#define HID_OTHER 9, 0x21, 0x11, 1, 0, 1, 0x22, 63, 0 /* type 21, too, but of another class */

static const uint8_t usual[] = {CONFIGURATION, INTERFACE(0, 0, 0x0b, 0), CLASS, BULK_OUT, BULK_IN, INTERRUPT};
#define CLASS_AT 18

static int first(const uint8_t *bytes, size_t length, struct ccid_descriptor *ret)
{
    uint8_t *exact = malloc(length ? length : 1); /* a read past the end is seen */
    struct bytes in = bytes_of(exact, length);
    int rc;

    assert_non_null(exact);
    if (length)
        memcpy(exact, bytes, length);
    rc = ccid_descriptor_next(&in, ret);
    free(exact);
    return rc;
}

static void every_field(void **state)
{
    struct ccid_descriptor d;
    struct bytes in = bytes_of(usual, sizeof usual);

    (void)state;
    assert_int_equal(ccid_descriptor_next(&in, &d), 1);
    assert_true(d.defect == CCID_SOUND && d.interface == 0 && d.class_code == 0x0b && d.name_index == 4);
    assert_true(d.transport == CCID_BULK && d.level == CCID_TPDU && d.features == 0x00010230);
    assert_true(d.out.address == 0x01 && d.out.packet == 64);
    assert_true(d.in.address == 0x82 && d.in.packet == 512);
    assert_true(d.interrupt.address == 0x83 && d.interrupt.packet == 8);
    assert_true(d.slots == 4 && d.busy_slots == 2 && d.voltages == 3 && d.protocols == 3);
    assert_true(d.synchronous == 2 && d.mechanical == 9);
    assert_true(d.clock_khz == 4000 && d.max_clock_khz == 8000 && d.clock_count == 2);
    assert_int_equal(d.rate, 10752);
    assert_int_equal(d.max_rate, 344086);
    assert_true(d.rate_count == 53 && d.max_ifsd == 252 && d.max_message == 271);
    assert_true(d.class_get_response == 0xc0 && d.class_envelope == 0xc2);
    assert_true(d.lcd_columns == 16 && d.lcd_lines == 2 && d.pin_verify && !d.pin_modify);
    assert_memory_equal(d.raw, usual + CLASS_AT, sizeof d.raw);
    assert_int_equal(ccid_descriptor_next(&in, &d), 0);
}

struct place {
    const char *what;
    uint8_t bytes[220];
    size_t length;
    int rc;
    enum ccid_defect defect;
};
#define PLACE(what, rc, defect, ...)                                                                         \
    {                                                                                                        \
        what, {__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), rc, defect                              \
    }

static void places(void **state)
{
    static const struct place rows[] = {
        PLACE("last", 1, CCID_SOUND, INTERFACE(0, 0, 0x0b, 0), BULK_IN, BULK_OUT, CLASS),
        PLACE("behind the first endpoint", 1, CCID_SOUND, INTERFACE(0, 0, 0x0b, 0), BULK_IN, CLASS, BULK_OUT),
        PLACE("no interrupt", 1, CCID_SOUND, INTERFACE(0, 0, 0x0b, 0), CLASS, BULK_IN, BULK_OUT),
        PLACE("type FF", 1, CCID_SOUND, INTERFACE(0, 0, 0x0b, 0), CLASS_OF(0xff), BULK_IN, BULK_OUT),
        PLACE("class FF", 1, CCID_SOUND, INTERFACE(0, 0, 0xff, 0), CLASS, BULK_IN, BULK_OUT),
        PLACE("class FF, type FF", 1, CCID_SOUND, INTERFACE(0, 0, 0xff, 0), CLASS_OF(0xff), BULK_IN,
              BULK_OUT),
        PLACE("class FF without", 0, CCID_SOUND, INTERFACE(0, 0, 0xff, 0), BULK_IN, BULK_OUT),
        PLACE("another class", 0, CCID_SOUND, INTERFACE(0, 0, 0x03, 0), CLASS, BULK_IN, BULK_OUT),
        PLACE("short item of type 21 first", 1, CCID_SOUND, INTERFACE(0, 0, 0x0b, 0), HID_OTHER, CLASS,
              BULK_IN, BULK_OUT),
        PLACE("unknown items around", 1, CCID_SOUND, 3, 0x24, 1, INTERFACE(0, 0, 0x0b, 0), 2, 0x30, CLASS, 5,
              0x24, 0, 0, 0, BULK_IN, 2, 0x30, BULK_OUT),
        PLACE("longer interface descriptor", 1, CCID_SOUND, 10, 4, 0, 0, 3, 0x0b, 0, 0, 0, 0, CLASS, BULK_IN,
              BULK_OUT),
        PLACE("no class descriptor", 1, CCID_NO_CLASS_DESCRIPTOR, INTERFACE(0, 0, 0x0b, 0), BULK_IN,
              BULK_OUT),
        PLACE("length 53", 1, CCID_NO_CLASS_DESCRIPTOR, INTERFACE(0, 0, 0x0b, 0), 53, 0x21, CLASS, BULK_IN,
              BULK_OUT),
        PLACE("length 0", 1, CCID_NO_CLASS_DESCRIPTOR, INTERFACE(0, 0, 0x0b, 0), 0, 0x21, CLASS),
        PLACE("length 1", 1, CCID_NO_CLASS_DESCRIPTOR, INTERFACE(0, 0, 0x0b, 0), 1, 0x21, CLASS),
        PLACE("longer than the rest", 1, CCID_NO_CLASS_DESCRIPTOR, INTERFACE(0, 0, 0x0b, 0), 54, 0x21, 0x10),
        PLACE("one endpoint", 1, CCID_NO_ENDPOINTS, INTERFACE(0, 0, 0x0b, 0), CLASS, BULK_IN, INTERRUPT),
        PLACE("endpoint 0", 1, CCID_NO_ENDPOINTS, INTERFACE(0, 0, 0x0b, 0), CLASS, BULK_IN, 7, 5, 0, 2, 64, 0,
              0),
        PLACE("short endpoint", 1, CCID_NO_ENDPOINTS, INTERFACE(0, 0, 0x0b, 0), CLASS, BULK_IN, 4, 5, 1, 2),
        PLACE("ICCD A", 1, CCID_SOUND, INTERFACE(0, 0, 0x0b, 1), CLASS),
        PLACE("ICCD B", 1, CCID_SOUND, INTERFACE(0, 0, 0x0b, 2), CLASS),
        PLACE("protocol 3", 1, CCID_BAD_TRANSPORT, INTERFACE(0, 0, 0x0b, 3), CLASS, BULK_IN, BULK_OUT),
        PLACE("alternate setting", 0, CCID_SOUND, INTERFACE(0, 1, 0x0b, 0), CLASS, BULK_IN, BULK_OUT),
        PLACE("class descriptor of the next interface", 1, CCID_NO_CLASS_DESCRIPTOR, INTERFACE(0, 0, 0x0b, 0),
              BULK_IN, BULK_OUT, INTERFACE(1, 0, 0xff, 0), CLASS),
        PLACE("nothing", 0, CCID_SOUND, 0),
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ccid_descriptor d = {.slots = 77};
        int rc = first(rows[i].bytes, rows[i].length, &d);

        if (rc != rows[i].rc || (rc && d.defect != rows[i].defect))
            fail_msg("%s: %d, defect %d", rows[i].what, rc, (int)d.defect);
        if (!rc)
            assert_int_equal(d.slots, 77);
        else
            assert_int_equal(*ccid_defect_text(d.defect) == 0, d.defect == CCID_SOUND);
        if (rc && !d.defect)
            assert_int_equal(d.max_message, 271);
        if (rc && !d.defect && d.transport == CCID_BULK)
            assert_true(d.in.address == 0x82 && d.out.address == 0x01);
    }
}

/* Two CCID interfaces with a keyboard between them and a second setting of the last. */
static void composite(void **state)
{
    static const uint8_t bytes[] = {18,
                                    1,
                                    0,
                                    2,
                                    0,
                                    0,
                                    0,
                                    64,
                                    1,
                                    2,
                                    3,
                                    4,
                                    5,
                                    6,
                                    1,
                                    2,
                                    3,
                                    1,
                                    CONFIGURATION,
                                    INTERFACE(0, 0, 0x0b, 0),
                                    CLASS,
                                    BULK_OUT,
                                    BULK_IN,
                                    INTERFACE(1, 0, 0x03, 0),
                                    HID_OTHER,
                                    7,
                                    5,
                                    0x84,
                                    3,
                                    8,
                                    0,
                                    10,
                                    8,
                                    0x0b,
                                    2,
                                    1,
                                    0x0b,
                                    0,
                                    0,
                                    0,
                                    INTERFACE(2, 0, 0x0b, 0),
                                    7,
                                    5,
                                    0x05,
                                    2,
                                    64,
                                    0,
                                    0,
                                    7,
                                    5,
                                    0x86,
                                    2,
                                    0,
                                    0,
                                    0,
                                    CLASS,
                                    INTERFACE(2, 1, 0x0b, 0),
                                    CLASS,
                                    BULK_OUT,
                                    BULK_IN};
    struct bytes in = bytes_of(bytes, sizeof bytes);
    struct ccid_descriptor d;

    (void)state;
    assert_int_equal(ccid_descriptor_next(&in, &d), 1);
    assert_true(d.interface == 0 && d.in.address == 0x82 && !d.interrupt.address && !d.defect);
    assert_int_equal(ccid_descriptor_next(&in, &d), 1);
    assert_true(d.interface == 2 && d.in.address == 0x86 && d.out.address == 0x05 && !d.defect);
    assert_int_equal(d.in.packet, 64); /* said 0 */
    assert_int_equal(ccid_descriptor_next(&in, &d), 0);
}

struct change {
    size_t at;
    uint8_t bytes[4];
    size_t count;
    size_t field, size; /* of struct ccid_descriptor */
    uint32_t value;
};
#define FIELD(name) offsetof(struct ccid_descriptor, name), sizeof(((struct ccid_descriptor *)0)->name)

static void corrections(void **state)
{
    static const struct change rows[] = {
        {2, {0xff, 0xff}, 2, FIELD(slots), 4}, /* version */
        {4, {255}, 1, FIELD(slots), 256},
        {4, {0}, 1, FIELD(busy_slots), 1},
        {53, {0}, 1, FIELD(busy_slots), 1},
        {53, {9}, 1, FIELD(busy_slots), 4},
        {5, {0}, 1, FIELD(voltages), 7},
        {5, {0xf6}, 1, FIELD(voltages), 6},
        {6, {0, 3, 0, 0}, 4, FIELD(protocols), 3}, /* the other byte order */
        {6, {0, 0, 0, 2}, 4, FIELD(protocols), 2},
        {6, {1, 2, 0, 0}, 4, FIELD(protocols), 1},
        {6, {0, 0, 0, 0}, 4, FIELD(protocols), 3},
        {10, {0, 0, 0, 0}, 4, FIELD(clock_khz), 4000},
        {14, {1, 0, 0, 0}, 4, FIELD(max_clock_khz), 4000},
        {19, {0, 0, 0, 0}, 4, FIELD(rate), 10752},
        {23, {0, 0, 0, 0}, 4, FIELD(max_rate), 10752},
        {28, {0, 0, 0, 0}, 4, FIELD(max_ifsd), 254},
        {28, {0xff, 0, 0, 0}, 4, FIELD(max_ifsd), 254},
        {28, {0xf6, 0x0b, 0, 0}, 4, FIELD(max_ifsd), 254}, /* 3062 */
        {28, {247, 0, 0, 0}, 4, FIELD(max_ifsd), 247},
        {44, {9, 0, 0, 0}, 4, FIELD(max_message), 271},
        {44, {10, 0, 0, 0}, 4, FIELD(max_message), 10},
        {44, {0x12, 0, 1, 0}, 4, FIELD(max_message), 65554},
        {44, {0x13, 0, 1, 0}, 4, FIELD(max_message), 65554},
        {44, {0xff, 0xff, 0xff, 0xff}, 4, FIELD(max_message), 65554},
        {40, {0x30, 0, 0, 0}, 4, FIELD(level), CCID_CHARACTER},
        {40, {0x40, 0x08, 1, 0}, 4, FIELD(level), CCID_TPDU},
        {40, {0, 0, 2, 0}, 4, FIELD(level), CCID_SHORT_APDU},
        {40, {0xba, 4, 4, 0}, 4, FIELD(level), CCID_EXTENDED_APDU},
        {40, {0, 0, 6, 0}, 4, FIELD(level), CCID_EXTENDED_APDU},
        {52, {2}, 1, FIELD(pin_modify), 1},
        {52, {2}, 1, FIELD(pin_verify), 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t bytes[sizeof usual];
        struct ccid_descriptor d;
        uint32_t value = 0;

        memcpy(bytes, usual, sizeof bytes);
        memcpy(bytes + CLASS_AT + rows[i].at, rows[i].bytes, rows[i].count);
        assert_int_equal(first(bytes, sizeof bytes, &d), 1);
        memcpy(&value, (uint8_t *)&d + rows[i].field,
               rows[i].size); /* little-endian, as all platforms of the tests */
        if (value != rows[i].value)
            fail_msg("row %zu: %u instead of %u", i, value, rows[i].value);
        assert_memory_equal(d.raw, bytes + CLASS_AT, sizeof d.raw);
    }
}

static void no_t1_no_ifsd(void **state)
{
    uint8_t bytes[sizeof usual];
    struct ccid_descriptor d;

    (void)state;
    memcpy(bytes, usual, sizeof bytes);
    bytes[CLASS_AT + 6] = 1;
    bytes[CLASS_AT + 28] = 0;
    assert_int_equal(first(bytes, sizeof bytes, &d), 1);
    assert_int_equal(d.max_ifsd, 0);
}

static void check_usable(const struct ccid_descriptor *d)
{
    if (d->defect == CCID_NO_CLASS_DESCRIPTOR)
        return;
    assert_true(d->slots >= 1 && d->slots <= 256 && d->busy_slots >= 1 && d->busy_slots <= d->slots);
    assert_true(d->voltages && d->protocols && d->clock_khz && d->max_clock_khz >= d->clock_khz);
    assert_true(d->max_rate >= d->rate && d->max_ifsd <= 254 && (d->max_ifsd || !(d->protocols & 2)));
    assert_true(d->max_message >= 10 && d->max_message <= 65554);
    if (!d->defect && d->transport == CCID_BULK)
        assert_true(d->in.address & 0x80 && d->in.packet && d->out.address && d->out.packet);
}

/* Every prefix, and every value of every byte: no read past the end, no value that a driver could not use. */
static void damaged(void **state)
{
    struct ccid_descriptor d;
    uint8_t bytes[sizeof usual];

    (void)state;
    for (size_t length = 0; length <= sizeof usual; length++) {
        int rc = first(usual, length, &d);

        assert_int_equal(rc, length >= CLASS_AT);
        if (rc) {
            check_usable(&d);
            assert_int_equal(d.defect != CCID_SOUND, length < CLASS_AT + 54 + 7 + 7);
        }
    }
    for (size_t at = 0; at < sizeof usual; at++) {
        memcpy(bytes, usual, sizeof bytes);
        for (unsigned value = 0; value < 256; value++) {
            bytes[at] = (uint8_t)value;
            if (first(bytes, sizeof bytes, &d))
                check_usable(&d);
        }
    }
}

static void rates(void **state)
{
    static const uint8_t answer[] = {0x00, 0x2a, 0, 0, 0, 0, 0, 0, 0x48, 0xe8, 1, 0, 1, 0, 0, 0};
    uint8_t long_answer[1024];
    uint32_t got[CCID_RATES_MAX];

    (void)state;
    memset(long_answer, 1, sizeof long_answer);
    assert_int_equal(ccid_rates(answer, sizeof answer, 4, got), 3); /* zero left out */
    assert_true(got[0] == 10752 && got[1] == 125000 && got[2] == 1);
    assert_int_equal(ccid_rates(answer, sizeof answer, 3, got), 2);  /* announced fewer */
    assert_int_equal(ccid_rates(answer, sizeof answer, 99, got), 3); /* announced more */
    assert_int_equal(ccid_rates(answer, sizeof answer - 1, 4, got), 0);
    assert_int_equal(ccid_rates(answer, 0, 4, got), 0);
    assert_int_equal(ccid_rates(answer, sizeof answer, 0, got), 0);
    assert_int_equal(ccid_rates(long_answer, sizeof long_answer, 256, got), CCID_RATES_MAX);
}

static void who_does_pps(void **state)
{
    static const struct {
        uint32_t features;
        enum pps_who who;
    } rows[] = {
        {0x00010230, PPS_HOST},   {0x000100b0, PPS_PARAMETERS}, {0x00010040, PPS_READER},
        {0x000100c0, PPS_READER}, {0x00010002, PPS_READER},     {0x00020030, PPS_PARAMETERS},
        {0x000404ba, PPS_READER}, {0x000404b8, PPS_PARAMETERS}, {0x00000030, PPS_HOST},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t bytes[sizeof usual];
        struct ccid_descriptor d;

        memcpy(bytes, usual, sizeof bytes);
        for (unsigned byte = 0; byte < 4; byte++)
            bytes[CLASS_AT + 40 + byte] = (uint8_t)(rows[i].features >> 8 * byte);
        assert_int_equal(first(bytes, sizeof bytes, &d), 1);
        assert_int_equal(ccid_pps_who(&d), rows[i].who);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field), cmocka_unit_test(places),        cmocka_unit_test(composite),
        cmocka_unit_test(corrections), cmocka_unit_test(no_t1_no_ifsd), cmocka_unit_test(damaged),
        cmocka_unit_test(rates),       cmocka_unit_test(who_does_pps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
