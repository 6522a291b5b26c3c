/* SPDX-License-Identifier: MIT */
#include "ipc/remote.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "ipc/remote_call.h"
#include "ipc/remote_connection.h"
#include "ipc/remote_exchange.h"
#include "ipc/remote_handle.h"
#include "ipc/remote_table.h"
#include "ipc/remote_wait.h"

/* Nobody reads from a connection without a call, so its end is looked for. */
static bool has_ended(const struct connection *connection)
{
    struct pollfd socket = {.fd = connection->fd, .events = POLLRDHUP};

    return !connection->user && !connection->broken && poll(&socket, 1, 0) > 0;
}

/* Under the lock: the server is there, and there is a connection that says so to it. */
static bool is_held(const struct remote *remote)
{
    list_each(node, &remote->connections)
    {
        const struct connection *connection = list_entry(node, struct connection, remote_link);

        if (!connection->broken && !has_ended(connection))
            return true;
    }
    return false;
}

static int establish(struct service *service, bool no_wait, struct service_context **ret_context)
{
    struct remote *remote = remote_of(service);
    struct remote_context *context = calloc(1, sizeof *context);
    struct connection *connection = NULL;
    bool later;
    int rc = RC_OK;

    if (!context)
        return RC_NO_MEMORY;
    pthread_mutex_lock(&remote->lock);
    later = remote->ours && is_held(remote);
    pthread_mutex_unlock(&remote->lock);
    if (!later)
        rc = connection_open(remote, no_wait, &connection);
    if (rc) {
        free(context);
        return rc;
    }
    context->base.service = service;
    context->no_wait = no_wait;
    list_init(&context->connections);
    list_init(&context->calls);
    pthread_cond_init(&context->quiet, NULL);
    pthread_mutex_lock(&remote->lock);
    list_append(&remote->contexts, &context->link);
    if (connection) {
        list_append(&context->connections, &connection->context_link);
        remote->ours |= connection->features != 0;
    }
    pthread_mutex_unlock(&remote->lock);
    *ret_context = &context->base;
    return RC_OK;
}

/* Under the lock: until every connection is free. */
static void wait_until_quiet(struct remote_context *context)
{
    bool busy;

    do {
        busy = false;
        list_each(node, &context->connections) busy |=
            list_entry(node, struct connection, context_link)->user != NULL;
        if (busy)
            pthread_cond_wait(&context->quiet, &context_remote(context)->lock);
    } while (busy);
}

/* Would pcscd wait for another's transaction to end before it closes the handles of this connection? */
static bool is_behind_a_transaction(struct connection *connection)
{
    if (connection->features)
        return false;
    list_each(node, &connection->handles)
    {
        struct wire_begin body = {.card = list_entry(node, struct remote_handle, link)->card};

        if (!connection_ask(connection, WIRE_STATUS, &body) && wire_rc(body.rv) == RC_SHARING)
            return true;
    }
    return false;
}

/* The handles are closed when it returns, unless the server cannot do so yet. Of a context without any
 * nothing is to be seen; our server ends it with the connection, and counts no contexts that it could run out
 * of. */
static void end_connection(struct connection *connection)
{
    struct wire_release body = {.context = connection->context};
    struct remote *remote = connection->remote;
    bool silent = connection->broken || (connection->features && list_empty(&connection->handles));

    if (!silent && is_behind_a_transaction(connection))
        connection_send(connection, WIRE_RELEASE, &body, NULL, 0);
    else if (!silent)
        connection_ask(connection, WIRE_RELEASE, &body);
    pthread_mutex_lock(&remote->lock);
    while (!list_empty(&connection->handles)) {
        struct remote_handle *handle = list_entry(connection->handles.next, struct remote_handle, link);

        list_remove(&handle->link);
        handle->connection = NULL;
    }
    pthread_mutex_unlock(&remote->lock);
    connection_close(connection);
}

static void end_connections(struct remote_context *context)
{
    struct remote *remote = context_remote(context);

    pthread_mutex_lock(&remote->lock);
    while (!list_empty(&context->connections)) {
        struct connection *connection =
            list_entry(context->connections.next, struct connection, context_link);

        list_remove(&connection->context_link);
        pthread_mutex_unlock(&remote->lock);
        end_connection(connection);
        pthread_mutex_lock(&remote->lock);
    }
    pthread_mutex_unlock(&remote->lock);
}

static void release(struct service_context *service_context)
{
    struct remote_context *context = remote_context_of(service_context);
    struct remote *remote = context_remote(context);

    pthread_mutex_lock(&remote->lock);
    context->closed = true;
    call_cancel_all(context, false);
    wait_until_quiet(context);
    pthread_mutex_unlock(&remote->lock);
    end_connections(context);
}

/* Other contexts may have no connection yet. Whether the server is still there is told to their first call.
 */
static void hold(struct remote *remote)
{
    struct connection *connection;

    if (connection_open_bare(remote, &connection)) {
        detail_clear();
        return;
    }
    pthread_mutex_lock(&remote->lock);
    if (!remote->first) {
        remote->first = connection;
        connection = NULL;
    }
    pthread_mutex_unlock(&remote->lock);
    if (connection)
        connection_close(connection);
}

