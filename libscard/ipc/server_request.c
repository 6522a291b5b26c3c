/* SPDX-License-Identifier: MIT */
#include "ipc/server_request.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "ipc/server_card.h"
#include "ipc/server_client.h"
#include "ipc/server_notify.h"
#include "ipc/server_output.h"

#define SCOPE_MAX 3 /* SCARD_SCOPE_GLOBAL */

static void version(const struct server_request *request)
{
    struct wire_version body;

    memcpy(&body, request->message->body, sizeof body);
    /* pcsc-lite 1.9.9 insists on its own number in the answer; later ones take what they are told. */
    if (body.major == WIRE_MAJOR && body.minor >= WIRE_MINOR_OLDEST && body.minor <= WIRE_MINOR_NEWEST) {
        request->client->minor = body.minor;
        body.rv = wire_code(RC_OK);
    } else {
        body = (struct wire_version){WIRE_MAJOR, WIRE_MINOR_NEWEST, wire_code(RC_SERVICE_STOPPED)};
    }
    server_output_send(request->client, &body, sizeof body);
}

static int establish_for(const struct server_client *client, bool no_wait,
                         struct service_context **ret_context)
{
    const struct server *server = client->server;
    int64_t start_ns = clock_now_ns();
    struct service_context *context;
    int rc = server_ops(server)->establish(server->service, no_wait, &context);

    if (rc)
        return rc;
    *ret_context =
        server->options.wrap ? server->options.wrap(context, start_ns, (uint32_t)client->pid) : context;
    return RC_OK;
}

/* Makes the context, unless nobody would notice any more that the client has gone. */
static int make_context(struct server_client *client, uint32_t *ret_id)
{
    struct server *server = client->server;
    struct server_context *context;
    int rc;

    if (client->context)
        return RC_INVALID_VALUE; /* one connection, one context */
    context = calloc(1, sizeof *context);
    if (!context)
        return RC_NO_MEMORY;
    context->client = client;
    context->references = 1;
    list_init(&context->handles);
    rc = establish_for(client, false, &context->service);
    if (rc) {
        free(context);
        return rc;
    }
    pthread_mutex_lock(&server->lock);
    rc = client->gone ? RC_CANCELLED : ids_add(&server->context_ids, context, &context->id);
    if (!rc)
        client->context = context;
    *ret_id = context->id;
    pthread_mutex_unlock(&server->lock);
    if (rc) {
        server_context_ops(context->service)->release(context->service);
        pthread_mutex_lock(&server->lock);
        server_context_unref(context);
        pthread_mutex_unlock(&server->lock);
    }
    return rc;
}

static void establish(const struct server_request *request)
{
    struct wire_establish body;
    uint32_t id = 0;
    int rc;

    memcpy(&body, request->message->body, sizeof body);
    rc = body.scope > SCOPE_MAX ? RC_INVALID_VALUE : make_context(request->client, &id);
    body.rv = wire_code(rc);
    body.context = rc ? 0 : id;
    body.scope = WIRE_FEATURES | WIRE_CAN_ABORT | WIRE_CAN_FACT | WIRE_CAN_NO_WAIT;
    server_output_send(request->client, &body, sizeof body);
}

void server_context_unref(struct server_context *context)
{
    struct server *server = context->client->server;

    if (--context->references)
        return;
    pthread_mutex_unlock(&server->lock);
    list_each(node, &context->handles)
    {
        struct server_handle *handle = list_entry(node, struct server_handle, link);

        server_handle_ops(handle->service)->handle_free(handle->service);
        free(handle);
    }
    if (context->replaced)
        server_context_ops(context->replaced)->context_free(context->replaced);
    server_context_ops(context->service)->context_free(context->service);
    free(context);
    pthread_mutex_lock(&server->lock);
}

void server_request_end_context(struct server_client *client)
{
    struct server *server = client->server;
    struct server_context *context;
    bool released = false;

    pthread_mutex_lock(&server->lock);
    context = client->context;
    client->context = NULL;
    if (context) {
        released = context->released;
        context->released = true;
        ids_remove(&server->context_ids, context->id);
        list_each(node, &context->handles)
            ids_remove(&server->handle_ids, list_entry(node, struct server_handle, link)->id);
    }
    pthread_mutex_unlock(&server->lock);
    if (!context)
        return;
    if (!released)
        server_context_ops(context->service)->release(context->service);
    pthread_mutex_lock(&server->lock);
    server_context_unref(context);
    pthread_mutex_unlock(&server->lock);
}

static void reply_release(const struct server_request *request, struct wire_release body, int rc)
{
    body.rv = wire_code(rc);
    server_output_send(request->client, &body, sizeof body);
}

static struct wire_release release_body(const struct server_request *request)
{
    struct wire_release body;

    memcpy(&body, request->message->body, sizeof body);
    return body;
}

static void release(const struct server_request *request)
{
    struct wire_release body = release_body(request);
    bool own = server_card_context(request->client, body.context);

    if (own)
        server_request_end_context(request->client);
    reply_release(request, body, own ? RC_OK : RC_INVALID_HANDLE);
}

