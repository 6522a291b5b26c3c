/* SPDX-License-Identifier: MIT */
/* sim:odd through the mount: each way to misbehave arrives as what the reader seam calls it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "base/hex.h"
#include "base/rc.h"
#include "base/uri.h"
#include "sim/card.h"
#include "sim/mount.h"

static struct reader *reader;
static uint8_t atr[ATR_MAX];
static uint8_t out[140000];
static size_t length;

static void mount(const char *text)
{
    struct uri uri;

    assert_int_equal(uri_parse(text, strlen(text), &uri), RC_OK);
    assert_int_equal(sim_open(&uri, &reader), RC_OK);
    uri_fini(&uri);
}

static int unmount(void **state)
{
    (void)state;
    if (reader)
        reader->ops->close(reader);
    reader = NULL;
    return 0;
}

static int power(void)
{
    return reader->ops->power(reader, POWER_COLD, atr, &length);
}

static void power_up(void)
{
    assert_int_equal(power(), RC_OK);
    assert_int_equal(reader->ops->set_protocol(reader, PROTOCOL_T1), RC_OK);
}

static int transmit(const char *hex)
{
    uint8_t bytes[16];
    size_t count, at;

    assert_int_equal(hex_parse(hex, strlen(hex), bytes, &count, &at), RC_OK);
    return reader->ops->transmit(reader, PROTOCOL_T1, bytes, count, out, sizeof out, &length);
}

static void answers(const char *command, const char *expected)
{
    char got[64];

    assert_int_equal(transmit(command), RC_OK);
    assert_true(length < 32);
    assert_string_equal(hex_format(out, length, got), expected);
}

static int set_up(void **state)
{
    (void)state;
    mount("sim:odd");
    power_up();
    return 0;
}

static void behaves_unless_asked(void **state)
{
    (void)state;
    answers("00A40000023F00", "9000");
    answers("80FF0000", "6D00");
    answers("00", "6700");
}

static void delays(void **state)
{
    int64_t before = clock_now_ns();

    (void)state;
    answers("80100032", "9000");
    assert_true(clock_now_ns() - before >= 50000000);
}

static void silence_and_broken_exchange(void **state)
{
    int64_t before = clock_now_ns();

    (void)state;
    assert_int_equal(transmit("8012001E"), RC_TIMEOUT);
    assert_true(clock_now_ns() - before >= 30000000);
    answers("00A40000", "9000");
    assert_int_equal(transmit("80140000"), RC_NOT_TRANSACTED);
    answers("00A40000", "9000");
}

static void lengths_that_are_wrong(void **state)
{
    (void)state;
    assert_int_equal(transmit("80160000"), RC_OK);
    assert_int_equal(length, 0);
    answers("80160001", "00");
    answers("80160002", "9000");
    answers("80160004", "00019000");
    answers("8018000102", "0001029000");
    assert_int_equal(transmit("801A0001"), RC_OK);
    assert_int_equal(length, 65539);
    assert_int_equal(transmit("801AFFFF"), RC_OK);
    assert_int_equal(length, 131073);
    answers("80226A82", "6A82");
}

static void dies_until_reset(void **state)
{
    (void)state;
    assert_int_equal(transmit("801C0000"), RC_MUTE);
    assert_int_equal(transmit("00A40000"), RC_MUTE);
    power_up();
    answers("00A40000", "9000");
    assert_int_equal(transmit("801E0002"), RC_MUTE);
    assert_int_equal(power(), RC_MUTE);
    assert_int_equal(power(), RC_MUTE);
    power_up();
    answers("00A40000", "9000");
}

static void leaves_in_mid_command(void **state)
{
    bool in;

    (void)state;
    assert_int_equal(reader->ops->presence(reader, &in), RC_OK);
    assert_true(in);
    assert_int_equal(transmit("80200001"), RC_NO_CARD);
    assert_int_equal(reader->ops->presence(reader, &in), RC_OK);
    assert_false(in);
    sim_set_present(reader, true);
    power_up();
    answers("00A40000", "9000");
}

static void options_of_power_up(void **state)
{
    static const char *const garbage[] = {"sim:odd?atr=FF", "sim:odd?atr=3B", "sim:odd?atr=3BFF00"};
    int64_t before;

    (void)state;
    unmount(NULL);
    mount("sim:odd?mute=yes");
    assert_int_equal(power(), RC_MUTE);
    assert_int_equal(power(), RC_MUTE);
    unmount(NULL);
    mount("sim:odd?powerfail=2");
    assert_int_equal(power(), RC_MUTE);
    assert_int_equal(power(), RC_MUTE);
    assert_int_equal(power(), RC_OK);
    unmount(NULL);
    before = clock_now_ns();
    mount("sim:odd?powerdelay=20&delay=20");
    power_up();
    answers("00A40000", "9000");
    assert_true(clock_now_ns() - before >= 40000000);
    for (size_t i = 0; i < sizeof garbage / sizeof garbage[0]; i++) {
        unmount(NULL);
        mount(garbage[i]);
        assert_int_equal(power(), RC_OK);
        assert_int_equal(length, (strlen(garbage[i]) - strlen("sim:odd?atr=")) / 2);
        assert_int_equal(reader->ops->set_protocol(reader, PROTOCOL_T1), RC_UNRESPONSIVE);
    }
    unmount(NULL);
    mount("sim:odd?atr=3B021450");
    assert_int_equal(power(), RC_OK);
    assert_memory_equal(atr, "\x3B\x02\x14\x50", 4);
    assert_int_equal(reader->ops->set_protocol(reader, PROTOCOL_T0), RC_OK);
}

/* Without a mount there is no line: waits are skipped. */
static void works_without_a_line(void **state)
{
    static const uint8_t wait[] = {0x80, 0x10, 0xFF, 0xFF}, leave[] = {0x80, 0x20, 0x00, 0x00};
    struct buffer response = {0};
    struct sim_card *card;
    struct uri uri;

    (void)state;
    assert_int_equal(uri_parse("sim:odd", 7, &uri), RC_OK);
    assert_int_equal(sim_card_new(&uri, &card), RC_OK);
    uri_fini(&uri);
    assert_int_equal(card->ops->apdu(card, wait, sizeof wait, &response), RC_OK);
    assert_int_equal(card->ops->apdu(card, leave, sizeof leave, &response), RC_NO_CARD);
    assert_int_equal(response.length, 2);
    buffer_fini(&response);
    card->ops->free(card);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, unmount)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(behaves_unless_asked),
        TEST(delays),
        TEST(silence_and_broken_exchange),
        TEST(lengths_that_are_wrong),
        TEST(dies_until_reset),
        TEST(leaves_in_mid_command),
        TEST(options_of_power_up),
        TEST(works_without_a_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
