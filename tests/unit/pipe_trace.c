/* SPDX-License-Identifier: MIT */
/* Recording what passes a pipe, and bringing it back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "usb/pipe_trace.h"

#pragma GCC diagnostic ignored "-Wunused-parameter"

/* A device of one answer for everything. */
struct stub {
    struct pipe pipe;
    int result;
    const char *answer;
    unsigned closed;
};

static int stub_out(struct pipe *pipe, const uint8_t *bytes, size_t length, struct deadline deadline)
{
    return ((struct stub *)pipe)->result;
}

static int stub_in(struct pipe *pipe, const uint8_t **ret_bytes, size_t *ret_length, struct deadline deadline)
{
    const struct stub *stub = (struct stub *)pipe;

    if (stub->result)
        return stub->result;
    *ret_bytes = (const uint8_t *)stub->answer;
    *ret_length = strlen(stub->answer);
    return 0;
}

static int stub_control(struct pipe *pipe, uint8_t request_type, uint8_t request, uint16_t value,
                        uint8_t *bytes, size_t length, size_t *ret_length, struct deadline deadline)
{
    const struct stub *stub = (struct stub *)pipe;

    if (stub->result || !(request_type & 0x80))
        return stub->result;
    memcpy(bytes, stub->answer, strlen(stub->answer));
    *ret_length = strlen(stub->answer);
    return 0;
}

static int stub_notice(struct pipe *pipe, uint8_t *bytes, size_t capacity, size_t *ret_length)
{
    const struct stub *stub = (struct stub *)pipe;

    *ret_length = strlen(stub->answer);
    memcpy(bytes, stub->answer, *ret_length);
    return 0;
}

static int stub_clear(struct pipe *pipe, bool interrupt)
{
    return ((struct stub *)pipe)->result;
}

static void stub_hold(struct pipe *pipe, bool on)
{
}

static void stub_interrupt(struct pipe *pipe)
{
}

static void stub_close(struct pipe *pipe)
{
    ((struct stub *)pipe)->closed++;
}

static const struct pipe_ops stub_ops = {stub_out,   stub_in,        stub_control, stub_notice, stub_hold,
                                         stub_clear, stub_interrupt, stub_close,   stub_close};

static char folder[] = "/tmp/scard-trace-XXXXXX", path[sizeof folder + 8];

static int make_folder(void **state)
{
    if (!mkdtemp(folder))
        return -1;
    sprintf(path, "%s/trace", folder);
    return 0;
}

static int remove_folder(void **state)
{
    return rmdir(folder);
}

static int remove_trace(void **state)
{
    unlink(path);
    return 0;
}

static void write_trace(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static const uint8_t message[] = {0x62, 0, 0xFF};

/* The same calls on either pipe; each has to bring what is said. */
static void make_calls(struct pipe *pipe, struct stub *stub)
{
    static const int failures[] = {PIPE_STALLED, PIPE_OVERFLOW, RC_TIMEOUT, RC_CANCELLED, RC_IO};
    uint8_t bytes[8] = {7, 8};
    const uint8_t *in;
    size_t length;

    stub->result = 0;
    stub->answer = "ABC";
    assert_int_equal(pipe->ops->bulk_out(pipe, message, 3, deadline_never()), 0);
    assert_int_equal(pipe->ops->bulk_in(pipe, &in, &length, deadline_never()), 0);
    assert_int_equal(length, 3);
    assert_memory_equal(in, "ABC", 3);
    stub->answer = "";
    assert_int_equal(pipe->ops->bulk_in(pipe, &in, &length, deadline_never()), 0);
    assert_int_equal(length, 0);
    assert_int_equal(pipe->ops->control(pipe, 0x21, 1, 0x0700, bytes, 2, NULL, deadline_never()), 0);
    stub->answer = "rate";
    assert_int_equal(pipe->ops->control(pipe, 0xA1, 3, 0, bytes, 8, &length, deadline_never()), 0);
    assert_int_equal(length, 4);
    assert_memory_equal(bytes, "rate", 4);
    stub->answer = "P3";
    assert_int_equal(pipe->ops->notice(pipe, bytes, sizeof bytes, &length), 0);
    assert_int_equal(length, 2);
    assert_memory_equal(bytes, "P3", 2);
    assert_int_equal(pipe->ops->clear(pipe, false), 0);
    assert_int_equal(pipe->ops->clear(pipe, true), 0);
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        stub->result = failures[i];
        assert_int_equal(pipe->ops->bulk_in(pipe, &in, &length, deadline_never()), failures[i]);
    }
    stub->result = RC_READER_UNAVAILABLE;
    assert_int_equal(pipe->ops->bulk_out(pipe, NULL, 0, deadline_never()), RC_READER_UNAVAILABLE);
}

static void what_is_recorded_comes_back(void **state)
{
    struct stub stub = {.pipe = {&stub_ops, 42}}, unused = {0};
    struct pipe *pipe;
    struct stat about;

    assert_int_equal(pipe_record(&stub.pipe, path, &pipe), 0);
    assert_int_equal(pipe->event_fd, 42);
    make_calls(pipe, &stub);
    pipe->ops->close(pipe);
    assert_int_equal(stub.closed, 1);
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);

    assert_int_equal(pipe_replay(path, &pipe), 0);
    assert_int_equal(pipe_replay_left(pipe), 14);
    make_calls(pipe, &unused);
    assert_int_equal(pipe_replay_left(pipe), 0);
    pipe->ops->close(pipe);
}

static void recording_never_overwrites(void **state)
{
    struct stub stub = {.pipe = {&stub_ops, -1}};
    struct pipe *pipe;

    write_trace("precious");
    assert_int_equal(pipe_record(&stub.pipe, path, &pipe), RC_INVALID_VALUE);
    assert_non_null(strstr(detail_get(), path));
    assert_int_equal(stub.closed, 1);
}

