/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <scard.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/deadline.h"
#include "cli/call.h"
#include "cli/names.h"
#include "commands/commands.h"

/* sd_listen_fds(3): the first descriptor that is passed on. */
#define LISTEN_FDS_START 3

/* Longest report. */
#define REPORT_MAX 1024

struct serving {
    struct call *call;
    struct scard_server *server;
    int64_t idle_ms; /* -1: stays */
    int reports[2];  /* a packet for each, so that only this thread writes */
};

static void report(void *user, const char *line)
{
    const struct serving *serving = user;
    size_t length = strnlen(line, REPORT_MAX);

    /* One too many is dropped rather than waited for. */
    if (write(serving->reports[1], line, length) < 0)
        return;
}

static int print_report(struct serving *serving)
{
    char line[REPORT_MAX + 1];
    ssize_t length = read(serving->reports[0], line, REPORT_MAX);

    if (length <= 0)
        return STATUS_DONE;
    line[length] = '\0';
    output_error(serving->call->output, STATUS_TRANSPORT, 0, line, "");
    return serving->call->output->broken ? STATUS_PIPE : STATUS_DONE;
}

/* 10,000 clients need as many descriptors, and nothing here uses select(2). */
static void raise_limit(void)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

static bool is_listening_socket(int fd)
{
    int domain = 0, type = 0, listening = 0;
    socklen_t size = sizeof domain;

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 && domain == AF_UNIX &&
           getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM &&
           getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening != 0;
}

/* The socket that systemd passes on, or -1; what says so is not for others. */
static int take_listener(struct call *call, int *ret_listener)
{
    const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
    bool passed = pid != NULL && count != NULL && strtol(pid, NULL, 10) == (long)getpid();
    bool one = passed && strcmp(count, "1") == 0;

    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    *ret_listener = -1;
    if (!passed)
        return STATUS_DONE;
    if (call_option(call, "socket") != NULL)
        return call_fail(call, STATUS_USAGE, "Leave one of them out.",
                         "a socket was passed on, and --socket says another");
    if (!one || !is_listening_socket(LISTEN_FDS_START))
        return call_fail(call, STATUS_USAGE, "Have one ListenStream= with a path in the .socket unit.",
                         "what was passed on is not one listening Unix socket");
    fcntl(LISTEN_FDS_START, F_SETFD, FD_CLOEXEC);
    *ret_listener = LISTEN_FDS_START;
    return STATUS_DONE;
}

static void say_ready(struct serving *serving)
{
    const char *path = scard_server_path(serving->server);
    struct record record;

    record_init(&record, "serving", RECORD_ROW);
    record_text(&record, SHOW_JSON | SHOW_BARE, "socket", path[0] != '\0' ? path : NULL);
    record_people(&record, "Serving at %s; Ctrl-C ends.", path[0] != '\0' ? path : "the socket passed on");
    /* A script waits for the line, and reads the path from it. */
    if (serving->call->output->mode == OUTPUT_BARE)
        output_record(serving->call->output, &record);
    else
        output_remark(serving->call->output, &record);
    record_fini(&record);
}

/* How long to sleep when nothing comes: -1 for ever, 0: it may be over. */
static int time_left(const struct serving *serving)
{
    DWORD idle;

    if (serving->idle_ms < 0 || scard_server_clients(serving->server, &idle) > 0)
        return -1;
    return (int64_t)idle >= serving->idle_ms ? 0 : (int)(serving->idle_ms - (int64_t)idle);
}

static int serve(struct serving *serving)
{
    const struct interrupt *interrupt = serving->call->front->interrupt;
    struct pollfd fds[] = {
        {.fd = interrupt != NULL ? interrupt->event_fd : -1, .events = POLLIN},
        {.fd = scard_server_fd(serving->server), .events = POLLIN},
        {.fd = serving->reports[0], .events = POLLIN},
    };
    int status = STATUS_DONE;

    while (status == STATUS_DONE && !call_interrupted(serving->call)) {
        int left = time_left(serving);
        uint64_t count;

        if (left == 0 && scard_server_stop_idle(serving->server, (DWORD)serving->idle_ms)) {
            serving->server = NULL;
            return status;
        }
        if (poll(fds, sizeof fds / sizeof *fds, left) < 0 && errno != EINTR)
            return call_fail(serving->call, STATUS_SERVICE, "", "poll: %s", strerror(errno));
        if (fds[1].revents && read(fds[1].fd, &count, sizeof count) < 0 && errno != EAGAIN)
            return call_fail(serving->call, STATUS_SERVICE, "", "the server's descriptor: %s",
                             strerror(errno));
        if (fds[2].revents)
            status = print_report(serving);
    }
    return status;
}

