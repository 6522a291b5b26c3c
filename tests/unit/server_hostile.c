/* SPDX-License-Identifier: MIT */
/*
 * Clients that mean harm, or are broken: what they send hurts nobody else and costs them their connection,
 * with one report each. Among them what pcsc-lite was once published vulnerable to.
 */
#include "tests/unit/server_kit.h"

#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rc.h"
#include "ipc/server_message.h"

static const uint8_t command[] = {0x00, 0xA4, 0x04, 0x00, 0x02, 0x3F, 0x00};

/* A client that was there before still gets what it asks for. */
static void expect_service(int fd, int32_t card)
{
    uint8_t answer[16];

    assert_int_equal(kit_transmit(fd, card, command, sizeof command, sizeof answer, answer).rv, 0);
}

/* Sends a header, with so much of a body, on a connection of its own; it is closed, once reported. */
static void expect_expelled(struct kit *kit, uint32_t size, uint32_t number, const void *body, size_t length)
{
    const struct wire_header header = {.size = size, .command = number};
    int fd = kit_connect(kit);
    uint8_t message[sizeof header + sizeof(struct wire_attribute)];

    /* In one piece: it may be closed after the first. */
    assert_in_range(length, 0, sizeof message - sizeof header);
    memcpy(message, &header, sizeof header);
    if (length)
        memcpy(message + sizeof header, body, length);
    kit_write(fd, message, sizeof header + length);
    kit_expect_closed(fd);
    kit_expect_reports(kit, 1);
}

static void what_is_no_request_ends_the_connection(void **state)
{
    static const uint32_t unknown[] = {0, 0x03, 0x0C, 0x0E, 0x18, 0x3F, 0x43, 0x100, 0x01000001, UINT32_MAX};
    struct kit *kit = *state;
    int fd = kit_connect(kit);
    int32_t card = kit_shared(fd, kit_establish(fd), kit->names[0]);

    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        expect_expelled(kit, 0, unknown[i], NULL, 0);
    for (uint32_t number = 0; number < 0x44; number++) {
        int size = wire_body_size(number);

        if (size < 0)
            continue;
        expect_expelled(kit, (uint32_t)size + 1, number, NULL, 0);
        expect_expelled(kit, UINT32_MAX, number, NULL, 0);
        if (size > 0)
            expect_expelled(kit, 0, number, NULL, 0);
    }
    expect_expelled(kit, 0x20544547, 0x5448202F, "TP/1.1\r\n", 8); /* "GET / HTTP" */
    expect_service(fd, card);
    close(fd);
}

/* CVE-2010-0407: lengths in messages were believed. */
static void lengths_beyond_the_limits_end_the_connection(void **state)
{
    static const uint32_t lengths[] = {WIRE_DATA_MAX + 1, 0x7FFFFFFF, 0x80000000, UINT32_MAX};
    struct kit *kit = *state;

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        struct wire_transmit transmit = {.card = 1, .send_length = lengths[i]};
        struct wire_control control = {.card = 1, .send_length = lengths[i]};
        struct wire_attribute attribute = {.card = 1, .length = WIRE_ATTRIBUTE_MAX + 1 + (lengths[i] >> 1)};

        expect_expelled(kit, sizeof transmit, WIRE_TRANSMIT, &transmit, sizeof transmit);
        expect_expelled(kit, sizeof control, WIRE_CONTROL, &control, sizeof control);
        expect_expelled(kit, sizeof attribute, WIRE_GET_ATTRIBUTE, &attribute, sizeof attribute);
        expect_expelled(kit, sizeof attribute, WIRE_SET_ATTRIBUTE, &attribute, sizeof attribute);
    }
}

