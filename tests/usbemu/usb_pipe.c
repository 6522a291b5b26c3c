/* SPDX-License-Identifier: MIT */
/* usb_pipe: every clause of the pipe seam, over the real libusb. */
#include "usb_kit.h"

#include <errno.h>

#define SOON deadline_in_ms(PATIENCE_MS)

static struct echo_device echo;

static void send_out(struct pipe *pipe, const void *bytes, size_t length)
{
    assert_int_equal(pipe->ops->bulk_out(pipe, bytes, length, SOON), RC_OK);
}

static void expect_in(struct pipe *pipe, const void *bytes, size_t length)
{
    const uint8_t *got;
    size_t got_length;

    assert_int_equal(pipe->ops->bulk_in(pipe, &got, &got_length, SOON), RC_OK);
    assert_int_equal(got_length, length);
    if (length)
        assert_memory_equal(got, bytes, length);
}

static int bulk_in(struct pipe *pipe, struct deadline deadline)
{
    const uint8_t *got;
    size_t length;

    return pipe->ops->bulk_in(pipe, &got, &length, deadline);
}

/* A call that another thread makes, and its result. */
struct call {
    struct pipe *pipe;
    int (*fn)(struct pipe *pipe);
    int result;
    pthread_t thread;
};

static void *call_thread(void *argument)
{
    struct call *call = argument;

    call->result = call->fn(call->pipe);
    return NULL;
}

static void call_start(struct call *call, struct pipe *pipe, int (*fn)(struct pipe *pipe))
{
    call->pipe = pipe;
    call->fn = fn;
    assert_int_equal(pthread_create(&call->thread, NULL, call_thread, call), 0);
}

static int call_end(struct call *call)
{
    assert_int_equal(pthread_join(call->thread, NULL), 0);
    return call->result;
}

static int receive_for_ever(struct pipe *pipe)
{
    return bulk_in(pipe, deadline_never());
}

static int send_for_ever(struct pipe *pipe)
{
    return pipe->ops->bulk_out(pipe, (const uint8_t *)"x", 1, deadline_never());
}

static void messages_of_any_length(void **state)
{
    static const size_t lengths[] = {1, 63, 64, 65, 128, 271, 16384, 16385, 65546, 65600};
    uint8_t *bytes = malloc(65600);

    assert_non_null(bytes);
    for (size_t i = 0; i < 65600; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 8));
    for (unsigned split = 0; split < 2; split++) {
        struct pipe *pipe;

        emu_bus_split(split);
        pipe = kit_open(&echo, 64, 65601);
        echo.empty_packets = !split; /* split, the device sees pieces: it cannot tell where a message ends */
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            if (split && lengths[i] % 64 == 0)
                continue;
            send_out(pipe, bytes, lengths[i]);
            expect_in(pipe, bytes, lengths[i]);
        }
        kit_close(&echo, pipe);
    }
    emu_bus_split(false);
    free(bytes);
    (void)state;
}

static void room_is_whole_packets(void **state)
{
    uint8_t bytes[512];
    struct pipe *pipe = kit_open(&echo, 512, 271);

    (void)state;
    memset(bytes, 0x5A, sizeof bytes);
    send_out(pipe, bytes, 512); /* fills it: no more is waited for */
    expect_in(pipe, bytes, 512);
    kit_close(&echo, pipe);
}

static void a_message_longer_than_the_room_comes_in_two(void **state)
{
    uint8_t bytes[100];
    struct pipe *pipe = kit_open(&echo, 64, 10);

    (void)state;
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    send_out(pipe, bytes, 100);
    expect_in(pipe, bytes, 64);
    expect_in(pipe, bytes + 64, 36);
    kit_close(&echo, pipe);
}

