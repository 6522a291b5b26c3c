/* SPDX-License-Identifier: MIT */
/* What a session and its clients say to each other: whole messages, pieces, garbage, descriptors. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rc.h"
#include "cli/session_wire.h"

static const char *words[] = {"apdu", "", "00A4040000"};
static const struct session_request sample = {
    .urgent = true, .secrets = 2, .argc = 3, .argv = words, .reader = "Alpha", .no_color = "", .term = NULL};

static struct bytes body_of(const struct buffer *buffer)
{
    return bytes_of(buffer->data, buffer->length);
}

static size_t open_descriptors(void)
{
    DIR *stream = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(stream);
    while (readdir(stream) != NULL)
        count++;
    closedir(stream);
    return count;
}

static void requests_come_back_as_they_were(void **state)
{
    struct buffer body = {0};
    struct session_request request;

    (void)state;
    assert_int_equal(session_request_append(&sample, &body), RC_OK);
    assert_int_equal(session_request_parse(body_of(&body), &request), RC_OK);
    assert_true(request.urgent);
    assert_int_equal(request.secrets, 2);
    assert_int_equal(request.argc, 3);
    for (int i = 0; i < 3; i++)
        assert_string_equal(request.argv[i], words[i]);
    assert_null(request.argv[3]);
    assert_string_equal(request.reader, "Alpha");
    assert_string_equal(request.no_color, "");
    assert_null(request.term);
    session_request_fini(&request);
    buffer_fini(&body);
}

static void a_cut_or_longer_request_is_none(void **state)
{
    struct buffer body = {0};
    struct session_request request;

    (void)state;
    assert_int_equal(session_request_append(&sample, &body), RC_OK);
    for (size_t length = 0; length < body.length; length++)
        assert_int_equal(session_request_parse(bytes_of(body.data, length), &request), RC_INVALID_VALUE);
    assert_int_equal(buffer_append(&body, "", 1), RC_OK);
    assert_int_equal(session_request_parse(body_of(&body), &request), RC_INVALID_VALUE);
    buffer_fini(&body);
}

static void a_count_of_words_that_cannot_be_is_refused(void **state)
{
    static const uint8_t none[] = {0, 0, 0, 0, 0, 0, 0, 0, 0},
                         many[] = {0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 'a', 0, 0, 0, 0};
    static const uint8_t flag[] = {2, 0, 0, 0, 0, 1, 'a', 0, 0, 0, 0},
                         secrets[] = {0, SECRETS_MAX + 1, 0, 0, 0, 1, 'a', 0, 0, 0, 0},
                         optional[] = {0, 0, 0, 0, 0, 1, 'a', 0, 2, 0, 0};
    struct session_request request;

    (void)state;
    assert_int_equal(session_request_parse(bytes_of(none, sizeof none), &request), RC_INVALID_VALUE);
    assert_int_equal(session_request_parse(bytes_of(many, sizeof many), &request), RC_INVALID_VALUE);
    assert_int_equal(session_request_parse(bytes_of(flag, sizeof flag), &request), RC_INVALID_VALUE);
    assert_int_equal(session_request_parse(bytes_of(secrets, sizeof secrets), &request), RC_INVALID_VALUE);
    assert_int_equal(session_request_parse(bytes_of(optional, sizeof optional), &request), RC_INVALID_VALUE);
}

static void facts_come_back_as_they_were(void **state)
{
    const struct session_facts facts = {.pid = 4711, .busy = true, .depth = 2, .reader = "Beta"};
    struct session_facts back;
    struct buffer body = {0};

    (void)state;
    assert_int_equal(session_facts_append(&facts, &body), RC_OK);
    assert_int_equal(session_facts_parse(body_of(&body), &back), RC_OK);
    assert_int_equal(back.pid, 4711);
    assert_true(back.busy);
    assert_int_equal(back.depth, 2);
    assert_string_equal(back.reader, "Beta");
    for (size_t length = 0; length < body.length; length++)
        assert_int_equal(session_facts_parse(bytes_of(body.data, length), &back), RC_INVALID_VALUE);
    buffer_fini(&body);
}

static void frames_are_found_in_any_pieces(void **state)
{
    static const uint8_t two[] = {0, 0, 0, 2, SESSION_DONE, 'a', 'b', 0, 0, 0, 0, SESSION_CANCEL};
    struct session_wire wire;
    struct bytes body;
    uint8_t type;
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    session_wire_init(&wire, pair[0]);
    for (size_t i = 0; i < sizeof two; i++) {
        assert_int_equal(session_wire_receive(&wire), 0);
        assert_int_equal(session_wire_first(&wire, &type, &body), 0);
        assert_int_equal(send(pair[1], two + i, 1, 0), 1);
        assert_int_equal(session_wire_receive(&wire), 1);
        if (i == 6) {
            assert_int_equal(session_wire_first(&wire, &type, &body), 1);
            assert_int_equal(type, SESSION_DONE);
            assert_int_equal(body.left, 2);
            assert_memory_equal(body.at, "ab", 2);
            session_wire_drop(&wire);
        }
    }
    assert_int_equal(session_wire_first(&wire, &type, &body), 1);
    assert_int_equal(type, SESSION_CANCEL);
    assert_int_equal(body.left, 0);
    session_wire_drop(&wire);
    close(pair[1]);
    assert_int_equal(session_wire_receive(&wire), RC_SERVICE_STOPPED);
    session_wire_fini(&wire);
}

static void a_length_that_cannot_be_is_refused_before_its_body_comes(void **state)
{
    static const uint8_t header[] = {0xFF, 0xFF, 0xFF, 0xFF, SESSION_RUN};
    struct session_wire wire;
    struct bytes body;
    uint8_t type;
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    session_wire_init(&wire, pair[0]);
    assert_int_equal(send(pair[1], header, sizeof header, 0), sizeof header);
    assert_int_equal(session_wire_receive(&wire), 1);
    assert_int_equal(session_wire_first(&wire, &type, &body), RC_INVALID_VALUE);
    session_wire_fini(&wire);
    close(pair[1]);
}

static void a_long_frame_with_descriptors_arrives_whole(void **state)
{
    struct buffer body = {0};
    struct session_wire wire;
    struct bytes got;
    size_t before = open_descriptors();
    uint8_t type = 0;
    int pair[2], fds[SESSION_FDS];

    (void)state;
    assert_int_equal(buffer_reserve(&body, 100000), RC_OK);
    memset(body.data, 0x5A, 100000);
    body.length = 100000;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    session_wire_init(&wire, pair[0]);
    for (size_t i = 0; i < SESSION_FDS; i++)
        fds[i] = pair[1];
    assert_int_equal(session_wire_send(pair[1], true, SESSION_RUN, &body, fds, SESSION_FDS), RC_OK);
    while (session_wire_first(&wire, &type, &got) == 0)
        assert_int_equal(session_wire_receive(&wire), 1);
    assert_int_equal(type, SESSION_RUN);
    assert_int_equal(got.left, body.length);
    assert_memory_equal(got.at, body.data, body.length);
    assert_int_equal(wire.fd_count, SESSION_FDS);
    for (size_t i = 0; i < SESSION_FDS; i++)
        assert_true(fcntl(wire.fds[i], F_GETFD) & FD_CLOEXEC);
    session_wire_fini(&wire);
    buffer_fini(&body);
    close(pair[1]);
    assert_int_equal(open_descriptors(), before);
}

/* However they come: in one message, or in several with a byte each. */
static void too_many_descriptors_end_the_connection_and_none_stays_open(void **state)
{
    size_t before = open_descriptors();

    (void)state;
    for (size_t at_once = 1; at_once <= 2 * SESSION_FDS; at_once++) {
        union {
            char bytes[CMSG_SPACE(2 * SESSION_FDS * sizeof(int))];
            struct cmsghdr align;
        } control;
        char byte = 0;
        struct iovec piece = {.iov_base = &byte, .iov_len = 1};
        struct session_wire wire;
        int pair[2], fds[2 * SESSION_FDS], rc = 0;

        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        session_wire_init(&wire, pair[0]);
        for (size_t i = 0; i < 2 * SESSION_FDS; i++)
            fds[i] = pair[1];
        for (size_t sent = 0; sent <= SESSION_FDS; sent += at_once) {
            struct msghdr message = {.msg_iov = &piece,
                                     .msg_iovlen = 1,
                                     .msg_control = &control,
                                     .msg_controllen = CMSG_SPACE(at_once * sizeof(int))};

            memset(&control, 0, sizeof control);
            control.align = (struct cmsghdr){.cmsg_level = SOL_SOCKET,
                                             .cmsg_type = SCM_RIGHTS,
                                             .cmsg_len = CMSG_LEN(at_once * sizeof(int))};
            memcpy(CMSG_DATA(&control.align), fds, at_once * sizeof(int));
            assert_int_equal(sendmsg(pair[1], &message, 0), 1);
        }
        while ((rc = session_wire_receive(&wire)) > 0)
            continue;
        assert_int_equal(rc, RC_IO);
        assert_true(wire.fd_count <= SESSION_FDS);
        session_wire_fini(&wire);
        close(pair[1]);
        assert_int_equal(open_descriptors(), before);
    }
}

