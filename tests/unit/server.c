/* SPDX-License-Identifier: MIT */
/* The socket server, byte by byte: versions, framing, handles, waits, transactions, and its end. */
#include "tests/unit/server_kit.h"

#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/rc.h"
#include "manager/local.h"

static const uint8_t command[] = {0x00, 0xA4, 0x04, 0x00, 0x02, 0x3F, 0x00};

static void each_minor_is_answered_with_itself(void **state)
{
    int fd = kit_connect(*state);

    for (int32_t minor = -1; minor < 9; minor++) {
        struct wire_version answer = kit_version(fd, minor);
        bool known = minor >= 3 && minor <= 6;

        assert_int_equal(answer.major, 4);
        assert_int_equal(answer.minor, known ? minor : 6);
        assert_int_equal(answer.rv, known ? 0 : RV_STOPPED);
    }
    close(fd);
}

static void requests_are_put_together_from_single_bytes(void **state)
{
    int fd = kit_connect(*state);
    struct {
        struct wire_header header;
        struct wire_establish body;
    } request = {{sizeof request.body, WIRE_ESTABLISH}, {.scope = 2}};
    uint8_t bytes[sizeof request];

    memcpy(bytes, &request, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        kit_write(fd, bytes + i, 1);
    kit_read(fd, &request.body, sizeof request.body);
    assert_int_equal(request.body.rv, 0);
    close(fd);
}

static void requests_in_one_piece_are_answered_in_order(void **state)
{
    const struct kit *kit = *state;
    int fd = kit_connect(kit);
    const size_t room = 70000; /* more than is read at once */
    uint8_t *bytes = malloc(room), answer[1 + 9 + sizeof command];
    struct wire_transmit body = {.card = kit_shared(fd, kit_establish(fd), kit->names[0]),
                                 .send_protocol = 4,
                                 .send_length = sizeof command,
                                 .receive_length = 300};
    const struct wire_header header = {sizeof body, WIRE_TRANSMIT};
    const size_t size = sizeof header + sizeof body + sizeof command;
    size_t count = room / size;

    for (size_t i = 0; i < count; i++) {
        memcpy(bytes + i * size, &header, sizeof header);
        memcpy(bytes + i * size + sizeof header, &body, sizeof body);
        memcpy(bytes + i * size + sizeof header + sizeof body, command, sizeof command);
        bytes[i * size + sizeof header + sizeof body + 1] = (uint8_t)i;
    }
    kit_write(fd, bytes, count * size);
    free(bytes);
    for (size_t i = 0; i < count; i++) {
        kit_read(fd, &body, sizeof body);
        assert_int_equal(body.rv, 0);
        assert_int_equal(body.receive_length, sizeof command + 1);
        kit_read(fd, answer, body.receive_length);
        assert_int_equal(answer[0], (uint8_t)i);
    }
    /* One that sends no more still gets what it asked for. */
    kit_send(fd, WIRE_STATUS, &(struct wire_begin){.card = 1}, sizeof(struct wire_begin));
    shutdown(fd, SHUT_WR);
    kit_read(fd, answer, sizeof(struct wire_begin));
    kit_expect_closed(fd);
}

static void a_card_is_used(void **state)
{
    const struct kit *kit = *state;
    int fd = kit_connect(kit);
    uint32_t context = kit_establish(fd);
    struct wire_connect connected = kit_card(fd, context, kit->names[1], SHARE_SHARED);
    struct wire_control control = {
        .card = connected.card, .code = TEST_CONTROL_ECHO, .send_length = 3, .receive_length = 3};
    struct wire_attribute attribute = {.card = connected.card, .id = 0x00090303, .length = 264};
    struct wire_reconnect again = {.card = connected.card, .share = 2, .protocols = 3, .initialization = 1};
    struct wire_disconnect left = {.card = connected.card};
    uint8_t answer[300];

    assert_int_equal(connected.rv, 0);
    assert_in_range(connected.protocol, 1, 2);
    assert_int_equal(kit_status(fd, connected.card), 0);
    assert_int_equal(kit_transmit(fd, connected.card, command, sizeof command, 300, answer).receive_length,
                     8);
    assert_memory_equal(answer, ((uint8_t[]){0xA4, 0x04, 0x00, 0x02, 0x3F, 0x00, 0x90, 0x00}), 8);
    kit_send(fd, WIRE_CONTROL, &control, sizeof control);
    kit_write(fd, "abc", 3);
    kit_read(fd, &control, sizeof control);
    assert_int_equal(control.rv, 0);
    assert_int_equal(control.returned, 3);
    kit_read(fd, answer, 3);
    assert_memory_equal(answer, "abc", 3);
    kit_send(fd, WIRE_GET_ATTRIBUTE, &attribute, sizeof attribute);
    kit_read(fd, &attribute, sizeof attribute);
    assert_int_equal(attribute.rv, 0);
    assert_int_equal(attribute.length, sizeof test_atr_both);
    assert_memory_equal(attribute.value, test_atr_both, sizeof test_atr_both);
    kit_send(fd, WIRE_RECONNECT, &again, sizeof again);
    kit_read(fd, &again, sizeof again);
    assert_int_equal(again.rv, 0);
    kit_send(fd, WIRE_DISCONNECT, &left, sizeof left);
    kit_read(fd, &left, sizeof left);
    assert_int_equal(left.rv, 0);
    assert_int_equal(kit_status(fd, connected.card), RV_INVALID_HANDLE);
    close(fd);
}

static void arguments_are_checked(void **state)
{
    const struct kit *kit = *state;
    int fd = kit_connect(kit);
    uint32_t context = kit_establish(fd);
    int32_t card = kit_shared(fd, context, kit->names[0]);
    struct wire_establish establish = {.scope = 4};
    struct wire_connect connect = {.context = context, .share = SHARE_SHARED};
    struct wire_transmit transmit = {.card = card, .send_protocol = 8, .send_length = 1};
    struct wire_reconnect reconnect = {.card = card, .share = 2, .protocols = 3, .initialization = 3};

    kit_send(fd, WIRE_ESTABLISH, &establish, sizeof establish);
    kit_read(fd, &establish, sizeof establish);
    assert_int_equal(establish.rv, RV_INVALID_VALUE);
    assert_int_equal(establish.context, 0);
    assert_int_equal(kit_card(fd, context, "no such reader", SHARE_SHARED).rv, RV_UNKNOWN_READER);
    assert_int_equal(kit_card(fd, context, kit->names[0], 0).rv, RV_INVALID_VALUE);
    assert_int_equal(kit_card(fd, context, kit->names[0], 4).rv, RV_INVALID_VALUE);
    assert_int_equal(kit_card(fd, context, kit->names[0], SHARE_EXCLUSIVE).rv, RV_SHARING);
    strcpy(connect.reader, kit->names[0]);
    kit_send(fd, WIRE_CONNECT, &connect, sizeof connect);
    kit_read(fd, &connect, sizeof connect);
    assert_int_equal(connect.rv, RV_PROTO_MISMATCH);
    kit_send(fd, WIRE_TRANSMIT, &transmit, sizeof transmit);
    kit_write(fd, "", 1);
    kit_read(fd, &transmit, sizeof transmit);
    assert_int_equal(transmit.rv, RV_PROTO_MISMATCH);
    kit_send(fd, WIRE_RECONNECT, &reconnect, sizeof reconnect);
    kit_read(fd, &reconnect, sizeof reconnect);
    assert_int_equal(reconnect.rv, RV_INVALID_VALUE);
    assert_int_equal(kit_end(fd, card, 4), RV_INVALID_VALUE);
    assert_int_equal(kit_end(fd, card, CARD_LEAVE), RV_NOT_TRANSACTED);
    close(fd);
}

static void an_answer_without_room_tells_its_length_only(void **state)
{
    const struct kit *kit = *state;
    int fd = kit_connect(kit);
    int32_t card = kit_shared(fd, kit_establish(fd), kit->names[0]);
    struct wire_control control = {
        .card = card, .code = TEST_CONTROL_ECHO, .send_length = 3, .receive_length = 2};
    struct wire_attribute attribute = {.card = card, .id = TEST_ATTRIBUTE_LONG, .length = 264};
    struct wire_transmit answer = kit_transmit(fd, card, command, sizeof command, 7, NULL);

    assert_int_equal(answer.rv, RV_INSUFFICIENT);
    assert_int_equal(answer.receive_length, 8);
    kit_send(fd, WIRE_CONTROL, &control, sizeof control);
    kit_write(fd, "abc", 3);
    kit_read(fd, &control, sizeof control);
    assert_int_equal(control.rv, RV_INSUFFICIENT);
    assert_int_equal(control.returned, 3);
    kit_send(fd, WIRE_GET_ATTRIBUTE, &attribute, sizeof attribute);
    kit_read(fd, &attribute, sizeof attribute);
    assert_int_equal(attribute.rv, RV_INSUFFICIENT);
    assert_int_equal(attribute.length, TEST_ATTRIBUTE_LENGTH);
    kit_expect_silence(fd);
    close(fd);
}

static void read_table(int fd, struct wire_reader *readers, size_t count)
{
    kit_read(fd, readers, count * sizeof *readers);
}

static void read_wait_end(int fd, uint32_t rv)
{
    struct wire_wait end;

    kit_read(fd, &end, sizeof end);
    assert_int_equal(end.timeout, 0);
    assert_int_equal(end.rv, rv);
}

static void the_old_table_has_sixteen_places(void **state)
{
    const struct kit *kit = *state;
    int fd = kit_connect(kit);
    struct wire_reader readers[WIRE_LEGACY_READERS];
    int32_t card = kit_shared(fd, kit_establish(fd), kit->names[0]);

    kit_send(fd, WIRE_GET_LEGACY_TABLE, NULL, 0);
    read_table(fd, readers, WIRE_LEGACY_READERS);
    assert_string_equal(readers[0].name, kit->names[0]);
    assert_int_equal(readers[0].state, 0x34);
    assert_int_equal(readers[0].sharing, 1);
    assert_int_equal(readers[0].atr_length, sizeof test_atr_both);
    assert_memory_equal(readers[0].atr, test_atr_both, sizeof test_atr_both);
    assert_int_not_equal(readers[0].protocol, 0);
    assert_int_equal(readers[1].sharing, 0);
    for (size_t i = KIT_READERS; i < WIRE_LEGACY_READERS; i++) {
        assert_string_equal(readers[i].name, "");
        assert_int_equal(readers[i].atr_length, WIRE_ATR_MAX + 1);
    }
    (void)card;
    close(fd);
}

static void a_wait_ends_once_by_an_event(void **state)
{
    const struct kit *kit = *state;
    struct wire_reader readers[WIRE_LEGACY_READERS];
    int fd = kit_connect(kit);

    kit_send(fd, WIRE_WAIT, NULL, 0);
    read_table(fd, readers, WIRE_LEGACY_READERS);
    assert_int_equal(readers[1].state, 0x34);
    test_reader_remove(kit->readers[1]);
    read_wait_end(fd, 0);
    kit_send(fd, WIRE_GET_LEGACY_TABLE, NULL, 0);
    read_table(fd, readers, WIRE_LEGACY_READERS);
    assert_int_equal(readers[1].state, 0x02);
    assert_int_equal(readers[1].atr_length, 0);
    /* The next event has nobody to go to, and STOP_WAITING has nothing to stop. */
    test_reader_insert(kit->readers[1]);
    kit_send(fd, WIRE_STOP_WAITING, NULL, 0);
    kit_expect_silence(fd);
    close(fd);
}

/* What pcsc_scan and all who watch the list of readers wait for. */
static void readers_that_come_and_go_end_a_wait(void **state)
{
    const struct kit *kit = *state;
    struct wire_reader readers[WIRE_LEGACY_READERS];
    struct reader *extra = test_reader_new(0);
    int fd = kit_connect(kit);

    for (int round = 0; round < 2; round++) {
        kit_send(fd, WIRE_WAIT, NULL, 0);
        read_table(fd, readers, WIRE_LEGACY_READERS);
        assert_int_equal(readers[KIT_READERS].name[0] != 0, round);
        if (round)
            local_remove(kit->service, extra);
        else
            assert_int_equal(local_add(kit->service, &extra, 1), 0);
        read_wait_end(fd, 0);
    }
    kit_send(fd, WIRE_GET_LEGACY_TABLE, NULL, 0);
    read_table(fd, readers, WIRE_LEGACY_READERS);
    assert_string_equal(readers[KIT_READERS].name, "");
    close(fd);
    test_reader_free(extra);
}

static void each_wait_has_its_end(void **state)
{
    const struct kit *kit = *state;
    struct wire_reader readers[WIRE_LEGACY_READERS];
    int fd = kit_connect(kit);

    kit_send(fd, WIRE_WAIT, NULL, 0);
    kit_send(fd, WIRE_WAIT, NULL, 0);
    read_table(fd, readers, WIRE_LEGACY_READERS);
    read_table(fd, readers, WIRE_LEGACY_READERS);
    kit_send(fd, WIRE_STOP_WAITING, NULL, 0);
    read_wait_end(fd, 0);
    test_reader_remove(kit->readers[0]);
    read_wait_end(fd, 0);
    kit_send(fd, WIRE_STOP_WAITING, NULL, 0);
    kit_expect_silence(fd);
    close(fd);
}

/* Minor 3: both requests have a body, and WAIT has no answer but its end. */
static void the_oldest_wait_has_no_table(void **state)
{
    const struct kit *kit = *state;
    const struct wire_wait body = {.timeout = 60000};
    int fd = kit_connect(kit);

    assert_int_equal(kit_version(fd, 3).rv, 0);
    kit_send(fd, WIRE_WAIT, &body, sizeof body);
    kit_expect_silence(fd);
    kit_version(fd, 3);
    test_reader_remove(kit->readers[0]);
    read_wait_end(fd, 0);
    kit_send(fd, WIRE_WAIT, &body, sizeof body);
    kit_send(fd, WIRE_STOP_WAITING, &body, sizeof body);
    read_wait_end(fd, 0);
    kit_send(fd, WIRE_WAIT, NULL, 0); /* as minor 4 has it */
    kit_expect_closed(fd);
    close(fd);
}

static void an_event_does_not_overtake_the_table(void **state)
{
    const struct kit *kit = *state;
    struct wire_reader readers[WIRE_LEGACY_READERS];
    int fd = kit_connect(kit), other = kit_connect(kit);
    uint32_t count;

    kit_version(fd, 6);
    kit_send(fd, WIRE_WAIT, NULL, 0);
    kit_expect_silence(fd);
    kit_version(fd, 6);
    kit_send(other, WIRE_WAIT, NULL, 0);
    read_table(other, readers, WIRE_LEGACY_READERS);
    test_reader_remove(kit->readers[0]);
    read_wait_end(other, 0);
    kit_send(fd, WIRE_GET_TABLE_SIZE, NULL, 0);
    kit_read(fd, &count, sizeof count);
    assert_int_equal(count, KIT_READERS);
    kit_expect_silence(fd);
    kit_version(fd, 6);
    kit_send(fd, WIRE_GET_TABLE, NULL, 0);
    read_table(fd, readers, count);
    assert_int_equal(readers[0].state, 0x02);
    read_wait_end(fd, 0);
    kit_expect_silence(fd);
    close(fd);
    close(other);
}

static void a_wait_is_cancelled_from_another_connection(void **state)
{
    const struct kit *kit = *state;
    struct wire_reader readers[WIRE_LEGACY_READERS];
    int fd = kit_connect(kit), other = kit_connect(kit);
    uint32_t context = kit_establish(fd);

    assert_int_equal(kit_cancel(other, context), 0); /* nothing to end, and not sticky */
    kit_send(fd, WIRE_WAIT, NULL, 0);
    read_table(fd, readers, WIRE_LEGACY_READERS);
    assert_int_equal(kit_cancel(other, context), 0);
    read_wait_end(fd, RV_CANCELLED);
    kit_expect_silence(fd);
    assert_int_equal(kit_cancel(other, context + 1), RV_INVALID_HANDLE);
    assert_int_equal(kit_cancel(other, 0), RV_INVALID_HANDLE);
    close(fd);
    kit_await_clients(*state, 1);
    assert_int_equal(kit_cancel(other, context), RV_INVALID_HANDLE);
    close(other);
}

static void a_transaction_is_handed_over(void **state)
{
    const struct kit *kit = *state;
    int first = kit_connect(kit), second = kit_connect(kit);
    int32_t mine = kit_shared(first, kit_establish(first), kit->names[0]);
    int32_t other = kit_shared(second, kit_establish(second), kit->names[0]);
    struct wire_begin held;

    assert_int_equal(kit_begin(first, mine), 0);
    kit_begin_send(second, other);
    assert_int_equal(kit_status(first, mine), 0);
    assert_int_equal(kit_end(first, mine, CARD_LEAVE), 0);
    kit_read(second, &held, sizeof held);
    assert_int_equal(held.rv, 0);
    assert_int_equal(kit_end(second, other, CARD_LEAVE), 0);
    close(first);
    close(second);
}

struct visitor {
    int fd;
    uint32_t context;
    int32_t card;
};

/* A client with a handle on the first reader: before anybody has a transaction, which a connect waits for. */
static struct visitor visit(const struct kit *kit)
{
    struct visitor visitor = {.fd = kit_connect(kit)};

    visitor.context = kit_establish(visitor.fd);
    visitor.card = kit_shared(visitor.fd, visitor.context, kit->names[0]);
    return visitor;
}

static void a_wait_for_a_transaction_is_cancelled(void **state)
{
    struct visitor first = visit(*state), second = visit(*state);
    int other = kit_connect(*state);
    struct wire_begin ended = {.rv = 0};

    assert_int_equal(kit_begin(first.fd, first.card), 0);
    kit_begin_send(second.fd, second.card);
    /* Not sticky: repeated until the request has come to its wait. */
    do
        assert_int_equal(kit_cancel(other, second.context), 0);
    while (recv(second.fd, &ended, sizeof ended, MSG_DONTWAIT) < 0);
    assert_int_equal(ended.rv, RV_CANCELLED);
    close(first.fd);
    close(second.fd);
    close(other);
}

static void one_that_goes_while_it_waits_is_forgotten(void **state)
{
    struct visitor first = visit(*state), others[20];

    for (int i = 0; i < 20; i++)
        others[i] = visit(*state);
    assert_int_equal(kit_begin(first.fd, first.card), 0);
    for (int i = 0; i < 20; i++) {
        kit_begin_send(others[i].fd, others[i].card);
        close(others[i].fd);
    }
    kit_await_clients(*state, 1);
    assert_int_equal(kit_end(first.fd, first.card, CARD_LEAVE), 0);
    assert_int_equal(kit_begin(first.fd, first.card), 0);
    close(first.fd);
}

/* Is what has come taken by threads, which wait for the server's lock now? */
static void await_taken(const struct server *server)
{
    struct pollfd events = {.fd = server->epoll_fd, .events = POLLIN};

    while (poll(&events, 1, 0) > 0)
        sched_yield();
}

static bool is_served(struct server *server)
{
    bool served = false;

    pthread_mutex_lock(&server->lock);
    list_each(node, &server->clients) served |= list_entry(node, struct server_client, link)->busy;
    pthread_mutex_unlock(&server->lock);
    return served;
}

/* Which of the threads goes first, the one that has its request or the one that knows of its end, is chance.
 */
static void one_that_goes_when_its_request_is_taken_is_forgotten(void **state)
{
    const struct kit *kit = *state;
    struct server *server = kit->server;
    struct visitor first = visit(kit), others[100];

    for (int i = 0; i < 100; i++)
        others[i] = visit(kit);
    assert_int_equal(kit_begin(first.fd, first.card), 0);
    for (unsigned i = 0; i < 100; i++) {
        while (is_served(server))
            sched_yield();
        pthread_mutex_lock(&server->lock);
        kit_begin_send(others[i].fd, others[i].card);
        await_taken(server);
        close(others[i].fd);
        await_taken(server);
        pthread_mutex_unlock(&server->lock);
        kit_await_clients(kit, 100 - i);
    }
    close(first.fd);
}

static void one_that_goes_while_it_connects_is_forgotten(void **state)
{
    const struct kit *kit = *state;
    struct visitor first = visit(kit);
    int second = kit_connect(kit);
    struct wire_connect body = {.context = kit_establish(second), .share = SHARE_SHARED, .protocols = 3};

    assert_int_equal(kit_begin(first.fd, first.card), 0);
    strcpy(body.reader, kit->names[0]);
    kit_send(second, WIRE_CONNECT, &body, sizeof body);
    close(second);
    kit_await_clients(*state, 1);
    close(first.fd);
}

static void one_that_dies_in_a_transaction_frees_it_and_resets_the_card(void **state)
{
    const struct kit *kit = *state;
    struct visitor first = visit(kit), second = visit(kit);
    struct wire_begin told;

    assert_int_equal(kit_begin(first.fd, first.card), 0);
    kit_begin_send(second.fd, second.card);
    close(first.fd);
    kit_read(second.fd, &told, sizeof told);
    assert_int_equal(told.rv, RV_RESET);
    assert_int_equal(test_reader_count(kit->readers[0], OP_WARM), 1);
    close(second.fd);
}

static void a_stuck_reader_delays_nobody_else(void **state)
{
    struct kit *kit = *state;
    int stuck = kit_connect(kit), other = kit_connect(kit);
    struct wire_transmit body = {.card = kit_shared(stuck, kit_establish(stuck), kit->names[0]),
                                 .send_protocol = 4,
                                 .send_length = sizeof command,
                                 .receive_length = 300};
    int32_t card = kit_shared(other, kit_establish(other), kit->names[1]);
    uint8_t answer[300];

    test_reader_hold(kit->readers[0], OP_TRANSMIT);
    kit_send(stuck, WIRE_TRANSMIT, &body, sizeof body);
    kit_write(stuck, command, sizeof command);
    assert_true(test_reader_await_held(kit->readers[0], OP_TRANSMIT));
    for (int i = 0; i < 100; i++)
        assert_int_equal(kit_transmit(other, card, command, sizeof command, 300, answer).rv, 0);
    test_reader_let_go(kit->readers[0], OP_TRANSMIT);
    kit_read(stuck, &body, sizeof body);
    assert_int_equal(body.rv, 0);
    close(stuck);
    close(other);
}

static void more_may_wait_than_there_are_idle_threads(void **state)
{
    enum { COUNT = 40 };
    struct visitor first = visit(*state), others[COUNT];
    struct wire_begin held;

    for (int i = 0; i < COUNT; i++)
        others[i] = visit(*state);
    assert_int_equal(kit_begin(first.fd, first.card), 0);
    for (int i = 0; i < COUNT; i++)
        kit_begin_send(others[i].fd, others[i].card);
    assert_int_equal(kit_end(first.fd, first.card, CARD_LEAVE), 0);
    for (int served = 0; served < COUNT;) {
        for (int i = 0; i < COUNT; i++) {
            if (others[i].fd < 0 || recv(others[i].fd, &held, sizeof held, MSG_DONTWAIT) < 0)
                continue;
            assert_int_equal(held.rv, 0);
            assert_int_equal(kit_end(others[i].fd, others[i].card, CARD_LEAVE), 0);
            close(others[i].fd);
            others[i].fd = -1;
            served++;
        }
    }
    close(first.fd);
}

static void release_ends_the_handles_and_leaves_the_connection(void **state)
{
    const struct kit *kit = *state;
    int fd = kit_connect(kit);
    struct wire_release body = {.context = kit_establish(fd)};
    int32_t card = kit_shared(fd, body.context, kit->names[0]);

    kit_send(fd, WIRE_RELEASE, &body, sizeof body);
    kit_read(fd, &body, sizeof body);
    assert_int_equal(body.rv, 0);
    assert_int_equal(kit_status(fd, card), RV_INVALID_HANDLE);
    assert_int_not_equal(kit_establish(fd), body.context);
    close(fd);
}

static void without_waiting_another_transaction_is_an_error(void **state)
{
    const struct kit *kit = *state;
    int first = kit_connect(kit), second = kit_connect(kit);
    int32_t mine = kit_shared(first, kit_establish(first), kit->names[0]), other;
    struct wire_release body = {.context = kit_establish(second)};

    kit_send(second, WIRE_NO_WAIT, &body, sizeof body);
    kit_read(second, &body, sizeof body);
    assert_int_equal(body.rv, 0);
    other = kit_shared(second, body.context, kit->names[0]);
    assert_int_equal(kit_begin(first, mine), 0);
    assert_int_equal(kit_status(second, other), RV_SHARING);
    close(first);
    close(second);
}

static void facts_are_told(void **state)
{
    const struct kit *kit = *state;
    int fd = kit_connect(kit);
    struct wire_fact body = {.context = kit_establish(fd), .key = "device"};
    char text[256] = "";

    strcpy(body.reader, kit->names[0]);
    kit_send(fd, WIRE_FACT, &body, sizeof body);
    kit_read(fd, &body, sizeof body);
    assert_int_equal(body.rv, 0);
    assert_in_range(body.length, 1, sizeof text - 1);
    kit_read(fd, text, body.length);
    assert_string_equal(text, kit->readers[0]->device);
    strcpy(body.key, "weather");
    kit_send(fd, WIRE_FACT, &body, sizeof body);
    kit_read(fd, &body, sizeof body);
    assert_int_equal(body.rv, RV_UNSUPPORTED);
    assert_int_equal(body.length, 0);
    close(fd);
}

static void its_end_is_the_end_of_all(void **state)
{
    struct kit *kit = *state;
    struct visitor owner = visit(kit), second = visit(kit);
    int waiting = kit_connect(kit), idle = kit_connect(kit), busy;
    struct wire_transmit body = {.send_protocol = 4, .send_length = sizeof command, .receive_length = 300};

    assert_int_equal(kit_begin(owner.fd, owner.card), 0);
    kit_begin_send(second.fd, second.card);
    kit_send(waiting, WIRE_WAIT, NULL, 0);
    busy = kit_connect(kit);
    body.card = kit_shared(busy, kit_establish(busy), kit->names[1]);
    test_reader_hold(kit->readers[1], OP_TRANSMIT);
    kit_send(busy, WIRE_TRANSMIT, &body, sizeof body);
    kit_write(busy, command, sizeof command);
    assert_true(test_reader_await_held(kit->readers[1], OP_TRANSMIT));
    server_free(kit->server);
    kit->server = NULL;
    kit_expect_closed(owner.fd);
    kit_expect_closed(second.fd);
    kit_expect_closed(waiting);
    kit_expect_closed(idle);
    kit_expect_closed(busy);
    assert_int_equal(test_reader_count(kit->readers[0], OP_WARM), 1); /* of the transaction */
    assert_int_equal(test_reader_count(kit->readers[1], OP_WARM), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_minor_is_answered_with_itself),
        TEST(requests_are_put_together_from_single_bytes),
        TEST(requests_in_one_piece_are_answered_in_order),
        TEST(a_card_is_used),
        TEST(arguments_are_checked),
        TEST(an_answer_without_room_tells_its_length_only),
        TEST(the_old_table_has_sixteen_places),
        TEST(a_wait_ends_once_by_an_event),
        TEST(readers_that_come_and_go_end_a_wait),
        TEST(each_wait_has_its_end),
        TEST(the_oldest_wait_has_no_table),
        TEST(an_event_does_not_overtake_the_table),
        TEST(a_wait_is_cancelled_from_another_connection),
        TEST(a_transaction_is_handed_over),
        TEST(a_wait_for_a_transaction_is_cancelled),
        TEST(one_that_goes_while_it_waits_is_forgotten),
        TEST(one_that_goes_when_its_request_is_taken_is_forgotten),
        TEST(one_that_goes_while_it_connects_is_forgotten),
        TEST(one_that_dies_in_a_transaction_frees_it_and_resets_the_card),
        TEST(a_stuck_reader_delays_nobody_else),
        TEST(more_may_wait_than_there_are_idle_threads),
        TEST(release_ends_the_handles_and_leaves_the_connection),
        TEST(without_waiting_another_transaction_is_an_error),
        TEST(facts_are_told),
        TEST(its_end_is_the_end_of_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
