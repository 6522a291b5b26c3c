/* SPDX-License-Identifier: MIT */
/*
 * The conformance table on the remote service, behind which is the distribution's pcscd with libccid, on the
 * emulated USB bus: its readers and cards come and go by lines of text (tests/usbemu/emu_ctl.h).
 *
 * pcscd's socket has a fixed path, so all of it runs in a mount namespace that has a /run of its own.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "ipc/remote.h"
#include "tests/conform/cases.h"

#define PCSCD "/usr/sbin/pcscd"
#define PCSCD_SOCKET "/run/pcscd/pcscd.comm"
#define CONTROL "/run/emulator"

static pid_t pcscd;
static FILE *control;
static char paths[BENCH_READERS][32]; /* of the readers on the bus */

static void __attribute__((noreturn)) exec_pcscd(pid_t parent)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || !freopen("/run/log", "a", stdout) || !freopen("/run/log", "a", stderr))
        _exit(126);
    setenv("EMU_PROG", "pcscd", 1);
    setenv("EMU_CTL", CONTROL, 1);
    setenv("LD_PRELOAD", USBEMU, 1);
    execl(PCSCD, PCSCD, "--config", "/run/conf", "--foreground", (char *)NULL);
    _exit(127);
}

static void pause_shortly(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* Connects as soon as somebody listens. */
static int await_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct deadline deadline = deadline_in_ms(PATIENCE_MS);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, path, strlen(path));
    while (connect(fd, (const struct sockaddr *)&address, sizeof address)) {
        if (deadline_passed(deadline) || waitpid(pcscd, NULL, WNOHANG))
            fail_msg("pcscd does not start; is the package pcscd installed?");
        pause_shortly();
    }
    return fd;
}

/* A line to the emulator. Returns what follows the "ok". */
static const char *tell(const char *line)
{
    static char reply[256];

    assert_true(fprintf(control, "%s\n", line) > 0);
    assert_int_equal(fflush(control), 0);
    assert_non_null(fgets(reply, sizeof reply, control));
    reply[strcspn(reply, "\n")] = '\0';
    if (strncmp(reply, "ok", 2) != 0)
        fail_msg("%s: %s", line, reply);
    return reply + strspn(reply + 2, " ") + 2;
}

/* Kills it: nobody but the test has a part in this pcscd, which takes its time to end by itself. */
static void end_pcscd(void)
{
    if (pcscd > 0) {
        kill(pcscd, SIGKILL);
        waitpid(pcscd, NULL, 0);
    }
    pcscd = 0;
    unlink(PCSCD_SOCKET);
    unlink("/run/pcscd/pcscd.pid");
    unlink(CONTROL);
}

/* libccid frees the transfer of a reader that goes while another thread of it cancels that, and libusb's
 * assertion ends pcscd. */
