/* SPDX-License-Identifier: MIT */
/* usb_notice: the interrupt endpoint of a pipe, and event_fd. */
#include "usb_kit.h"

#include <errno.h>

static struct echo_device echo;

static void send_notice(const void *bytes, size_t length)
{
    echo_send(&echo, ECHO_INTERRUPT, bytes, length);
}

static void fail_notice(int failure)
{
    emu_lock();
    echo.device.host->in(&echo.device, ECHO_INTERRUPT, NULL, 0, failure);
    emu_unlock();
}

/* The next message, waited for by event_fd; its length. */
static size_t next_notice(struct pipe *pipe, uint8_t bytes[8])
{
    size_t length = 0;

    while (length == 0) {
        assert_true(kit_readable(pipe->event_fd, PATIENCE_MS));
        assert_int_equal(pipe->ops->notice(pipe, bytes, 8, &length), RC_OK);
    }
    return length;
}

/* There is none, and event_fd has come to rest. */
static void assert_quiet(struct pipe *pipe)
{
    uint8_t bytes[8];
    size_t length;

    assert_int_equal(pipe->ops->notice(pipe, bytes, 8, &length), RC_OK);
    assert_int_equal(length, 0);
    assert_false(kit_readable(pipe->event_fd, 0));
}

static void messages_come_in_order(void **state)
{
    struct pipe *pipe = kit_open(&echo, 64, 271);
    uint8_t bytes[8] = {0};

    (void)state;
    assert_quiet(pipe);
    for (uint8_t i = 0; i < 100; i++) {
        send_notice((const uint8_t[]){0x50, i}, 2);
        send_notice((const uint8_t[]){0x51, i, 0x01}, 3);
        assert_int_equal(next_notice(pipe, bytes), 2);
        assert_int_equal(bytes[1], i);
        assert_int_equal(next_notice(pipe, bytes), 3);
        assert_int_equal(bytes[0], 0x51);
        assert_quiet(pipe);
    }
    kit_close(&echo, pipe);
}

static void a_small_room_gets_a_part(void **state)
{
    struct pipe *pipe = kit_open(&echo, 64, 271);
    uint8_t bytes[3] = {0, 0, 0x77};
    size_t length = 0;

    (void)state;
    send_notice("\x50\x01\x02\x03\x04\x05\x06\x07", 8); /* a full packet is a message */
    while (length == 0) {
        assert_true(kit_readable(pipe->event_fd, PATIENCE_MS));
        assert_int_equal(pipe->ops->notice(pipe, bytes, 2, &length), RC_OK);
    }
    assert_int_equal(length, 2);
    assert_memory_equal(bytes, "\x50\x01\x77", 3);
    assert_quiet(pipe);
    kit_close(&echo, pipe);
}

static void of_too_many_the_latest_are_kept(void **state)
{
    struct pipe *pipe = kit_open(&echo, 64, 271);
    const uint8_t *got;
    uint8_t bytes[8];
    size_t length;
    unsigned last = 0, count = 0;

    (void)state;
    for (uint8_t i = 1; i <= 200; i++) {
        send_notice(&i, 1);
        /* Somebody who waits for something else takes it in. */
        assert_int_equal(pipe->ops->bulk_out(pipe, (const uint8_t *)"x", 1, deadline_in_ms(PATIENCE_MS)), 0);
        assert_int_equal(pipe->ops->bulk_in(pipe, &got, &length, deadline_in_ms(PATIENCE_MS)), 0);
    }
    while (last != 200) {
        assert_int_equal(next_notice(pipe, bytes), 1);
        assert_true(bytes[0] > last);
        last = bytes[0];
        count++;
    }
    assert_in_range(count, 2, 32);
    assert_quiet(pipe);
    kit_close(&echo, pipe);
}

static void held_it_is_quiet_but_for_notices(void **state)
{
    struct pipe *pipe = kit_open(&echo, 64, 271);
    const uint8_t *got;
    uint8_t bytes[8];
    size_t length;

    (void)state;
    assert_quiet(pipe);
    /* Nobody handles libusb's events, so nothing is known yet. */
    pipe->ops->hold(pipe, true);
    send_notice("\x50", 1);
    assert_false(kit_readable(pipe->event_fd, 0));
    pipe->ops->hold(pipe, true);
    pipe->ops->hold(pipe, false);
    assert_false(kit_readable(pipe->event_fd, 0));
    pipe->ops->hold(pipe, false);
    assert_true(kit_readable(pipe->event_fd, PATIENCE_MS));
    assert_int_equal(next_notice(pipe, bytes), 1);
    assert_quiet(pipe);

    /* The answer to an exchange of a holder wakes nobody. */
    pipe->ops->hold(pipe, true);
    assert_int_equal(pipe->ops->bulk_out(pipe, (const uint8_t *)"x", 1, deadline_in_ms(PATIENCE_MS)), 0);
    assert_false(kit_readable(pipe->event_fd, 0));
    assert_int_equal(pipe->ops->bulk_in(pipe, &got, &length, deadline_in_ms(PATIENCE_MS)), 0);
    assert_false(kit_readable(pipe->event_fd, 0));

    /* A notice that comes while the holder waits for its answer does. */
    assert_int_equal(pipe->ops->bulk_in(pipe, &got, &length, deadline_in_ms(1)), RC_TIMEOUT);
    send_notice("\x51", 1);
    assert_int_equal(pipe->ops->bulk_in(pipe, &got, &length, deadline_in_ms(1)), RC_TIMEOUT);
    assert_true(kit_readable(pipe->event_fd, PATIENCE_MS));
    pipe->ops->hold(pipe, false);
    assert_int_equal(next_notice(pipe, bytes), 1);
    assert_quiet(pipe);

    pipe->ops->hold(pipe, true);
    emu_unplug(&echo.device);
    assert_false(kit_readable(pipe->event_fd, 0));
    pipe->ops->hold(pipe, false);
    assert_true(kit_readable(pipe->event_fd, PATIENCE_MS));
    pipe->ops->close(pipe);
}

