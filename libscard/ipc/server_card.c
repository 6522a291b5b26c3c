/* SPDX-License-Identifier: MIT */
#include "ipc/server_card.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "ipc/server_output.h"

#define PROTOCOLS (PROTOCOL_T0 | PROTOCOL_T1 | PROTOCOL_RAW)
#define PROTOCOL_ANY_OLD 0x1000 /* old programs mean the active one by it */

void server_card_reply(const struct server_request *request, size_t size)
{
    server_output_send(request->client, request->worker->out, size);
    secret_wipe(request->worker->out, size);
}

/* The body as a structure of its own: in the stream it has no alignment. */
#define BODY(from, copy) memcpy((copy), (from)->message->body, sizeof *(copy))

static void reply_body(const struct server_request *request, const void *body, size_t size)
{
    memcpy(request->worker->out, body, size);
    server_card_reply(request, size);
}

#define REPLY(to, copy) reply_body((to), (copy), sizeof *(copy))

struct server_context *server_card_context(const struct server_client *client, uint32_t id)
{
    return client->context && client->context->id == id ? client->context : NULL;
}

/* The handle if it belongs to this client. */
static int find(const struct server_request *request, int32_t card, struct server_handle **ret_handle)
{
    const struct server_context *context = request->client->context;
    struct server *server = request->client->server;
    struct server_handle *handle;

    /* Most programs have one, and that list is this thread's. */
    if (context && !list_empty(&context->handles)) {
        handle = list_entry(context->handles.next, struct server_handle, link);
        if (handle->id == (uint32_t)card) {
            *ret_handle = handle;
            return RC_OK;
        }
    }
    pthread_mutex_lock(&server->lock);
    handle = ids_get(&server->handle_ids, (uint32_t)card);
    if (handle && handle->context->client != request->client)
        handle = NULL;
    pthread_mutex_unlock(&server->lock);
    if (!handle)
        return RC_INVALID_HANDLE;
    *ret_handle = handle;
    return RC_OK;
}

/* The same for a call that may wait for another client: whose request must find a thread. */
static int find_to_wait(const struct server_request *request, int32_t card, struct server_handle **ret_handle)
{
    int rc = find(request, card, ret_handle);

    if (!rc && request->worker->last)
        return detail_set(RC_NO_MEMORY, "no thread is left for those who could end the wait");
    return rc;
}

/* Order as pcscd has it: the protocols first. */
static int check_mode(uint32_t share, uint32_t protocols)
{
    if (!(protocols & PROTOCOLS) && share != SHARE_DIRECT)
        return RC_PROTO_MISMATCH;
    if (share < SHARE_EXCLUSIVE || share > SHARE_DIRECT)
        return RC_INVALID_VALUE;
    return RC_OK;
}

/* Gives the handle a number. */
static int enter(struct server_context *context, struct service_handle *service, uint32_t *ret_id)
{
    struct server_client *client = context->client;
    struct server_handle *handle = calloc(1, sizeof *handle);
    int rc;

    if (!handle)
        return RC_NO_MEMORY;
    *handle = (struct server_handle){.context = context, .service = service};
    pthread_mutex_lock(&client->server->lock);
    rc = ids_add(&client->server->handle_ids, handle, &handle->id);
    pthread_mutex_unlock(&client->server->lock);
    if (rc) {
        free(handle);
        return rc;
    }
    list_append(&context->handles, &handle->link);
    *ret_id = handle->id;
    return RC_OK;
}

static int make_handle(const struct server_request *request, const struct wire_connect *body,
                       uint32_t *ret_id, uint32_t *ret_protocol)
{
    struct server_context *context = server_card_context(request->client, body->context);
    struct service_handle *handle;
    int rc = context ? check_mode(body->share, body->protocols) : RC_INVALID_HANDLE;

    if (!rc && request->worker->last)
        rc = RC_NO_MEMORY;
    if (!rc && !memchr(body->reader, 0, sizeof body->reader))
        rc = RC_UNKNOWN_READER;
    if (!rc)
        rc = server_context_ops(context->service)
                 ->connect(context->service, body->reader, (enum share_mode)body->share,
                           body->protocols & PROTOCOLS, &handle, ret_protocol);
    if (rc)
        return rc;
    rc = enter(context, handle, ret_id);
    if (rc) {
        server_handle_ops(handle)->disconnect(handle, CARD_LEAVE);
        server_handle_ops(handle)->handle_free(handle);
    }
    return rc;
}