static void empty_packets_and_failures_are_told_apart(void **state)
{
    struct pipe *pipe = kit_open(&echo, 64, 271);

    (void)state;
    echo_send(&echo, ECHO_IN, NULL, 0);
    expect_in(pipe, NULL, 0);

    echo.in_failure = -EOVERFLOW;
    send_out(pipe, "abc", 3);
    assert_int_equal(bulk_in(pipe, SOON), PIPE_OVERFLOW);
    send_out(pipe, "abc", 3);
    expect_in(pipe, "abc", 3);

    echo.in_failure = -EPIPE;
    send_out(pipe, "abc", 3);
    assert_int_equal(bulk_in(pipe, SOON), PIPE_STALLED);
    assert_int_equal(echo.cleared, 1);
    send_out(pipe, "abc", 3);
    expect_in(pipe, "abc", 3);

    echo.in_failure = -EPROTO;
    send_out(pipe, "abc", 3);
    detail_clear();
    assert_int_equal(bulk_in(pipe, SOON), RC_IO);
    assert_true(detail_get()[0]);
    send_out(pipe, "abc", 3);
    expect_in(pipe, "abc", 3);

    echo.out_result = -EPIPE;
    assert_int_equal(pipe->ops->bulk_out(pipe, (const uint8_t *)"abc", 3, SOON), PIPE_STALLED);
    assert_int_equal(echo.cleared, 2);
    echo.out_result = -EPROTO;
    assert_int_equal(pipe->ops->bulk_out(pipe, (const uint8_t *)"abc", 3, SOON), RC_IO);
    send_out(pipe, "abc", 3);
    expect_in(pipe, "abc", 3);
    kit_close(&echo, pipe);
}

static void nothing_is_lost_between_two_calls(void **state)
{
    struct pipe *pipe = kit_open(&echo, 64, 271);

    (void)state;
    assert_int_equal(bulk_in(pipe, deadline_in_ms(0)), RC_TIMEOUT);
    assert_int_equal(bulk_in(pipe, deadline_in_ms(5)), RC_TIMEOUT);
    assert_true(emu_bus_await_pending(&echo.device, ECHO_IN, 1, 0)); /* one, and it is still there */
    assert_false(emu_bus_await_pending(&echo.device, ECHO_IN, 2, 0));
    echo_send(&echo, ECHO_IN, "late", 4);
    echo_send(&echo, ECHO_IN, "next", 4);
    pipe->ops->interrupt(pipe);
    assert_int_equal(bulk_in(pipe, SOON), RC_CANCELLED);
    expect_in(pipe, "late", 4);
    /* What is there comes even when the time is over. */
    {
        const uint8_t *got;
        size_t length;
        int rc;

        do {
            rc = pipe->ops->bulk_in(pipe, &got, &length, deadline_in_ms(0));
        } while (rc == RC_TIMEOUT);
        assert_int_equal(rc, RC_OK);
        assert_memory_equal(got, "next", 4);
    }
    kit_close(&echo, pipe);
}

static void an_out_that_is_not_taken_ends_with_its_deadline(void **state)
{
    struct pipe *pipe = kit_open(&echo, 64, 271);

    (void)state;
    emu_lock();
    echo.refusals = UINT32_MAX;
    emu_unlock();
    assert_int_equal(pipe->ops->bulk_out(pipe, (const uint8_t *)"abc", 3, deadline_in_ms(20)), RC_TIMEOUT);
    assert_true(emu_bus_await_pending(&echo.device, ECHO_OUT, 0, 0));
    assert_false(emu_bus_await_pending(&echo.device, ECHO_OUT, 1, 0));
    emu_lock();
    echo.refusals = 3;
    emu_unlock();
    send_out(pipe, "def", 3);
    expect_in(pipe, "def", 3);
    kit_close(&echo, pipe);
}

