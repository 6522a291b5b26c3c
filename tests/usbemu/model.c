/* SPDX-License-Identifier: MIT */
/* The emulated readers by hand-made messages: levels, protocols, power, chaining, ICCD, PIN pad. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/rc.h"
#include "driver/ccid_descriptor.h"
#include "driver/ccid_message.h"
#include "tests/usbemu/model_rig.h"

#define T0_PARAMETERS "1100000A00"
#define T1_PARAMETERS "1110004500FE00"
#define FAST_T1_PARAMETERS "9610004500FE00"

static void power(struct rig *rig, uint32_t protocol, const char *parameters)
{
    rig_command(rig, CCID_POWER_ON, 0, "", CCID_DATA_BLOCK);
    if (parameters)
        rig_command(rig, CCID_SET_PARAMETERS, protocol, parameters, CCID_PARAMETERS);
}

/* Presets describe themselves so that the driver's parser finds what they are. */
static void descriptors(void **state)
{
    (void)state;
    for (size_t i = 0; emu_reader_preset_name(i); i++) {
        const struct emu_reader_config *config = emu_reader_preset(emu_reader_preset_name(i));
        struct emu_reader *reader;
        struct ccid_descriptor descriptor;
        struct bytes in;
        unsigned found = 0;

        assert_int_equal(emu_reader_new(config, &reader), RC_OK);
        in = bytes_of(emu_reader_device(reader)->descriptors, emu_reader_device(reader)->descriptors_length);
        while (ccid_descriptor_next(&in, &descriptor) == 1) {
            found++;
            if (config->place == EMU_NOWHERE) {
                assert_int_equal(descriptor.defect, CCID_NO_CLASS_DESCRIPTOR);
                continue;
            }
            assert_int_equal(descriptor.defect, CCID_SOUND);
            assert_int_equal(descriptor.transport, config->transport);
            assert_int_equal(descriptor.level,
                             config->announced_level < 0 ? (int)config->level : config->announced_level);
            assert_int_equal(descriptor.slots, config->slots);
            assert_int_equal(descriptor.max_message, config->max_message);
            assert_int_equal(descriptor.interrupt.address != 0, config->interrupt);
            assert_int_equal(descriptor.rate_count, config->rate_count);
        }
        assert_int_equal(found, config->interfaces);
        emu_reader_free(reader);
    }
}

/* A T=0 card with NULL bytes: the reader obeys the procedure bytes, and asks for time. */
static void tpdu_t0(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "tpdu", "sim:iso?protocol=T0&line.nulls=1");
    rig_command(&rig, CCID_GET_SLOT_STATUS, 0, "", CCID_SLOT_STATUS);
    assert_int_equal(rig.answer[7], CCID_CARD_INACTIVE);
    power(&rig, 0, T0_PARAMETERS);
    rig_exchange(&rig, 0, "00A4040007F0736361726401", "6127");
    rig_exchange(&rig, 0, "00B0810000", "6C47");
    rig_exchange(&rig, 0, "00B0810003", "48656C9000");
    rig_exchange(&rig, 0, "00440000", "6D00"); /* case 1: P3 is added */
    rig_close(&rig);
}

/* One byte at a time. */
static void tpdu_t0_single(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "tpdu", "sim:echo?protocol=T0&line.single=yes&reply=3");
    power(&rig, 0, T0_PARAMETERS);
    rig_exchange(&rig, 0, "00D6000002AABB", "6103");
    rig_exchange(&rig, 0, "00C0000003", "0001029000");
    rig_close(&rig);
}

static void tpdu_t1(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "tpdu", "sim:echo?protocol=T1");
    power(&rig, 1, T1_PARAMETERS);
    rig_exchange(&rig, 0, "00C101FE3E", "00E101FE1E");
    rig_exchange(&rig, 0, "00000500CA000002CD", "0000040001900095");
    rig_close(&rig);
}

/* Chains both ways, at IFSD 3, and a request for time that the host grants with bBWI. */
static void t1_chains(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "tpdu", "sim:echo?protocol=T1&line.wtx=3");
    power(&rig, 1, T1_PARAMETERS);
    rig_exchange(&rig, 0, "00C10103C3", "00E10103E3");
    rig_exchange(&rig, 0, "00200400D60000F2", "00900090");
    rig_exchange(&rig, 0, "00400302AABB50", "00C30103C1");
    rig_exchange(&rig, 3, "00E30103E1", "002003AABB90A2");
    rig_exchange(&rig, 0, "00900090", "0040010041");
    rig_close(&rig);
}

