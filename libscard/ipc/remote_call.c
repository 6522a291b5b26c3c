/* SPDX-License-Identifier: MIT */
#include "ipc/remote_call.h"

#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "ipc/remote_connection.h"

/* Pauses between two questions to a server that does not tell when a transaction ends. */
#define PAUSE_FIRST_MS 1
#define PAUSE_LONGEST_MS 64

/* A cancel that arrives before the request that it is for is lost on the server, hence once more. */
#define INTERRUPT_AGAIN_MS 5
#define INTERRUPT_LONGEST_MS 1000

static void lock(const struct remote_call *call)
{
    pthread_mutex_lock(&context_remote(call->context)->lock);
}

static void unlock(const struct remote_call *call)
{
    pthread_mutex_unlock(&context_remote(call->context)->lock);
}

static int begin(struct remote_call *call, struct remote_context *context)
{
    *call = (struct remote_call){.context = context, .wake_fd = -1};
    list_init(&call->queue_link);
    if (context->closed)
        return RC_INVALID_HANDLE;
    if (context->lost)
        return detail_set(RC_NO_SERVICE, "%s: the service was lost; establish a new context",
                          context_remote(context)->path);
    pthread_cond_init(&call->wake, &context_remote(context)->monotonic);
    list_append(&context->calls, &call->context_link);
    return RC_OK;
}

static void end(struct remote_call *call)
{
    list_remove(&call->context_link);
    if (call->wake_fd >= 0)
        close(call->wake_fd);
    pthread_cond_destroy(&call->wake);
}

/* Under the lock: gives the connection to the next in the queue. */
static void give(struct remote_call *call)
{
    struct connection *connection = call->connection;

    call->connection = NULL;
    connection->user = NULL;
    if (!list_empty(&connection->queue)) {
        struct remote_call *next = list_entry(connection->queue.next, struct remote_call, queue_link);

        list_remove(&next->queue_link);
        connection->user = next;
        pthread_cond_signal(&next->wake);
    }
    if (call->context->closed)
        pthread_cond_broadcast(&call->context->quiet);
}

/* Under the lock: waits for the turn on the connection of a handle. */
static int take(struct remote_call *call, struct connection *connection)
{
    call->connection = connection;
    if (!connection->user) {
        connection->user = call;
        return RC_OK;
    }
    list_append(&connection->queue, &call->queue_link);
    call->sleep = SLEEP_TURN;
    while (connection->user != call && !call->cancelled)
        pthread_cond_wait(&call->wake, &connection->remote->lock);
    call->sleep = AWAKE;
    if (connection->user == call)
        return RC_OK;
    list_remove(&call->queue_link);
    call->connection = NULL;
    return RC_CANCELLED;
}

int call_enter_handle(struct remote_call *call, struct remote_handle *handle)
{
    struct remote_context *context = remote_context_of(handle->base.context);
    int rc;

    pthread_mutex_lock(&context_remote(context)->lock);
    rc = begin(call, context);
    if (!rc) {
        rc = handle->connection ? take(call, handle->connection) : RC_INVALID_HANDLE;
        /* Whoever had the turn before may have closed it, or lost the server. */
        if (!rc && (!handle->connection || call->connection->broken)) {
            rc = handle->connection ? RC_NO_SERVICE : RC_INVALID_HANDLE;
            give(call);
        }
        if (rc)
            end(call);
    }
    pthread_mutex_unlock(&context_remote(context)->lock);
    return rc;
}

static struct connection *find_free(const struct remote_context *context, enum need need)
{
    list_each(node, &context->connections)
    {
        struct connection *connection = list_entry(node, struct connection, context_link);

        if (!connection->user && !connection->broken &&
            (need == NEED_ANY || list_empty(&connection->handles)))
            return connection;
    }
    return NULL;
}

/* Under the lock, which is let go of meanwhile: one more connection. */
static int add_connection(struct remote_call *call)
{
    struct connection *connection;
    int rc;

    unlock(call);
    rc = connection_open(context_remote(call->context), call->context->no_wait, &connection);
    lock(call);
    if (rc)
        return rc;
    list_append(&call->context->connections, &connection->context_link);
    connection->user = call;
    call->connection = connection;
    return call->cancelled ? RC_CANCELLED : RC_OK;
}

int call_enter(struct remote_call *call, struct remote_context *context, enum need need)
{
    struct connection *connection;
    int rc;

    pthread_mutex_lock(&context_remote(context)->lock);
    rc = begin(call, context);
    if (!rc) {
        connection = find_free(context, need);
        rc = connection ? take(call, connection) : add_connection(call);
        if (rc) {
            if (call->connection)
                give(call);
            end(call);
        }
    }
    pthread_mutex_unlock(&context_remote(context)->lock);
    return rc;
}

/* Under the lock: a connection that nobody needs: broken, or free beside another free one. */
static struct connection *find_surplus(struct remote_context *context)
{
    struct connection *spare = NULL;

    list_each(node, &context->connections)
    {
        struct connection *connection = list_entry(node, struct connection, context_link);

        if (connection->user || !list_empty(&connection->handles))
            continue;
        if (connection->broken || spare)
            return connection;
        spare = connection;
    }
    return NULL;
}

void call_leave(struct remote_call *call)
{
    struct remote_context *context = call->context;
    struct connection *surplus = NULL;

    lock(call);
    if (call->connection)
        give(call);
    end(call);
    if (!context->closed && (surplus = find_surplus(context)))
        list_remove(&surplus->context_link);
    pthread_mutex_unlock(&context_remote(context)->lock);
    if (surplus)
        connection_close(surplus);
}

