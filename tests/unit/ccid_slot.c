/* SPDX-License-Identifier: MIT */
/* driver/ccid: readers of a CCID interface, by the commands that they send (the link plays a script). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid.h"
#include "link_script.h"
#include "tests/unit/failing_alloc.h"

#define ACTIVE CCID_CARD_ACTIVE
#define INACTIVE CCID_CARD_INACTIVE
#define ABSENT CCID_CARD_ABSENT

#define ATR_T0 "3B 00"
#define ATR_T0_FAST "3B 10 96"             /* TA1: 96 */
#define ATR_T1 "3B 80 01 81"               /* T=1, IFSC 32 */
#define ATR_T1_LONG "3B 80 81 31 FE 4D 83" /* T=1, IFSC 254 */

static unsigned pipes_closed;
static struct reader *reader; /* of slot 0 */
static struct reader **readers;
static size_t readers_count;
static uint8_t atr[ATR_MAX], response[70000];
static size_t atr_length, response_length;

static void pipe_close(struct pipe *pipe)
{
    (void)pipe;
    pipes_closed++;
}

static const struct pipe_ops pipe_ops = {.close = pipe_close};
static struct pipe pipe_ = {.ops = &pipe_ops, .event_fd = -1};

static struct ccid_identity identity(void)
{
    return (struct ccid_identity){.vendor = 0x1209,
                                  .product = 1,
                                  .bcd_device = 0x100,
                                  .path = "usb:1-1:1.0",
                                  .model = "Reader",
                                  .serial = "17",
                                  .vendor_name = "Maker"};
}

static struct ccid_descriptor descriptor(enum ccid_level level, uint32_t features)
{
    return (struct ccid_descriptor){
        .level = level,
        .features = features,
        .out = {2, 64},
        .in = {0x83, 64},
        .interrupt = {0x81, 8},
        .slots = 1,
        .busy_slots = 1,
        .voltages = 7,
        .protocols = 3,
        .clock_khz = 4000,
        .max_clock_khz = 4000,
        .rate = 10752,
        .max_rate = 500000,
        .max_ifsd = 254,
        .max_message = 271,
    };
}

static int try_open(const struct ccid_descriptor *d, const struct ccid_identity *id)
{
    pipes_closed = 0;
    return ccid_open(&pipe_, d, id, &readers, &readers_count);
}

static void open_reader(enum ccid_level level, uint32_t features)
{
    struct ccid_descriptor d = descriptor(level, features);
    struct ccid_identity id = identity();

    assert_int_equal(try_open(&d, &id), RC_OK);
    reader = readers[0];
}

/* Powered or not, as the test left it: off is part of closing. */
static void close_reader(bool powered)
{
    if (powered) {
        script_expect(CCID_GET_SLOT_STATUS, 0, 0, "");
        script_expect(CCID_POWER_OFF, 0, 0, "");
        script_answer(INACTIVE, 0, "");
    }
    reader->ops->close(reader);
    assert_int_equal(pipes_closed, 1);
    free(readers);
    script_done();
}

static int power(enum power_action action)
{
    atr_length = 0;
    return reader->ops->power(reader, action, atr, &atr_length);
}

static int transmit(enum protocol protocol, const uint8_t *command, size_t length, size_t capacity)
{
    response_length = 12345;
    return reader->ops->transmit(reader, protocol, command, length, response, capacity, &response_length);
}

#define TRANSMIT(protocol, ...)                                                                              \
    transmit(protocol, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), 65538)

#define assert_response(...)                                                                                 \
    do {                                                                                                     \
        assert_int_equal(response_length, sizeof((const uint8_t[]){__VA_ARGS__}));                           \
        assert_memory_equal(response, ((const uint8_t[]){__VA_ARGS__}), response_length);                    \
    } while (0)

static void expect_status(enum ccid_card card)
{
    script_expect(CCID_GET_SLOT_STATUS, 0, 0, "");
    script_answer(card, 0, "");
}

/* An automatic reader with a card that is off. */
static void power_up(const char *answer)
{
    expect_status(INACTIVE);
    script_expect(CCID_POWER_ON, 0, 0, "");
    script_answer(ACTIVE, 0, answer);
    assert_int_equal(power(POWER_COLD), RC_OK);
}

#define SET_T0 "11 00 00 0A 00"

/* At TPDU level with T=0 or at an APDU level: no PPS is due, parameters are set. */
static void start_t0(enum ccid_level level)
{
    open_reader(level, CCID_AUTO_VOLTAGE);
    power_up(ATR_T0);
    script_expect(CCID_SET_PARAMETERS, 0, 0, SET_T0);
    assert_int_equal(reader->ops->set_protocol(reader, PROTOCOL_T0), RC_OK);
}

