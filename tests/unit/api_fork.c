/* SPDX-License-Identifier: MIT */
/* Public functions in a forked child: what is inherited is invalid, the parent notices nothing. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/api_kit.h"

#define CHILD_SECONDS 60

static SCARDCONTEXT context;
static SCARDHANDLE card;
static char *block;

/* The number of the first check that fails, or 0. */
static int inherited_is_invalid(void)
{
    SCARD_READERSTATE watch = {.szReader = ECHO};
    SCARDHANDLE other;
    BYTE buffer[64];
    DWORD length = sizeof buffer;
    const LONG codes[] = {
        SCardIsValidContext(context),
        SCardCancel(context),
        scard_abort(context),
        SCardListReaders(context, NULL, (LPSTR)buffer, &length),
        SCardListReaderGroups(context, (LPSTR)buffer, &length),
        SCardFreeMemory(context, block),
        SCardConnect(context, ECHO, 2, 3, &other, NULL),
        SCardGetStatusChange(context, 0, &watch, 1),
        transmit_echo(card),
        SCardBeginTransaction(card),
        SCardEndTransaction(card, SCARD_RESET_CARD),
        SCardStatus(card, NULL, NULL, NULL, NULL, NULL, NULL),
        SCardReconnect(card, 2, 3, SCARD_RESET_CARD, NULL),
        SCardControl(card, SCARD_CTL_SIM_REMOVE, NULL, 0, NULL, 0, NULL),
        SCardGetAttrib(card, SCARD_ATTR_ATR_STRING, buffer, &length),
        SCardSetAttrib(card, SCARD_ATTR_ATR_STRING, buffer, 1),
        SCardDisconnect(card, SCARD_RESET_CARD),
        SCardReleaseContext(context),
    };

    for (int i = 0; i < (int)(sizeof codes / sizeof *codes); i++)
        if (codes[i] != SCARD_E_INVALID_HANDLE)
            return i + 1;
    return 0;
}

/* The child has a service, readers and cards of its own. */
static int child_has_its_own(void)
{
    SCARDCONTEXT mine;
    SCARDHANDLE my_card;

    if (SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &mine) || mine == context)
        return 100;
    if (SCardConnect(mine, ECHO, SCARD_SHARE_EXCLUSIVE, 3, &my_card, NULL) || my_card == card)
        return 101;
    if (transmit_echo(my_card) || SCardIsValidContext(context) != SCARD_E_INVALID_HANDLE)
        return 102;
    if (SCardReleaseContext(mine))
        return 103;
    return 0;
}

static void assert_child(int (*run)(void))
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (!child) {
        alarm(CHILD_SECONDS);
        _exit(run());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void open_session(void)
{
    DWORD length = SCARD_AUTOALLOCATE;

    context = establish();
    card = connect_shared(context, ECHO);
    assert_code(SCardBeginTransaction(card), SCARD_S_SUCCESS);
    assert_code(SCardListReaders(context, NULL, (LPSTR)&block, &length), SCARD_S_SUCCESS);
}

static void close_session(void)
{
    assert_code(transmit_echo(card), SCARD_S_SUCCESS);
    assert_code(SCardEndTransaction(card, SCARD_LEAVE_CARD), SCARD_S_SUCCESS);
    assert_string_equal(block, ECHO);
    assert_code(SCardFreeMemory(context, block), SCARD_S_SUCCESS);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void child_sees_nothing_of_the_parent(void **state)
{
    (void)state;
    open_session();
    assert_child(inherited_is_invalid);
    close_session();
}

static void child_may_establish_its_own(void **state)
{
    (void)state;
    open_session();
    assert_child(child_has_its_own);
    close_session();
}

static char vpcd_uri[32];
static int result[2]; /* a pipe */

/* After its parent has gone: may this process have the reader that the parent had? */
static char heir(int gone)
{
    char byte, problem[256];
    DWORD length = SCARD_AUTOALLOCATE;
    char *names;

    if (read(gone, &byte, 1) != 0)
        return 'g';
    if (SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &context))
        return 'e';
    if (SCardListReaders(context, NULL, (LPSTR)&names, &length))
        return 'l';
    length = sizeof problem;
    if (scard_reader_fact(context, names, "problem", problem, &length))
        return 'f';
    return problem[0] ? 'p' : '+';
}

/* As a program does that puts itself in the background. */
static int daemonize(void)
{
    int gone[2];

    if (setenv("SCARD_READERS", vpcd_uri, 1) || pipe(gone) ||
        SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &context))
        return 120;
    if (!fork()) {
        char answer;

        alarm(CHILD_SECONDS);
        close(gone[1]);
        answer = heir(gone[0]);
        _exit(write(result[1], &answer, 1) != 1);
    }
    return 0;
}

static void child_may_have_the_reader_when_the_parent_has_gone(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char answer;

    (void)state;
    assert_int_equal(bind(probe, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(probe, (struct sockaddr *)&address, &length), 0);
    close(probe);
    snprintf(vpcd_uri, sizeof vpcd_uri, "vpcd:%u", ntohs(address.sin_port));
    assert_int_equal(pipe(result), 0);
    assert_child(daemonize);
    close(result[1]);
    assert_int_equal(read(result[0], &answer, 1), 1);
    close(result[0]);
    assert_int_equal(answer, '+');
}

static int both(void)
{
    int failed = inherited_is_invalid();

#ifdef __SANITIZE_THREAD__
    /* Its runtime knows no new threads in the child of a process that had many. */
    return failed;
#else
    return failed ? failed : child_has_its_own();
#endif
}

static int grandchild(void)
{
    int status;
    pid_t child;

    if (SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &context))
        return 110;
    child = fork();
    if (!child) {
        alarm(CHILD_SECONDS);
        _exit(SCardIsValidContext(context) == SCARD_E_INVALID_HANDLE ? child_has_its_own() : 111);
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status))
        return 112;
    return SCardReleaseContext(context) ? 113 : 0;
}

static void child_may_fork_too(void **state)
{
    (void)state;
    open_session();
    assert_child(grandchild);
    close_session();
}

static atomic_bool stop;

/* Keeps every lock of the library moving. */
static void *busy(void *argument)
{
    (void)argument;
    while (!atomic_load(&stop)) {
        SCARDCONTEXT mine;
        SCARDHANDLE my_card;
        char *names;
        DWORD length = SCARD_AUTOALLOCATE;

        if (SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &mine))
            abort();
        if (SCardListReaders(mine, NULL, (LPSTR)&names, &length) ||
            SCardConnect(mine, ECHO, 2, 3, &my_card, NULL))
            abort();
        transmit_echo(my_card);
        SCardDisconnect(my_card, SCARD_LEAVE_CARD);
        SCardReleaseContext(mine);
    }
    return NULL;
}

static void fork_while_others_are_inside(void **state)
{
    pthread_t threads[3];

    (void)state;
    alarm(CHILD_SECONDS * 2);
    context = establish();
    card = connect_shared(context, ECHO);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, busy, NULL), 0);
    for (unsigned i = 0; i < 60; i++)
        assert_child(both);
    atomic_store(&stop, true);
    for (unsigned i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_code(transmit_echo(card), SCARD_S_SUCCESS);
    assert_code(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(child_sees_nothing_of_the_parent),
        cmocka_unit_test(child_may_establish_its_own),
        cmocka_unit_test(child_may_have_the_reader_when_the_parent_has_gone),
        cmocka_unit_test(child_may_fork_too),
        cmocka_unit_test(fork_while_others_are_inside),
    };

    setenv("SCARD_READERS", "sim:echo", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