/* A card that is in another protocol or at another speed than the reader does not answer. */
static void pps(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "tpdu", "sim:echo?protocol=both");
    power(&rig, 0, NULL);
    rig_exchange(&rig, 0, "FF119678", "FF119678");
    rig_command(&rig, CCID_SET_PARAMETERS, 1, FAST_T1_PARAMETERS, CCID_PARAMETERS);
    rig_exchange(&rig, 0, "00000500CA000002CD", "0000040001900095");
    rig_command(&rig, CCID_SET_PARAMETERS, 1, T1_PARAMETERS, CCID_PARAMETERS);
    rig_refused(&rig, CCID_XFR_BLOCK, 0, "00400500CA0000028D", CCID_MUTE);
    rig_close(&rig);

    rig_open(&rig, "tpdu", "sim:echo?protocol=both&line.pps=refuse");
    power(&rig, 0, NULL);
    rig_refused(&rig, CCID_XFR_BLOCK, 0, "FF119678", CCID_MUTE);
    rig_close(&rig);

    rig_open(&rig, "tpdu", "sim:echo?protocol=both&line.pps=slow");
    power(&rig, 0, NULL);
    rig_exchange(&rig, 0, "FF119678", "FF01FE");
    rig_close(&rig);
}

/* The reader does PPS as the parameters say (80), or of its own accord (40). */
static void pps_by_reader(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "tpdu-pps", "sim:echo?protocol=both");
    power(&rig, 1, FAST_T1_PARAMETERS);
    rig_exchange(&rig, 0, "00000500CA000002CD", "0000040001900095");
    rig_close(&rig);

    rig_open(&rig, "tpdu-auto", "sim:echo?protocol=T1");
    power(&rig, 1, NULL);
    rig_command(&rig, CCID_GET_PARAMETERS, 0, "", CCID_PARAMETERS);
    assert_int_equal(rig.answer[9], 1);
    rig_answered(&rig, "9610004500FE00");
    rig_exchange(&rig, 0, "00000500CA000002CD", "0000040001900095");
    rig_close(&rig);

    rig_open(&rig, "short", "sim:echo?protocol=both");
    power(&rig, 0, NULL);
    rig_exchange(&rig, 0, "00CA000002", "00019000");
    rig_command(&rig, CCID_SET_PARAMETERS, 1, T1_PARAMETERS, CCID_PARAMETERS);
    rig_exchange(&rig, 0, "00CA000002", "00019000");
    rig_close(&rig);
}

static void voltages(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "tpdu-volts", "sim:echo?line.volts=3");
    rig_refused(&rig, CCID_POWER_ON, 0, "", 7);
    rig_refused(&rig, CCID_POWER_ON, 1, "", CCID_MUTE);
    rig_command(&rig, CCID_POWER_OFF, 0, "", CCID_SLOT_STATUS);
    rig_command(&rig, CCID_POWER_ON, 2, "", CCID_DATA_BLOCK);
    rig_close(&rig);

    rig_open(&rig, "tpdu", "sim:echo?line.volts=5");
    rig_command(&rig, CCID_POWER_ON, 0, "", CCID_DATA_BLOCK);
    rig_close(&rig);
}

static void resets(void **state)
{
    static const struct emu_script bad_tck = {.atr = "3B8001FF"};
    struct emu_reader_config config = *emu_reader_preset("tpdu");
    struct rig rig;

    (void)state;
    rig_open(&rig, "tpdu", "sim:odd?mute=yes");
    rig_refused(&rig, CCID_POWER_ON, 0, "", CCID_MUTE);
    rig_close(&rig);
    rig_open(&rig, "tpdu", NULL);
    rig_refused(&rig, CCID_POWER_ON, 0, "", CCID_MUTE);
    assert_int_equal(rig.answer[7] & 3, CCID_CARD_ABSENT);
    assert_int_equal(emu_reader_insert_script(rig.reader, 0, &bad_tck), RC_OK);
    rig_command(&rig, CCID_POWER_ON, 0, "", CCID_DATA_BLOCK);
    rig_answered(&rig, "3B8001FF");
    rig_close(&rig);
    config.strict_atr = true;
    rig_open_config(&rig, &config, NULL);
    assert_int_equal(emu_reader_insert_script(rig.reader, 0, &bad_tck), RC_OK);
    rig_refused(&rig, CCID_POWER_ON, 0, "", CCID_BAD_TCK);
    rig_close(&rig);
    rig_open(&rig, "cherry-xx33", "sim:echo");
    rig_refused(&rig, CCID_POWER_ON, 1, "", CCID_NOT_EMV);
    rig_command(&rig, CCID_ESCAPE, 0, "1F01", CCID_ESCAPE_ANSWER);
    rig_command(&rig, CCID_POWER_ON, 0, "", CCID_DATA_BLOCK);
    rig_close(&rig);
}