static void start_t1(enum ccid_level level, uint32_t features)
{
    open_reader(level, CCID_AUTO_VOLTAGE | features);
    power_up(ATR_T1);
    script_expect(CCID_SET_PARAMETERS, 1, 0, "11 10 00 4D 00 20 00");
    if (level == CCID_TPDU && !(features & CCID_AUTO_IFSD)) {
        script_expect(CCID_XFR_BLOCK, 0, 0, "00 C1 01 FE 3E");
        script_answer(ACTIVE, 0, "00 E1 01 FE 1E");
    }
    assert_int_equal(reader->ops->set_protocol(reader, PROTOCOL_T1), RC_OK);
}

static void opening(void **state)
{
    struct ccid_descriptor d = descriptor(CCID_EXTENDED_APDU, 0);
    struct ccid_identity id = identity();

    (void)state;
    d.slots = 3;
    assert_int_equal(try_open(&d, &id), RC_OK);
    assert_int_equal(readers_count, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_string_equal(readers[i]->model, "Reader");
        assert_ptr_not_equal(readers[i]->model, id.model);
        assert_string_equal(readers[i]->serial, "17");
        assert_string_equal(readers[i]->device, "usb:1-1:1.0");
        assert_string_equal(readers[i]->vendor, "Maker");
        assert_int_equal(readers[i]->slot, i);
        assert_int_equal(readers[i]->event_fd, 100 + i);
    }
    readers[1]->ops->cancel(readers[1]);
    assert_int_equal(script_cancelled, 1);
    readers[2]->ops->forget(readers[2]);
    readers[0]->ops->forget(readers[0]);
    assert_int_equal(script_forgotten, 1);
    readers[0]->ops->close(readers[0]);
    readers[2]->ops->close(readers[2]);
    assert_int_equal(pipes_closed, 0);
    readers[1]->ops->close(readers[1]);
    assert_int_equal(pipes_closed, 1);
    free(readers);
    script_done();
}

static void opening_refused(void **state)
{
    struct ccid_descriptor d = descriptor(CCID_EXTENDED_APDU, 0);
    struct ccid_identity id = identity();

    (void)state;
    d.defect = CCID_NO_ENDPOINTS;
    assert_int_equal(try_open(&d, &id), RC_READER_UNAVAILABLE);
    assert_non_null(strstr(detail_get(), ccid_defect_text(CCID_NO_ENDPOINTS)));
    assert_int_equal(pipes_closed, 1);
    d.defect = CCID_SOUND;
    id.vendor = 0x072F;
    id.product = 0x2200;
    id.bcd_device = 0x0205;
    assert_int_equal(try_open(&d, &id), RC_READER_UNAVAILABLE);
    assert_non_null(strstr(detail_get(), "2.06"));
    assert_non_null(strstr(detail_get(), "usb:1-1:1.0?firmware=any"));
    assert_int_equal(pipes_closed, 1);
    id.any_firmware = true;
    assert_int_equal(try_open(&d, &id), RC_OK);
    reader = readers[0];
    close_reader(false);
    id.any_firmware = false;
    id.bcd_device = 0x0206;
    script_start_rc(RC_READER_UNAVAILABLE);
    assert_int_equal(try_open(&d, &id), RC_READER_UNAVAILABLE);
    assert_int_equal(pipes_closed, 1);
    script_done();
}

/* The n-th allocation fails, for n = 1, 2, 3 …: nothing is left behind, the pipe is closed. */
static void memory(void **state)
{
    struct ccid_descriptor d = descriptor(CCID_TPDU, 0);
    struct ccid_identity id = identity();
    unsigned n = 0;
    int rc;

    (void)state;
    d.rate_count = 1;
    script_rates(RC_OK, "00 2A 00 00");
    do {
        failing_alloc_arm(++n);
        rc = try_open(&d, &id);
        assert_int_equal(pipes_closed, rc ? 1 : 0);
        assert_true(rc == RC_OK || rc == RC_NO_MEMORY);
    } while (rc);
    failing_alloc_arm(0);
    assert_true(n > 8);
    reader = readers[0];
    close_reader(false);
}

static void layout_has_room(void **state)
{
    struct ccid_descriptor d = descriptor(CCID_SHORT_APDU, 0);

    (void)state;
    d.max_message = 64;
    assert_true(ccid_layout(&d).in_room >= 271);
    assert_int_equal(ccid_layout(&d).out, 2);
    assert_int_equal(ccid_layout(&d).in, 0x83);
    assert_int_equal(ccid_layout(&d).in_packet, 64);
    d.level = CCID_EXTENDED_APDU;
    assert_true(ccid_layout(&d).in_room >= 10 + 65538);
}

static void presence_is(bool expected)
{
    bool present = !expected;

    assert_int_equal(reader->ops->presence(reader, &present), RC_OK);
    assert_int_equal(present, expected);
}