static void sending_to_nobody_says_so(void **state)
{
    int pair[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    close(pair[1]);
    assert_int_equal(session_wire_send(pair[0], true, SESSION_CANCEL, NULL, NULL, 0), RC_SERVICE_STOPPED);
    close(pair[0]);
}

static void sending_without_waiting_does_not_wait(void **state)
{
    int pair[2], rc = RC_OK;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    while (rc == RC_OK)
        rc = session_wire_send(pair[0], false, SESSION_BEGIN, NULL, NULL, 0);
    assert_int_equal(rc, RC_IO);
    close(pair[0]);
    close(pair[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_come_back_as_they_were),
        cmocka_unit_test(a_cut_or_longer_request_is_none),
        cmocka_unit_test(a_count_of_words_that_cannot_be_is_refused),
        cmocka_unit_test(facts_come_back_as_they_were),
        cmocka_unit_test(frames_are_found_in_any_pieces),
        cmocka_unit_test(a_length_that_cannot_be_is_refused_before_its_body_comes),
        cmocka_unit_test(a_long_frame_with_descriptors_arrives_whole),
        cmocka_unit_test(too_many_descriptors_end_the_connection_and_none_stays_open),
        cmocka_unit_test(sending_to_nobody_says_so),
        cmocka_unit_test(sending_without_waiting_does_not_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
