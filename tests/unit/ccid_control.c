/* SPDX-License-Identifier: MIT */
/* driver/ccid_control, ccid_features: feature lists, properties, escape commands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_control.h"
#include "driver/ccid_features.h"
#include "tests/unit/ccid_slot_script.h"

static struct ccid_device device;
static struct ccid_slot slot;
static uint8_t out[300];
static size_t length;

static int setup(void **state)
{
    (void)state;
    script_begin(&device, &slot);
    memset(out, 0xee, sizeof out);
    length = 0;
    return 0;
}

static int control(uint32_t code, const uint8_t *in, size_t in_length, size_t capacity)
{
    return ccid_control(&slot, code, in, in_length, capacity ? out : NULL, capacity, &length);
}

/* What a feature list or the properties say, checked record by record; -1: it is not there. */
static const uint8_t *find(uint8_t tag, size_t *ret_length)
{
    for (size_t at = 0; at < length; at += 2U + out[at + 1]) {
        assert_true(at + 2 <= length && at + 2 + out[at + 1] <= length);
        if (out[at] == tag) {
            *ret_length = out[at + 1];
            return out + at + 2;
        }
    }
    return NULL;
}

static long property(uint8_t tag)
{
    size_t size = 0;
    const uint8_t *at = find(tag, &size);
    long value = 0;

    if (!at)
        return -1;
    for (size_t i = 0; i < size; i++)
        value |= (long)at[i] << 8 * i;
    return value;
}

static void features(void **state)
{
    static const uint8_t all[] = {0x06, 4,    0x42, 0x33, 0x00, 0x06, 0x07, 4,    0x42, 0x33,
                                  0x00, 0x07, 0x0a, 4,    0x42, 0x33, 0x00, 0x0a, 0x12, 4,
                                  0x42, 0x33, 0x00, 0x12, 0x13, 4,    0x42, 0x00, 0x00, 0x01};

    (void)state;
    device.escape_allowed = true;
    assert_int_equal(control(0x42000D48, NULL, 0, sizeof out), RC_OK);
    assert_int_equal(length, sizeof all);
    assert_memory_equal(out, all, sizeof all);
    memset(out, 0, sizeof out);
    assert_int_equal(control(0x00313520, NULL, 0, sizeof all), RC_OK);
    assert_memory_equal(out, all, sizeof all);
    device.escape_allowed = false;
    assert_int_equal(control(0x42000D48, NULL, 0, 24), RC_OK);
    assert_int_equal(length, 24);
    assert_memory_equal(out, all, 24);
    device.pin_modify = false;
    assert_int_equal(control(0x42000D48, NULL, 0, sizeof out), RC_OK);
    assert_int_equal(length, 18);
    assert_int_equal(out[0], 6);
    assert_int_equal(out[6], 10);
    device.pin_verify = false;
    assert_int_equal(control(0x42000D48, NULL, 0, sizeof out), RC_OK);
    assert_int_equal(length, 6);
    assert_memory_equal(out, all + 18, 6);
    device.pin_verify = device.pin_modify = true;
    device.descriptor.level = CCID_CHARACTER; /* no Secure there */
    assert_int_equal(control(0x42000D48, NULL, 0, sizeof out), RC_OK);
    assert_int_equal(length, 6);
}

/* Each answer says the room that it needs, and writes nothing into less. */
static void room(void **state)
{
    static const uint32_t codes[] = {0x42000D48, 0x4233000A, 0x42330012};

    (void)state;
    device.escape_allowed = true;
    device.quirk.flags = CCID_PIN_KEY_ONLY;
    device.quirk.pin_max = 8;
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        size_t needed;

        assert_int_equal(control(codes[i], NULL, 0, sizeof out), RC_OK);
        needed = length;
        assert_true(needed && needed <= CCID_PROPERTIES_MAX);
        memset(out, 0xee, sizeof out);
        for (size_t capacity = 0; capacity < needed; capacity++) {
            assert_int_equal(control(codes[i], NULL, 0, capacity), RC_INSUFFICIENT_BUFFER);
            assert_int_equal(length, needed);
            assert_int_equal(out[0], 0xee);
        }
        assert_int_equal(control(codes[i], NULL, 0, needed), RC_OK);
        assert_int_equal(out[needed], 0xee);
    }
}