int call_pause(struct remote_call *call, struct remote_handle *handle, unsigned *pause_ms)
{
    struct timespec at;
    int rc = RC_OK, error = 0;

    *pause_ms = !*pause_ms                         ? PAUSE_FIRST_MS
                : *pause_ms * 2 < PAUSE_LONGEST_MS ? *pause_ms * 2
                                                   : PAUSE_LONGEST_MS;
    at = deadline_timespec(deadline_in_ms(*pause_ms));
    lock(call);
    give(call);
    call->sleep = SLEEP_PAUSE;
    while (!call->cancelled && !error)
        error = pthread_cond_timedwait(&call->wake, &context_remote(call->context)->lock, &at);
    call->sleep = AWAKE;
    if (call->cancelled)
        rc = RC_CANCELLED;
    else if (!handle->connection)
        rc = RC_INVALID_HANDLE;
    else
        rc = take(call, handle->connection);
    if (!rc && (!handle->connection || call->connection->broken))
        rc = handle->connection ? RC_NO_SERVICE : RC_INVALID_HANDLE;
    unlock(call);
    return rc;
}

int call_broken(struct remote_call *call, int rc)
{
    lock(call);
    call->connection->broken = true;
    if (call->held && call->cancelled)
        rc = RC_CANCELLED;
    else
        call->context->lost = true;
    unlock(call);
    return rc;
}

void call_give_up(struct remote_call *call)
{
    lock(call);
    call->connection->broken = true;
    unlock(call);
}

int call_rc(const struct remote_call *call, uint32_t code)
{
    int rc = wire_rc(code);

    if (rc == RC_INTERNAL)
        detail_set(rc, "%s: the service answers %08X", context_remote(call->context)->path, code);
    return rc;
}

/* Prepares for being woken. false: it is cancelled already, or cannot be woken. */
static bool prepare_wake(struct remote_call *call)
{
    bool ready;

    lock(call);
    if (call->wake_fd < 0)
        call->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ready = call->wake_fd >= 0 && !call->cancelled;
    unlock(call);
    return ready;
}

/* Waits for bytes or the wake; RC_CANCELLED for the wake. */
static int sleep_for_bytes(const struct remote_call *call, struct deadline deadline)
{
    struct pollfd sources[] = {{.fd = call->connection->fd, .events = POLLIN},
                               {.fd = call->wake_fd, .events = POLLIN}};
    int ready;

    do
        ready = poll(sources, 2, deadline_poll_ms(deadline));
    while (ready < 0 && errno == EINTR);
    if (sources[0].revents)
        return RC_OK;
    return ready > 0 ? RC_CANCELLED : RC_TIMEOUT;
}

static void set_sleep(struct remote_call *call, enum remote_sleep sleep)
{
    lock(call);
    call->sleep = sleep;
    unlock(call);
}

static uint32_t interruption(struct remote_call *call)
{
    bool abort;

    lock(call);
    abort = call->aborted && call->connection->features & WIRE_CAN_ABORT;
    unlock(call);
    return abort ? WIRE_ABORT : WIRE_CANCEL;
}

/* The answer takes its time. A server with features holds it back while another has a transaction, and ends
 * that when it is asked to; another one answers by itself. */
static void wait_for_answer(struct remote_call *call)
{
    struct pollfd socket = {.fd = call->connection->fd, .events = POLLIN};
    int again_ms = INTERRUPT_AGAIN_MS;

    if (!call->connection->features) {
        poll(&socket, 1, -1);
        return;
    }
    if (prepare_wake(call) && !sleep_for_bytes(call, deadline_never()))
        return;
    do {
        connection_interrupt(call->connection, interruption(call));
        again_ms = again_ms < INTERRUPT_LONGEST_MS ? again_ms * 2 : INTERRUPT_LONGEST_MS;
    } while (!poll(&socket, 1, again_ms));
}

int call_receive(struct remote_call *call, void *bytes, size_t length)
{
    size_t done = 0;
    int rc;

    while ((rc = connection_receive(call->connection, bytes, length, &done)) == RC_TIMEOUT) {
        set_sleep(call, SLEEP_ANSWER);
        wait_for_answer(call);
        set_sleep(call, AWAKE);
    }
    return rc ? call_broken(call, rc) : RC_OK;
}

int call_send(struct remote_call *call, uint32_t command, const void *body)
{
    int rc = connection_send(call->connection, command, body, NULL, 0);

    return rc ? call_broken(call, rc) : RC_OK;
}

int call_ask(struct remote_call *call, uint32_t command, void *body, const void *data, size_t data_length)
{
    int rc = connection_send(call->connection, command, body, data, data_length);

    if (rc)
        return call_broken(call, rc);
    return call_receive(call, body, (size_t)wire_body_size(command));
}

int call_await(struct remote_call *call, struct deadline deadline)
{
    int rc = RC_CANCELLED;

    if (prepare_wake(call)) {
        set_sleep(call, SLEEP_EVENT);
        rc = sleep_for_bytes(call, deadline);
        set_sleep(call, AWAKE);
    } else if (call->wake_fd < 0) {
        rc = detail_set(RC_NO_MEMORY, "no descriptor to wait with");
    }
    return rc;
}

void call_cancel_all(struct remote_context *context, bool aborted)
{
    context->cancels++;
    list_each(node, &context->calls)
    {
        struct remote_call *call = list_entry(node, struct remote_call, context_link);

        call->cancelled = true;
        call->aborted |= aborted;
        pthread_cond_signal(&call->wake);
        if (call->wake_fd >= 0)
            eventfd_write(call->wake_fd, 1);
        /* Nobody needs what the server says in the end: it is told by the end of the connection. */
        if (call->held && call->connection && call->connection->user == call &&
            list_empty(&call->connection->handles))
            shutdown(call->connection->fd, SHUT_RDWR);
    }
}