/* CVE-2010-0407 again: names without an end. */
static void names_without_an_end_are_unknown(void **state)
{
    const struct kit *kit = *state;
    int fd = kit_connect(kit);
    struct wire_connect body = {.context = kit_establish(fd), .share = SHARE_SHARED, .protocols = 3};
    struct wire_fact fact = {.context = body.context, .key = "device"};

    memset(body.reader, 'A', sizeof body.reader);
    kit_send(fd, WIRE_CONNECT, &body, sizeof body);
    kit_read(fd, &body, sizeof body);
    assert_int_equal(body.rv, RV_UNKNOWN_READER);
    memset(fact.reader, 'A', sizeof fact.reader);
    kit_send(fd, WIRE_FACT, &fact, sizeof fact);
    kit_read(fd, &fact, sizeof fact);
    assert_int_equal(fact.rv, RV_INVALID_VALUE);
    memset(fact.key, 'A', sizeof fact.key);
    strcpy(fact.reader, kit->names[0]);
    kit_send(fd, WIRE_FACT, &fact, sizeof fact);
    kit_read(fd, &fact, sizeof fact);
    assert_int_equal(fact.rv, RV_INVALID_VALUE);
    close(fd);
}

/* The greatest lengths that are allowed, both ways, and room of any size. */
static void the_longest_messages_pass(void **state)
{
    const struct kit *kit = *state;
    int fd = kit_connect(kit);
    int32_t card = kit_shared(fd, kit_establish(fd), kit->names[0]);
    uint8_t *bytes = calloc(2, WIRE_DATA_MAX);
    struct wire_control control = {
        .card = card, .code = TEST_CONTROL_ECHO, .send_length = WIRE_DATA_MAX, .receive_length = UINT32_MAX};

    memset(bytes, 0x5A, WIRE_DATA_MAX);
    kit_send(fd, WIRE_CONTROL, &control, sizeof control);
    kit_write(fd, bytes, WIRE_DATA_MAX);
    kit_read(fd, &control, sizeof control);
    assert_int_equal(control.rv, 0);
    assert_int_equal(control.returned, WIRE_DATA_MAX);
    kit_read(fd, bytes + WIRE_DATA_MAX, WIRE_DATA_MAX);
    assert_memory_equal(bytes, bytes + WIRE_DATA_MAX, WIRE_DATA_MAX);
    /* One byte more than the server has room for. */
    assert_int_equal(kit_transmit(fd, card, bytes, WIRE_DATA_MAX, UINT32_MAX, bytes).rv, RV_INSUFFICIENT);
    expect_service(fd, card);
    free(bytes);
    close(fd);
}

/* CVE-2010-4531: an ATR of the greatest length overran its place. */
static void the_longest_atr_fits(void **state)
{
    static const uint8_t atr[ATR_MAX] = {0x3B, 0xF0, 0x11, 0x00, 0x00, 0x81, 0x31, 0x20};
    const struct kit *kit = *state;
    struct wire_reader readers[WIRE_LEGACY_READERS];
    struct wire_wait end;
    int fd = kit_connect(kit);

    test_reader_set_atr(kit->readers[0], atr, sizeof atr);
    test_reader_remove(kit->readers[0]);
    do {
        kit_send(fd, WIRE_WAIT, NULL, 0);
        kit_read(fd, readers, sizeof readers);
        if (readers[0].state == WIRE_READER_ABSENT)
            test_reader_insert(kit->readers[0]);
        kit_read(fd, &end, sizeof end);
        kit_send(fd, WIRE_GET_LEGACY_TABLE, NULL, 0);
        kit_read(fd, readers, sizeof readers);
    } while (!(readers[0].state & WIRE_READER_PRESENT) || readers[0].events < 3);
    assert_int_equal(readers[0].atr_length, sizeof atr);
    assert_memory_equal(readers[0].atr, atr, sizeof atr);
    assert_int_equal(readers[0].padding[0] | readers[0].padding[1] | readers[0].padding[2], 0);
    close(fd);
}

/* CVE-2016-10109: a release out of order freed what was still used. */
static void contexts_are_released_in_any_order(void **state)
{
    const struct kit *kit = *state;
    static const uint32_t numbers[] = {WIRE_RELEASE, WIRE_CANCEL, WIRE_ABORT, WIRE_NO_WAIT};
    int fd = kit_connect(kit), other = kit_connect(kit);
    uint32_t foreign = kit_establish(other), own = kit_establish(fd);
    int32_t card = kit_shared(other, foreign, kit->names[0]), mine;
    struct wire_release body;

    for (int round = 0; round < 3; round++) {
        const uint32_t ids[] = {0, foreign, own + 1, UINT32_MAX, own, own};

        for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
            body = (struct wire_release){.context = ids[i]};
            kit_send(fd, WIRE_RELEASE, &body, sizeof body);
            kit_read(fd, &body, sizeof body);
            assert_int_equal(body.rv, i == 4 ? 0 : RV_INVALID_HANDLE);
        }
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
            body = (struct wire_release){.context = own};
            kit_send(fd, numbers[i], &body, sizeof body);
            kit_read(fd, &body, sizeof body);
            assert_int_equal(body.rv, RV_INVALID_HANDLE);
        }
        assert_int_equal(kit_card(fd, own, kit->names[0], SHARE_SHARED).rv, RV_INVALID_HANDLE);
        own = kit_establish(fd);
        mine = kit_shared(fd, own, kit->names[0]);
        expect_service(fd, mine);
        expect_service(other, card);
    }
    close(fd);
    close(other);
}