static void pin_properties(void **state)
{
    (void)state;
    assert_int_equal(control(0x4233000A, NULL, 0, sizeof out), RC_OK);
    assert_int_equal(length, 4);
    assert_memory_equal(out, ((uint8_t[]){16, 2, 7, 0}), 4);
    device.quirk.flags = CCID_PIN_KEY_ONLY;
    assert_int_equal(control(0x4233000A, NULL, 0, sizeof out), RC_OK);
    assert_int_equal(out[2], 2);
    device.pin_verify = device.pin_modify = false;
    assert_int_equal(control(0x4233000A, NULL, 0, sizeof out), RC_UNSUPPORTED);
}

static void properties(void **state)
{
    (void)state;
    assert_int_equal(control(0x42330012, NULL, 0, sizeof out), RC_OK);
    assert_int_equal(property(1), 0x0210);
    assert_int_equal(property(2), -1);
    assert_int_equal(property(3), 0);
    assert_int_equal(property(4), 16);
    assert_int_equal(property(5), 2);
    assert_int_equal(property(6), -1);
    assert_int_equal(property(9), 0);
    assert_int_equal(property(10), 0x10000);
    assert_int_equal(property(11), 0x1234);
    assert_int_equal(property(12), 0x5678);
    device.escape_allowed = true;
    device.descriptor.lcd_lines = 0;
    device.quirk = (struct ccid_quirk){.flags = CCID_PIN_KEY_ONLY, .pin_min = 4, .pin_max = 8};
    assert_int_equal(control(0x42330012, NULL, 0, sizeof out), RC_OK);
    assert_int_equal(property(2), 2);
    assert_int_equal(property(4), -1);
    assert_int_equal(property(6), 4);
    assert_int_equal(property(7), 8);
    assert_int_equal(property(9), 1);
}