static void scripted_cards(void **state)
{
    static const struct emu_script_step steps[] = {
        {"FF119678", "FF119679", 0}, {"00A40000", "6985", 0}, {NULL, NULL, 0}};
    static const struct emu_script script = {"3B9096803181", 0, steps, 3};
    struct rig rig;

    (void)state;
    rig_open(&rig, "character", NULL);
    assert_int_equal(emu_reader_insert_script(rig.reader, 0, &script), RC_OK);
    power(&rig, 0, NULL);
    rig_exchange(&rig, 4 << 8, "FF119678", "FF119679");
    rig_exchange(&rig, 2 << 8, "00A40000", "6985");
    rig_refused(&rig, CCID_XFR_BLOCK, 2 << 8, "00A40000", CCID_MUTE);
    rig_close(&rig);
}

static void character(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "character", "sim:echo?protocol=T0&reply=2");
    power(&rig, 0, T0_PARAMETERS);
    rig_exchange(&rig, 1 << 8, "00D6000002", "D6");
    rig_exchange(&rig, 1 << 8, "AABB", "61");
    rig_exchange(&rig, 1 << 8, "", "02");
    rig_exchange(&rig, 1 << 8, "00C0000002", "C0");
    rig_exchange(&rig, 4 << 8, "", "00019000");
    rig_close(&rig);

    rig_open(&rig, "character", "sim:echo?protocol=T1");
    power(&rig, 1, T1_PARAMETERS);
    rig_exchange(&rig, 3 << 8, "00000500CA000002CD", "000004");
    rig_exchange(&rig, 5 << 8, "", "0001900095");
    rig_refused(&rig, CCID_XFR_BLOCK, 1 << 8, "", CCID_MUTE);
    rig_close(&rig);
}

/* 64-byte messages: 300 bytes out in six parts, and 300 back. */
static void extended_chains(void **state)
{
    uint8_t apdu[9 + 300] = {0, 0xD6, 0, 0, 0, 300 >> 8, 300 & 0xFF}, got[400];
    struct rig rig;
    size_t sent = 0, length = 0;

    (void)state;
    for (size_t i = 0; i < 300; i++)
        apdu[7 + i] = (uint8_t)i;
    rig_open(&rig, "extended-64", "sim:echo");
    power(&rig, 0, NULL);
    while (sent < sizeof apdu) {
        size_t part = sizeof apdu - sent > 54 ? 54 : sizeof apdu - sent;
        bool last = sent + part == sizeof apdu;

        rig_send(&rig, CCID_XFR_BLOCK, 0, (sent ? (last ? 2U : 3U) : 1U) << 8, apdu + sent, part);
        assert_int_equal(rig_receive(&rig, 5000), RC_OK);
        assert_int_equal(rig.answer[7], 0);
        if (!last)
            assert_true(rig.length == 10 && rig.answer[9] == 0x10);
        sent += part;
    }
    for (;;) {
        uint8_t part = rig.answer[9];

        assert_int_equal(part, length ? (part == 2 ? 2 : 3) : 1);
        memcpy(got + length, rig.answer + 10, rig.length - 10);
        length += rig.length - 10;
        if (part == 2)
            break;
        rig_command(&rig, CCID_XFR_BLOCK, 0x10 << 8, "", CCID_DATA_BLOCK);
    }
    assert_int_equal(length, 302);
    assert_memory_equal(got, apdu + 7, 300);
    rig_close(&rig);
}