/* A powered card that is inactive is another one; failed answers carry the card's state, too. */
static void presence(void **state)
{
    (void)state;
    open_reader(CCID_SHORT_APDU, CCID_AUTO_VOLTAGE);
    expect_status(ABSENT);
    presence_is(false);
    expect_status(INACTIVE);
    presence_is(true);
    script_expect(CCID_GET_SLOT_STATUS, 0, 0, "");
    script_fail(INACTIVE, CCID_MUTE);
    presence_is(true);
    script_expect(CCID_GET_SLOT_STATUS, 0, 0, "");
    script_fail(ABSENT, CCID_MUTE);
    presence_is(false);
    power_up(ATR_T0);
    expect_status(ACTIVE);
    presence_is(true);
    assert_false(script_look);
    expect_status(INACTIVE);
    presence_is(false);
    assert_true(script_look);
    expect_status(INACTIVE);
    presence_is(true);
    assert_false(script_look);
    close_reader(false);
}

/* What made the event is not told yet. */
static void presence_broken_off(void **state)
{
    static const int ends[] = {RC_CANCELLED, RC_TIMEOUT, RC_IO};

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        bool present;

        open_reader(CCID_SHORT_APDU, CCID_AUTO_VOLTAGE);
        script_expect(CCID_GET_SLOT_STATUS, 0, 0, "");
        script_rc(ends[i]);
        assert_int_equal(reader->ops->presence(reader, &present), ends[i]);
        assert_true(script_look);
        close_reader(false);
    }
}

/* A reader that goes on failing is broken, until it is asked once more and answers. */
static void presence_fails(void **state)
{
    bool present;

    (void)state;
    open_reader(CCID_SHORT_APDU, CCID_AUTO_VOLTAGE);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 4; i++) {
            script_expect(CCID_GET_SLOT_STATUS, 0, 0, "");
            script_rc(i % 2 ? RC_TIMEOUT : RC_IO);
            detail_clear();
            assert_int_equal(reader->ops->presence(reader, &present),
                             i < 2 ? i % 2 ? RC_TIMEOUT : RC_IO : RC_READER_UNAVAILABLE);
            assert_int_equal(script_look, i < 2);
        }
        assert_non_null(strstr(detail_get(), "usb:1-1:1.0"));
        expect_status(INACTIVE);
        presence_is(true);
    }
    for (unsigned i = 0; i < 4; i++) { /* that is not the reader's fault */
        script_expect(CCID_GET_SLOT_STATUS, 0, 0, "");
        script_rc(RC_CANCELLED);
        assert_int_equal(reader->ops->presence(reader, &present), RC_CANCELLED);
        assert_true(script_look);
    }
    close_reader(false);
}

/* A notice says that the card was out; the status only shows it where a card that is put in has no power. */
static void swap_by_notice(void **state)
{
    bool present;

    (void)state;
    open_reader(CCID_SHORT_APDU, CCID_AUTO_VOLTAGE);
    script_left = true; /* of a card that nobody was told of */
    expect_status(INACTIVE);
    presence_is(true);
    assert_false(script_look);
    script_left = true;
    expect_status(INACTIVE);
    presence_is(false);
    assert_true(script_look);
    expect_status(INACTIVE);
    presence_is(true);
    script_left = true; /* remembered until a look succeeds */
    script_expect(CCID_GET_SLOT_STATUS, 0, 0, "");
    script_rc(RC_IO);
    assert_int_equal(reader->ops->presence(reader, &present), RC_IO);
    expect_status(INACTIVE);
    presence_is(false);
    expect_status(INACTIVE);
    presence_is(true);
    script_left = true;
    expect_status(ABSENT);
    presence_is(false); /* once is enough */
    expect_status(INACTIVE);
    presence_is(true);
    power_up(ATR_T0);
    script_left = true;
    expect_status(ACTIVE);
    presence_is(true);
    close_reader(true);
    open_reader(CCID_SHORT_APDU, CCID_AUTO_VOLTAGE | CCID_AUTO_ACTIVATION);
    expect_status(ACTIVE);
    presence_is(true);
    script_left = true;
    expect_status(ACTIVE);
    presence_is(false);
    expect_status(ACTIVE);
    presence_is(true);
    close_reader(false);
}

static void left_in_exchange(void **state)
{
    static const uint8_t faults[] = {CCID_MUTE, CCID_HARDWARE, CCID_PARITY, CCID_DEACTIVATED};

    (void)state;
    for (size_t i = 0; i < sizeof faults; i++)
        for (enum ccid_card card = INACTIVE; card <= ABSENT; card++) {
            start_t0(CCID_SHORT_APDU);
            script_expect(CCID_XFR_BLOCK, 0, 0, "00 A4 00 00");
            script_fail(card, faults[i]);
            if (card == INACTIVE)
                expect_status(card);
            assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0xA4, 0, 0), RC_NO_CARD);
            assert_true(script_look);
            /* Nothing more goes to a card that may be another. */
            assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0xA4, 0, 0), RC_NO_CARD);
            presence_is(false);
            assert_true(script_look);
            expect_status(INACTIVE);
            presence_is(true);
            assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0xA4, 0, 0), RC_NOT_TRANSACTED);
            close_reader(false);
        }
}

