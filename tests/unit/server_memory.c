/* SPDX-License-Identifier: MIT */
/* The server without memory or threads: who asks is told or disconnected, and the next one is served. */
#include "tests/unit/server_kit.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/rc.h"
#include "tests/unit/failing_alloc.h"

#define RV_NO_MEMORY 0x80100006u

static atomic_int refusals; /* of accept4 */

int __real_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);
int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);

int __wrap_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
    int left = atomic_load(&refusals);

    while (left > 0 && !atomic_compare_exchange_weak(&refusals, &left, left - 1))
        ;
    if (left <= 0)
        return __real_accept4(fd, address, length, flags);
    errno = EMFILE;
    return -1;
}

static void a_start_fails_whole(void **state)
{
    const struct kit *kit = *state;
    const struct server_options options = {.group = SERVER_GROUP_NOBODY};
    struct server *server;
    unsigned n;
    int rc = RC_NO_MEMORY;

    server_free(kit->server);
    ((struct kit *)*state)->server = NULL;
    for (n = 1; rc == RC_NO_MEMORY; n++) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(sa_family_t)), 0);
        assert_int_equal(listen(listener, 1), 0);
        failing_alloc_arm(n);
        rc = server_start(kit->service, listener, &options, &server);
        failing_alloc_arm(0);
    }
    assert_int_equal(rc, RC_OK);
    assert_in_range(n, 4, 100);
    server_free(server);
}

/* One request after the other, until one is answered with a failure or not at all. true: all went well. */
static bool session(const struct kit *kit)
{
    struct wire_establish context = {.scope = 2};
    struct wire_connect card = {.share = SHARE_SHARED, .protocols = 3};
    const struct wire_header headers[] = {
        {sizeof context, WIRE_ESTABLISH}, {sizeof card, WIRE_CONNECT}, {0, WIRE_WAIT}};
    struct wire_reader readers[WIRE_LEGACY_READERS];
    int fd = kit_connect(kit);
    bool well = false;

    strcpy(card.reader, kit->names[0]);
    /* The body comes later, so that the server has to keep what it has. */
    if (send(fd, &headers[0], sizeof headers[0], MSG_NOSIGNAL) < 0 ||
        send(fd, &context, 5, MSG_NOSIGNAL) < 0 ||
        send(fd, (char *)&context + 5, sizeof context - 5, MSG_NOSIGNAL) < 0 ||
        recv(fd, &context, sizeof context, MSG_WAITALL) != sizeof context || context.rv != 0)
        goto out;
    card.context = context.context;
    if (send(fd, &headers[1], sizeof headers[1], MSG_NOSIGNAL) < 0 ||
        send(fd, &card, sizeof card, MSG_NOSIGNAL) < 0 ||
        recv(fd, &card, sizeof card, MSG_WAITALL) != sizeof card || card.rv != 0)
        goto out;
    if (send(fd, &headers[2], sizeof headers[2], MSG_NOSIGNAL) < 0 ||
        recv(fd, readers, sizeof readers, MSG_WAITALL) != sizeof readers)
        goto out;
    well = true;
out:
    close(fd);
    kit_await_clients(kit, 0);
    return well;
}

static void any_allocation_may_fail(void **state)
{
    unsigned failed = 0;

    for (unsigned n = 1; n < 60; n++) {
        failing_alloc_arm(n);
        failed += !session(*state);
        failing_alloc_arm(0);
        assert_true(session(*state));
    }
    assert_true(failed > 2);
}

static void without_threads_nobody_is_kept_waiting(void **state)
{
    const struct kit *kit = *state;
    int fd = kit_connect(kit);
    uint32_t context;

    context = kit_establish(fd);
    assert_int_equal(kit_card(fd, context, kit->names[0], SHARE_SHARED).rv, RV_NO_MEMORY);
    failing_alloc_no_threads(false);
    assert_int_equal(kit_card(fd, context, kit->names[0], SHARE_SHARED).rv, 0);
    close(fd);
}

/* A client that is always behind with its reading, but not by much, costs no more than that. */
static void what_was_sent_is_not_kept(void **state)
{
    const struct wire_header header = {0, WIRE_GET_LEGACY_TABLE};
    static struct wire_reader readers[WIRE_LEGACY_READERS];
    int fd = kit_connect(*state);

    failing_alloc_longest();
    for (unsigned i = 0; i < 85; i++)
        kit_write(fd, &header, sizeof header);
    for (unsigned i = 0; i < 3000; i++) {
        kit_read(fd, readers, sizeof readers);
        kit_write(fd, &header, sizeof header);
    }
    assert_in_range(failing_alloc_longest(), 1, 2 * 1024 * 1024);
    close(fd);
}

/* Who could not be taken is taken once somebody leaves, */
static void a_client_that_leaves_makes_room(void **state)
{
    struct kit *kit = *state;
    int first = kit_connect(kit), second;

    kit_version(first, 4);
    refusals = 1;
    second = kit_connect(kit);
    kit_expect_reports(kit, 1);
    close(first);
    kit_version(second, 4);
    close(second);
}

/* or soon, when somebody else had the descriptors; others in the middle of a message do not put it off. */
static void room_is_looked_for_again(void **state)
{
    struct kit *kit = *state;
    int half = kit_connect(kit), fd;

    kit_write(half, "\x0C", 1);
    kit_await_unfinished(kit, 1);
    refusals = 1;
    fd = kit_connect(kit);
    kit_expect_reports(kit, 1);
    kit_version(fd, 4);
    close(fd);
    close(half);
    kit_expect_reports(kit, 1);
    kit_await_clients(kit, 0);
    half = kit_connect(kit);
    kit_version(half, 4);
    refusals = 1;
    fd = kit_connect(kit);
    kit_expect_reports(kit, 1);
    kit_write(half, "\x0C", 1);
    kit_await_unfinished(kit, 1);
    kit_version(fd, 4);
    close(fd);
    close(half);
}

/* A server that is about to end for want of clients sees who has just come, */
static void one_who_comes_keeps_it_going(void **state)
{
    struct kit *kit = *state;
    int fd;

    assert_false(server_retire(kit->server, INT64_MAX));
    refusals = 1;
    fd = kit_connect(kit);
    assert_false(server_retire(kit->server, 0));
    kit_version(fd, 4);
    assert_false(server_retire(kit->server, 0));
    close(fd);
    kit_await_clients(kit, 0);
}

/* and leaves who comes later to the next one with the same listener. */
static void one_who_comes_too_late_waits_for_the_next(void **state)
{
    struct kit *kit = *state;
    struct server_options options = {.group = SERVER_GROUP_NOBODY};
    int listener = dup(kit->listener), fd;

    while (!server_retire(kit->server, 0))
        ;
    fd = kit_connect(kit);
    server_free(kit->server);
    assert_int_equal(server_start(kit->service, listener, &options, &kit->server), 0);
    kit_version(fd, 4);
    close(fd);
}

/* Before the first connection: there is one thread. */
static int setup_alone(void **state)
{
    int rc = kit_setup(state);

    failing_alloc_no_threads(true);
    return rc;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_start_fails_whole),
        TEST(any_allocation_may_fail),
        TEST(what_was_sent_is_not_kept),
        TEST(a_client_that_leaves_makes_room),
        TEST(room_is_looked_for_again),
        TEST(one_who_comes_keeps_it_going),
        TEST(one_who_comes_too_late_waits_for_the_next),
        cmocka_unit_test_setup_teardown(without_threads_nobody_is_kept_waiting, setup_alone, kit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
