/* SPDX-License-Identifier: MIT */
/* Which service a context gets: what SCARD_SERVICE says, and what is found without it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <scard.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rc.h"
#include "ipc/server.h"
#include "manager/local.h"

/* Whatever servers the machine has: in the library's common places nobody listens. */
int __real_connect(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t length)
{
    if (address->sa_family == AF_UNIX &&
        !strncmp(((const struct sockaddr_un *)(const void *)address)->sun_path, "/run/", 5)) {
        errno = ENOENT;
        return -1;
    }
    return __real_connect(fd, address, length);
}

/* A server with unusable readers, which are enough to be listed: the name says whose they are. */
struct kit {
    char folder[32], ours[64], other[64];
    struct service *services[2];
    struct server *servers[2];
};

static void serve(struct kit *kit, unsigned which, const char *path, const char *model)
{
    static const struct server_options options = {.group = SERVER_GROUP_NOBODY};
    struct local_unusable reader = {.model = model, .device = "none", .problem = "it is none"};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, strlen(path));
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 16), 0);
    assert_int_equal(local_new(&kit->services[which]), 0);
    assert_int_equal(local_add_unusable(kit->services[which], &reader, NULL), 0);
    assert_int_equal(server_start(kit->services[which], listener, &options, &kit->servers[which]), 0);
}

static int setup(void **state)
{
    struct kit *kit = calloc(1, sizeof *kit);
    char path[64];

    strcpy(kit->folder, "/tmp/scard-route-XXXXXX");
    assert_non_null(mkdtemp(kit->folder));
    snprintf(path, sizeof path, "%s/scard", kit->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    snprintf(kit->ours, sizeof kit->ours, "%s/scard/scard.comm", kit->folder);
    snprintf(kit->other, sizeof kit->other, "%s/other", kit->folder);
    snprintf(path, sizeof path, "%s/scard.conf", kit->folder);
    fclose(fopen(path, "w"));
    setenv("SCARD_CONFIG", path, 1);
    setenv("XDG_RUNTIME_DIR", kit->folder, 1);
    setenv("PCSCLITE_CSOCK_NAME", kit->other, 1);
    unsetenv("SCARD_SERVICE");
    unsetenv("SCARD_READERS");
    *state = kit;
    return 0;
}

static int teardown(void **state)
{
    struct kit *kit = *state;
    char path[64];

    for (unsigned i = 0; i < 2; i++) {
        if (kit->servers[i])
            server_free(kit->servers[i]);
        if (kit->services[i])
            local_free(kit->services[i]);
    }
    unlink(kit->ours);
    unlink(kit->other);
    unlink(getenv("SCARD_CONFIG"));
    snprintf(path, sizeof path, "%s/scard", kit->folder);
    rmdir(path);
    assert_int_equal(rmdir(kit->folder), 0);
    free(kit);
    return 0;
}

static void assert_reader(const char *expected)
{
    SCARDCONTEXT context;
    char names[256];
    DWORD length = sizeof names;

    assert_int_equal(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context), SCARD_S_SUCCESS);
    assert_int_equal(SCardListReaders(context, NULL, names, &length), SCARD_S_SUCCESS);
    assert_string_equal(names, expected);
    assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

static void write_config(const char *text)
{
    FILE *file = fopen(getenv("SCARD_CONFIG"), "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void ours_comes_before_pcscd(void **state)
{
    struct kit *kit = *state;

    serve(kit, 0, kit->ours, "Ours");
    serve(kit, 1, kit->other, "Other");
    assert_reader("Ours 00 00");
    server_free(kit->servers[0]);
    kit->servers[0] = NULL;
    unlink(kit->ours);
    assert_reader("Other 00 00");
}

static void it_says_which(void **state)
{
    struct kit *kit = *state;
    char text[80];

    serve(kit, 0, kit->ours, "Ours");
    serve(kit, 1, kit->other, "Other");
    setenv("SCARD_SERVICE", "pcscd", 1);
    assert_reader("Other 00 00");
    snprintf(text, sizeof text, "unix:%s", kit->ours);
    setenv("SCARD_SERVICE", text, 1);
    assert_reader("Ours 00 00");
    /* Even for who names readers. */
    setenv("SCARD_READERS", "sim:echo", 1);
    assert_reader("Ours 00 00");
}

static void named_readers_are_in_this_process(void **state)
{
    struct kit *kit = *state;

    serve(kit, 0, kit->ours, "Ours");
    setenv("SCARD_READERS", "sim:echo", 1);
    assert_reader("scard sim:echo 00 00");
}

/* Our server reads the same file; pcscd does not. */
static void readers_of_the_file_pass_pcscd_over(void **state)
{
    struct kit *kit = *state;

    write_config("usb = false;\nreaders = ( \"sim:echo\" );\n");
    serve(kit, 1, kit->other, "Other");
    assert_reader("scard sim:echo 00 00");
    serve(kit, 0, kit->ours, "Ours");
    assert_reader("Ours 00 00");
}

static void asked_for_and_not_there(void **state)
{
    struct kit *kit = *state;
    SCARDCONTEXT context;

    setenv("SCARD_SERVICE", "pcscd", 1);
    assert_int_equal(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context), SCARD_E_NO_SERVICE);
    assert_non_null(strstr(scard_error_detail(), kit->other));
}

/* D47 of WinSCard: what becomes of a context whose server has ended; a new one finds the next service. */
static void a_context_outlives_its_server(void **state)
{
    struct kit *kit = *state;
    SCARDCONTEXT context, next;
    char names[64];
    DWORD length = sizeof names;

    serve(kit, 0, kit->ours, "Ours");
    serve(kit, 1, kit->other, "Other");
    assert_int_equal(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context), SCARD_S_SUCCESS);
    assert_int_equal(SCardIsValidContext(context), SCARD_S_SUCCESS);
    server_free(kit->servers[0]);
    kit->servers[0] = NULL;
    unlink(kit->ours);
    assert_int_equal(SCardIsValidContext(context), SCARD_E_INVALID_HANDLE);
    assert_int_equal(SCardListReaders(context, NULL, names, &length), SCARD_E_NO_SERVICE);
    assert_int_equal(SCardCancel(context), SCARD_E_NO_SERVICE);
    /* The next one is found, whatever the program does with what it has lost. */
    assert_reader("Other 00 00");
    assert_int_equal(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &next), SCARD_S_SUCCESS);
    assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);
    assert_reader("Other 00 00");
    assert_int_equal(SCardIsValidContext(next), SCARD_S_SUCCESS);
    assert_int_equal(SCardReleaseContext(next), SCARD_S_SUCCESS);
    assert_int_equal(SCardReleaseContext(context), SCARD_E_INVALID_HANDLE);
    assert_reader("Other 00 00");
}