static void a_call_that_was_not_recorded_fails_for_good(void **state)
{
    static const uint8_t other[] = {0x62, 0, 0xFE};
    struct pipe *pipe;
    const uint8_t *in;
    size_t length;

    write_trace("scard-usb-trace 1\n# power on\n\nout 6200FF = ok\nin = ok 80\n");
    assert_int_equal(pipe_replay(path, &pipe), 0);
    assert_int_equal(pipe->ops->bulk_out(pipe, other, 3, deadline_never()), RC_IO);
    assert_non_null(strstr(detail_get(), "line 4"));
    assert_int_equal(pipe->ops->bulk_out(pipe, message, 3, deadline_never()), RC_IO);
    pipe->ops->close(pipe);

    assert_int_equal(pipe_replay(path, &pipe), 0);
    assert_int_equal(pipe->ops->bulk_in(pipe, &in, &length, deadline_never()), RC_IO);
    assert_non_null(strstr(detail_get(), "out was recorded"));
    pipe->ops->close(pipe);

    assert_int_equal(pipe_replay(path, &pipe), 0);
    assert_int_equal(pipe->ops->bulk_out(pipe, message, 3, deadline_never()), 0);
    assert_int_equal(pipe->ops->bulk_in(pipe, &in, &length, deadline_never()), 0);
    assert_int_equal(pipe->ops->bulk_in(pipe, &in, &length, deadline_never()), RC_IO);
    assert_non_null(strstr(detail_get(), "nothing more"));
    pipe->ops->close(pipe);
}

static void a_recorded_answer_never_passes_the_room(void **state)
{
    struct pipe *pipe;
    uint8_t bytes[2];
    size_t length;

    write_trace("scard-usb-trace 1\ncontrol A1 03 0000 room 2 = ok 010203\n");
    assert_int_equal(pipe_replay(path, &pipe), 0);
    assert_int_equal(pipe->ops->control(pipe, 0xA1, 3, 0, bytes, 2, &length, deadline_never()), RC_IO);
    pipe->ops->close(pipe);
}

static void event_fd_is_readable_while_a_notice_is_due(void **state)
{
    struct pollfd event = {.events = POLLIN};
    struct pipe *pipe;
    uint8_t bytes[8];
    size_t length;

    write_trace("scard-usb-trace 1\nout 6200FF = ok\nnotice = 5003\nout 6200FF = ok\n");
    assert_int_equal(pipe_replay(path, &pipe), 0);
    event.fd = pipe->event_fd;
    assert_int_equal(poll(&event, 1, 0), 0);
    assert_int_equal(pipe->ops->notice(pipe, bytes, sizeof bytes, &length), 0);
    assert_int_equal(length, 0);
    assert_int_equal(pipe->ops->bulk_out(pipe, message, 3, deadline_never()), 0);
    assert_int_equal(poll(&event, 1, 0), 1);
    assert_int_equal(pipe->ops->notice(pipe, bytes, sizeof bytes, &length), 0);
    assert_int_equal(length, 2);
    assert_int_equal(poll(&event, 1, 0), 0);
    assert_int_equal(pipe->ops->bulk_out(pipe, message, 3, deadline_never()), 0);
    pipe->ops->close(pipe);
}

static void a_notice_that_nobody_asks_for_holds_nothing_up(void **state)
{
    struct pollfd event = {.events = POLLIN};
    struct pipe *pipe;

    write_trace("scard-usb-trace 1\nnotice = 5003\nout 6200FF = ok\n");
    assert_int_equal(pipe_replay(path, &pipe), 0);
    event.fd = pipe->event_fd;
    assert_int_equal(poll(&event, 1, 0), 1);
    assert_int_equal(pipe->ops->bulk_out(pipe, message, 3, deadline_never()), 0);
    assert_int_equal(poll(&event, 1, 0), 0);
    pipe->ops->close(pipe);
}

static void a_malformed_file_is_refused_with_its_line(void **state)
{
    static const char *const bad[] = {
        "",
        "something else\n",
        "scard-usb-trace 1\nout 6200\n",
        "scard-usb-trace 1\nout 620 = ok\n",
        "scard-usb-trace 1\nout 62 = fine\n",
        "scard-usb-trace 1\nin = ok 8G\n",
        "scard-usb-trace 1\ncontrol 21 = ok\n",
        "scard-usb-trace 1\noutside 62 = ok\n",
        "scard-usb-trace 1\nflush = ok\n",
    };
    struct pipe *pipe;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        write_trace(bad[i]);
        assert_int_equal(pipe_replay(path, &pipe), RC_INVALID_VALUE);
        assert_non_null(strstr(detail_get(), path));
        if (i > 1)
            assert_non_null(strstr(detail_get(), "line 2"));
    }
    unlink(path);
    assert_int_equal(pipe_replay(path, &pipe), RC_INVALID_VALUE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(what_is_recorded_comes_back, remove_trace),
        cmocka_unit_test_teardown(recording_never_overwrites, remove_trace),
        cmocka_unit_test_teardown(a_call_that_was_not_recorded_fails_for_good, remove_trace),
        cmocka_unit_test_teardown(a_recorded_answer_never_passes_the_room, remove_trace),
        cmocka_unit_test_teardown(event_fd_is_readable_while_a_notice_is_due, remove_trace),
        cmocka_unit_test_teardown(a_notice_that_nobody_asks_for_holds_nothing_up, remove_trace),
        cmocka_unit_test_teardown(a_malformed_file_is_refused_with_its_line, remove_trace),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
