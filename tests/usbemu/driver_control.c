/* SPDX-License-Identifier: MIT */
/* The driver's features, attributes, escape commands and PIN entry over emulated readers. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "tests/usbemu/ccid_kit.h"

static struct kit kit;
static struct emu_reader *emulated;
static struct reader *reader;
static uint8_t out[300];
static size_t length;

/* A card of this protocol in slot 0, powered; none if that is PROTOCOL_NONE. */
static void begin(const char *preset, enum protocol protocol, bool escape)
{
    static const char *const cards[] = {
        [PROTOCOL_NONE] = NULL,
        [PROTOCOL_T0] = "sim:iso?pin=1234&protocol=t0",
        [PROTOCOL_T1] = "sim:iso?pin=1234",
    };

    kit_escape_allowed = escape;
    kit_open(&kit, preset, emu_reader_preset(preset)->vid == 0x04e6 ? "pin_all_indexes=1" : NULL,
             cards[protocol]);
    assert_int_equal(kit.count, 1);
    emulated = kit.emulated;
    reader = kit.reader;
    if (protocol)
        kit_start(&kit, protocol);
}

/* The reader has nothing to complain of. */
static void end(void)
{
    kit_close(&kit);
}

static int control(uint32_t code, const uint8_t *in, size_t in_length)
{
    detail_clear();
    return reader->ops->control(reader, code, in, in_length, out, sizeof out, &length);
}

static uint32_t number(uint32_t tag)
{
    uint32_t value = 0;

    assert_int_equal(reader->ops->get_attribute(reader, tag, out, sizeof out, &length), RC_OK);
    assert_int_equal(length, 4);
    memcpy(&value, out, 4);
    return value;
}

static uint8_t byte(uint32_t tag)
{
    assert_int_equal(reader->ops->get_attribute(reader, tag, out, sizeof out, &length), RC_OK);
    assert_int_equal(length, 1);
    return out[0];
}

static void features(void **state)
{
    (void)state;
    begin("pinpad", PROTOCOL_NONE, true);
    assert_int_equal(control(0x42000D48, NULL, 0), RC_OK);
    assert_int_equal(length, 30);
    end();
    begin("tpdu", PROTOCOL_NONE, false);
    assert_int_equal(control(0x42000D48, NULL, 0), RC_OK);
    assert_int_equal(length, 6);
    assert_int_equal(control(0x42000001, (const uint8_t[]){1}, 1), RC_DENIED);
    end();
    /* Says that it has a keypad; the quirk table knows better. */
    begin("omnikey", PROTOCOL_NONE, false);
    assert_int_equal(control(0x42000D48, NULL, 0), RC_OK);
    assert_int_equal(length, 6);
    end();
}

/* What the reader refuses does not hurt the next command. */
static void escape(void **state)
{
    static const uint8_t get_challenge[] = {0x00, 0x84, 0x00, 0x00, 0x08};

    (void)state;
    begin("extended", PROTOCOL_T1, true);
    (void)control(0x42000001, (const uint8_t[]){0x77, 0x01}, 2);
    assert_int_equal(reader->ops->transmit(reader, PROTOCOL_T1, get_challenge, sizeof get_challenge, out,
                                           sizeof out, &length),
                     RC_OK);
    assert_true(length >= 2);
    end();
}

static void attributes(void **state)
{
    static const char *const presets[] = {"tpdu", "short", "extended", "character"};

    (void)state;
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        begin(presets[i], PROTOCOL_T1, false);
        assert_int_equal(number(0x00020110), 0x00200102);
        assert_int_equal(number(0x00080201), PROTOCOL_T1);
        assert_true(number(0x00080207) >= 32);
        assert_true(number(0x00080203) >= 372);
        assert_int_equal(byte(0x00090300), 2);
        assert_int_equal(byte(0x00090301), 1);
        assert_int_equal(byte(0x00090304), 1);
        emu_reader_remove(emulated, 0);
        assert_int_equal(byte(0x00090300), 0);
        assert_int_equal(byte(0x00090301), 0);
        assert_int_equal(reader->ops->get_attribute(reader, 0x00090303, out, sizeof out, &length), RC_OK);
        assert_int_equal(length, 0);
        end();
    }
}

/* A card that left while its attributes were asked is still told to be gone, once. */
static void removal_is_told(void **state)
{
    bool present = true;

    (void)state;
    begin("tpdu", PROTOCOL_T1, false);
    emu_reader_bounce(emulated, 0);
    assert_int_equal(byte(0x00090301), 0);
    assert_int_equal(reader->ops->presence(reader, &present), RC_OK);
    assert_false(present);
    assert_int_equal(reader->ops->presence(reader, &present), RC_OK);
    assert_true(present);
    end();
}