/* The protocol of pcsc-lite before 2.5 has places for sixteen. */
static void there_may_be_many_readers(void **state)
{
    struct kit *kit = *state;
    struct local_unusable more = {.model = "More", .device = "none", .problem = "it is none"};
    SCARD_READERSTATE watch = {.szReader = "More 27 00", .dwCurrentState = SCARD_STATE_EMPTY};
    SCARDCONTEXT context;
    char *names = NULL;
    DWORD length = SCARD_AUTOALLOCATE;
    unsigned count = 0;

    serve(kit, 0, kit->ours, "Ours");
    for (unsigned i = 1; i < 40; i++)
        assert_int_equal(local_add_unusable(kit->services[0], &more, NULL), 0);
    assert_int_equal(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context), SCARD_S_SUCCESS);
    assert_int_equal(SCardListReaders(context, NULL, (LPSTR)&names, &length), SCARD_S_SUCCESS);
    for (const char *at = names; *at; at += strlen(at) + 1)
        count++;
    assert_int_equal(count, 40);
    assert_int_equal(SCardGetStatusChange(context, INFINITE, &watch, 1), SCARD_S_SUCCESS);
    assert_int_equal(watch.dwEventState & 0xFFFF, SCARD_STATE_CHANGED | SCARD_STATE_UNAVAILABLE);
    assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);
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