static void interrupt_ends_the_call_under_way_or_the_next(void **state)
{
    struct pipe *pipe = kit_open(&echo, 64, 271);
    struct call call;
    uint8_t bytes[4];
    size_t length;

    (void)state;
    for (unsigned i = 0; i < 50; i++) {
        call_start(&call, pipe, receive_for_ever);
        if (i % 2)
            assert_true(emu_bus_await_pending(&echo.device, ECHO_IN, 1, PATIENCE_MS));
        pipe->ops->interrupt(pipe);
        assert_int_equal(call_end(&call), RC_CANCELLED);
    }
    pipe->ops->interrupt(pipe);
    assert_int_equal(pipe->ops->control(pipe, 0xC1, ECHO_STORE, 0, bytes, 4, &length, SOON), RC_CANCELLED);
    assert_int_equal(pipe->ops->control(pipe, 0xC1, ECHO_STORE, 0, bytes, 4, &length, SOON), RC_OK);
    /* Not a message that is going out: the wait for its answer. */
    pipe->ops->interrupt(pipe);
    send_out(pipe, "abc", 3);
    assert_int_equal(bulk_in(pipe, SOON), RC_CANCELLED);
    expect_in(pipe, "abc", 3);
    kit_close(&echo, pipe);
}

static void control_transfers(void **state)
{
    struct pipe *pipe = kit_open(&echo, 64, 271);
    uint8_t bytes[100] = "stored";
    size_t length = 99;

    (void)state;
    assert_int_equal(pipe->ops->control(pipe, 0x41, ECHO_STORE, 0, bytes, 6, NULL, SOON), RC_OK);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(pipe->ops->control(pipe, 0xC1, ECHO_STORE, 0, bytes, 100, &length, SOON), RC_OK);
    assert_int_equal(length, 6);
    assert_memory_equal(bytes, "stored", 7);
    assert_int_equal(pipe->ops->control(pipe, 0xC1, ECHO_STORE, 0, bytes, 2, &length, SOON), RC_OK);
    assert_int_equal(length, 2);
    assert_int_equal(pipe->ops->control(pipe, 0xC1, ECHO_STALL, 0, bytes, 2, &length, SOON), PIPE_STALLED);
    assert_int_equal(pipe->ops->control(pipe, 0xC1, ECHO_LATE, 0, bytes, 2, &length, SOON), RC_OK);
    assert_int_equal(bytes[1], 0x5A);
    assert_int_equal(pipe->ops->control(pipe, 0x41, ECHO_STORE, 0, bytes, 0, NULL, SOON), RC_OK);
    kit_close(&echo, pipe);
}

static void strings_of_the_device(void **state)
{
    struct pipe *pipe = kit_open(&echo, 64, 271);
    char *text = NULL;

    (void)state;
    assert_int_equal(usb_string(pipe, 1, &text), RC_OK);
    assert_string_equal(text, "Emulator");
    free(text);
    assert_int_equal(usb_string(pipe, 2, &text), RC_OK);
    assert_memory_equal(text, "Echo \xe2\x9c\x93", 8);
    free(text);
    assert_int_equal(usb_string(pipe, 0, &text), RC_UNSUPPORTED);
    assert_int_equal(usb_string(pipe, 99, &text), RC_UNSUPPORTED);
    kit_close(&echo, pipe);
}

static void clear_throws_away_what_was_under_way(void **state)
{
    struct pipe *pipe = kit_open(&echo, 64, 271);

    (void)state;
    assert_int_equal(bulk_in(pipe, deadline_in_ms(0)), RC_TIMEOUT);
    echo_send(&echo, ECHO_IN, "old", 3);
    assert_int_equal(pipe->ops->clear(pipe, false), RC_OK);
    assert_int_equal(echo.cleared, 2);
    send_out(pipe, "new", 3);
    expect_in(pipe, "new", 3);
    kit_close(&echo, pipe);
}

static int unplugged_soon(struct pipe *pipe, int (*fn)(struct pipe *pipe), uint8_t endpoint)
{
    struct call call;

    call_start(&call, pipe, fn);
    assert_true(emu_bus_await_pending(&echo.device, endpoint, 1, PATIENCE_MS));
    emu_unplug(&echo.device);
    return call_end(&call);
}