static void a_second_context_of_a_connection_is_refused(void **state)
{
    const struct kit *kit = *state;
    int fd = kit_connect(kit);
    uint32_t context = kit_establish(fd);
    struct wire_establish body = {.scope = 2};

    kit_send(fd, WIRE_ESTABLISH, &body, sizeof body);
    kit_read(fd, &body, sizeof body);
    assert_int_equal(body.rv, RV_INVALID_VALUE);
    expect_service(fd, kit_shared(fd, context, kit->names[0]));
    close(fd);
}

/* Each request with the handle, the body being right but for it, and returns the reply's code. */
static uint32_t code_for(int fd, uint32_t number, int32_t card)
{
    union {
        int32_t card;
        struct wire_transmit transmit;
        struct wire_control control;
        struct wire_attribute attribute;
        struct wire_reconnect reconnect;
        uint8_t bytes[sizeof(struct wire_attribute)];
    } body = {.bytes = {0}};
    size_t size = (size_t)wire_body_size(number);
    uint32_t rv;

    if (number == WIRE_TRANSMIT)
        body.transmit = (struct wire_transmit){.send_protocol = 4, .send_length = 5, .receive_length = 300};
    else if (number == WIRE_CONTROL)
        body.control =
            (struct wire_control){.code = TEST_CONTROL_ECHO, .send_length = 5, .receive_length = 9};
    else if (number == WIRE_RECONNECT)
        body.reconnect = (struct wire_reconnect){.share = 2, .protocols = 3, .initialization = 1};
    body.card = card;
    kit_send(fd, number, &body, size);
    if (number == WIRE_TRANSMIT || number == WIRE_CONTROL)
        kit_write(fd, "\0\244\4\0", 5);
    kit_read(fd, &body, size);
    memcpy(&rv, body.bytes + size - sizeof rv, sizeof rv);
    return rv;
}

static void a_handle_of_another_is_worth_nothing(void **state)
{
    static const uint32_t numbers[] = {WIRE_RECONNECT, WIRE_DISCONNECT,    WIRE_BEGIN,
                                       WIRE_END,       WIRE_TRANSMIT,      WIRE_CONTROL,
                                       WIRE_STATUS,    WIRE_GET_ATTRIBUTE, WIRE_SET_ATTRIBUTE};
    const struct kit *kit = *state;
    int victim = kit_connect(kit), thief = kit_connect(kit);
    int32_t card = kit_shared(victim, kit_establish(victim), kit->names[0]);
    const int32_t handles[] = {card, 0, -1, INT32_MIN, card + 1};
    unsigned resets = test_reader_count(kit->readers[0], OP_WARM);

    kit_shared(thief, kit_establish(thief), kit->names[0]);
    assert_int_equal(kit_begin(victim, card), 0);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        for (size_t j = 0; j < sizeof handles / sizeof *handles; j++)
            assert_int_equal(code_for(thief, numbers[i], handles[j]), RV_INVALID_HANDLE);
    expect_service(victim, card);
    assert_int_equal(kit_end(victim, card, CARD_LEAVE), 0);
    assert_int_equal(test_reader_count(kit->readers[0], OP_WARM), resets);
    close(victim);
    close(thief);
}

