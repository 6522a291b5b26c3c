/* SPDX-License-Identifier: MIT */
/* driver/ccid_protocol: PPS, parameters, IFSD and what is tried when they fail (the link plays a script). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid.h"
#include "link_script.h"

#define ACTIVE CCID_CARD_ACTIVE
#define INACTIVE CCID_CARD_INACTIVE
#define ABSENT CCID_CARD_ABSENT

#define ATR_FAST "3B 10 96"          /* T=0, TA1 96 */
#define ATR_BOTH "3B 90 96 80 01 87" /* T=0 and T=1, TA1 96 */
#define ATR_T1 "3B 80 01 81"
#define ATR_SPECIFIC "3B 90 96 10 80" /* TA2: T=0 at TA1 */

static struct reader *reader;
static struct reader **readers;

static void pipe_close(struct pipe *pipe)
{
    (void)pipe;
}

static const struct pipe_ops pipe_ops = {.close = pipe_close};
static struct pipe pipe_ = {.ops = &pipe_ops, .event_fd = -1};

static struct ccid_descriptor descriptor(enum ccid_level level, uint32_t features)
{
    return (struct ccid_descriptor){
        .level = level,
        .features = features | CCID_AUTO_VOLTAGE,
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

static void expect_on(const char *atr)
{
    script_expect(CCID_POWER_ON, 0, 0, "");
    script_answer(ACTIVE, 0, atr);
}

static void expect_cold(const char *atr)
{
    script_expect(CCID_GET_SLOT_STATUS, 0, 0, "");
    script_expect(CCID_POWER_OFF, 0, 0, "");
    script_answer(INACTIVE, 0, "");
    expect_on(atr);
}

static void open_as(const struct ccid_descriptor *d, uint16_t vendor, uint16_t product, const char *atr_text)
{
    struct ccid_identity id = {
        .vendor = vendor, .product = product, .path = "usb:1-1:1.0", .model = "Reader"};
    uint8_t atr[ATR_MAX];
    size_t count, length;

    assert_int_equal(ccid_open(&pipe_, d, &id, &readers, &count), RC_OK);
    reader = readers[0];
    script_expect(CCID_GET_SLOT_STATUS, 0, 0, "");
    script_answer(INACTIVE, 0, "");
    expect_on(atr_text);
    assert_int_equal(reader->ops->power(reader, POWER_COLD, atr, &length), RC_OK);
}

static void open_card(enum ccid_level level, uint32_t features, const char *atr)
{
    struct ccid_descriptor d = descriptor(level, features);

    open_as(&d, 0x1209, 1, atr);
}

static int set(enum protocol protocol)
{
    return reader->ops->set_protocol(reader, protocol);
}

static void close_reader(bool powered)
{
    if (powered) {
        script_expect(CCID_GET_SLOT_STATUS, 0, 0, "");
        script_expect(CCID_POWER_OFF, 0, 0, "");
        script_answer(INACTIVE, 0, "");
    }
    reader->ops->close(reader);
    free(readers);
    script_done();
}

static void expect_block(const char *block, const char *answer)
{
    script_expect(CCID_XFR_BLOCK, 0, 0, block);
    script_answer(ACTIVE, 0, answer);
}

static void expect_parameters(uint8_t protocol, const char *data)
{
    script_expect(CCID_SET_PARAMETERS, protocol, 0, data);
    script_answer(ACTIVE, protocol, data);
}

static void expect_ifsd(void)
{
    expect_block("00 C1 01 FE 3E", "00 E1 01 FE 1E");
}

static void host_pps(void **state)
{
    (void)state;
    open_card(CCID_TPDU, 0, ATR_FAST);
    expect_block("FF 10 96 79", "FF 10 96 79");
    expect_parameters(0, "96 00 00 0A 00");
    assert_int_equal(set(PROTOCOL_T0), RC_OK);
    /* Once is enough until the next reset. */
    assert_int_equal(set(PROTOCOL_T0), RC_OK);
    close_reader(true);

    open_card(CCID_TPDU, 0, ATR_BOTH);
    expect_block("FF 11 96 78", "FF 11 96 78");
    expect_parameters(1, "96 10 00 4D 00 20 00");
    expect_ifsd();
    assert_int_equal(set(PROTOCOL_T1), RC_OK);
    close_reader(true);

    /* The card leaves PPS1 out: default speed. */
    open_card(CCID_TPDU, 0, ATR_BOTH);
    expect_block("FF 11 96 78", "FF 01 FE");
    expect_parameters(1, "11 10 00 4D 00 20 00");
    expect_ifsd();
    assert_int_equal(set(PROTOCOL_T1), RC_OK);
    close_reader(true);

    /* Specific mode: no PPS, speed of TA1. */
    open_card(CCID_TPDU, 0, ATR_SPECIFIC);
    expect_parameters(0, "96 00 00 0A 00");
    assert_int_equal(set(PROTOCOL_T0), RC_OK);
    close_reader(true);
}

/* Each failure resets the card cold; then without speed, then without PPS. */
static void host_pps_falls_back(void **state)
{
    (void)state;
    open_card(CCID_TPDU, 0, ATR_BOTH);
    expect_block("FF 10 96 79", "FF 10 95 7A");
    expect_cold(ATR_BOTH);
    script_expect(CCID_XFR_BLOCK, 0, 0, "FF 00 FF");
    script_fail(ACTIVE, CCID_MUTE);
    script_expect(CCID_GET_SLOT_STATUS, 0, 0, "");
    expect_cold(ATR_BOTH);
    expect_parameters(0, "11 00 00 0A 00");
    assert_int_equal(set(PROTOCOL_T0), RC_OK);
    close_reader(true);

    open_card(CCID_TPDU, 0, ATR_BOTH);
    expect_block("FF 11 96 78", "");
    expect_cold(ATR_BOTH);
    script_expect(CCID_XFR_BLOCK, 0, 0, "FF 01 FE");
    script_rc(RC_TIMEOUT);
    script_expect(CCID_GET_SLOT_STATUS, 0, 0, "");
    assert_int_equal(set(PROTOCOL_T1), RC_UNRESPONSIVE);
    assert_true(*detail_get());
    /* The card has been spoken to: it is reset before something else is tried. */
    expect_cold(ATR_BOTH);
    expect_block("FF 10 96 79", "FF 10 96 79");
    expect_parameters(0, "96 00 00 0A 00");
    assert_int_equal(set(PROTOCOL_T0), RC_OK);
    close_reader(true);
}

static void ends_at_once(void **state)
{
    static const int ends[] = {RC_CANCELLED, RC_READER_UNAVAILABLE};

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        open_card(CCID_TPDU, 0, ATR_FAST);
        script_expect(CCID_XFR_BLOCK, 0, 0, "FF 10 96 79");
        script_rc(ends[i]);
        assert_int_equal(set(PROTOCOL_T0), ends[i]);
        close_reader(true);
    }
    open_card(CCID_TPDU, 0, ATR_FAST);
    script_expect(CCID_XFR_BLOCK, 0, 0, "FF 10 96 79");
    script_fail(ABSENT, CCID_MUTE);
    assert_int_equal(set(PROTOCOL_T0), RC_NO_CARD);
    assert_true(script_look);
    close_reader(false);
}

static void not_possible(void **state)
{
    struct ccid_descriptor d = descriptor(CCID_TPDU, 0);

    (void)state;
    open_card(CCID_TPDU, 0, ATR_T1);
    assert_int_equal(set(PROTOCOL_T0), RC_PROTO_MISMATCH);
    close_reader(true);
    d.protocols = 1;
    open_as(&d, 0x1209, 1, ATR_BOTH);
    assert_int_equal(set(PROTOCOL_T1), RC_PROTO_MISMATCH);
    close_reader(true);
}

/* The list of rates, and where a reader does not give it: everything up to the maximum. */
static void rates(void **state)
{
    struct ccid_descriptor d = descriptor(CCID_TPDU, 0);

    (void)state;
    d.rate_count = 2;
    script_rates(RC_OK, "00 2A 00 00 24 F4 01 00"); /* 10752, 128036; the card's 250000 is not in it */
    open_as(&d, 0x1209, 1, ATR_FAST);
    expect_parameters(0, "11 00 00 0A 00");
    assert_int_equal(set(PROTOCOL_T0), RC_OK);
    close_reader(true);

    script_rates(RC_OK, "00 2A 00 00 90 D0 03 00"); /* 250000 */
    open_as(&d, 0x1209, 1, ATR_FAST);
    expect_block("FF 10 96 79", "FF 10 96 79");
    expect_parameters(0, "96 00 00 0A 00");
    assert_int_equal(set(PROTOCOL_T0), RC_OK);
    close_reader(true);

    for (int rc = RC_IO; rc <= PIPE_STALLED; rc += PIPE_STALLED - RC_IO) {
        script_rates(rc, "");
        open_as(&d, 0x1209, 1, ATR_FAST);
        expect_block("FF 10 96 79", "FF 10 96 79");
        expect_parameters(0, "96 00 00 0A 00");
        assert_int_equal(set(PROTOCOL_T0), RC_OK);
        close_reader(true);
    }
}

/* The reader exchanges PPS when the parameters are set: at APDU levels, and with its feature. */
static void reader_pps(void **state)
{
    (void)state;
    for (enum ccid_level level = CCID_TPDU; level <= CCID_EXTENDED_APDU; level++) {
        open_card(level, level == CCID_TPDU ? CCID_AUTO_PPS | CCID_AUTO_IFSD : 0, ATR_BOTH);
        expect_parameters(1, "96 10 00 4D 00 20 00");
        assert_int_equal(set(PROTOCOL_T1), RC_OK);
        close_reader(true);

        open_card(level, level == CCID_TPDU ? CCID_AUTO_PPS | CCID_AUTO_IFSD : 0, ATR_FAST);
        script_expect(CCID_SET_PARAMETERS, 0, 0, "96 00 00 0A 00");
        script_fail(ACTIVE, CCID_HARDWARE);
        expect_cold(ATR_FAST);
        expect_parameters(0, "11 00 00 0A 00");
        assert_int_equal(set(PROTOCOL_T0), RC_OK);
        close_reader(true);
    }
}

/* The reader has done everything by itself, but perhaps for the other protocol. */
static void automatic(void **state)
{
    (void)state;
    open_card(CCID_TPDU, CCID_AUTO_NEGOTIATION | CCID_AUTO_PPS, ATR_BOTH);
    script_expect(CCID_GET_PARAMETERS, 0, 0, "");
    script_answer(ACTIVE, 1, "96 10 00 4D 00 20 00");
    expect_ifsd();
    assert_int_equal(set(PROTOCOL_T1), RC_OK);
    close_reader(true);

    open_card(CCID_TPDU, CCID_AUTO_PARAMETERS, ATR_BOTH);
    script_expect(CCID_GET_PARAMETERS, 0, 0, "");
    script_answer(ACTIVE, 0, "96 00 00 0A 00");
    expect_parameters(1, "96 10 00 4D 00 20 00");
    expect_ifsd();
    assert_int_equal(set(PROTOCOL_T1), RC_OK);
    close_reader(true);
}

static void kept_parameters(void **state)
{
    (void)state;
    /* The reader has its own guard time: no matter. */
    open_card(CCID_TPDU, 0, ATR_FAST);
    expect_block("FF 10 96 79", "FF 10 96 79");
    script_expect(CCID_SET_PARAMETERS, 0, 0, "96 00 00 0A 00");
    script_fail(ACTIVE, 0x0C);
    script_expect(CCID_GET_PARAMETERS, 0, 0, "");
    script_answer(ACTIVE, 0, "96 00 FF 0A 00");
    assert_int_equal(set(PROTOCOL_T0), RC_OK);
    close_reader(true);
    /* It keeps its speed, and the card has changed. */
    open_card(CCID_TPDU, 0, ATR_FAST);
    expect_block("FF 10 96 79", "FF 10 96 79");
    script_expect(CCID_SET_PARAMETERS, 0, 0, "96 00 00 0A 00");
    script_fail(ACTIVE, 0x0A);
    script_expect(CCID_GET_PARAMETERS, 0, 0, "");
    script_answer(ACTIVE, 0, "11 00 00 0A 00");
    expect_cold(ATR_FAST);
    expect_block("FF 00 FF", "FF 00 FF");
    expect_parameters(0, "11 00 00 0A 00");
    assert_int_equal(set(PROTOCOL_T0), RC_OK);
    close_reader(true);
}

/* A reader without SetParameters: the host must know at TPDU level, a reader that speaks itself may do
 * without. */
static void no_set_parameters(void **state)
{
    (void)state;
    open_card(CCID_SHORT_APDU, 0, ATR_T1);
    script_expect(CCID_SET_PARAMETERS, 1, 0, "11 10 00 4D 00 20 00");
    script_fail(ACTIVE, CCID_NOT_SUPPORTED);
    assert_int_equal(set(PROTOCOL_T1), RC_OK);
    close_reader(true);

    open_card(CCID_TPDU, 0, ATR_T1);
    script_expect(CCID_SET_PARAMETERS, 1, 0, "11 10 00 4D 00 20 00");
    script_fail(ACTIVE, CCID_NOT_SUPPORTED);
    assert_int_equal(set(PROTOCOL_T1), RC_UNRESPONSIVE);
    close_reader(true);
}

/* Alcor: at some rates SetParameters fails; then default speed and no SetParameters. */
static void skip_parameters(void **state)
{
    struct ccid_descriptor d = descriptor(CCID_TPDU, CCID_AUTO_PPS);

    (void)state;
    d.max_rate = 150000;
    open_as(&d, 0x058F, 0x9540, "3B 10 94");
    script_expect(CCID_SET_PARAMETERS, 0, 0, "94 00 00 0A 00");
    script_fail(ACTIVE, CCID_HARDWARE);
    expect_cold("3B 10 94");
    assert_int_equal(set(PROTOCOL_T0), RC_OK);
    close_reader(true);
}

/* O2 Micro: first protocol, default speed. Blocks stay under 64 bytes. */
static void no_pps(void **state)
{
    struct ccid_descriptor d = descriptor(CCID_TPDU, 0);

    (void)state;
    open_as(&d, 0x0B97, 0x7762, ATR_BOTH);
    assert_int_equal(set(PROTOCOL_T1), RC_PROTO_MISMATCH);
    expect_parameters(0, "11 00 00 0A 00");
    assert_int_equal(set(PROTOCOL_T0), RC_OK);
    close_reader(true);
    open_as(&d, 0x0B97, 0x7762, ATR_T1);
    expect_parameters(1, "11 10 00 4D 00 20 00");
    expect_block("00 C1 01 31 F1", "00 E1 01 31 D1");
    assert_int_equal(set(PROTOCOL_T1), RC_OK);
    close_reader(true);
}

/* Not one valid block at the speed agreed upon. */
static void ifsd_falls_back(void **state)
{
    (void)state;
    open_card(CCID_TPDU, 0, ATR_BOTH);
    expect_block("FF 11 96 78", "FF 11 96 78");
    expect_parameters(1, "96 10 00 4D 00 20 00");
    for (unsigned i = 0; i < 3; i++) {
        script_expect(CCID_XFR_BLOCK, 0, 0, "00 C1 01 FE 3E");
        script_fail(ACTIVE, CCID_PARITY);
    }
    expect_cold(ATR_BOTH);
    expect_block("FF 01 FE", "FF 01 FE");
    expect_parameters(1, "11 10 00 4D 00 20 00");
    expect_ifsd();
    assert_int_equal(set(PROTOCOL_T1), RC_OK);
    close_reader(true);
}

static void character_level(void **state)
{
    (void)state;
    for (unsigned echoed = 0; echoed < 2; echoed++) {
        open_card(CCID_CHARACTER, 0, ATR_FAST);
        script_expect(CCID_XFR_BLOCK, 0, 2, "FF 10 96 79");
        script_answer(ACTIVE, 0, echoed ? "FF 10" : "FF 00");
        script_expect(CCID_XFR_BLOCK, 0, echoed ? 2 : 1, "");
        script_answer(ACTIVE, 0, echoed ? "96 79" : "FF");
        expect_parameters(0, echoed ? "96 00 00 0A 00" : "11 00 00 0A 00");
        assert_int_equal(set(PROTOCOL_T0), RC_OK);
        close_reader(true);
    }
}

/* OpenPGP card 1.1: BWI 7, not 4. */
static void slow_card(void **state)
{
    (void)state;
    open_card(CCID_TPDU, CCID_AUTO_IFSD | CCID_AUTO_PPS,
              "3B FA 13 00 FF 81 31 80 45 00 31 C1 73 C0 01 00 00 90 00 B1");
    script_expect(CCID_SET_PARAMETERS, 1, 0, "13 10 FF 75 00 80 00");
    assert_int_equal(set(PROTOCOL_T1), RC_OK);
    close_reader(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(host_pps, script_fresh),
        cmocka_unit_test_setup(host_pps_falls_back, script_fresh),
        cmocka_unit_test_setup(ends_at_once, script_fresh),
        cmocka_unit_test_setup(not_possible, script_fresh),
        cmocka_unit_test_setup(rates, script_fresh),
        cmocka_unit_test_setup(reader_pps, script_fresh),
        cmocka_unit_test_setup(automatic, script_fresh),
        cmocka_unit_test_setup(kept_parameters, script_fresh),
        cmocka_unit_test_setup(no_set_parameters, script_fresh),
        cmocka_unit_test_setup(skip_parameters, script_fresh),
        cmocka_unit_test_setup(no_pps, script_fresh),
        cmocka_unit_test_setup(ifsd_falls_back, script_fresh),
        cmocka_unit_test_setup(character_level, script_fresh),
        cmocka_unit_test_setup(slow_card, script_fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
