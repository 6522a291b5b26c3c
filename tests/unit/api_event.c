/* SPDX-License-Identifier: MIT */
/* SCardAccessStartedEvent: signalled while there is a service, by whatever it comes and goes. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/api_kit.h"

#define PATIENCE_MS 60000

static char folder[] = P_tmpdir "/scard-event-XXXXXX";
static char path[sizeof folder + 32];

static void name_socket(const char *below)
{
    char service[sizeof path + 8];

    snprintf(path, sizeof path, "%s/%s", folder, below);
    snprintf(service, sizeof service, "unix:%s", path);
    setenv("SCARD_SERVICE", service, 1);
}

static bool is_signalled(HANDLE event, int timeout_ms)
{
    struct pollfd fd = {.fd = scard_event_fd(event), .events = POLLIN};

    assert_true(fd.fd >= 0);
    return poll(&fd, 1, timeout_ms) == 1;
}

/* No descriptor tells that another is no more readable: epoll would have to be told to forget. A thread that
 * watches the event is given time. */
static void await_silence(HANDLE event)
{
    for (unsigned i = 0; i < PATIENCE_MS && is_signalled(event, 0); i++)
        poll(NULL, 0, 1);
    assert_false(is_signalled(event, 0));
}

static struct scard_server *serve(void)
{
    struct scard_server_options options = {.size = sizeof options, .listener = -1, .path = path};
    struct scard_server *server;

    assert_code(scard_server_start(&options, &server), SCARD_S_SUCCESS);
    return server;
}

/* Without a socket to be asked for there is always a service: that in this process. */
static void local_is_always_there(void **state)
{
    static const char *const services[] = {NULL, "local", "auto", "nonsense"};

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        HANDLE event;

        if (services[i])
            setenv("SCARD_SERVICE", services[i], 1);
        else
            unsetenv("SCARD_SERVICE");
        event = SCardAccessStartedEvent();
        assert_non_null(event);
        assert_true(is_signalled(event, 0));
        SCardReleaseStartedEvent();
        assert_int_equal(scard_event_fd(event), -1);
    }
}

static void it_is_the_same_for_all(void **state)
{
    HANDLE event;

    (void)state;
    setenv("SCARD_SERVICE", "local", 1);
    SCardReleaseStartedEvent();
    event = SCardAccessStartedEvent();
    assert_ptr_equal(SCardAccessStartedEvent(), event);
    SCardReleaseStartedEvent();
    assert_true(is_signalled(event, 0));
    SCardReleaseStartedEvent();
    assert_int_equal(scard_event_fd(event), -1);
    assert_int_equal(scard_event_fd(NULL), -1);
    SCardReleaseStartedEvent();
    event = SCardAccessStartedEvent();
    assert_true(is_signalled(event, 0));
    SCardReleaseStartedEvent();
}

static void a_server_starts_and_stops(void **state)
{
    HANDLE event;

    (void)state;
    name_socket("socket");
    event = SCardAccessStartedEvent();
    assert_non_null(event);
    for (unsigned i = 0; i < 3; i++) {
        struct scard_server *server;

        assert_false(is_signalled(event, 0));
        server = serve();
        assert_true(is_signalled(event, PATIENCE_MS));
        scard_server_stop(server);
        await_silence(event);
    }
    SCardReleaseStartedEvent();
}

static void one_is_there_already(void **state)
{
    struct scard_server *server;
    HANDLE event;

    (void)state;
    name_socket("socket");
    server = serve();
    event = SCardAccessStartedEvent();
    assert_true(is_signalled(event, 0));
    scard_server_stop(server);
    await_silence(event);
    SCardReleaseStartedEvent();
}

/* Folders on the way to the socket may come one by one, or all at once. */
static void folders_come_late(void **state)
{
    char above[sizeof path];

    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        struct scard_server *server;
        HANDLE event;

        name_socket("a/b/socket");
        event = SCardAccessStartedEvent();
        assert_false(is_signalled(event, 0));
        snprintf(above, sizeof above, "%s/a", folder);
        assert_int_equal(mkdir(above, 0700), 0);
        server = serve(); /* makes b */
        assert_true(is_signalled(event, PATIENCE_MS));
        scard_server_stop(server);
        await_silence(event);
        SCardReleaseStartedEvent();
        strcat(above, "/b");
        assert_int_equal(rmdir(above), 0);
        above[strlen(above) - 2] = '\0';
        assert_int_equal(rmdir(above), 0);
    }
}

/* The socket of a server that was killed stays, but is nobody's. */
static void a_server_dies(void **state)
{
    struct scard_server *server;
    HANDLE event;
    int ready[2];
    pid_t child;
    char byte;

    (void)state;
    name_socket("socket");
    assert_int_equal(pipe(ready), 0);
    child = fork();
    assert_true(child >= 0);
    if (!child) {
        serve();
        (void)!write(ready[1], "", 1);
        for (;;)
            pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    event = SCardAccessStartedEvent();
    assert_true(is_signalled(event, PATIENCE_MS));
    kill(child, SIGKILL);
    await_silence(event);
    waitpid(child, NULL, 0);
    server = serve();
    assert_true(is_signalled(event, PATIENCE_MS));
    scard_server_stop(server);
    SCardReleaseStartedEvent();
    close(ready[0]);
    close(ready[1]);
    snprintf(path, sizeof path, "%s/socket.lock", folder);
    unlink(path);
}

/* A forked child has none of its parent's, and can do nothing to it. */
static void a_child_has_its_own(void **state)
{
    struct scard_server *server;
    HANDLE event;
    int status;
    pid_t child;

    (void)state;
    name_socket("socket");
    event = SCardAccessStartedEvent();
    child = fork();
    assert_true(child >= 0);
    if (!child) {
        bool good = scard_event_fd(event) == -1;

        SCardReleaseStartedEvent();
        good = good && SCardAccessStartedEvent() != NULL;
        SCardReleaseStartedEvent();
        _exit(!good);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    server = serve();
    assert_true(is_signalled(event, PATIENCE_MS));
    scard_server_stop(server);
    await_silence(event);
    SCardReleaseStartedEvent();
}

static void *access_and_release(void *argument)
{
    for (unsigned i = 0; i < 200; i++) {
        HANDLE event = SCardAccessStartedEvent();

        if (!event || scard_event_fd(event) < 0)
            return argument;
        SCardReleaseStartedEvent();
    }
    return NULL;
}

static void many_threads_use_it(void **state)
{
    pthread_t threads[4];
    void *failed;

    (void)state;
    name_socket("socket");
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, access_and_release, threads), 0);
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(local_is_always_there),     cmocka_unit_test(it_is_the_same_for_all),
        cmocka_unit_test(a_server_starts_and_stops), cmocka_unit_test(one_is_there_already),
        cmocka_unit_test(folders_come_late),         cmocka_unit_test(a_server_dies),
        cmocka_unit_test(a_child_has_its_own),       cmocka_unit_test(many_threads_use_it),
    };
    int failed;

    setenv("SCARD_READERS", "sim:echo", 1);
    if (!mkdtemp(folder))
        return 1;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    return rmdir(folder) || failed;
}
