/* SPDX-License-Identifier: MIT */
/* driver/ccid_attribute: every attribute of a CCID reader, with its length, with and without a card. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_attribute.h"
#include "tests/unit/ccid_slot_script.h"

static struct ccid_device device;
static struct ccid_slot slot;
static uint8_t out[64];
static size_t length;

static int setup(void **state)
{
    (void)state;
    script_begin(&device, &slot);
    slot.reader.vendor = "Vendor";
    slot.reader.serial = "S-1";
    length = 0;
    return 0;
}

static int get(uint32_t tag)
{
    size_t needed;
    int rc;

    memset(out, 0xee, sizeof out);
    detail_clear();
    rc = ccid_attribute_get(&slot, tag, out, sizeof out, &length);
    if (rc) {
        assert_true(*detail_get());
        return rc;
    }
    assert_int_equal(out[length], 0xee);
    needed = length; /* asked for without room, it says how much */
    if (needed) {
        assert_int_equal(ccid_attribute_get(&slot, tag, NULL, 0, &length), RC_INSUFFICIENT_BUFFER);
        assert_int_equal(length, needed);
    }
    return RC_OK;
}

static void check_number(uint32_t tag, uint32_t expected)
{
    uint32_t number;

    assert_int_equal(get(tag), RC_OK);
    assert_int_equal(length, 4);
    memcpy(&number, out, 4);
    assert_int_equal(number, expected);
}

static void check_text(uint32_t tag, const char *expected)
{
    assert_int_equal(get(tag), RC_OK);
    assert_int_equal(length, strlen(expected) + 1);
    assert_string_equal((char *)out, expected);
}

static void reader(void **state)
{
    (void)state;
    device.descriptor.synchronous = 2;
    device.descriptor.mechanical = 0xf;
    check_text(0x00010100, "Vendor");
    check_text(0x00010101, "Model");
    check_text(0x00010103, "S-1");
    check_number(0x00010102, 0x05120000);
    check_number(0x00020110, 0x00200311);
    check_number(0x00030120, 3);
    check_number(0x00030121, 4000);
    check_number(0x00030122, 8000);
    check_number(0x00030123, 10752);
    check_number(0x00030124, 344086);
    check_number(0x00030125, 254);
    check_number(0x00030126, 2);
    check_number(0x00040131, 1);
    check_number(0x00050140, 0x82);
    check_number(0x00050142, 0x82);
    check_number(0x00060150, 7);
    check_number(0x0007A007, 261);
    device.descriptor.lcd_lines = 0;
    check_number(0x00050140, 2);
    device.pin_verify = device.pin_modify = false;
    check_number(0x00050140, 0);
    slot.reader.vendor = slot.reader.serial = NULL;
    assert_int_equal(get(0x00010100), RC_UNSUPPORTED);
    assert_int_equal(get(0x00010103), RC_UNSUPPORTED);
    assert_int_equal(script.looked, 0);
}

static void card_in_t1(void **state)
{
    (void)state;
    slot.atr.n = 5;
    slot.atr.ifsc = 128;
    slot.atr.bwi = 7, slot.atr.cwi = 5, slot.atr.crc = true;
    check_number(0x00080201, PROTOCOL_T1);
    check_number(0x00080202, 4000);
    check_number(0x00080203, 512);
    check_number(0x00080204, 32);
    check_number(0x00080205, 5);
    assert_int_equal(get(0x00080206), RC_UNSUPPORTED);
    check_number(0x00080207, 128);
    check_number(0x00080208, 254);
    check_number(0x00080209, 7);
    check_number(0x0008020A, 5);
    check_number(0x0008020B, 1);
    assert_int_equal(get(0x00090303), RC_OK);
    assert_int_equal(length, 4);
    assert_memory_equal(out, ((uint8_t[]){0x3b, 0x80, 0x01, 0x81}), 4);
    assert_int_equal(get(0x00090304), RC_OK);
    assert_int_equal(length, 1);
    assert_int_equal(out[0], 1);
    /* Where T=1 is spoken here, what was agreed counts. */
    device.descriptor.level = CCID_TPDU;
    slot.t1.ifsc = 64, slot.t1.ifsd = 32;
    check_number(0x00080207, 64);
    check_number(0x00080208, 32);
}

static void card_in_t0(void **state)
{
    static const uint32_t of_t1[] = {0x00080207, 0x00080208, 0x00080209, 0x0008020A, 0x0008020B};

    (void)state;
    slot.protocol = PROTOCOL_T0;
    slot.atr.wi = 12;
    check_number(0x00080201, PROTOCOL_T0);
    check_number(0x00080206, 12);
    for (size_t i = 0; i < sizeof of_t1 / sizeof *of_t1; i++)
        assert_int_equal(get(of_t1[i]), RC_UNSUPPORTED);
    slot.protocol = PROTOCOL_NONE; /* reset, and not negotiated: F and D are the defaults */
    check_number(0x00080203, 372);
    check_number(0x00080204, 1);
}

static void no_card(void **state)
{
    (void)state;
    slot.powered = false;
    slot.atr_length = 0;
    slot.atr = (struct atr){0};
    slot.protocol = PROTOCOL_NONE;
    check_number(0x00080201, 0);
    for (uint32_t tag = 0x00080202; tag <= 0x0008020B; tag++)
        assert_int_equal(get(tag), RC_NO_CARD);
    assert_int_equal(get(0x00090303), RC_OK);
    assert_int_equal(length, 0);
    assert_int_equal(ccid_attribute_get(&slot, 0x00090303, NULL, 0, &length), RC_OK);
    assert_int_equal(get(0x00090304), RC_OK);
    assert_int_equal(out[0], 0);
    check_number(0x00030121, 4000);
}

/* Asked of the reader, as it is now. */
static void presence(void **state)
{
    static const struct {
        enum ccid_card card;
        uint8_t presence, status;
    } cases[] = {{CCID_CARD_ACTIVE, 2, 1}, {CCID_CARD_INACTIVE, 2, 0}, {CCID_CARD_ABSENT, 0, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        script.card = cases[i].card;
        assert_int_equal(get(0x00090300), RC_OK);
        assert_int_equal(length, 1);
        assert_int_equal(out[0], cases[i].presence);
        assert_int_equal(get(0x00090301), RC_OK);
        assert_int_equal(length, 1);
        assert_int_equal(out[0], cases[i].status);
    }
    assert_int_equal(script.looked, 6); /* not for the length */
    script.look_rc = detail_set(RC_READER_UNAVAILABLE, "gone");
    assert_int_equal(ccid_attribute_get(&slot, 0x00090300, out, sizeof out, &length), RC_READER_UNAVAILABLE);
}

static void others(void **state)
{
    static const uint32_t tags[] = {0,          0x0008020C, 0x00090302, 0x7FFF0001,
                                    0x7FFF0003, 0x7FFF0004, 0x7FFF0007, 0xFFFFFFFF};

    (void)state;
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++) {
        assert_int_equal(get(tags[i]), RC_UNSUPPORTED);
        assert_int_equal(ccid_attribute_set(&slot, tags[i], out, 4), RC_UNSUPPORTED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reader, setup),     cmocka_unit_test_setup(card_in_t1, setup),
        cmocka_unit_test_setup(card_in_t0, setup), cmocka_unit_test_setup(no_card, setup),
        cmocka_unit_test_setup(presence, setup),   cmocka_unit_test_setup(others, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