static void half_a_message_and_an_end(void **state)
{
    struct kit *kit = *state;
    struct wire_transmit body = {.card = 1, .send_length = 100};
    const struct wire_header header = {sizeof body, WIRE_TRANSMIT};
    uint8_t bytes[sizeof header + sizeof body + 100] = {0};

    memcpy(bytes, &header, sizeof header);
    memcpy(bytes + sizeof header, &body, sizeof body);
    for (size_t length = 1; length < sizeof bytes; length += 9) {
        int fd = kit_connect(kit);

        kit_write(fd, bytes, length);
        shutdown(fd, SHUT_WR);
        kit_expect_closed(fd);
        kit_expect_reports(kit, 1);
    }
    kit_await_clients(kit, 0);
}

static void one_that_does_not_read_is_disconnected(void **state)
{
    struct kit *kit = *state;
    const struct wire_header header = {0, WIRE_GET_LEGACY_TABLE};
    int flood = kit_connect(kit), fd = kit_connect(kit);
    int32_t card = kit_shared(fd, kit_establish(fd), kit->names[0]);
    unsigned sent = 0;

    while (send(flood, &header, sizeof header, MSG_NOSIGNAL) == (ssize_t)sizeof header) {
        if (++sent % 100 == 0)
            expect_service(fd, card);
        assert_true(sent < 1000000);
    }
    kit_expect_closed(flood);
    kit_expect_reports(kit, 1);
    expect_service(fd, card);
    close(fd);
}

/* The same, by being told of events that it never reads. */
static void waits_without_number_end_the_connection(void **state)
{
    struct kit *kit = *state;
    const struct wire_header header = {0, WIRE_WAIT};
    int flood = kit_connect(kit);

    kit_version(flood, 6);
    while (send(flood, &header, sizeof header, MSG_NOSIGNAL) == (ssize_t)sizeof header)
        ;
    kit_expect_closed(flood);
    kit_expect_reports(kit, 1);
}

static unsigned count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;

    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

static void nothing_is_left_of_many_who_come_and_go(void **state)
{
    struct kit *kit = *state;
    unsigned before = count_descriptors();
    int fds[200];

    for (int round = 0; round < 5; round++) {
        for (size_t i = 0; i < 200; i++) {
            fds[i] = kit_connect(kit);
            if (i % 2)
                kit_shared(fds[i], kit_establish(fds[i]), kit->names[i % KIT_READERS]);
            if (i % 3 == 0)
                kit_send(fds[i], WIRE_WAIT, NULL, 0);
        }
        for (size_t i = 0; i < 200; i++)
            close(fds[i]);
        kit_await_clients(kit, 0);
    }
    assert_int_equal(count_descriptors(), before);
}

static void half_a_message_has_its_time(void **state)
{
    struct kit *kit = *state;
    int half = kit_connect(kit), idle = kit_connect(kit);
    uint32_t context = kit_establish(idle);

    server_set_message_ms(kit->server, 5);
    kit_write(half, "\x0C\0\0\0\x11", 5);
    kit_expect_closed(half);
    kit_expect_reports(kit, 1);
    /* In between messages there is no hurry. */
    expect_service(idle, kit_shared(idle, context, kit->names[0]));
    close(idle);
}

static int64_t deadline_of(struct server *server)
{
    int64_t at;

    pthread_mutex_lock(&server->lock);
    at = list_entry(server->clients.next, struct server_client, link)->deadline.at_ns;
    pthread_mutex_unlock(&server->lock);
    return at;
}

/* The time of one message is not that of the next. */
static void each_message_has_its_time(void **state)
{
    struct kit *kit = *state;
    int fd = kit_connect(kit);
    const uint8_t messages[3 * 20] = {12, 0, 0, 0, 17,        0, 0, 0, 4,  [20] = 12, 0, 0, 0, 17,
                                      0,  0, 0, 4, [40] = 12, 0, 0, 0, 17, 0,         0, 0, 4};
    struct wire_version answer;
    int64_t first, next;

    kit_write(fd, messages, 10);
    kit_await_unfinished(kit, 1);
    first = deadline_of(kit->server);
    for (size_t at = 10; at < 50; at += 20) {
        kit_write(fd, messages + at, 20);
        kit_read(fd, &answer, sizeof answer);
        do
            next = deadline_of(kit->server);
        while (next == first);
        assert_true(next > first);
        first = next;
    }
    close(fd);
    kit_expect_reports(kit, 1);
}