static void other_commands(void **state)
{
    struct rig rig;
    uint8_t list[64];
    size_t length = 0;

    (void)state;
    rig_open(&rig, "mechanical", "sim:echo");
    power(&rig, 1, T1_PARAMETERS);
    rig_command(&rig, CCID_RESET_PARAMETERS, 0, "", CCID_PARAMETERS);
    rig_answered(&rig, T0_PARAMETERS);
    rig_command(&rig, CCID_CLOCK, 1, "", CCID_SLOT_STATUS);
    assert_int_equal(rig.answer[9], 1);
    rig_command(&rig, CCID_MECHANICAL, 4, "", CCID_SLOT_STATUS);
    rig_refused(&rig, CCID_MECHANICAL, 9, "", 7);
    rig_command(&rig, CCID_SET_RATE, 0, "A00F0000002A0000", CCID_RATE);
    rig_answered(&rig, "A00F0000002A0000");
    rig_refused(&rig, CCID_T0_APDU, 0, "", CCID_NOT_SUPPORTED);
    rig_refused(&rig, CCID_SET_PARAMETERS, 0, "7F00000A00", 10);
    rig_close(&rig);

    rig_open(&rig, "tpdu", NULL);
    assert_int_equal(
        rig.pipe->ops->control(rig.pipe, 0xA1, 3, 0, list, sizeof list, &length, deadline_in_ms(1000)),
        RC_OK);
    assert_int_equal(length, 9 * 4);
    assert_memory_equal(list, "\x00\x2A\x00\x00", 4);
    rig_close(&rig);
}

static int control(struct rig *rig, uint8_t type, uint8_t request, uint16_t value, uint8_t *bytes,
                   size_t length)
{
    size_t got = 0;
    int rc =
        rig->pipe->ops->control(rig->pipe, type, request, value, bytes, length, &got, deadline_in_ms(1000));

    return rc ? rc : (int)got + 1000;
}

static void iccd_a(void **state)
{
    uint8_t room[300], header[] = {0, 0xA4, 4, 0, 7}, aid[] = {0xF0, 's', 'c', 'a', 'r', 'd', 1};
    uint8_t get[] = {0, 0xB0, 0x81, 0, 3};
    struct rig rig;

    (void)state;
    rig_open(&rig, "iccd-a", "sim:iso?protocol=T0");
    assert_int_equal(control(&rig, 0x21, 0x63, 0, NULL, 0), 1000);
    assert_true(control(&rig, 0xA1, 0x62, 0, room, sizeof room) > 1002);
    assert_int_equal(room[0], 0x3B);
    assert_int_equal(control(&rig, 0x21, 0x65, 0, header, 5), 1005);
    assert_true(control(&rig, 0xA1, 0xA0, 0, room, 1) == 1001 && room[0] == 0x10);
    assert_int_equal(control(&rig, 0x21, 0x65, 0, aid, 7), 1007);
    assert_true(control(&rig, 0xA1, 0xA0, 0, room, 1) == 1001 && room[0] == 0x20);
    assert_true(control(&rig, 0xA1, 0x6F, 0, room, 2) == 1002 && room[0] == 0x61);
    assert_int_equal(control(&rig, 0x21, 0x65, 0, get, 5), 1005);
    assert_true(control(&rig, 0xA1, 0xA0, 0, room, 1) == 1001 && room[0] == 0x10);
    assert_true(control(&rig, 0xA1, 0x6F, 0, room, 3) == 1003 && memcmp(room, "Hel", 3) == 0);
    assert_true(control(&rig, 0xA1, 0x6F, 0, room, 2) == 1002 && room[0] == 0x90);
    rig_close(&rig);
}

static void iccd_b(void **state)
{
    uint8_t room[300], apdu[] = {0, 0xCA, 0, 0, 2};
    struct rig rig;

    (void)state;
    rig_open(&rig, "iccd-b", "sim:echo?line.delay=30");
    assert_true(control(&rig, 0xA1, 0x81, 0, room, 3) == 1003 && room[0] == 0x40 && room[1] == 1);
    assert_int_equal(control(&rig, 0x21, 0x62, 1, NULL, 0), 1000);
    assert_true(control(&rig, 0xA1, 0x6F, 0, room, sizeof room) > 1002);
    assert_true(room[0] == 0 && room[1] == 0x3B);
    assert_int_equal(control(&rig, 0x21, 0x65, 0, apdu, 5), 1005);
    assert_int_equal(control(&rig, 0xA1, 0x6F, 0, room, sizeof room), 1003);
    assert_int_equal(room[0], 0x80); /* come again */
    while (room[0] == 0x80)
        (void)control(&rig, 0xA1, 0x6F, 0, room, sizeof room);
    assert_memory_equal(room, "\x00\x00\x01\x90\x00", 5);
    rig_close(&rig);
}