/* The path as one that begins with '/'; a new string. NULL: out of memory, or there is no such folder any
 * more. */
static char *whole_path(const char *path)
{
    char *folder, *whole = NULL;

    if (path[0] == '/')
        return strdup(path);
    folder = getcwd(NULL, 0);
    if (folder != NULL && asprintf(&whole, "%s/%s", folder, path) < 0)
        whole = NULL;
    free(folder);
    return whole;
}

static int start(struct serving *serving, int listener)
{
    static const char elsewhere[] = "Say a directory that is there, and yours, with --socket.";
    struct call *call = serving->call;
    struct scard_server_options options = {
        .size = sizeof options,
        .listener = listener,
        .group = call_option(call, "group"),
        .report = report,
        .user = serving,
        .trace = 1, /* to --trace and SCARD_TRACE, if there are */
    };
    const char *path = call_option(call, "socket");
    char *whole = path != NULL ? whole_path(path) : NULL;
    LONG code;

    if (path != NULL && whole == NULL)
        return call_no_memory(call);
    options.path = whole;
    /* Whom systemd lets in by the socket's mode and group, it lets in. */
    if (listener >= 0 && options.group == NULL)
        options.group = "*";
    code = scard_server_start(&options, &serving->server);
    free(whole);
    switch (code) { /* these are about the socket, and not about a card or reader */
    case SCARD_E_SHARING_VIOLATION:
        return call_fail(call, STATUS_SHARING, "", "cannot serve: %s", scard_error_detail());
    case SCARD_W_SECURITY_VIOLATION:
        return call_fail(call, STATUS_PERMISSION, elsewhere, "cannot serve: %s", scard_error_detail());
    case SCARD_F_COMM_ERROR:
        return call_fail(call, STATUS_SERVICE, elsewhere, "cannot serve: %s", scard_error_detail());
    default:
        break;
    }
    return code == SCARD_S_SUCCESS ? STATUS_DONE : call_fail_scard(call, code, "cannot serve");
}

static int run(struct call *call)
{
    struct serving serving = {.call = call, .idle_ms = -1};
    const char *idle = call_option(call, "exit-idle");
    int listener, status;

    if (idle != NULL)
        names_duration_parse(idle, &serving.idle_ms);
    status = take_listener(call, &listener);
    if (status != STATUS_DONE)
        return status;
    if (pipe2(serving.reports, O_CLOEXEC | O_NONBLOCK | O_DIRECT) < 0)
        return call_fail(call, STATUS_SERVICE, "", "no pipe can be made: %s", strerror(errno));
    raise_limit();
    status = start(&serving, listener);
    if (status == STATUS_DONE) {
        say_ready(&serving);
        status = serve(&serving);
        scard_server_stop(serving.server);
        while (status == STATUS_DONE &&
               poll(&(struct pollfd){.fd = serving.reports[0], .events = POLLIN}, 1, 0) > 0)
            status = print_report(&serving);
    }
    close(serving.reports[0]);
    close(serving.reports[1]);
    return status;
}

static const struct option_spec options[] = {
    {"socket", 0, VALUE_FILE, "PATH", NULL, "where to listen"},
    {"group", 0, VALUE_TEXT, "NAME", NULL, "members of this group may connect, too"},
    {"exit-idle", 0, VALUE_SECONDS, "SECONDS", NULL, "end after that time without clients"},
    {"foreground", 0, VALUE_NONE, NULL, NULL, "stay in the foreground: it always does"},
    {0},
};

const struct command command_serve = {
    .name = "serve",
    .group = "Readers",
    .summary = "share the readers with other programs",
    .description =
        "A server that speaks pcscd's protocol: programs on libpcsclite use it when PCSCLITE_CSOCK_NAME is "
        "its "
        "socket,\n"
        "programs on libscard find it by themselves. It serves the readers of --readers, or else those on "
        "USB "
        "and of\n"
        "the configuration files, to this user and root, and to --group. The socket is scard/scard.comm in\n"
        "$XDG_RUNTIME_DIR, or in /run for root without that; or what systemd passes on. Ctrl-C and SIGTERM "
        "end "
        "it:\n"
        "clients are disconnected, cards are left as their programs had them, unfinished transactions end "
        "with "
        "a reset.",
    .examples = "  scard serve &\n  PCSCLITE_CSOCK_NAME=$XDG_RUNTIME_DIR/scard/scard.comm pcsc_scan\n"
                "  scard --readers sim:iso serve --socket /tmp/cards --exit-idle 10m",
    .options = options,
    .needs = NEED_NOTHING,
    .flags = COMMAND_LOCAL | COMMAND_REPEATS,
    .run = run,
};