static void context_free(struct service_context *service_context)
{
    struct remote_context *context = remote_context_of(service_context);
    struct remote *remote = context_remote(context);
    bool last;

    /* One may have been made just before the release. */
    end_connections(context);
    pthread_mutex_lock(&remote->lock);
    list_remove(&context->link);
    last = remote->ours && !list_empty(&remote->contexts) && list_empty(&remote->connections);
    pthread_mutex_unlock(&remote->lock);
    if (last)
        hold(remote);
    pthread_cond_destroy(&context->quiet);
    free(context);
}

static int end_calls(struct service_context *service_context, bool aborted)
{
    struct remote_context *context = remote_context_of(service_context);
    struct remote *remote = context_remote(context);
    int rc;

    pthread_mutex_lock(&remote->lock);
    rc = context->closed ? RC_INVALID_HANDLE : context->lost ? RC_NO_SERVICE : RC_OK;
    call_cancel_all(context, aborted);
    pthread_mutex_unlock(&remote->lock);
    return rc;
}

static int check(struct service_context *service_context)
{
    struct remote_context *context = remote_context_of(service_context);
    struct remote *remote = context_remote(context);
    int rc;

    pthread_mutex_lock(&remote->lock);
    list_each(node, &context->connections) context->lost |=
        has_ended(list_entry(node, struct connection, context_link));
    if (list_empty(&context->connections))
        context->lost |= !is_held(remote);
    rc = context->closed ? RC_INVALID_HANDLE : context->lost ? RC_NO_SERVICE : RC_OK;
    pthread_mutex_unlock(&remote->lock);
    return rc;
}

static int cancel(struct service_context *context)
{
    return end_calls(context, false);
}

static int abort_exchanges(struct service_context *context)
{
    return end_calls(context, true);
}

static const struct service_ops remote_ops = {
    .establish = establish,
    .release = release,
    .context_free = context_free,
    .cancel = cancel,
    .abort = abort_exchanges,
    .check = check,
    .list = remote_list,
    .table = remote_table,
    .wait = remote_wait,
    .fact = remote_fact,
    .connect = remote_connect,
    .reconnect = remote_reconnect,
    .disconnect = remote_disconnect,
    .handle_free = remote_handle_free,
    .begin = remote_begin,
    .end = remote_end,
    .status = remote_status,
    .transmit = remote_transmit,
    .control = remote_control,
    .get_attribute = remote_get_attribute,
    .set_attribute = remote_set_attribute,
};

int remote_new(const char *socket_path, struct service **ret_service)
{
    struct remote *remote;
    int rc;

    if (strlen(socket_path) >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return detail_set(RC_NO_SERVICE, "%s: the path is too long for a socket (%zu characters at most)",
                          socket_path, sizeof((struct sockaddr_un *)NULL)->sun_path - 1);
    remote = calloc(1, sizeof *remote);
    if (!remote)
        return RC_NO_MEMORY;
    remote->service.ops = &remote_ops;
    pthread_mutex_init(&remote->lock, NULL);
    pthread_condattr_init(&remote->monotonic);
    pthread_condattr_setclock(&remote->monotonic, CLOCK_MONOTONIC);
    list_init(&remote->connections);
    list_init(&remote->contexts);
    remote->path = strdup(socket_path);
    rc = remote->path ? connection_open_bare(remote, &remote->first) : RC_NO_MEMORY;
    if (rc) {
        remote_free(&remote->service);
        return rc;
    }
    *ret_service = &remote->service;
    return RC_OK;
}

void remote_free(struct service *service)
{
    struct remote *remote = remote_of(service);

    if (remote->first)
        connection_close(remote->first);
    pthread_mutex_destroy(&remote->lock);
    pthread_condattr_destroy(&remote->monotonic);
    free(remote->names);
    free(remote->path);
    free(remote);
}

bool remote_is_there(struct service *service)
{
    struct remote *remote = remote_of(service);
    bool there;

    pthread_mutex_lock(&remote->lock);
    there = is_held(remote);
    pthread_mutex_unlock(&remote->lock);
    return there;
}

bool remote_is_ours(struct service *service)
{
    struct remote *remote = remote_of(service);
    bool ours;

    pthread_mutex_lock(&remote->lock);
    ours = remote->ours;
    pthread_mutex_unlock(&remote->lock);
    return ours;
}

void remote_set_ours(struct service *service)
{
    struct remote *remote = remote_of(service);

    pthread_mutex_lock(&remote->lock);
    remote->ours = true;
    pthread_mutex_unlock(&remote->lock);
}

void remote_before_fork(struct service *service)
{
    pthread_mutex_lock(&remote_of(service)->lock);
}

void remote_after_fork(struct service *service, bool in_child)
{
    struct remote *remote = remote_of(service);

    list_each(node, &remote->connections)
    {
        if (in_child)
            close(list_entry(node, struct connection, remote_link)->fd);
    }
    list_each(node, &remote->contexts)
    {
        struct remote_context *context = list_entry(node, struct remote_context, link);

        list_each(call_node, &context->calls)
        {
            int wake_fd = list_entry(call_node, struct remote_call, context_link)->wake_fd;

            if (in_child && wake_fd >= 0)
                close(wake_fd);
        }
    }
    pthread_mutex_unlock(&remote->lock);
}
