/* SPDX-License-Identifier: MIT */
/* Simulated cards when memory runs out: the n-th allocation fails, for n = 1, 2, 3 … The result is
 * RC_NO_MEMORY, nothing leaks, and the card goes on working. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rc.h"
#include "base/uri.h"
#include "sim/mount.h"
#include "tests/unit/failing_alloc.h"

static void opening(const char *text)
{
    struct reader *reader = NULL;
    struct uri uri;
    unsigned n = 0;

    assert_int_equal(uri_parse(text, strlen(text), &uri), RC_OK);
    do {
        int rc;

        failing_alloc_arm(++n);
        rc = sim_open(&uri, &reader);
        failing_alloc_arm(0);
        assert_int_equal(rc, failing_alloc_hit() ? RC_NO_MEMORY : RC_OK);
    } while (failing_alloc_hit());
    assert_true(n > 3);
    reader->ops->close(reader);
    uri_fini(&uri);
}

static void opening_fails_cleanly(void **state)
{
    (void)state;
    opening("sim:iso?serial=1&presence=" P_tmpdir "/scard-no-such-card");
    opening("sim:echo");
    opening("sim:odd");
}

struct command {
    uint8_t bytes[24];
    size_t length;
};

/* One command in a card fresh from power-up, prepared with the commands before it. */
static bool run(const struct command *commands, size_t count, enum protocol protocol, unsigned n)
{
    static uint8_t out[70000];
    const char *text = protocol == PROTOCOL_T0 ? "sim:iso?protocol=T0" : "sim:iso";
    uint8_t atr[ATR_MAX];
    struct reader *reader;
    struct uri uri;
    size_t length;
    int rc = RC_OK;

    assert_int_equal(uri_parse(text, strlen(text), &uri), RC_OK);
    assert_int_equal(sim_open(&uri, &reader), RC_OK);
    uri_fini(&uri);
    assert_int_equal(reader->ops->power(reader, POWER_COLD, atr, &length), RC_OK);
    assert_int_equal(reader->ops->set_protocol(reader, protocol), RC_OK);
    failing_alloc_arm(n);
    for (size_t i = 0; i < count; i++) {
        rc = reader->ops->transmit(reader, protocol, commands[i].bytes, commands[i].length, out, sizeof out,
                                   &length);
        assert_true(rc == RC_OK || (rc == RC_NO_MEMORY && failing_alloc_hit()));
        assert_true(rc || length >= 2);
    }
    failing_alloc_arm(0);
    /* Still alive. */
    rc = reader->ops->transmit(reader, protocol, commands[0].bytes, commands[0].length, out, sizeof out,
                               &length);
    assert_int_equal(rc, RC_OK);
    reader->ops->close(reader);
    return failing_alloc_hit();
}

#define COMMAND(text)                                                                                        \
    {                                                                                                        \
        .bytes = text, .length = sizeof(text) - 1                                                            \
    }

static void commands_fail_cleanly(void **state)
{
    static const struct command commands[] = {
        COMMAND("\x00\xA4\x04\x00\x07\xF0scard\x01\x00"),
        COMMAND("\x00\xA4\x04\x00\x07\xF0scard\x01\x05"),
        COMMAND("\x00\xC0\x00\x00\x00"),
        COMMAND("\x00\xE2\x00\x30\x02\x41\x42"),
        COMMAND("\x00\xDC\x01\x34\x02\x41\x42"),
        COMMAND("\x10\xD6\x87\x00\x02\x41\x42"),
        COMMAND("\x00\xD6\x87\x00\x02\x41\x42"),
        COMMAND("\x00\xB0\x82\x00\x00\x00\x00"),
        COMMAND("\x00\xB2\x01\x2D\x10"),
        COMMAND("\x00\x70\x00\x00\x01"),
        COMMAND("\x00\x84\x00\x00\x00\x10\x00"),
        COMMAND("\x00\xB1\x00\x00\x03\x54\x01\x00\x00"),
    };
    static const enum protocol protocols[] = {PROTOCOL_T0, PROTOCOL_T1};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        unsigned n = 1;

        while (run(commands, sizeof commands / sizeof commands[0], protocols[i], n))
            n++;
        assert_true(n > 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opening_fails_cleanly),
        cmocka_unit_test(commands_fail_cleanly),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
