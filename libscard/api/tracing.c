/* SPDX-License-Identifier: MIT */
#include "api/tracing.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api/codes.h"
#include "api/export.h"
#include "api/trace_file.h"
#include "base/log.h"
#include "base/rc.h"
#include "manager/trace.h"

static void give(struct trace_sink *sink, const struct captured *exchange);

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct trace_sink sink = {.give = give};
static struct {
    pthread_rwlock_t lock; /* of all below; shared while a receiver runs, and no traffic keeps a change out */
    scard_exchange_fn *fn;
    void *user;
    bool secrets;             /* for fn */
    struct scard_trace *file; /* of SCARD_TRACE; NULL: there is none */
    bool file_secrets;
    unsigned epochs;
} state = {.lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP};

_Static_assert(SCARD_EXCHANGE_CALL == CAPTURED_CALL && SCARD_EXCHANGE_APDU == CAPTURED_APDU &&
                   SCARD_EXCHANGE_CONNECT == CAPTURED_CONNECT && SCARD_EXCHANGE_RESET == CAPTURED_RESET &&
                   SCARD_EXCHANGE_CONTROL == CAPTURED_CONTROL && SCARD_EXCHANGE_MASKED == CAPTURED_MASKED &&
                   SCARD_EXCHANGE_AUTOMATIC == CAPTURED_AUTOMATIC,
               "the public form has the same numbers");

struct scard_exchange tracing_public(const struct captured *exchange)
{
    return (struct scard_exchange){
        .size = sizeof(struct scard_exchange),
        .kind = exchange->kind,
        .call = exchange->call,
        .words = exchange->words,
        .reader = exchange->reader,
        .device = exchange->device,
        .process = exchange->process,
        .context = exchange->context,
        .card = exchange->card,
        .protocol = exchange->protocol,
        .time_ns = exchange->time_ns,
        .duration_ns = exchange->duration_ns,
        .result = codes_from_rc(exchange->rc),
        .code = exchange->code,
        .command = exchange->command,
        .command_length = exchange->command_length,
        .response = exchange->response,
        .response_length = exchange->response_length,
        .secret_offset = exchange->secret_offset,
        .secret_length = exchange->secret_length,
        .flags = exchange->flags,
    };
}

static int rc_of(LONG code)
{
    for (int rc = RC_OK; rc > -64; rc--)
        if (codes_from_rc(rc) == code)
            return rc;
    return RC_INTERNAL;
}

struct captured tracing_internal(const struct scard_exchange *exchange)
{
    bool inside = exchange->secret_offset <= exchange->command_length &&
                  exchange->secret_length <= exchange->command_length - exchange->secret_offset;

    return (struct captured){
        .kind = (enum captured_kind)exchange->kind,
        .call = exchange->call ? exchange->call : "",
        .words = exchange->words ? exchange->words : "",
        .reader = exchange->reader ? exchange->reader : "",
        .device = exchange->device ? exchange->device : "",
        .process = (uint32_t)exchange->process,
        .context = (uint32_t)exchange->context,
        .card = (uint32_t)exchange->card,
        .protocol = (uint32_t)exchange->protocol,
        .time_ns = exchange->time_ns,
        .duration_ns = exchange->duration_ns,
        .rc = rc_of(exchange->result),
        .code = (uint32_t)exchange->code,
        .command = exchange->command,
        .command_length = exchange->command ? exchange->command_length : 0,
        .response = exchange->response,
        .response_length = exchange->response ? exchange->response_length : 0,
        .secret_offset = inside ? exchange->secret_offset : 0,
        .secret_length = inside ? exchange->secret_length : 0,
        .flags = (unsigned)exchange->flags,
    };
}

/* Under the lock: what the sink is to know of the receivers. */
static void tell_sink(void)
{
    sink.secrets = (state.fn && state.secrets) || (state.file && state.file_secrets);
    sink.epoch = state.fn || state.file ? ++state.epochs : 0;
}