/* A reset does not make a card that was swapped pass for the one before. */
static void swap_before_reset(void **state)
{
    (void)state;
    for (enum power_action action = POWER_OFF; action <= POWER_WARM; action++) {
        start_t0(CCID_SHORT_APDU);
        expect_status(INACTIVE);
        assert_int_equal(power(action), RC_NO_CARD);
        presence_is(false);
        power_up(ATR_T0);
        close_reader(true);
    }
}

static void resets(void **state)
{
    (void)state;
    start_t0(CCID_SHORT_APDU);
    /* Warm: power on once more. */
    expect_status(ACTIVE);
    script_expect(CCID_POWER_ON, 0, 0, "");
    script_answer(ACTIVE, 0, ATR_T0_FAST);
    assert_int_equal(power(POWER_WARM), RC_OK);
    assert_int_equal(script_timeout_ms, 60000);
    assert_int_equal(atr_length, 3);
    assert_int_equal(atr[2], 0x96);
    /* A reset ends the protocol. */
    assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0xA4, 0, 0), RC_NOT_TRANSACTED);
    /* Cold: off and a pause between. */
    expect_status(ACTIVE);
    script_expect(CCID_POWER_OFF, 0, 0, "");
    script_answer(INACTIVE, 0, "");
    script_expect(CCID_POWER_ON, 0, 0, "");
    script_answer(ACTIVE, 0, ATR_T0);
    assert_int_equal(power(POWER_COLD), RC_OK);
    assert_int_equal(script_pauses, 1);
    assert_true(script_paused_ms >= 10);
    /* Warm that fails: cold. */
    expect_status(ACTIVE);
    script_expect(CCID_POWER_ON, 0, 0, "");
    script_fail(INACTIVE, CCID_MUTE);
    expect_status(INACTIVE);
    script_expect(CCID_POWER_OFF, 0, 0, "");
    script_answer(INACTIVE, 0, "");
    script_expect(CCID_POWER_ON, 0, 0, "");
    script_answer(ACTIVE, 0, ATR_T0);
    assert_int_equal(power(POWER_WARM), RC_OK);
    expect_status(ACTIVE);
    script_expect(CCID_POWER_OFF, 0, 0, "");
    script_answer(INACTIVE, 0, "");
    assert_int_equal(power(POWER_OFF), RC_OK);
    assert_int_equal(atr_length, 0);
    expect_status(INACTIVE);
    presence_is(true);
    expect_status(ABSENT);
    assert_int_equal(power(POWER_COLD), RC_NO_CARD);
    close_reader(false);
}

static void fail_power_on(uint8_t select, uint8_t error)
{
    script_expect(CCID_POWER_ON, select, 0, "");
    script_fail(INACTIVE, error);
    expect_status(INACTIVE);
    script_expect(CCID_POWER_OFF, 0, 0, "");
    script_answer(INACTIVE, 0, "");
}

/* Upwards, off between; a warm reset keeps the one that worked; those that the reader has not are left out.
 */
static void voltages(void **state)
{
    struct ccid_descriptor d = descriptor(CCID_SHORT_APDU, 0);
    struct ccid_identity id = identity();

    (void)state;
    assert_int_equal(try_open(&d, &id), RC_OK);
    reader = readers[0];
    expect_status(INACTIVE);
    fail_power_on(3, CCID_MUTE);
    fail_power_on(2, CCID_HARDWARE);
    script_expect(CCID_POWER_ON, 1, 0, "");
    script_answer(ACTIVE, 0, ATR_T0);
    assert_int_equal(power(POWER_COLD), RC_OK);
    assert_int_equal(script_pauses, 2);
    expect_status(ACTIVE);
    script_expect(CCID_POWER_ON, 1, 0, "");
    script_answer(ACTIVE, 0, ATR_T0);
    assert_int_equal(power(POWER_WARM), RC_OK);
    close_reader(true);

    d.voltages = 3;
    assert_int_equal(try_open(&d, &id), RC_OK);
    reader = readers[0];
    expect_status(INACTIVE);
    fail_power_on(2, 0x07);
    fail_power_on(1, CCID_BAD_TS);
    assert_int_equal(power(POWER_COLD), RC_MUTE);
    expect_status(INACTIVE);
    presence_is(true);
    close_reader(false);
}

static void bad_atrs(void **state)
{
    static const char too_long[] = "3B 9F 80 11 22 33 44 55 66 77 88 99 AA BB CC DD EE FF 00 11 22 33 44 "
                                   "55 66 77 88 99 AA BB CC DD EE FF 01 02 03";
    static const char *const bad[] = {"", "3B", "42 00", "3B F0 11", too_long};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        open_reader(CCID_SHORT_APDU, CCID_AUTO_VOLTAGE);
        expect_status(INACTIVE);
        script_expect(CCID_POWER_ON, 0, 0, "");
        script_answer(ACTIVE, 0, bad[i]);
        script_expect(CCID_POWER_OFF, 0, 0, "");
        script_answer(INACTIVE, 0, "");
        assert_int_equal(power(POWER_COLD), i ? RC_INVALID_ATR : RC_MUTE);
        assert_true(*detail_get());
        close_reader(false);
    }
}

