/* SPDX-License-Identifier: MIT */
/* session_open: everything that can fail in an explainable way is done here, in the program that was called;
 * the new process inherits the results. */
#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "cli/names.h"
#include "cli/session_place.h"
#include "cli/session_start.h"
#include "cli/session_talk.h"

#define IDLE_DEFAULT_MS (15 * 60 * 1000)

/* A session that is being made. */
struct start {
    char name[SESSION_NAME_SIZE];
    int64_t idle_ms;
    int fds[SESSION_FD_END]; /* owned, from SESSION_FD_OPENER on; -1 = none */
};

/* What follows stands between fork and exec: only what POSIX allows in the child of a program with threads.
 */

/* Puts the descriptors in their places: first all out of the way, since one may be where another belongs. */
static void arrange_fds(const struct start *start)
{
    int above[SESSION_FD_END];

    for (int i = SESSION_FD_OPENER; i < SESSION_FD_END; i++)
        above[i] = start->fds[i] < 0 ? -1 : fcntl(start->fds[i], F_DUPFD, SESSION_FD_END);
    for (int i = SESSION_FD_OPENER; i < SESSION_FD_END; i++) {
        if (above[i] >= 0)
            dup2(above[i], i);
        else
            close(i);
    }
    close_range(SESSION_FD_END, ~0u, 0);
    close(STDIN_FILENO);
    if (open("/dev/null", O_RDWR) != STDIN_FILENO)
        _exit(STATUS_SERVICE);
    dup2(STDIN_FILENO, STDOUT_FILENO);
    dup2(STDIN_FILENO, STDERR_FILENO);
}

static void become_session(const struct start *start, char *const *argv)
{
    sigset_t none;

    /* A leader of its own session that forks once more can never get a controlling terminal. */
    if (setsid() < 0)
        _exit(STATUS_SERVICE);
    switch (fork()) {
    case -1:
        _exit(STATUS_SERVICE);
    case 0:
        break;
    default:
        _exit(STATUS_DONE);
    }
    arrange_fds(start);
    umask(077);
    if (chdir("/") < 0)
        _exit(STATUS_SERVICE);
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    /* A fresh image: no threads, locks or secrets of the caller, and a name of its own in process lists. */
    execv("/proc/self/exe", argv);
    _exit(STATUS_SERVICE);
}

static int spawn(const struct start *start)
{
    char program[] = "scard", word[] = SESSION_WORD, name[SESSION_NAME_SIZE], idle[32];
    char *argv[] = {program, word, name, idle, NULL};
    int status;
    pid_t child;

    strcpy(name, start->name);
    snprintf(idle, sizeof idle, "%lld", (long long)start->idle_ms);
    child = fork();
    if (child == 0)
        become_session(start, argv);
    if (child < 0)
        return detail_set(RC_IO, "cannot start a process: %s", strerror(errno));
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? RC_OK
                                                         : detail_set(RC_IO, "cannot start a process");
}

static int choose_idle(struct call *call, struct start *start)
{
    const char *text = getenv("SCARD_SESSION_IDLE");

    start->idle_ms = IDLE_DEFAULT_MS;
    if (text != NULL && text[0] != '\0' && !names_duration_parse(text, &start->idle_ms))
        return call_fail(call, STATUS_USAGE, "Give seconds, or a number with ms, s or m; 0 means for ever.",
                         "SCARD_SESSION_IDLE is \"%s\", which is no time", text);
    for (size_t i = 0; i < call->option_count; i++)
        if (strcmp(call->options[i].spec->name, "idle") == 0)
            names_duration_parse(call->options[i].value, &start->idle_ms);
    return STATUS_DONE;
}

/* The session is the calling shell's, and watches it. */
static int choose_owner(struct call *call, struct start *start)
{
    struct session_process shell, again;
    pid_t pid;
    int fd;

    if (!session_place_shell(&pid, &shell))
        return call_fail(call, STATUS_SERVICE, "Give the session a name: --session NAME.",
                         "the shell that this session is for has ended");
    fd = pidfd_open(pid, 0);
    /* A kernel without pidfds (before 5.3): the idle time ends the session. */
    if (fd < 0 && errno != ENOSYS)
        return call_fail(call, STATUS_SERVICE, "Give the session a name: --session NAME.",
                         "cannot watch the shell that this session is for: %s", strerror(errno));
    start->fds[SESSION_FD_OWNER] = fd;
    /* Still the same process after the descriptor was made, so the descriptor is the shell's. */
    if (!session_place_process(pid, &again) || again.start != shell.start)
        return call_fail(call, STATUS_SERVICE, "Give the session a name: --session NAME.",
                         "the shell that this session is for has ended");
    session_place_shell_name(pid, shell.start, start->name);
    return STATUS_DONE;
}