/* In a child: another user, with this group or none; what it finds is its exit status. */
static void run_as_other_user(struct kit *kit, gid_t group, bool primary, int (*run)(struct kit *kit),
                              int expected)
{
    int status;
    pid_t child;

    chmod(kit->folder, 0755);
    chmod(kit->path, 0666);
    child = fork();
    if (child == 0) {
        gid_t own = primary ? group : 65534;

        if (setgroups(!primary && group, &group) || setresgid(own, own, own) ||
            setresuid(65534, 65534, 65534))
            _exit(100);
        _exit(run(kit));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), expected);
}

/* How many of the connections are served. */
static int count_served(struct kit *kit)
{
    const struct {
        struct wire_header header;
        struct wire_version body;
    } request = {{sizeof request.body, WIRE_VERSION}, {.major = WIRE_MAJOR, .minor = WIRE_MINOR_TABLE}};
    struct wire_version answer;
    int served = 0;

    for (unsigned i = 0; i < 40; i++) {
        int fd = kit_connect(kit);

        served += send(fd, &request, sizeof request, MSG_NOSIGNAL) == (ssize_t)sizeof request &&
                  recv(fd, &answer, sizeof answer, MSG_WAITALL) == (ssize_t)sizeof answer;
    }
    return served;
}

#define OTHER_GROUP 54321

/* Who is of another user is let in with the group only, whatever the permissions of the socket. */
static void members_of_the_group_are_let_in(void **state)
{
    static const struct {
        gid_t group, has;
        bool primary;
    } cases[] = {
        {SERVER_GROUP_NOBODY, 0, false},       {OTHER_GROUP, 0, false},
        {OTHER_GROUP, OTHER_GROUP + 1, false}, {OTHER_GROUP, OTHER_GROUP + 1, true},
        {OTHER_GROUP, OTHER_GROUP, false},     {OTHER_GROUP, OTHER_GROUP, true},
        {SERVER_GROUP_ANYBODY, 0, false},
    };
    struct kit *kit = *state;

    if (geteuid() != 0)
        skip(); /* another user can only be made by root */
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool in = cases[i].group == SERVER_GROUP_ANYBODY || cases[i].group == cases[i].has;

        kit_restart(kit, cases[i].group);
        run_as_other_user(kit, cases[i].has, cases[i].primary, count_served, in ? 40 : 0);
        kit_await_clients(kit, 0);
        kit_expect_reports(kit, in ? 0 : 40);
    }
}

/* One user has half of the descriptors at most: there are some for others, and again for him. */
static void one_user_does_not_have_all_connections(void **state)
{
    struct kit *kit = *state;
    struct rlimit before, low;

    if (geteuid() != 0)
        skip();
    getrlimit(RLIMIT_NOFILE, &before);
    low = (struct rlimit){.rlim_cur = 60, .rlim_max = before.rlim_max};
    setrlimit(RLIMIT_NOFILE, &low);
    kit_restart(kit, SERVER_GROUP_ANYBODY);
    setrlimit(RLIMIT_NOFILE, &before);
    for (int round = 0; round < 2; round++) {
        int own[35];

        for (size_t i = 0; i < 35; i++)
            own[i] = kit_connect(kit);
        run_as_other_user(kit, 0, false, count_served, 30);
        kit_expect_reports(kit, 10);
        for (size_t i = 0; i < 35; i++) {
            kit_version(own[i], WIRE_MINOR_TABLE);
            close(own[i]);
        }
        kit_await_clients(kit, 0);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_no_request_ends_the_connection),
        TEST(lengths_beyond_the_limits_end_the_connection),
        TEST(names_without_an_end_are_unknown),
        TEST(the_longest_messages_pass),
        TEST(the_longest_atr_fits),
        TEST(contexts_are_released_in_any_order),
        TEST(a_second_context_of_a_connection_is_refused),
        TEST(a_handle_of_another_is_worth_nothing),
        TEST(half_a_message_and_an_end),
        TEST(one_that_does_not_read_is_disconnected),
        TEST(waits_without_number_end_the_connection),
        TEST(nothing_is_left_of_many_who_come_and_go),
        TEST(half_a_message_has_its_time),
        TEST(each_message_has_its_time),
        TEST(members_of_the_group_are_let_in),
        TEST(one_user_does_not_have_all_connections),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