static void power_up_ends_at_once(void **state)
{
    static const int ends[] = {RC_CANCELLED, RC_READER_UNAVAILABLE, RC_IO};

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        open_reader(CCID_SHORT_APDU, 0);
        expect_status(INACTIVE);
        script_expect(CCID_POWER_ON, 3, 0, "");
        script_rc(ends[i]);
        assert_int_equal(power(POWER_COLD), ends[i]);
        close_reader(false);
    }
}

static void emv_reader(void **state)
{
    struct ccid_descriptor d = descriptor(CCID_TPDU, CCID_AUTO_VOLTAGE);
    struct ccid_identity id = identity();

    (void)state;
    id.vendor = 0x08E6;
    id.product = 0x4433;
    assert_int_equal(try_open(&d, &id), RC_OK);
    reader = readers[0];
    expect_status(INACTIVE);
    script_expect(CCID_POWER_ON, 0, 0, "");
    script_fail(INACTIVE, CCID_NOT_EMV);
    expect_status(INACTIVE);
    script_expect(CCID_ESCAPE, 0, 0, "1F 01");
    script_expect(CCID_POWER_ON, 0, 0, "");
    script_answer(ACTIVE, 0, ATR_T0);
    assert_int_equal(power(POWER_COLD), RC_OK);
    close_reader(true);
}

static void busy_slot(void **state)
{
    (void)state;
    start_t0(CCID_SHORT_APDU);
    for (unsigned i = 0; i < 2; i++) {
        script_expect(CCID_XFR_BLOCK, 0, 0, "00 A4 00 00");
        script_fail(ACTIVE, i ? CCID_AUTOMATIC_BUSY : CCID_SLOT_BUSY);
    }
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 A4 00 00");
    script_answer(ACTIVE, 0, "90 00");
    assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0xA4, 0, 0), RC_OK);
    assert_int_equal(script_pauses, 2);
    for (unsigned i = 0; i < 8; i++) {
        script_expect(CCID_XFR_BLOCK, 0, 0, "00 A4 00 00");
        script_fail(ACTIVE, CCID_SLOT_BUSY);
    }
    assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0xA4, 0, 0), RC_NOT_TRANSACTED);
    close_reader(true);
}

static void tpdu_t0(void **state)
{
    (void)state;
    start_t0(CCID_TPDU);
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 70 00 00"); /* case 1 as it is */
    script_answer(ACTIVE, 0, "90 00");
    assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0x70, 0, 0), RC_OK);
    assert_response(0x90, 0x00);
    assert_int_equal(script_timeout_ms, SCRIPT_MS);
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 B0 00 00 02");
    script_answer(ACTIVE, 0, "01 02 90 00");
    assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0xB0, 0, 0, 2), RC_OK);
    assert_response(1, 2, 0x90, 0x00);
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 A4 04 00 02 3F 00"); /* Le is cut, 61 xx comes up */
    script_answer(ACTIVE, 0, "61 10");
    assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0xA4, 4, 0, 2, 0x3F, 0, 0), RC_OK);
    assert_response(0x61, 0x10);
    /* Extended: refused in words, nothing sent. */
    assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0xB0, 0, 0, 0, 1, 0), RC_UNSUPPORTED);
    assert_true(*detail_get());
    /* Broken off: the card may wait for the rest. */
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 70 00 00");
    script_rc(RC_CANCELLED);
    assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0x70, 0, 0), RC_CANCELLED);
    assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0x70, 0, 0), RC_NOT_TRANSACTED);
    expect_status(ACTIVE);
    script_expect(CCID_POWER_ON, 0, 0, "");
    script_answer(ACTIVE, 0, ATR_T0);
    assert_int_equal(power(POWER_WARM), RC_OK);
    script_expect(CCID_SET_PARAMETERS, 0, 0, SET_T0);
    assert_int_equal(reader->ops->set_protocol(reader, PROTOCOL_T0), RC_OK);
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 70 00 00");
    script_answer(ACTIVE, 0, "90 00");
    assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0x70, 0, 0), RC_OK);
    close_reader(true);
}

static void short_responses(void **state)
{
    (void)state;
    for (enum ccid_level level = CCID_TPDU; level <= CCID_EXTENDED_APDU; level++)
        for (unsigned length = 0; length < 2; length++) {
            start_t0(level);
            script_expect(CCID_XFR_BLOCK, 0, 0, "00 70 00 00");
            script_answer(ACTIVE, 0, length ? "90" : "");
            assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0x70, 0, 0), RC_NOT_TRANSACTED);
            assert_int_equal(response_length, 12345);
            close_reader(true);
        }
}