static bool has_broken(void)
{
    int status = 0;

    /* One that is ending keeps the status that it ends with. */
    if (pcscd > 0) {
        kill(pcscd, SIGKILL);
        waitpid(pcscd, &status, 0);
    }
    pcscd = 0;
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void open_pcscd(struct bench *bench)
{
    pid_t self = getpid();

    pcscd = fork();
    assert_true(pcscd >= 0);
    if (!pcscd)
        exec_pcscd(self);
    control = fdopen(await_socket(CONTROL), "r+");
    assert_non_null(control);
    close(await_socket(PCSCD_SOCKET));
    assert_rc(remote_new(PCSCD_SOCKET, &bench->service), RC_OK);
}

static void close_pcscd(struct bench *bench)
{
    remote_free(bench->service);
    fclose(control);
    end_pcscd();
}

/* The first of the names that no attached reader of the bench has; false: there is none. */
static bool find_new_name(struct bench *bench, char *name, size_t size)
{
    char *names;
    size_t length;
    bool found = false;
    int rc = bench->service->ops->list(bench->observer, &names, &length);

    if (rc == RC_NO_READERS)
        return false;
    assert_rc(rc, RC_OK);
    for (const char *at = names; *at && !found; at += strlen(at) + 1) {
        found = true;
        for (size_t i = 0; i < bench->reader_count; i++)
            found &= !bench->readers[i].attached || strcmp(bench->readers[i].name, at) != 0;
        if (found)
            snprintf(name, size, "%s", at);
    }
    free(names);
    return found;
}

static void card(size_t reader, const char *what)
{
    char line[64];

    snprintf(line, sizeof line, "card %s 0 %s", paths[reader], what);
    tell(line);
}

static void insert(struct bench *bench, size_t reader)
{
    (void)bench;
    card(reader, "sim:echo");
}

static void pull(struct bench *bench, size_t reader)
{
    (void)bench;
    card(reader, "out");
}

static void attach(struct bench *bench, size_t reader, bool with_card)
{
    struct deadline deadline = deadline_in_ms(PATIENCE_MS);

    /* A reader that libccid knows, and not the serial number but the place tells readers apart. */
    snprintf(paths[reader], sizeof paths[reader], "%s", tell("plug short vid=0x08E6 pid=0x3438 serial=42"));
    if (with_card)
        insert(bench, reader);
    while (!find_new_name(bench, bench->readers[reader].name, sizeof bench->readers[reader].name)) {
        if (deadline_passed(deadline))
            fail_msg("pcscd does not notice the reader");
        pause_shortly();
    }
    bench_await_state(bench, reader, with_card ? STATE_PRESENT : STATE_EMPTY, STATE_PRESENT | STATE_EMPTY);
}

static bool is_listed(struct bench *bench, const char *name)
{
    struct reader_watch watch = {.name = name};
    int rc = bench->service->ops->wait(bench->observer, deadline_in_ms(0), &watch, 1);

    if (rc != RC_UNKNOWN_READER)
        assert_rc(rc, RC_OK);
    return !rc;
}

static void detach(struct bench *bench, size_t reader)
{
    struct deadline deadline = deadline_in_ms(PATIENCE_MS);
    char line[64];

    snprintf(line, sizeof line, "unplug %s", paths[reader]);
    tell(line);
    while (is_listed(bench, bench->readers[reader].name)) {
        if (deadline_passed(deadline))
            fail_msg("pcscd does not notice that the reader has gone");
        pause_shortly();
    }
}

static unsigned count_blocked(struct bench *bench)
{
    return bench_blocked_in_remote(bench, true);
}

/* Enters the namespace by running the program again in it. */
static int prepare(int argc, char **argv)
{
    static char inside[] = "inside", program[] = "unshare", root[] = "--map-root-user", mount_[] = "--mount";
    char *mapped[] = {program, root, mount_, argv[0], inside, NULL};
    char *plain[] = {program, mount_, argv[0], inside, NULL};

    if (argc < 2) {
        /* Root needs no namespace of users, which cannot be had everywhere. */
        execvp("unshare", system("unshare --mount true 2>/dev/null") == 0 ? plain : mapped);
        perror("unshare");
        return -1;
    }
    if (mount("none", "/run", "tmpfs", 0, NULL) || mkdir("/run/pcscd", 0755) || mkdir("/run/conf", 0755)) {
        perror("/run");
        return -1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    static const struct conform_outside outside = {attach, detach, insert, pull};
    static const struct conform_difference differences[] = {
        {.name = "empty_slot_keeps_the_removal",
         .reason = "pcscd reconnects no handle while the slot is empty, not even a direct one"},
        {.name = "reset_inside_a_nest_ends_it",
         .reason = "pcscd takes no END from the owner once the card was reset, and stays locked"},
        {.name = "nobody_overtakes",
         .reason = "pcscd hands nothing over: who asks again at once has it again",
         .sometimes = true},
        {.name = "transaction_passes_in_order_of_arrival",
         .reason = "pcscd hands nothing over: who asks first has it",
         .sometimes = true},
        {.name = "swap_is_told_by_the_next_exchange",
         .reason = "an exchange that fails before pcscd has looked at the slot is not transacted",
         .sometimes = true},
        {.name = "entries_are_filled_whatever_the_result",
         .reason = "pcscd may not count a card that was in before the reader",
         .sometimes = true},
        {.name = "handle_does_not_move_to_the_next_reader",
         .reason = "pcscd may not count a card that was in before the reader",
         .sometimes = true},
        {.name = "removal_ends_waits",
         .reason = "pcscd removes the card before the reader",
         .sometimes = true},
        {.name = "list_entry_wakes_on_readers_only",
         .reason = "pcscd does not count what happens to its list: two looks at once, of which the older "
                   "answer comes "
                   "last, tell of a change too many",
         .sometimes = true},
        {.name = "facts", .reason = "pcscd knows nothing of where a reader is plugged in"},
        {.name = "unusable_reader_is_listed_with_its_problem",
         .reason = "pcscd does not list what it cannot open"},
        {.name = "unusable_reader_keeps_its_number_when_it_works",
         .reason = "pcscd does not list what it cannot open"},
        {.name = "unusable_reader_goes", .reason = "pcscd does not list what it cannot open"},
        {0},
    };
    static const struct conform_target target = {
        .name = "remote service and pcscd",
        .outside = &outside,
        .open = open_pcscd,
        .close = close_pcscd,
        .blocked = count_blocked,
        .differences = differences,
        .tidy = end_pcscd,
        .broke = has_broken,
    };

    if (prepare(argc, argv))
        return 1;
    return conform_run(&target);
}