static void pin_verify(void **state)
{
    struct rig rig;

    (void)state;
    /* ASCII, left justified in a block of 8, no length; 4 to 8 digits. */
    rig_open(&rig, "pinpad-short", "sim:iso");
    power(&rig, 0, NULL);
    rig_command(&rig, CCID_XFR_BLOCK, 0, "00A4040C07F0736361726401", CCID_DATA_BLOCK);
    assert_int_equal(emu_reader_keys(rig.reader, 0, "12"), RC_OK);
    rig_send(&rig, CCID_SECURE, 0, 0,
             (const uint8_t *)"\x00\x00\x82\x00\x00\x08\x04\x02\x01\x09\x04\x00\x00\x00\x00\x00\x20\x00\x81",
             19);
    assert_int_equal(rig_receive(&rig, 20), RC_TIMEOUT); /* waits for the rest */
    assert_true(emu_reader_slot(rig.reader, 0).busy);
    assert_int_equal(emu_reader_keys(rig.reader, 0, "94B34E"), RC_OK);
    assert_int_equal(rig_receive(&rig, 5000), RC_OK);
    assert_int_equal(rig.answer[7], 0);
    rig_answered(&rig, "63C2"); /* 12934 */
    assert_int_equal(emu_reader_keys(rig.reader, 0, "1234E"), RC_OK);
    rig_command(&rig, CCID_SECURE, 0, "00008200000804020109040000000000200081", CCID_DATA_BLOCK);
    rig_answered(&rig, "9000");
    assert_int_equal(emu_reader_keys(rig.reader, 0, "1C"), RC_OK);
    rig_refused(&rig, CCID_SECURE, 0, "00008200000804020109040000000000200081", CCID_PIN_CANCELLED);
    assert_int_equal(emu_reader_keys(rig.reader, 0, "1T"), RC_OK);
    rig_refused(&rig, CCID_SECURE, 0, "00008200000804020109040000000000200081", CCID_PIN_TIMEOUT);
    rig_refused(&rig, CCID_SECURE, 0, "00008200000804000109040000000000200081", 17);
    rig_close(&rig);
}

/* Formats of the PIN block, as the card gets them (its echo). */
static void pin_formats(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "pinpad-short", "sim:echo");
    power(&rig, 0, NULL);
    /* GlobalPlatform: 4 bits of length at 4, BCD from byte 1 on, block of 8 bytes with its head. */
    assert_int_equal(emu_reader_keys(rig.reader, 0, "12345E"), RC_OK);
    rig_command(&rig, CCID_SECURE, 0, "00008947040804020109040000000000200081082FFFFFFFFFFFFFFF",
                CCID_DATA_BLOCK);
    rig_answered(&rig, "2512345FFFFFFFFF9000");
    /* BCD, right justified in 4 bytes. */
    assert_int_equal(emu_reader_keys(rig.reader, 0, "123456E"), RC_OK);
    rig_command(&rig, CCID_SECURE, 0, "00008504000804020109040000000000200081 0400000000", CCID_DATA_BLOCK);
    rig_answered(&rig, "001234569000");
    /* Modify: old at 0, new at 4, entered twice. */
    assert_int_equal(emu_reader_keys(rig.reader, 0, "1111E2222E2222E"), RC_OK);
    rig_command(&rig, CCID_SECURE, 0, "010082040000040804030203090400010200000000240081 08FFFFFFFFFFFFFFFF",
                CCID_DATA_BLOCK);
    rig_answered(&rig, "31313131323232329000");
    rig_close(&rig);
}

static void pin_t1(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig, "pinpad", "sim:echo?protocol=T1");
    power(&rig, 1, T1_PARAMETERS);
    assert_int_equal(emu_reader_keys(rig.reader, 0, "1234E"), RC_OK);
    rig_command(&rig, CCID_SECURE, 0, "00008200000804020109040000000900200081", CCID_DATA_BLOCK);
    rig_answered(&rig, "00000631323334900092");
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors),
        cmocka_unit_test(tpdu_t0),
        cmocka_unit_test(tpdu_t0_single),
        cmocka_unit_test(tpdu_t1),
        cmocka_unit_test(pps),
        cmocka_unit_test(pps_by_reader),
        cmocka_unit_test(voltages),
        cmocka_unit_test(resets),
        cmocka_unit_test(scripted_cards),
        cmocka_unit_test(character),
        cmocka_unit_test(extended_chains),
        cmocka_unit_test(other_commands),
        cmocka_unit_test(iccd_a),
        cmocka_unit_test(iccd_b),
        cmocka_unit_test(pin_verify),
        cmocka_unit_test(pin_formats),
        cmocka_unit_test(pin_t1),
        cmocka_unit_test(t1_chains),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