/* A child has none of the connections, and its parent all. */
static void fork_closes_connections(void **state)
{
    struct kit *kit = *state;
    SCARDCONTEXT contexts[3];
    unsigned before, with;
    DWORD length;
    int status;
    pid_t child;

    serve(kit, 0, kit->ours, "Ours");
    before = count_descriptors();
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &contexts[i]),
                         SCARD_S_SUCCESS);
        assert_int_equal(SCardListReaders(contexts[i], NULL, NULL, &length), SCARD_S_SUCCESS);
    }
    with = count_descriptors();
    assert_true(with >= before + 3);
    child = fork();
    if (!child)
        _exit(
            !(count_descriptors() <= with - 3 && SCardIsValidContext(contexts[0]) == SCARD_E_INVALID_HANDLE));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    for (unsigned i = 0; i < 3; i++) {
        char names[64];

        length = sizeof names;
        assert_int_equal(SCardListReaders(contexts[i], NULL, names, &length), SCARD_S_SUCCESS);
        assert_int_equal(SCardReleaseContext(contexts[i]), SCARD_S_SUCCESS);
    }
}

static atomic_bool stop;

/* Contexts, calls and waits of the remote service that come and go. */
static void *busy(void *argument)
{
    SCARD_READERSTATE watch = {.szReader = "\\\\?PnP?\\Notification"};

    (void)argument;
    while (!stop) {
        SCARDCONTEXT context;
        char names[64];
        DWORD length = sizeof names;

        if (SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context) ||
            SCardListReaders(context, NULL, names, &length) ||
            SCardGetStatusChange(context, 1, &watch, 1) != SCARD_E_TIMEOUT || SCardReleaseContext(context))
            abort();
    }
    return NULL;
}

/* A program that is executed inherits none but those. */
static void assert_nothing_leaks(const bool known[1024])
{
    for (int fd = 3; fd < 1024; fd++) {
        int flags = known[fd] ? -1 : fcntl(fd, F_GETFD);

        assert_true(flags < 0 || flags & FD_CLOEXEC);
    }
}

static int child_has_a_context_of_its_own(SCARDCONTEXT inherited)
{
    SCARDCONTEXT context;
    char names[64];
    DWORD length = sizeof names;

    if (SCardIsValidContext(inherited) != SCARD_E_INVALID_HANDLE)
        return 1;
    if (SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context) ||
        SCardListReaders(context, NULL, names, &length) || SCardReleaseContext(context))
        return 2;
    return 0;
}

static void fork_and_exec_while_others_are_inside(void **state)
{
    struct kit *kit = *state;
    bool known[1024];
    pthread_t threads[3];
    SCARDCONTEXT context;
    int status;

    for (int fd = 0; fd < 1024; fd++)
        known[fd] = fcntl(fd, F_GETFD) >= 0;
    serve(kit, 0, kit->ours, "Ours");
    assert_int_equal(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context), SCARD_S_SUCCESS);
    stop = false;
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, busy, NULL), 0);
    for (unsigned i = 0; i < 40; i++) {
        pid_t child = fork();

        if (!child) {
            alarm(60);
            _exit(child_has_a_context_of_its_own(context));
        }
        assert_nothing_leaks(known);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, 0);
    }
    stop = true;
    for (unsigned i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);
}

/* A process that serves and forks: the child has nothing of the server, and the server serves on. */
static void fork_closes_the_server(void **state)
{
    struct kit *kit = *state;
    const struct scard_server_options options = {.size = sizeof options, .listener = -1, .path = kit->ours};
    unsigned before = count_descriptors();
    struct scard_server *server;
    SCARDCONTEXT context;
    char names[64];
    DWORD length = sizeof names;
    int status;
    pid_t child;

    setenv("SCARD_READERS", "sim:echo", 1);
    assert_int_equal(scard_server_start(&options, &server), SCARD_S_SUCCESS);
    unsetenv("SCARD_READERS");
    assert_int_equal(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context), SCARD_S_SUCCESS);
    assert_int_equal(SCardListReaders(context, NULL, names, &length), SCARD_S_SUCCESS);
    assert_true(count_descriptors() > before + 6);
    child = fork();
    if (!child) {
        alarm(60);
        scard_server_stop(server);
        _exit(count_descriptors() > before);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    length = sizeof names;
    assert_int_equal(SCardListReaders(context, NULL, names, &length), SCARD_S_SUCCESS);
    assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);
    scard_server_stop(server);
}

