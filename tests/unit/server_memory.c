/* SPDX-License-Identifier: MIT */
/* The server without memory or threads: who asks is told or disconnected, and the next one is served. */
#include "tests/unit/server_kit.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/rc.h"

#define RV_NO_MEMORY 0x80100006u

static atomic_int fail_at; /* the n-th allocation from now on; 0: none */
static atomic_bool no_threads;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);

static bool fails(void)
{
    int left = atomic_load(&fail_at);

    while (left > 0 && !atomic_compare_exchange_weak(&fail_at, &left, left - 1))
        ;
    return left == 1;
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return fails() ? NULL : __real_realloc(block, size);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument)
{
    return no_threads || fails() ? EAGAIN : __real_pthread_create(thread, attributes, run, argument);
}

static void a_start_fails_whole(void **state)
{
    const struct kit *kit = *state;
    const struct server_options options = {.group = SERVER_GROUP_NOBODY};
    struct server *server;
    int rc = RC_NO_MEMORY, n;

    server_free(kit->server);
    ((struct kit *)*state)->server = NULL;
    for (n = 1; rc == RC_NO_MEMORY; n++) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        assert_int_equal(bind(listener, (const struct sockaddr *)&address, sizeof(sa_family_t)), 0);
        assert_int_equal(listen(listener, 1), 0);
        fail_at = n;
        rc = server_start(kit->service, listener, &options, &server);
        fail_at = 0;
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

    for (int n = 1; n < 60; n++) {
        fail_at = n;
        failed += !session(*state);
        fail_at = 0;
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
    no_threads = false;
    assert_int_equal(kit_card(fd, context, kit->names[0], SHARE_SHARED).rv, 0);
    close(fd);
}

/* Before the first connection: there is one thread. */
static int setup_alone(void **state)
{
    int rc = kit_setup(state);

    no_threads = true;
    return rc;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_start_fails_whole),
        TEST(any_allocation_may_fail),
        cmocka_unit_test_setup_teardown(without_threads_nobody_is_kept_waiting, setup_alone, kit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