/* Only one of two receivers may want secrets. */
static void give_file(const struct captured *exchange)
{
    struct captured masked = *exchange;
    struct buffer room = {0};

    if (!state.file_secrets)
        (void)captured_mask(&masked, &room);
    trace_file_add(state.file, &masked);
    buffer_fini(&room);
}

static void give_receiver(const struct captured *exchange)
{
    struct captured masked = *exchange;
    struct scard_exchange public;
    struct buffer room = {0};

    if (!state.secrets)
        (void)captured_mask(&masked, &room);
    public = tracing_public(&masked);
    state.fn(state.user, &public);
    buffer_fini(&room);
}

static void give(struct trace_sink *unused, const struct captured *exchange)
{
    int saved = errno;

    (void)unused;
    pthread_rwlock_rdlock(&state.lock);
    if (state.file)
        give_file(exchange);
    if (state.fn)
        give_receiver(exchange);
    pthread_rwlock_unlock(&state.lock);
    errno = saved;
}

/* A FIFO or terminal is written to, not read: when its reader goes, that shows, and its opening does not wait
 * for one. Another user's file is not for us to fill. ret_private: nobody else may read it. -1: errno says
 * why. */
static int open_trace(const char *path, bool *ret_private)
{
    int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
    struct stat file;

    if (fd < 0)
        return -1;
    if (fstat(fd, &file) || (S_ISREG(file.st_mode) && file.st_uid != geteuid())) {
        close(fd);
        errno = EPERM;
        return -1;
    }
    *ret_private = !S_ISREG(file.st_mode) || !(file.st_mode & 077);
    fcntl(fd, F_SETFL, O_APPEND);
    return fd;
}

static void init(void)
{
    const char *where = secure_getenv("SCARD_TRACE"), *format = secure_getenv("SCARD_TRACE_FORMAT"),
               *secrets = secure_getenv("SCARD_TRACE_SECRETS");
    bool private = true;
    int fd;

    if (!where || !where[0])
        return;
    /* The program may use that number for something else later on. */
    if (where[strspn(where, "0123456789")] == '\0')
        fd = fcntl(atoi(where), F_DUPFD_CLOEXEC, 0);
    else
        fd = open_trace(where, &private);
    pthread_rwlock_wrlock(&state.lock);
    if (fd < 0) {
        log_debug("no trace to SCARD_TRACE=%s: %s", where, strerror(errno));
    } else if (trace_file_open(fd, format && format[0] ? format : "text", &state.file)) {
        detail_clear();
        close(fd);
    }
    state.file_secrets = private && secrets && !strcmp(secrets, "1");
    tell_sink();
    pthread_rwlock_unlock(&state.lock);
}

struct service_context *tracing_wrap(struct service_context *context, int64_t start_ns)
{
    pthread_once(&once, init);
    return trace_context(context, start_ns, 0, &sink);
}

struct service_context *tracing_wrap_client(struct service_context *context, int64_t start_ns,
                                            uint32_t process)
{
    pthread_once(&once, init);
    return trace_context(context, start_ns, process, &sink);
}

void tracing_before_fork(void)
{
    pthread_rwlock_wrlock(&state.lock);
}

/* A lock for writing is its thread's, and that of the child has another number. */
void tracing_after_fork(bool in_child)
{
    if (in_child)
        state.lock = (pthread_rwlock_t)PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
    else
        pthread_rwlock_unlock(&state.lock);
}

EXPORT void scard_set_trace(scard_exchange_fn *fn, void *user, DWORD dwFlags)
{
    pthread_once(&once, init);
    pthread_rwlock_wrlock(&state.lock);
    state.fn = fn;
    state.user = user;
    state.secrets = dwFlags & SCARD_TRACE_SECRETS;
    tell_sink();
    pthread_rwlock_unlock(&state.lock);
}

EXPORT void scard_trace_hint(DWORD dwFlags, size_t cbOffset, size_t cbLength)
{
    trace_hint((unsigned)dwFlags, cbOffset, cbLength);
}