static void tpdu_t1(void **state)
{
    (void)state;
    start_t1(CCID_TPDU, 0);
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 00 04 00 70 00 00 74");
    script_answer(ACTIVE, 0, "00 00 02 90 00 92");
    assert_int_equal(TRANSMIT(PROTOCOL_T1, 0, 0x70, 0, 0), RC_OK);
    assert_response(0x90, 0x00);
    /* WTX: bBWI of the response, and the time times it. */
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 40 04 00 70 00 00 34");
    script_answer(ACTIVE, 0, "00 C3 01 05 C7");
    script_expect(CCID_XFR_BLOCK, 5, 0, "00 E3 01 05 E7");
    script_answer(ACTIVE, 0, "00 40 02 90 00 D2");
    assert_int_equal(TRANSMIT(PROTOCOL_T1, 0, 0x70, 0, 0), RC_OK);
    assert_int_equal(script_timeout_ms, 5 * SCRIPT_MS);
    /* Parity error and silence: R-blocks; a mute card is looked for. */
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 00 04 00 70 00 00 74");
    script_fail(ACTIVE, CCID_PARITY);
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 81 00 81");
    script_fail(ACTIVE, CCID_MUTE);
    expect_status(ACTIVE);
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 81 00 81");
    script_answer(ACTIVE, 0, "00 00 02 90 00 92");
    assert_int_equal(TRANSMIT(PROTOCOL_T1, 0, 0x70, 0, 0), RC_OK);
    /* The time of the link ended: the same. */
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 40 04 00 70 00 00 34");
    script_rc(RC_TIMEOUT);
    expect_status(ACTIVE);
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 92 00 92");
    script_answer(ACTIVE, 0, "00 40 02 90 00 D2");
    assert_int_equal(TRANSMIT(PROTOCOL_T1, 0, 0x70, 0, 0), RC_OK);
    /* A cancel costs the card nothing but RESYNCH. */
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 00 04 00 70 00 00 74");
    script_rc(RC_CANCELLED);
    assert_int_equal(TRANSMIT(PROTOCOL_T1, 0, 0x70, 0, 0), RC_CANCELLED);
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 C0 00 C0");
    script_answer(ACTIVE, 0, "00 E0 00 E0");
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 C1 01 FE 3E");
    script_answer(ACTIVE, 0, "00 E1 01 FE 1E");
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 00 04 00 70 00 00 74");
    script_answer(ACTIVE, 0, "00 00 02 90 00 92");
    assert_int_equal(TRANSMIT(PROTOCOL_T1, 0, 0x70, 0, 0), RC_OK);
    /* Mute, and gone. */
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 40 04 00 70 00 00 34");
    script_fail(ACTIVE, CCID_MUTE);
    expect_status(ABSENT);
    assert_int_equal(TRANSMIT(PROTOCOL_T1, 0, 0x70, 0, 0), RC_NO_CARD);
    close_reader(false);
}

/* The card says in the chain that it takes more; the reader carries no more than before. */
static void ifsc_is_raised(void)
{
    uint8_t command[60], first[54], second[14];

    memset(command, 0xA5, sizeof command); /* an even number of them has no effect on the LRC */
    memset(first, 0xA5, sizeof first);
    memset(second, 0xA5, sizeof second);
    memcpy(first, (const uint8_t[]){0x00, 0x20, 50}, 3);
    first[53] = 0x20 ^ 50;
    memcpy(second, (const uint8_t[]){0x00, 0x40, 10}, 3);
    second[13] = 0x40 ^ 10;
    script_expect_bytes(0, first, sizeof first);
    script_answer(ACTIVE, 0, "00 C1 01 FE 3E");
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 E1 01 FE 1E");
    script_answer(ACTIVE, 0, "00 90 00 90");
    script_expect_bytes(0, second, sizeof second);
    script_answer(ACTIVE, 0, "00 00 02 90 00 92");
    assert_int_equal(transmit(PROTOCOL_T1, command, sizeof command, 258), RC_OK);
    assert_response(0x90, 0x00);
}