static atomic_uint apdus;

static void count_apdus(void *user, const struct scard_exchange *exchange)
{
    (void)user;
    if (exchange->kind == SCARD_EXCHANGE_APDU) {
        assert_int_equal(exchange->process, getpid());
        assert_int_equal(exchange->response_length, 2);
        apdus++;
    }
}

/* A server tells what its clients do, here as seen from both ends; a program that was built for the time
 * before that is served as then. */
static void exchanges_of_clients_are_traced(void **state)
{
    struct kit *kit = *state;
    struct scard_server_options options = {
        .size = sizeof options, .listener = -1, .path = kit->ours, .trace = 1};
    const BYTE command[] = {0x00, 0x10, 0x00, 0x00};

    for (unsigned ends = 2; ends; ends--) {
        BYTE response[16];
        DWORD length = sizeof response, protocol;
        struct scard_server *server;
        SCARDCONTEXT context;
        SCARDHANDLE card;

        if (ends == 1)
            options.size = offsetof(struct scard_server_options, trace);
        apdus = 0;
        setenv("SCARD_READERS", "sim:echo", 1);
        assert_int_equal(scard_server_start(&options, &server), SCARD_S_SUCCESS);
        unsetenv("SCARD_READERS");
        scard_set_trace(count_apdus, NULL, 0);
        assert_int_equal(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context), SCARD_S_SUCCESS);
        assert_int_equal(SCardConnect(context, "scard sim:echo 00 00", SCARD_SHARE_SHARED, SCARD_PROTOCOL_ANY,
                                      &card, &protocol),
                         SCARD_S_SUCCESS);
        assert_int_equal(SCardTransmit(card, protocol == SCARD_PROTOCOL_T0 ? SCARD_PCI_T0 : SCARD_PCI_T1,
                                       command, sizeof command, NULL, response, &length),
                         SCARD_S_SUCCESS);
        assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);
        scard_server_stop(server);
        scard_set_trace(NULL, NULL, 0);
        assert_int_equal(apdus, ends);
    }
    options.size--;
    {
        struct scard_server *server;

        assert_int_equal(scard_server_start(&options, &server), SCARD_E_INVALID_PARAMETER);
    }
}

/* A server that may end stays findable until it does. */
static void an_idle_server_ends_when_nobody_is_there(void **state)
{
    struct kit *kit = *state;
    const struct scard_server_options options = {.size = sizeof options, .listener = -1, .path = kit->ours};
    struct scard_server *server;
    SCARDCONTEXT context;

    setenv("SCARD_READERS", "sim:echo", 1);
    assert_int_equal(scard_server_start(&options, &server), SCARD_S_SUCCESS);
    unsetenv("SCARD_READERS");
    assert_false(scard_server_stop_idle(server, INFINITE));
    assert_int_equal(SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &context), SCARD_S_SUCCESS);
    for (int i = 0; i < 3; i++) {
        assert_false(scard_server_stop_idle(server, 0));
        assert_reader("scard sim:echo 00 00");
    }
    assert_int_equal(SCardReleaseContext(context), SCARD_S_SUCCESS);
    while (!scard_server_stop_idle(server, 0))
        ;
    assert_int_equal(access(kit->ours, F_OK), -1);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ours_comes_before_pcscd),
        TEST(it_says_which),
        TEST(named_readers_are_in_this_process),
        TEST(readers_of_the_file_pass_pcscd_over),
        TEST(asked_for_and_not_there),
        TEST(a_context_outlives_its_server),
        TEST(there_may_be_many_readers),
        TEST(fork_closes_connections),
        TEST(fork_and_exec_while_others_are_inside),
        TEST(exchanges_of_clients_are_traced),
        TEST(fork_closes_the_server),
        TEST(an_idle_server_ends_when_nobody_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