void server_card_connect(const struct server_request *request)
{
    struct wire_connect body;
    uint32_t id = 0, protocol = 0;
    int rc;

    BODY(request, &body);
    server_output_watch(request->client);
    rc = make_handle(request, &body, &id, &protocol);
    body.rv = wire_code(rc);
    body.card = rc ? 0 : (int32_t)id;
    body.protocol = rc ? 0 : protocol;
    REPLY(request, &body);
}

void server_card_reconnect(const struct server_request *request)
{
    struct wire_reconnect body;
    struct server_handle *handle;
    uint32_t protocol = 0;
    int rc;

    BODY(request, &body);
    rc = find_to_wait(request, body.card, &handle);
    if (!rc)
        rc = body.initialization > CARD_UNPOWER ? RC_INVALID_VALUE : check_mode(body.share, body.protocols);
    if (!rc)
        rc = server_handle_ops(handle->service)
                 ->reconnect(handle->service, (enum share_mode)body.share, body.protocols & PROTOCOLS,
                             (enum disposition)body.initialization, &protocol);
    body.rv = wire_code(rc);
    body.protocol = rc ? 0 : protocol;
    REPLY(request, &body);
}

void server_card_disconnect(const struct server_request *request)
{
    struct server *server = request->client->server;
    struct wire_disconnect body;
    struct server_handle *handle;
    int rc;

    BODY(request, &body);
    if (body.disposition == CARD_LEAVE)
        rc = find(request, body.card, &handle);
    else
        rc = find_to_wait(request, body.card, &handle);
    if (!rc)
        rc = body.disposition > CARD_EJECT
                 ? RC_INVALID_VALUE
                 : server_handle_ops(handle->service)
                       ->disconnect(handle->service, (enum disposition)body.disposition);
    if (!rc) {
        pthread_mutex_lock(&server->lock);
        ids_remove(&server->handle_ids, handle->id);
        pthread_mutex_unlock(&server->lock);
        list_remove(&handle->link);
        server_handle_ops(handle->service)->handle_free(handle->service);
        free(handle);
    }
    body.rv = wire_code(rc);
    REPLY(request, &body);
}

void server_card_begin(const struct server_request *request)
{
    struct wire_begin body;
    struct server_handle *handle;
    int rc;

    BODY(request, &body);
    rc = find_to_wait(request, body.card, &handle);
    body.rv = wire_code(rc ? rc : server_handle_ops(handle->service)->begin(handle->service));
    REPLY(request, &body);
}

void server_card_end(const struct server_request *request)
{
    struct wire_disconnect body;
    struct server_handle *handle;
    int rc;

    BODY(request, &body);
    rc = find(request, body.card, &handle);
    if (!rc)
        rc = body.disposition > CARD_EJECT ? RC_INVALID_VALUE
                                           : server_handle_ops(handle->service)
                                                 ->end(handle->service, (enum disposition)body.disposition);
    body.rv = wire_code(rc);
    REPLY(request, &body);
}

void server_card_status(const struct server_request *request)
{
    struct wire_begin body;
    struct server_handle *handle;
    struct handle_status status;
    int rc;

    BODY(request, &body);
    rc = find_to_wait(request, body.card, &handle);
    body.rv = wire_code(rc ? rc : server_handle_ops(handle->service)->status(handle->service, &status));
    REPLY(request, &body);
}

/* What becomes of an answer in the whole room for the client's own. An answer that does not fit is lost, but
 * its length is told. *ret_data: how many bytes of it follow the reply. */