/* dwMaxAPDUDataSize promises extended APDUs only where they go through. */
static void apdu_size(void **state)
{
    static const struct {
        enum ccid_level level;
        uint8_t protocols;
        enum protocol protocol;
        long size;
    } cases[] = {
        {CCID_EXTENDED_APDU, 3, PROTOCOL_T0, 0x10000},
        {CCID_EXTENDED_APDU, 1, PROTOCOL_NONE, 0x10000},
        {CCID_SHORT_APDU, 3, PROTOCOL_T1, 0},
        {CCID_TPDU, 3, PROTOCOL_T1, 0x10000},
        {CCID_TPDU, 3, PROTOCOL_T0, 0},
        {CCID_TPDU, 3, PROTOCOL_NONE, 0x10000},
        {CCID_TPDU, 1, PROTOCOL_NONE, 0},
        {CCID_CHARACTER, 2, PROTOCOL_T1, 0x10000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        device.descriptor.level = cases[i].level;
        device.descriptor.protocols = cases[i].protocols;
        slot.protocol = cases[i].protocol;
        assert_int_equal(control(0x42330012, NULL, 0, sizeof out), RC_OK);
        assert_int_equal(property(10), cases[i].size);
    }
    device.descriptor.level = CCID_TPDU;
    device.descriptor.protocols = 3;
    slot.protocol = PROTOCOL_NONE; /* connected directly, a card of T=0 in */
    assert_int_equal(atr_parse((const uint8_t[]){0x3b, 0x00}, 2, &slot.atr), RC_OK);
    assert_int_equal(control(0x42330012, NULL, 0, sizeof out), RC_OK);
    assert_int_equal(property(10), 0);
}

static void escape(void **state)
{
    static const uint8_t in[] = {0x1f, 0x02};

    (void)state;
    assert_int_equal(control(0x42000001, in, sizeof in, sizeof out), RC_DENIED);
    assert_non_null(strstr(detail_get(), "usb:1234:5678?escape=yes"));
    assert_int_equal(control(0x003136B0, in, sizeof in, sizeof out), RC_DENIED);
    assert_int_equal(script.commands_count, 0);
    device.escape_allowed = true;
    SCRIPT_DATA(1, 2, 3);
    assert_int_equal(control(0x42000001, in, sizeof in, sizeof out), RC_OK);
    assert_int_equal(length, 3);
    assert_memory_equal(out, ((uint8_t[]){1, 2, 3}), 3);
    assert_int_equal(script.commands[0].type, CCID_ESCAPE);
    assert_int_equal(script.commands[0].length, 2);
    assert_memory_equal(script.commands[0].data, in, 2);
    assert_int_equal(script.commands[0].timeout_ms, 30000);
    SCRIPT_DATA(1, 2, 3);
    assert_int_equal(control(0x003136B0, in, sizeof in, 2), RC_INSUFFICIENT_BUFFER);
    assert_int_equal(length, 3);
    script_add((struct script_answer){0});
    assert_int_equal(control(0x42000001, NULL, 0, 0), RC_OK); /* nothing there, nothing back */
    assert_int_equal(length, 0);
    script_add((struct script_answer){.failed = true, .error = CCID_NOT_SUPPORTED});
    assert_int_equal(control(0x42000001, in, sizeof in, sizeof out), RC_UNSUPPORTED);
    script_add((struct script_answer){.rc = RC_CANCELLED});
    assert_int_equal(control(0x42000001, in, sizeof in, sizeof out), RC_CANCELLED);
    assert_int_equal(control(0x42000001, out, 262, sizeof out), RC_INVALID_VALUE);
    assert_int_equal(script.commands_count, 5);
}

/* Questions for the firmware's name go without permission; what is like them, or for others, does not. */
static void harmless(void **state)
{
    static const uint8_t firmware[] = {0x02, 0x00}, interface[] = {0x52, 0xf8, 0x04, 0x01, 0x00, 0x02};

    (void)state;
    assert_int_equal(control(0x42000001, firmware, 1, sizeof out), RC_DENIED);
    device.identity.vendor = 0x08e6;
    SCRIPT_DATA('G', 'e', 'm');
    assert_int_equal(control(0x42000001, firmware, 1, sizeof out), RC_OK);
    assert_int_equal(control(0x42000001, firmware, 2, sizeof out), RC_DENIED);
    assert_int_equal(control(0x42000001, interface, sizeof interface, sizeof out), RC_DENIED);
    assert_int_equal(control(0x42000001, NULL, 0, sizeof out), RC_DENIED);
    device.identity.product = 0x5503;
    SCRIPT_DATA(0x90, 0x00);
    assert_int_equal(control(0x42000001, interface, sizeof interface, sizeof out), RC_OK);
    assert_int_equal(control(0x42000001, interface, 5, sizeof out), RC_DENIED);
}

static void pin(void **state)
{
    static const uint8_t verify[] = {0, 0, 0x82, 0, 0, 8, 4, 2, 1,    9, 4, 0,
                                     0, 0, 0,    4, 0, 0, 0, 0, 0x20, 0, 1};

    (void)state;
    SCRIPT_DATA(0x90, 0x00);
    assert_int_equal(control(0x42330006, verify, sizeof verify, sizeof out), RC_OK);
    assert_int_equal(script.commands[0].type, CCID_SECURE);
    assert_int_equal(script.commands[0].data[0], 0);
    assert_int_equal(control(0x42330007, verify, sizeof verify, sizeof out), RC_INVALID_VALUE);
}

static void unknown(void **state)
{
    (void)state;
    assert_int_equal(control(0x42330008, NULL, 0, sizeof out), RC_UNSUPPORTED);
    assert_int_equal(control(0, NULL, 0, sizeof out), RC_UNSUPPORTED);
    assert_non_null(strstr(detail_get(), "42000D48"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(features, setup),       cmocka_unit_test_setup(room, setup),
        cmocka_unit_test_setup(pin_properties, setup), cmocka_unit_test_setup(properties, setup),
        cmocka_unit_test_setup(apdu_size, setup),      cmocka_unit_test_setup(escape, setup),
        cmocka_unit_test_setup(harmless, setup),       cmocka_unit_test_setup(pin, setup),
        cmocka_unit_test_setup(unknown, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
