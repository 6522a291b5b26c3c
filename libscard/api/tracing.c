/* SPDX-License-Identifier: MIT */
#include "api/tracing.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "manager/trace.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int output = -1;

static void init(void)
{
    const char *where = secure_getenv("SCARD_TRACE");

    if (!where || !where[0])
        return;
    /* The program may use that number for something else later on. */
    if (where[strspn(where, "0123456789")] == '\0')
        output = fcntl(atoi(where), F_DUPFD_CLOEXEC, 0);
    else
        output = open(where, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0600);
    if (output < 0)
        log_debug("no trace to SCARD_TRACE=%s: %s", where, strerror(errno));
}

/* Whoever read it may have gone: that is no death of the program. */
static void write_line(const char *line, size_t length)
{
    static const struct timespec at_once;
    sigset_t pipe, before, pending;
    int saved = errno;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    while (length > 0) {
        ssize_t written = write(output, line, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0 && errno == EPIPE && !sigismember(&pending, SIGPIPE))
            while (sigtimedwait(&pipe, NULL, &at_once) < 0 && errno == EINTR)
                ;
        if (written <= 0)
            break;
        line += written;
        length -= (size_t)written;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = saved;
}

struct service_context *tracing_wrap(struct service_context *context, int64_t start_ns)
{
    pthread_once(&once, init);
    return output < 0 ? context : trace_context(context, start_ns, write_line);
}