/* Every call says so, event_fd tells it once. */
static void assert_gone(struct pipe *pipe)
{
    uint8_t bytes[8];
    size_t length;

    assert_int_equal(bulk_in(pipe, SOON), RC_READER_UNAVAILABLE);
    assert_int_equal(pipe->ops->bulk_out(pipe, bytes, 1, SOON), RC_READER_UNAVAILABLE);
    assert_int_equal(pipe->ops->control(pipe, 0xC1, 1, 0, bytes, 1, &length, SOON), RC_READER_UNAVAILABLE);
    assert_int_equal(pipe->ops->clear(pipe, false), RC_READER_UNAVAILABLE);
    assert_int_equal(pipe->ops->clear(pipe, true), RC_READER_UNAVAILABLE);
    assert_true(kit_readable(pipe->event_fd, PATIENCE_MS));
    assert_int_equal(pipe->ops->notice(pipe, bytes, 8, &length), RC_READER_UNAVAILABLE);
    assert_false(kit_readable(pipe->event_fd, 0));
    assert_int_equal(pipe->ops->notice(pipe, bytes, 8, &length), RC_READER_UNAVAILABLE);
    pipe->ops->hold(pipe, true);
    pipe->ops->hold(pipe, false);
    assert_false(kit_readable(pipe->event_fd, 0));
}

static void unplugged_in_a_call(void **state)
{
    struct pipe *pipe = kit_open(&echo, 64, 271);

    (void)state;
    assert_int_equal(unplugged_soon(pipe, receive_for_ever, ECHO_IN), RC_READER_UNAVAILABLE);
    assert_gone(pipe);
    pipe->ops->close(pipe);

    pipe = kit_open(&echo, 64, 271);
    emu_lock();
    echo.refusals = UINT32_MAX;
    emu_unlock();
    assert_int_equal(unplugged_soon(pipe, send_for_ever, ECHO_OUT), RC_READER_UNAVAILABLE);
    assert_gone(pipe);
    pipe->ops->close(pipe);

    pipe = kit_open(&echo, 64, 271);
    emu_lock();
    echo.pull = true;
    emu_unlock();
    assert_int_equal(send_for_ever(pipe), RC_READER_UNAVAILABLE);
    assert_gone(pipe);
    pipe->ops->close(pipe);
    assert_int_equal(emu_blamed(), 0);
}

static void unplugged_while_nobody_calls(void **state)
{
    struct pipe_layout layout;
    struct pipe *pipe = kit_open(&echo, 64, 271);
    uint8_t bytes[8];
    size_t length;
    struct told told;

    (void)state;
    emu_unplug(&echo.device);
    assert_true(kit_readable(pipe->event_fd, PATIENCE_MS));
    while (pipe->ops->notice(pipe, bytes, 8, &length) == RC_OK)
        assert_true(kit_readable(pipe->event_fd, PATIENCE_MS));
    assert_int_equal(bulk_in(pipe, SOON), RC_READER_UNAVAILABLE);
    assert_false(kit_readable(pipe->event_fd, 0));
    pipe->ops->close(pipe);

    /* Without anything under way at all. */
    kit_plug(&echo, 64, &told);
    layout = kit_layout(&echo, 271);
    layout.interrupt = 0;
    assert_int_equal(usb_open(&told.device, &layout, &pipe), RC_OK);
    assert_int_equal(pipe->ops->notice(pipe, bytes, 8, &length), RC_UNSUPPORTED);
    assert_int_equal(pipe->ops->clear(pipe, true), RC_UNSUPPORTED);
    assert_false(kit_readable(pipe->event_fd, 0));
    emu_unplug(&echo.device);
    while (pipe->ops->notice(pipe, bytes, 8, &length) == RC_UNSUPPORTED)
        assert_true(kit_readable(pipe->event_fd, PATIENCE_MS));
    assert_int_equal(bulk_in(pipe, SOON), RC_READER_UNAVAILABLE);
    pipe->ops->close(pipe);
}