static void ifsd(void **state)
{
    struct ccid_descriptor d = descriptor(CCID_TPDU, CCID_AUTO_VOLTAGE);
    struct ccid_identity id = identity();

    (void)state;
    start_t1(CCID_TPDU, CCID_AUTO_IFSD); /* the reader announces it */
    close_reader(true);
    /* A message of 64 bytes has room for 50 of INF in both directions, whatever the card takes. */
    d.max_message = 64;
    assert_int_equal(try_open(&d, &id), RC_OK);
    reader = readers[0];
    power_up(ATR_T1_LONG);
    script_expect(CCID_SET_PARAMETERS, 1, 0, "11 10 00 4D 00 FE 00");
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 C1 01 32 F2");
    script_answer(ACTIVE, 0, "00 E1 01 32 D2");
    assert_int_equal(reader->ops->set_protocol(reader, PROTOCOL_T1), RC_OK);
    ifsc_is_raised();
    close_reader(true);
    /* SafeNet 5100: no IFSD. */
    id.vendor = 0x0529;
    id.product = 0x0620;
    id.bcd_device = 0x0012;
    assert_int_equal(try_open(&d, &id), RC_OK);
    reader = readers[0];
    power_up(ATR_T1);
    script_expect(CCID_SET_PARAMETERS, 1, 0, "11 10 00 4D 00 20 00");
    assert_int_equal(reader->ops->set_protocol(reader, PROTOCOL_T1), RC_OK);
    close_reader(true);
}

static void short_level(void **state)
{
    uint8_t command[262] = {0, 0xD6, 0, 0, 0xFF};

    (void)state;
    start_t0(CCID_SHORT_APDU);
    script_expect_bytes(0, command, 261);
    script_answer(ACTIVE, 0, "90 00");
    assert_int_equal(transmit(PROTOCOL_T0, command, 261, 258), RC_OK);
    assert_int_equal(transmit(PROTOCOL_T0, command, 262, 258), RC_UNSUPPORTED);
    assert_non_null(strstr(detail_get(), "261"));
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 B0 00 00 04");
    script_answer(ACTIVE, 0, "01 02 03 04 90 00");
    assert_int_equal(transmit(PROTOCOL_T0, (const uint8_t[]){0, 0xB0, 0, 0, 4}, 5, 5),
                     RC_INSUFFICIENT_BUFFER);
    assert_int_equal(response_length, 6);
    close_reader(true);
}

static void extended_chaining(void **state)
{
    uint8_t command[600] = {0, 0xD6, 0, 0, 0, 2, 0x51};
    uint8_t part[261], expected[524];

    (void)state;
    for (size_t i = 0; i < sizeof part; i++)
        part[i] = (uint8_t)i;
    start_t0(CCID_EXTENDED_APDU);
    for (size_t capacity = 400; capacity <= 524; capacity += 124) {
        script_expect_bytes(CCID_BEGINS, command, 261);
        script_answer(ACTIVE, CCID_GO_ON, "");
        script_expect_bytes(CCID_CONTINUES, command + 261, 261);
        script_answer(ACTIVE, CCID_GO_ON, "");
        script_expect_bytes(CCID_ENDS, command + 522, 78);
        script_answer_bytes(CCID_BEGINS, part, sizeof part);
        script_expect(CCID_XFR_BLOCK, 0, CCID_GO_ON, "");
        script_answer_bytes(CCID_CONTINUES, part, sizeof part);
        script_expect(CCID_XFR_BLOCK, 0, CCID_GO_ON, "");
        script_answer(ACTIVE, CCID_ENDS, "90 00");
        assert_int_equal(transmit(PROTOCOL_T0, command, sizeof command, capacity),
                         capacity < 524 ? RC_INSUFFICIENT_BUFFER : RC_OK);
        assert_int_equal(response_length, 524);
    }
    memcpy(expected, part, 261);
    memcpy(expected + 261, part, 261);
    expected[522] = 0x90;
    expected[523] = 0;
    assert_memory_equal(response, expected, 524);
    /* A reader that does not ask for the rest. */
    script_expect_bytes(CCID_BEGINS, command, 261);
    script_answer(ACTIVE, 0, "67 00");
    assert_int_equal(transmit(PROTOCOL_T0, command, sizeof command, 524), RC_NOT_TRANSACTED);
    close_reader(true);
}

static void endless_chain(void **state)
{
    (void)state;
    start_t0(CCID_EXTENDED_APDU);
    script_expect(CCID_XFR_BLOCK, 0, 0, "00 70 00 00");
    script_answer(ACTIVE, CCID_BEGINS, "");
    for (unsigned i = 0; i < 65538; i++) {
        script_expect(CCID_XFR_BLOCK, 0, CCID_GO_ON, "");
        script_answer(ACTIVE, CCID_CONTINUES, i % 2 ? "" : "00");
    }
    assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0x70, 0, 0), RC_NOT_TRANSACTED);
    close_reader(true);
}

static void raw(void **state)
{
    (void)state;
    open_reader(CCID_TPDU, CCID_AUTO_VOLTAGE);
    power_up(ATR_T0);
    script_expect(CCID_XFR_BLOCK, 0, 0, "FF 01");
    script_answer(ACTIVE, 0, "01 02 03");
    assert_int_equal(TRANSMIT(PROTOCOL_RAW, 0xFF, 1), RC_OK);
    assert_response(1, 2, 3);
    assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0x70, 0, 0), RC_NOT_TRANSACTED);
    close_reader(true);
}

