/* SPDX-License-Identifier: MIT */
#include "cli/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <scard.h>

/* The library has one receiver for the process. */
static struct {
    struct scard_trace *trace; /* NULL: none */
    int fd;
} state = {.fd = -1};

const char *trace_format(const char *file, const char *format, const char *fallback)
{
    const char *by_name = scard_trace_format(file);

    if (format != NULL)
        return format;
    return by_name != NULL ? by_name : fallback;
}

/* One that was there is emptied; where secrets go, nobody else may read it. */
static int prepare(struct call *call, const char *file, int fd)
{
    bool secrets = call->globals.show_secrets;
    struct stat about;
    int failed = fstat(fd, &about);

    if (failed == 0 && S_ISREG(about.st_mode)) {
        if (about.st_uid != geteuid())
            return call_fail(call, STATUS_TRANSPORT, "Choose another name.",
                             "%s is another user's: nothing was written", file);
        failed = ftruncate(fd, 0);
        if (failed == 0 && secrets && (about.st_mode & 077))
            failed = fchmod(fd, 0600);
    }
    if (failed == 0)
        failed = fcntl(fd, F_SETFL, O_APPEND);
    if (failed == 0)
        return STATUS_DONE;
    return call_fail(call, STATUS_TRANSPORT, "", "cannot write %s: %s", file, strerror(errno));
}

int trace_create(struct call *call, const char *file)
{
    /* Not to be caught in the opening of a FIFO, where no Ctrl-C is noticed. Its reader's going ends the
     * trace: it is opened for writing alone. */
    int fd = openat(call->front->directory, file,
                    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);

    if (fd < 0) {
        call_fail(call, STATUS_TRANSPORT, "", "cannot write %s: %s", file, strerror(errno));
    } else if (prepare(call, file, fd) != STATUS_DONE) {
        close(fd);
        fd = -1;
    }
    return fd;
}

bool trace_is_on(void)
{
    return state.trace != NULL;
}

int trace_start(struct call *call, const char *file, const char *format)
{
    bool on_stderr = strcmp(file, "-") == 0;
    int status = trace_stop(call), fd;
    LONG code;

    if (status != STATUS_DONE)
        return status;
    fd = on_stderr ? fcntl(call->output->err, F_DUPFD_CLOEXEC, 0) : trace_create(call, file);
    if (fd < 0)
        return on_stderr
                   ? call_fail(call, STATUS_TRANSPORT, "", "cannot write the trace: %s", strerror(errno))
                   : STATUS_TRANSPORT;
    code = scard_trace_open(fd, trace_format(file, format, on_stderr ? "text" : "jsonl"), &state.trace);
    if (code != SCARD_S_SUCCESS) {
        close(fd);
        return call_fail_scard(call, code, "there is no trace");
    }
    state.fd = fd;
    scard_set_trace(scard_trace_write, state.trace, call->globals.show_secrets ? SCARD_TRACE_SECRETS : 0);
    return STATUS_DONE;
}

int trace_stop(struct call *call)
{
    LONG code;

    if (state.trace == NULL)
        return STATUS_DONE;
    scard_set_trace(NULL, NULL, 0);
    code = scard_trace_close(state.trace);
    close(state.fd);
    state.trace = NULL;
    state.fd = -1;
    if (code == SCARD_S_SUCCESS)
        return STATUS_DONE;
    return call_fail(call, STATUS_TRANSPORT, "", "%s", scard_error_detail());
}

int trace_begin_call(struct call *call, bool *ret_started)
{
    const char *file = call->globals.trace;
    int status;

    *ret_started = false;
    if (call->globals.trace_format != NULL && file == NULL)
        return call_fail(call, STATUS_USAGE, "Say where with --trace FILE.",
                         "--trace-format has no trace to be of");
    if (file == NULL || file == call->front->globals.trace)
        return STATUS_DONE;
    status = trace_start(call, file, call->globals.trace_format);
    *ret_started = status == STATUS_DONE;
    return status;
}