static int choose_name(struct call *call, struct start *start)
{
    const char *name = call->globals.session != NULL ? call->globals.session : getenv("SCARD_SESSION");

    if (name == NULL || name[0] == '\0')
        return choose_owner(call, start);
    if (!session_place_is_name(name) || session_place_is_shell(name))
        return call_fail(call, STATUS_USAGE,
                         "Use up to 64 letters, digits, '.', '_' and '-', and not shell- in front.",
                         "\"%s\" is no name for a session", name);
    strcpy(start->name, name);
    return STATUS_DONE;
}

static int fail_place(struct call *call, int rc)
{
    if (rc == RC_SHARING)
        return call_fail(call, STATUS_SHARING, "Try again.",
                         "another scard is just opening or ending this session");
    if (rc == RC_DENIED)
        return call_fail(call, STATUS_PERMISSION,
                         "Set XDG_RUNTIME_DIR to a directory of your own with mode 0700.",
                         "cannot open a session: %s", detail_get());
    return call_fail_rc(call, rc, "cannot open a session");
}

static int take_place(struct call *call, struct start *start)
{
    int fd, rc = session_place_open(true, &start->fds[SESSION_FD_PLACE]);

    if (rc < 0)
        return fail_place(call, rc);
    session_place_sweep(start->fds[SESSION_FD_PLACE]);
    fd = session_place_lock(start->fds[SESSION_FD_PLACE], start->name);
    if (fd < 0)
        return fail_place(call, fd);
    start->fds[SESSION_FD_LOCK] = fd;
    fd = session_place_listen(start->fds[SESSION_FD_PLACE], start->name);
    if (fd < 0)
        return fail_place(call, fd);
    start->fds[SESSION_FD_LISTEN] = fd;
    return STATUS_DONE;
}

/* Starts the process; *ret_wire leads to it. */
static int start_process(struct call *call, struct start *start, struct session_wire *ret_wire)
{
    int pair[2], rc;

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return call_fail(call, STATUS_SERVICE, "", "cannot open a session: %s", strerror(errno));
    start->fds[SESSION_FD_OPENER] = pair[1];
    rc = spawn(start);
    if (rc < 0) {
        close(pair[0]);
        return call_fail(call, STATUS_SERVICE, "", "cannot open a session: %s", detail_get());
    }
    session_wire_init(ret_wire, pair[0]);
    return STATUS_DONE;
}

/* From here on the session's process holds its copies alone, so that its end is seen as the end of the lock.
 */
static void close_all(struct start *start, bool started)
{
    if (!started && start->fds[SESSION_FD_LISTEN] >= 0)
        session_place_remove_socket(start->fds[SESSION_FD_PLACE], start->name);
    if (!started && start->fds[SESSION_FD_LOCK] >= 0)
        session_place_remove_lock(start->fds[SESSION_FD_PLACE], start->name);
    for (int i = SESSION_FD_OPENER; i < SESSION_FD_END; i++)
        if (start->fds[i] >= 0)
            close(start->fds[i]);
}

int session_open(struct call *call)
{
    struct start start = {.fds = {-1, -1, -1, -1, -1, -1, -1, -1}};
    struct session_wire wire;
    int status = choose_idle(call, &start);

    if (status == STATUS_DONE)
        status = choose_name(call, &start);
    if (status == STATUS_DONE)
        status = take_place(call, &start);
    /* Readers that only one process can have are the session's from now on. */
    desk_fini(call->front->desk);
    if (status == STATUS_DONE)
        status = start_process(call, &start, &wire);
    close_all(&start, status == STATUS_DONE);
    if (status != STATUS_DONE)
        return status;
    if (session_talk(call, &wire, call->word_count, call->words, &status) == 0)
        status = call_fail(call, STATUS_SERVICE, "Try again.", "the session could not be started");
    session_wire_fini(&wire);
    return status;
}