/* Calls notice until it says so. */
static void await_result(struct pipe *pipe, int expected)
{
    uint8_t bytes[8];
    size_t length;
    int rc;

    do {
        assert_true(kit_readable(pipe->event_fd, PATIENCE_MS));
        rc = pipe->ops->notice(pipe, bytes, 8, &length);
    } while (rc == RC_OK && length == 0);
    assert_int_equal(rc, expected);
}

static void one_failure_is_got_over(void **state)
{
    static const int failures[] = {-EPIPE, -EPROTO, -EOVERFLOW};
    struct pipe *pipe = kit_open(&echo, 64, 271);
    uint8_t bytes[8];

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        fail_notice(failures[i % 3]);
        send_notice("\x50", 1);
        assert_int_equal(next_notice(pipe, bytes), 1);
    }
    assert_int_equal(echo.cleared, 2);
    assert_quiet(pipe);
    kit_close(&echo, pipe);
}

static void two_failures_end_it(void **state)
{
    static const int failures[] = {-EPIPE, -EPROTO};
    uint8_t bytes[8];
    size_t length;

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        struct pipe *pipe = kit_open(&echo, 64, 271);

        fail_notice(failures[i]);
        fail_notice(failures[i]);
        await_result(pipe, RC_UNSUPPORTED);
        assert_false(kit_readable(pipe->event_fd, 0)); /* told once */
        assert_int_equal(pipe->ops->notice(pipe, bytes, 8, &length), RC_UNSUPPORTED);
        /* Bulk transfers are as they were, and clearing gives it another chance. */
        assert_int_equal(pipe->ops->bulk_out(pipe, bytes, 1, deadline_in_ms(PATIENCE_MS)), RC_OK);
        assert_int_equal(pipe->ops->clear(pipe, true), RC_OK);
        send_notice("\x50", 1);
        assert_int_equal(next_notice(pipe, bytes), 1);
        kit_close(&echo, pipe);
    }
}

static void clearing_one_that_works_loses_nothing_else(void **state)
{
    struct pipe *pipe = kit_open(&echo, 64, 271);
    uint8_t bytes[8];

    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(pipe->ops->clear(pipe, true), RC_OK);
        send_notice("\x50", 1);
        assert_int_equal(next_notice(pipe, bytes), 1);
    }
    assert_true(emu_bus_await_pending(&echo.device, ECHO_INTERRUPT, 1, PATIENCE_MS));
    assert_false(emu_bus_await_pending(&echo.device, ECHO_INTERRUPT, 2, 0));
    kit_close(&echo, pipe);
}

/* Another device's coming and going is nothing that a pipe tells. */
static void other_devices_make_no_noise(void **state)
{
    struct pipe *pipe = kit_open(&echo, 64, 271);
    struct echo_device other;
    struct told told = {0};
    struct usb_watch *watch;
    uint8_t bytes[8];
    size_t length;

    (void)state;
    echo_init(&other, 64);
    assert_int_equal(usb_watch_open(&kit_hooks, &told, &watch), RC_OK);
    kit_await(watch, &told.arrived, 1);
    for (unsigned i = 1; i <= 20; i++) {
        assert_int_equal(emu_plug(&other.device, NULL), 0);
        kit_await(watch, &told.arrived, 1 + i);
        emu_unplug(&other.device);
        kit_await(watch, &told.left, i);
        assert_int_equal(pipe->ops->notice(pipe, bytes, 8, &length), RC_OK);
        assert_int_equal(length, 0);
    }
    send_notice("\x50", 1);
    assert_int_equal(next_notice(pipe, bytes), 1);
    usb_watch_close(watch);
    kit_close(&echo, pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_in_order),
        cmocka_unit_test(a_small_room_gets_a_part),
        cmocka_unit_test(of_too_many_the_latest_are_kept),
        cmocka_unit_test(held_it_is_quiet_but_for_notices),
        cmocka_unit_test(one_failure_is_got_over),
        cmocka_unit_test(two_failures_end_it),
        cmocka_unit_test(clearing_one_that_works_loses_nothing_else),
        cmocka_unit_test(other_devices_make_no_noise),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