/* Ends the waits of a context of the same user: a program cancels by a connection of its own. */
static int end_calls(const struct server_client *client, uint32_t id, bool exchanges)
{
    struct server *server = client->server;
    struct service_context *service = NULL;
    struct server_context *context;
    struct server_client *target;
    int rc;

    pthread_mutex_lock(&server->lock);
    context = ids_get(&server->context_ids, id);
    if (!context || context->client->uid != client->uid) {
        pthread_mutex_unlock(&server->lock);
        return RC_INVALID_HANDLE;
    }
    target = context->client;
    target->references++;
    context->references++;
    service = context->service;
    pthread_mutex_unlock(&server->lock);
    server_notify_cancel(target);
    rc = exchanges ? server_context_ops(service)->abort(service)
                   : server_context_ops(service)->cancel(service);
    pthread_mutex_lock(&server->lock);
    server_context_unref(context);
    server_client_unref(target);
    pthread_mutex_unlock(&server->lock);
    return rc;
}

static void cancel(const struct server_request *request)
{
    struct wire_release body = release_body(request);
    bool exchanges = request->message->command == WIRE_ABORT;

    reply_release(request, body, end_calls(request->client, body.context, exchanges));
}

/* The service knows this from the start only, so the context is made anew; others may be ending the calls of
 * the old one just now, so that its memory stays. */
static int do_not_wait(struct server_client *client, uint32_t id)
{
    struct server_context *context = server_card_context(client, id);
    struct server *server = client->server;
    struct service_context *service;
    int rc;

    if (!context)
        return RC_INVALID_HANDLE;
    if (context->replaced)
        return RC_OK;
    if (!list_empty(&context->handles))
        return RC_INVALID_VALUE;
    rc = establish_for(client, true, &service);
    if (rc)
        return rc;
    pthread_mutex_lock(&server->lock);
    context->replaced = client->gone ? service : context->service;
    if (!client->gone)
        context->service = service;
    pthread_mutex_unlock(&server->lock);
    server_context_ops(context->replaced)->release(context->replaced);
    return RC_OK;
}

static void no_wait(const struct server_request *request)
{
    struct wire_release body = release_body(request);

    reply_release(request, body, do_not_wait(request->client, body.context));
}

static void fact(const struct server_request *request)
{
    struct server_client *client = request->client;
    struct server_context *context;
    struct wire_fact body;
    char *text = NULL;
    int rc = RC_OK;

    memcpy(&body, request->message->body, sizeof body);
    context = server_card_context(client, body.context);
    if (!context)
        rc = RC_INVALID_HANDLE;
    else if (!memchr(body.reader, 0, sizeof body.reader) || !memchr(body.key, 0, sizeof body.key))
        rc = RC_INVALID_VALUE;
    else
        rc = server_context_ops(context->service)->fact(context->service, body.reader, body.key, &text);
    body.rv = wire_code(rc);
    body.length = rc ? 0 : (uint32_t)strnlen(text, WIRE_DATA_MAX);
    /* In one piece: the end of a wait must not come between. */
    memcpy(request->worker->out, &body, sizeof body);
    if (body.length)
        memcpy(request->worker->out + sizeof body, text, body.length);
    server_card_reply(request, sizeof body + body.length);
    free(text);
}

static int answer_of_table(struct server_client *client, uint32_t command)
{
    switch (command) {
    case WIRE_GET_LEGACY_TABLE:
        server_notify_send_legacy_table(client);
        return RC_OK;
    case WIRE_WAIT:
        return server_notify_wait(client);
    case WIRE_STOP_WAITING:
        server_notify_stop_waiting(client);
        return RC_OK;
    case WIRE_GET_EVENTS:
        server_notify_send_list_events(client);
        return RC_OK;
    case WIRE_GET_TABLE_SIZE:
        server_notify_send_count(client);
        return RC_OK;
    case WIRE_GET_TABLE:
        server_notify_send_table(client);
        return RC_OK;
    default:
        return detail_set(RC_IO, "command %02X cannot be answered", command);
    }
}

int server_request_answer(struct server_client *client, struct server_worker *worker,
                          const struct server_message *message)
{
    static server_answer *const answers[] = {
        [WIRE_ESTABLISH] = establish,
        [WIRE_RELEASE] = release,
        [WIRE_CONNECT] = server_card_connect,
        [WIRE_RECONNECT] = server_card_reconnect,
        [WIRE_DISCONNECT] = server_card_disconnect,
        [WIRE_BEGIN] = server_card_begin,
        [WIRE_END] = server_card_end,
        [WIRE_TRANSMIT] = server_card_transmit,
        [WIRE_CONTROL] = server_card_control,
        [WIRE_STATUS] = server_card_status,
        [WIRE_CANCEL] = cancel,
        [WIRE_GET_ATTRIBUTE] = server_card_get_attribute,
        [WIRE_SET_ATTRIBUTE] = server_card_set_attribute,
        [WIRE_VERSION] = version,
        [WIRE_ABORT] = cancel,
        [WIRE_FACT] = fact,
        [WIRE_NO_WAIT] = no_wait,
    };
    const struct server_request request = {client, worker, message};

    if (message->command >= sizeof answers / sizeof *answers || !answers[message->command])
        return answer_of_table(client, message->command);
    answers[message->command](&request);
    return RC_OK;
}
