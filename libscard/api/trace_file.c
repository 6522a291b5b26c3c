/* SPDX-License-Identifier: MIT */
/* Exchanges into files, which several processes may write to: each of them locks the file for an exchange,
 * and begins anew when another one has written meanwhile. */
#include "api/trace_file.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/export.h"
#include "api/tracing.h"
#include "base/log.h"
#include "base/rc.h"
#include "capture/recording.h"
#include "capture/writer.h"

struct scard_trace {
    pthread_mutex_t lock;
    int fd;
    struct capture_writer writer;
    struct buffer out;
    off_t end; /* of a file, when we had written */
    int error; /* errno of the first failure */
};

/* Whoever read it may have gone: that is no death of the program. */
static int write_all(int fd, const uint8_t *bytes, size_t length)
{
    static const struct timespec at_once;
    sigset_t pipe, before, pending;
    int error = 0;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    while (length > 0 && !error) {
        ssize_t written = write(fd, bytes, length);

        if (written >= 0) {
            bytes += written;
            length -= (size_t)written;
        } else if (errno != EINTR) {
            error = errno;
        }
    }
    if (error == EPIPE && !sigismember(&pending, SIGPIPE))
        while (sigtimedwait(&pipe, NULL, &at_once) < 0 && errno == EINTR)
            ;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

/* A lock of the process, for a child that was forked shares all else of the descriptor. */
static void lock_file(int fd, short type)
{
    struct flock all = {.l_type = type, .l_whence = SEEK_SET};

    while (fcntl(fd, F_SETLKW, &all) < 0 && errno == EINTR)
        ;
}

static void add(struct scard_trace *trace, const struct captured *exchange)
{
    struct stat file;
    bool regular = fstat(trace->fd, &file) == 0 && S_ISREG(file.st_mode);
    int rc, error = ENOMEM;

    if (regular) {
        lock_file(trace->fd, F_WRLCK);
        if (lseek(trace->fd, 0, SEEK_END) != trace->end)
            capture_writer_restart(&trace->writer);
    }
    trace->out.length = 0;
    rc = exchange ? capture_write(&trace->writer, exchange, &trace->out)
                  : capture_writer_end(&trace->writer, &trace->out);
    if (!rc)
        error = write_all(trace->fd, trace->out.data, trace->out.length);
    if (regular) {
        trace->end = lseek(trace->fd, 0, SEEK_END);
        lock_file(trace->fd, F_UNLCK);
    }
    secret_wipe(trace->out.data, trace->out.length);
    if (!error)
        return;
    /* What was lost may have been what the next one needs. */
    capture_writer_restart(&trace->writer);
    if (!trace->error)
        trace->error = error;
}

int trace_file_open(int fd, const char *format, struct scard_trace **ret_trace)
{
    const struct capture_format *found = capture_format_named(format ? format : "jsonl");
    struct scard_trace *trace;

    if (!found)
        return detail_set(
            RC_INVALID_VALUE,
            "'%s' is no format of a trace: there are jsonl, text, pcapng, gp, apdu4j, cardpeek, scard",
            format);
    trace = calloc(1, sizeof *trace);
    if (!trace)
        return RC_NO_MEMORY;
    pthread_mutex_init(&trace->lock, NULL);
    trace->fd = fd;
    capture_writer_init(&trace->writer, found);
    *ret_trace = trace;
    return RC_OK;
}

void trace_file_add(struct scard_trace *trace, const struct captured *exchange)
{
    int saved = errno;

    pthread_mutex_lock(&trace->lock);
    add(trace, exchange);
    pthread_mutex_unlock(&trace->lock);
    errno = saved;
}

int trace_file_close(struct scard_trace *trace)
{
    int error;

    if (!trace)
        return RC_OK;
    add(trace, NULL);
    error = trace->error;
    capture_writer_fini(&trace->writer);
    buffer_fini(&trace->out);
    pthread_mutex_destroy(&trace->lock);
    free(trace);
    return error ? detail_set(RC_IO, "the trace is not whole: %s", strerror(error)) : RC_OK;
}

EXPORT LPCSTR scard_trace_format(LPCSTR szFile)
{
    const struct capture_format *format = szFile ? capture_format_of_file(szFile) : NULL;

    return format ? format->name : NULL;
}

EXPORT LONG scard_trace_open(int fd, LPCSTR szFormat, struct scard_trace **ppTrace)
{
    EXPORT_BEGIN;
    if (fd < 0 || !ppTrace)
        return SCARD_E_INVALID_PARAMETER;
    return codes_from_rc(trace_file_open(fd, szFormat, ppTrace));
}

EXPORT void scard_trace_write(void *trace, const struct scard_exchange *exchange)
{
    struct captured captured;

    if (!trace || !exchange || exchange->size < sizeof *exchange)
        return;
    captured = tracing_internal(exchange);
    trace_file_add(trace, &captured);
}

EXPORT LONG scard_trace_close(struct scard_trace *trace)
{
    EXPORT_BEGIN;
    return codes_from_rc(trace_file_close(trace));
}

EXPORT LONG scard_recording_read(LPCSTR szFile, scard_exchange_fn *fn, void *user)
{
    struct recording recording;
    int rc;

    EXPORT_BEGIN;
    if (!szFile || !fn)
        return SCARD_E_INVALID_PARAMETER;
    rc = recording_load(szFile, &recording);
    if (rc)
        return codes_from_rc(rc);
    for (size_t i = 0; i < recording.count; i++) {
        struct scard_exchange exchange = tracing_public(&recording.items[i].exchange);

        fn(user, &exchange);
    }
    recording_fini(&recording);
    return SCARD_S_SUCCESS;
}