static int fit(int rc, size_t length, uint32_t room, uint32_t *ret_length, size_t *ret_data)
{
    if (!rc && length > room)
        rc = RC_INSUFFICIENT_BUFFER;
    *ret_length = !rc || rc == RC_INSUFFICIENT_BUFFER ? (uint32_t)length : 0;
    *ret_data = rc ? 0 : length;
    return rc;
}

/* Sends the body and length bytes of data that lie behind where the body goes; wipes all that the card or
 * the reader has answered. */
static void reply_data(const struct server_request *request, const void *body, size_t size, size_t length,
                       size_t answered)
{
    uint8_t *out = request->worker->out;

    memcpy(out, body, size);
    server_output_send(request->client, out, size + length);
    secret_wipe(out, size + (answered < WIRE_DATA_MAX ? answered : WIRE_DATA_MAX));
}

static int exchange(const struct server_request *request, const struct wire_transmit *body, uint8_t *answer,
                    size_t *ret_length)
{
    struct server_handle *handle;
    uint32_t protocol = body->send_protocol == PROTOCOL_ANY_OLD ? PROTOCOL_RAW : body->send_protocol;
    int rc = find_to_wait(request, body->card, &handle);

    if (rc)
        return rc;
    if (!request->message->data_size)
        return RC_INVALID_PARAMETER;
    if (protocol != PROTOCOL_T0 && protocol != PROTOCOL_T1 && protocol != PROTOCOL_RAW)
        return RC_PROTO_MISMATCH;
    return server_handle_ops(handle->service)
        ->transmit(handle->service, protocol, request->message->data, request->message->data_size, answer,
                   WIRE_DATA_MAX, ret_length);
}

void server_card_transmit(const struct server_request *request)
{
    struct wire_transmit body;
    size_t answered = 0, length;
    int rc;

    BODY(request, &body);
    rc = exchange(request, &body, request->worker->out + sizeof body, &answered);
    rc = fit(rc, answered, body.receive_length, &body.receive_length, &length);
    body.receive_protocol = body.send_protocol;
    body.rv = wire_code(rc);
    reply_data(request, &body, sizeof body, length, answered);
}

void server_card_control(const struct server_request *request)
{
    struct wire_control body;
    struct server_handle *handle;
    size_t answered = 0, length;
    int rc;

    BODY(request, &body);
    rc = find_to_wait(request, body.card, &handle);
    if (!rc)
        rc = server_handle_ops(handle->service)
                 ->control(handle->service, body.code, request->message->data, request->message->data_size,
                           request->worker->out + sizeof body, WIRE_DATA_MAX, &answered);
    rc = fit(rc, answered, body.receive_length, &body.returned, &length);
    body.rv = wire_code(rc);
    reply_data(request, &body, sizeof body, length, answered);
}

void server_card_get_attribute(const struct server_request *request)
{
    struct wire_attribute body;
    struct server_handle *handle;
    size_t length = 0;
    int rc;

    BODY(request, &body);
    rc = find_to_wait(request, body.card, &handle);
    memset(body.value, 0, sizeof body.value);
    if (!rc)
        rc = server_handle_ops(handle->service)
                 ->get_attribute(handle->service, body.id, body.value, body.length, &length);
    if (rc)
        memset(body.value, 0, sizeof body.value);
    body.length = !rc || rc == RC_INSUFFICIENT_BUFFER ? (uint32_t)length : 0;
    body.rv = wire_code(rc);
    REPLY(request, &body);
    secret_wipe(&body, sizeof body);
}

void server_card_set_attribute(const struct server_request *request)
{
    struct wire_attribute body;
    struct server_handle *handle;
    int rc;

    BODY(request, &body);
    rc = find_to_wait(request, body.card, &handle);
    if (!rc)
        rc = server_handle_ops(handle->service)
                 ->set_attribute(handle->service, body.id, body.value, body.length);
    body.rv = wire_code(rc);
    REPLY(request, &body);
    secret_wipe(&body, sizeof body);
}