static void open_character(const char *answer)
{
    open_reader(CCID_CHARACTER, CCID_AUTO_VOLTAGE);
    power_up(answer);
}

static void character_t0(void **state)
{
    (void)state;
    open_character(ATR_T0);
    script_expect(CCID_SET_PARAMETERS, 0, 0, SET_T0);
    assert_int_equal(reader->ops->set_protocol(reader, PROTOCOL_T0), RC_OK);
    script_expect(CCID_XFR_BLOCK, 0, 1, "00 B0 00 00 02");
    script_answer(ACTIVE, 0, "B0");
    script_expect(CCID_XFR_BLOCK, 0, 4, "");
    script_answer(ACTIVE, 0, "01 02");
    script_expect(CCID_XFR_BLOCK, 0, 2, ""); /* the rest, of a reader that brings less at once */
    script_answer(ACTIVE, 0, "90 00");
    assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0xB0, 0, 0, 2), RC_OK);
    assert_response(1, 2, 0x90, 0x00);
    script_expect(CCID_XFR_BLOCK, 0, 1, "00 70 00 00 00");
    script_answer(ACTIVE, 0, "42");
    assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0x70, 0, 0), RC_NOT_TRANSACTED);
    assert_int_equal(TRANSMIT(PROTOCOL_T0, 0, 0x70, 0, 0), RC_NOT_TRANSACTED);
    assert_non_null(strstr(detail_get(), "reset"));
    close_reader(true);
}

static void character_t1(void **state)
{
    (void)state;
    open_character(ATR_T1);
    script_expect(CCID_SET_PARAMETERS, 1, 0, "11 10 00 4D 00 20 00");
    script_expect(CCID_XFR_BLOCK, 0, 3, "00 C1 01 FE 3E");
    script_answer(ACTIVE, 0, "00 E1 01");
    script_expect(CCID_XFR_BLOCK, 0, 2, "");
    script_answer(ACTIVE, 0, "FE 1E");
    assert_int_equal(reader->ops->set_protocol(reader, PROTOCOL_T1), RC_OK);
    script_expect(CCID_XFR_BLOCK, 0, 3, "00 00 04 00 70 00 00 74");
    script_answer(ACTIVE, 0, "00 00 02");
    script_expect(CCID_XFR_BLOCK, 0, 3, "");
    script_fail(ACTIVE, CCID_PARITY);
    script_expect(CCID_XFR_BLOCK, 0, 3, "00 81 00 81");
    script_answer(ACTIVE, 0, "00 00 02 90 00 92"); /* the whole block at once */
    assert_int_equal(TRANSMIT(PROTOCOL_T1, 0, 0x70, 0, 0), RC_OK);
    assert_response(0x90, 0x00);
    /* Nothing at all is a damaged block, too. */
    script_expect(CCID_XFR_BLOCK, 0, 3, "00 40 04 00 70 00 00 34");
    script_answer(ACTIVE, 0, "");
    script_expect(CCID_XFR_BLOCK, 0, 3, "00 92 00 92");
    script_answer(ACTIVE, 0, "00 40 02 90 00 D2");
    assert_int_equal(TRANSMIT(PROTOCOL_T1, 0, 0x70, 0, 0), RC_OK);
    close_reader(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(opening, script_fresh),
        cmocka_unit_test_setup(opening_refused, script_fresh),
        cmocka_unit_test_setup(layout_has_room, script_fresh),
        cmocka_unit_test_setup(presence, script_fresh),
        cmocka_unit_test_setup(presence_broken_off, script_fresh),
        cmocka_unit_test_setup(presence_fails, script_fresh),
        cmocka_unit_test_setup(swap_by_notice, script_fresh),
        cmocka_unit_test_setup(memory, script_fresh),
        cmocka_unit_test_setup(left_in_exchange, script_fresh),
        cmocka_unit_test_setup(swap_before_reset, script_fresh),
        cmocka_unit_test_setup(resets, script_fresh),
        cmocka_unit_test_setup(voltages, script_fresh),
        cmocka_unit_test_setup(bad_atrs, script_fresh),
        cmocka_unit_test_setup(power_up_ends_at_once, script_fresh),
        cmocka_unit_test_setup(emv_reader, script_fresh),
        cmocka_unit_test_setup(busy_slot, script_fresh),
        cmocka_unit_test_setup(tpdu_t0, script_fresh),
        cmocka_unit_test_setup(short_responses, script_fresh),
        cmocka_unit_test_setup(tpdu_t1, script_fresh),
        cmocka_unit_test_setup(ifsd, script_fresh),
        cmocka_unit_test_setup(short_level, script_fresh),
        cmocka_unit_test_setup(extended_chaining, script_fresh),
        cmocka_unit_test_setup(endless_chain, script_fresh),
        cmocka_unit_test_setup(raw, script_fresh),
        cmocka_unit_test_setup(character_t0, script_fresh),
        cmocka_unit_test_setup(character_t1, script_fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