/* ASCII digits, padded with FF to 8 bytes; 4 to 8 of them, ended by a key. */
static const uint8_t verify[] = {30,   0, 0x82, 0x08, 0,    8,    4,    2,    1,    9,    4,
                                 0,    0, 0,    0,    13,   0,    0,    0,    0,    0x20, 0,
                                 0x81, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/* Asks for the old one and twice for the new one. */
static const uint8_t modify[] = {30,   0,    0x82, 0x08, 0,    0,    8,    8,    4,    3,    2,    3,
                                 9,    4,    0,    1,    2,    0,    0,    0,    21,   0,    0,    0,
                                 0,    0x24, 0,    0x81, 16,   0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

static void enter(const uint8_t *in, size_t in_length, const char *keys, uint16_t sw)
{
    assert_int_equal(emu_reader_keys(emulated, 0, keys), RC_OK);
    assert_int_equal(control(in == modify ? 0x42330007 : 0x42330006, in, in_length), RC_OK);
    assert_int_equal(length, 2);
    assert_int_equal(out[0] << 8 | out[1], sw);
}

static int get_challenge(enum protocol protocol)
{
    static const uint8_t command[] = {0x00, 0x84, 0x00, 0x00, 0x08};

    return reader->ops->transmit(reader, protocol, command, sizeof command, out, sizeof out, &length);
}

/* Each kind of end, with commands of the host between them: the counters of T=1 stay in step. */
static void pin_session(const char *preset, enum protocol protocol)
{
    begin(preset, protocol, false);
    enter(verify, sizeof verify, "1111E", 0x63C2);
    enter(verify, sizeof verify, "1234E", 0x9000);
    assert_int_equal(get_challenge(protocol), RC_OK);
    enter(verify, sizeof verify, "12C", 0x6401);
    enter(verify, sizeof verify, "12T", 0x6400);
    assert_int_equal(get_challenge(protocol), RC_OK);
    enter(verify, sizeof verify, "12B234E", 0x9000);
    enter(modify, sizeof modify, "1234E5678E5678E", 0x9000);
    enter(verify, sizeof verify, "5678E", 0x9000);
    assert_int_equal(get_challenge(protocol), RC_OK);
    end();
}

static void pin(void **state)
{
    static const char *const presets[] = {"pinpad", "pinpad-short"};

    (void)state;
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        pin_session(presets[i], PROTOCOL_T1);
        pin_session(presets[i], PROTOCOL_T0);
    }
}

static void *cancel_entry(void *user)
{
    (void)user;
    while (!emu_reader_count(emulated, EMU_OUT, 0x69))
        (void)sched_yield();
    reader->ops->cancel(reader);
    return NULL;
}

/* A program ends the wait for keys; the reader is ready for the next command. */
static void pin_cancelled(void **state)
{
    static const enum protocol protocols[] = {PROTOCOL_T1, PROTOCOL_T0};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        pthread_t thread;
        uint8_t atr[ATR_MAX];
        size_t count;

        begin("pinpad", protocols[i], false);
        assert_int_equal(pthread_create(&thread, NULL, cancel_entry, NULL), 0);
        assert_int_equal(control(0x42330006, verify, sizeof verify), RC_CANCELLED);
        assert_int_equal(pthread_join(thread, NULL), 0);
        if (protocols[i] == PROTOCOL_T0) { /* it cannot resynchronise */
            assert_int_equal(get_challenge(PROTOCOL_T0), RC_NOT_TRANSACTED);
            assert_int_equal(reader->ops->power(reader, POWER_WARM, atr, &count), RC_OK);
            assert_int_equal(reader->ops->set_protocol(reader, PROTOCOL_T0), RC_OK);
        }
        assert_int_equal(get_challenge(protocols[i]), RC_OK);
        enter(verify, sizeof verify, "1234E", 0x9000);
        end();
    }
}

static void *pull_card(void *user)
{
    (void)user;
    while (!emu_reader_count(emulated, EMU_OUT, 0x69))
        (void)sched_yield();
    emu_reader_remove(emulated, 0);
    (void)emu_reader_keys(emulated, 0, "1234E");
    return NULL;
}

static void card_pulled(void **state)
{
    pthread_t thread;

    (void)state;
    begin("pinpad", PROTOCOL_T1, false);
    assert_int_equal(pthread_create(&thread, NULL, pull_card, NULL), 0);
    assert_int_equal(control(0x42330006, verify, sizeof verify), RC_NO_CARD);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(control(0x42330006, verify, sizeof verify), RC_NO_CARD);
    end();
}

/* Readers that want special structures take ours. */
static void pin_quirks(void **state)
{
    static const char *const presets[] = {"spr532", "cherry-kc1000"};

    (void)state;
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        begin(presets[i], PROTOCOL_T1, false);
        enter(verify, sizeof verify, "1234E", 0x9000);
        enter(modify, sizeof modify, "1234E5678E5678E", 0x9000);
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features),        cmocka_unit_test(escape),     cmocka_unit_test(attributes),
        cmocka_unit_test(removal_is_told), cmocka_unit_test(pin),        cmocka_unit_test(pin_cancelled),
        cmocka_unit_test(card_pulled),     cmocka_unit_test(pin_quirks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