static void closed_with_everything_under_way(void **state)
{
    struct pipe *pipe;

    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        emu_bus_seed(i);
        pipe = kit_open(&echo, 64, 271);
        assert_int_equal(bulk_in(pipe, deadline_in_ms(0)), RC_TIMEOUT);
        echo_send(&echo, ECHO_INTERRUPT, "P", 1);
        if (i % 3 == 1)
            echo_send(&echo, ECHO_IN, "abc", 3);
        if (i % 3 == 2)
            emu_unplug(&echo.device);
        if (i % 3 == 2)
            pipe->ops->close(pipe);
        else
            kit_close(&echo, pipe);
    }
    emu_bus_seed(0);
    assert_int_equal(emu_blamed(), 0);
}

static int ask_late(struct pipe *pipe)
{
    uint8_t byte;
    size_t length;
    int rc;

    for (unsigned i = 0; i < 20; i++) {
        rc = pipe->ops->control(pipe, 0xC1, ECHO_LATE, 0, &byte, 1, &length, SOON);
        if (rc)
            return rc;
    }
    return RC_OK;
}

static int exchange(struct pipe *pipe)
{
    for (unsigned i = 0; i < 100; i++) {
        uint8_t byte = (uint8_t)i;
        const uint8_t *got;
        size_t length;
        int rc = pipe->ops->bulk_out(pipe, &byte, 1, SOON);

        if (!rc)
            rc = pipe->ops->bulk_in(pipe, &got, &length, SOON);
        if (rc || length != 1 || got[0] != byte)
            return rc ? rc : RC_INTERNAL;
    }
    return RC_OK;
}

static void calls_of_different_threads_do_not_wait_for_each_other(void **state)
{
    struct pipe *pipe = kit_open(&echo, 64, 271);
    struct call waiting, sending, asking;
    uint8_t bytes[8];
    size_t length;

    (void)state;
    echo.mute = true;
    call_start(&waiting, pipe, receive_for_ever);
    assert_true(emu_bus_await_pending(&echo.device, ECHO_IN, 1, PATIENCE_MS));
    call_start(&asking, pipe, ask_late);
    assert_int_equal(call_end(&asking), RC_OK);
    send_out(pipe, "abc", 3);
    echo_send(&echo, ECHO_IN, "def", 3);
    assert_int_equal(call_end(&waiting), RC_OK);

    emu_lock();
    echo.mute = false;
    emu_unlock();
    call_start(&sending, pipe, exchange);
    call_start(&asking, pipe, ask_late);
    for (unsigned i = 0; i < 50; i++) {
        echo_send(&echo, ECHO_INTERRUPT, "P", 1);
        do {
            assert_int_equal(pipe->ops->notice(pipe, bytes, 8, &length), RC_OK);
        } while (length);
    }
    assert_int_equal(call_end(&sending), RC_OK);
    assert_int_equal(call_end(&asking), RC_OK);
    kit_close(&echo, pipe);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_of_any_length),
        cmocka_unit_test(room_is_whole_packets),
        cmocka_unit_test(a_message_longer_than_the_room_comes_in_two),
        cmocka_unit_test(empty_packets_and_failures_are_told_apart),
        cmocka_unit_test(nothing_is_lost_between_two_calls),
        cmocka_unit_test(an_out_that_is_not_taken_ends_with_its_deadline),
        cmocka_unit_test(interrupt_ends_the_call_under_way_or_the_next),
        cmocka_unit_test(control_transfers),
        cmocka_unit_test(strings_of_the_device),
        cmocka_unit_test(clear_throws_away_what_was_under_way),
        cmocka_unit_test(unplugged_in_a_call),
        cmocka_unit_test(unplugged_while_nobody_calls),
        cmocka_unit_test(closed_with_everything_under_way),
        cmocka_unit_test(calls_of_different_threads_do_not_wait_for_each_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
