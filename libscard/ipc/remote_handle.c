/* SPDX-License-Identifier: MIT */
#include "ipc/remote_handle.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "ipc/remote_call.h"
#include "ipc/remote_connection.h"
#include "ipc/remote_exchange.h"
#include "ipc/remote_plain.h"
#include "ipc/remote_table.h"

/* Somebody else has a transaction: the server would hold the request back, or refuse it. A server with
 * features needs not be asked: it waits, passes or refuses as it should. RC_SHARING. */
static int ask_status(struct remote_call *call, const struct remote_handle *handle)
{
    struct wire_begin body = {.card = handle->card};
    int rc = call_ask(call, WIRE_STATUS, &body, NULL, 0);

    return rc ? rc : remote_handle_rc(call, handle, body.rv);
}

/* A connection that is held back by another's transaction is given up by breaking the connection off, hence
 * one without handles. When the server takes no more connections, one is shared. */
static int enter_to_connect(struct remote_call *call, struct remote_context *context)
{
    int rc = call_enter(call, context, NEED_BARE);

    return rc == RC_NO_SERVICE ? call_enter(call, context, NEED_ANY) : rc;
}

static int ask_to_connect(struct remote_call *call, struct wire_connect *body)
{
    struct remote *remote = context_remote(call->context);
    int rc;

    pthread_mutex_lock(&remote->lock);
    rc = call->cancelled ? RC_CANCELLED : RC_OK;
    call->held = list_empty(&call->connection->handles);
    pthread_mutex_unlock(&remote->lock);
    body->context = call->connection->context;
    if (!rc)
        rc = call_ask(call, WIRE_CONNECT, body, NULL, 0);
    return rc ? rc : call_rc(call, body->rv);
}

/* The handle belongs to the context before a release can look. */
static int adopt(struct remote_call *call, struct remote_handle *handle, const struct wire_connect *body)
{
    struct remote *remote = context_remote(call->context);
    bool held = call->held;
    int rc;

    pthread_mutex_lock(&remote->lock);
    call->held = false;
    handle->base.context = &call->context->base;
    handle->card = body->card;
    memcpy(handle->reader, body->reader, sizeof handle->reader);
    rc = call->cancelled && held ? RC_CANCELLED : RC_OK;
    if (rc) {
        /* It was cut off while the answer came. */
        call->connection->broken = true;
    } else {
        handle->connection = call->connection;
        list_append(&call->connection->handles, &handle->link);
    }
    pthread_mutex_unlock(&remote->lock);
    return rc;
}

int remote_connect(struct service_context *service_context, const char *reader, enum share_mode share,
                   uint32_t protocols, struct service_handle **ret_handle, uint32_t *ret_protocol)
{
    struct wire_connect body = {.share = share, .protocols = protocols}, asked;
    struct remote_handle *handle;
    struct remote_call call;
    int rc;

    if (!reader[0] || strlen(reader) >= sizeof body.reader)
        return RC_UNKNOWN_READER;
    strcpy(body.reader, reader);
    handle = calloc(1, sizeof *handle);
    if (!handle)
        return RC_NO_MEMORY;
    list_init(&handle->link);
    rc = enter_to_connect(&call, remote_context_of(service_context));
    if (rc) {
        free(handle);
        return rc;
    }
    asked = body;
    rc = ask_to_connect(&call, &asked);
    memcpy(asked.reader, body.reader, sizeof asked.reader);
    if (!rc)
        rc = adopt(&call, handle, &asked);
    if (rc) {
        call_leave(&call);
        free(handle);
        return rc;
    }
    /* A server that is lost now is noticed by the next call. */
    plain_note(&call, handle, share);
    call_leave(&call);
    *ret_handle = &handle->base;
    *ret_protocol = asked.protocol;
    return RC_OK;
}

/* With the turn, and nobody's transaction in the way. */
static int reconnect_once(struct remote_call *call, struct remote_handle *handle, struct wire_reconnect *body)
{
    int rc = call_ask(call, WIRE_RECONNECT, body, NULL, 0);

    return rc ? rc : remote_handle_rc(call, handle, body->rv);
}

static int reconnect(struct remote_call *call, struct remote_handle *handle,
                     const struct wire_reconnect *wanted, uint32_t *ret_protocol)
{
    struct wire_reconnect body = *wanted;
    int rc = RC_OK;

    if (body.share == SHARE_EXCLUSIVE)
        rc = plain_may_be_exclusive(call, handle);
    if (!rc)
        rc = reconnect_once(call, handle, &body);
    if ((rc == RC_UNRESPONSIVE || rc == RC_MUTE) && wanted->initialization == CARD_LEAVE &&
        plain_is_off(call, handle)) {
        body = *wanted;
        body.initialization = CARD_RESET;
        rc = reconnect_once(call, handle, &body);
    }
    if (!rc)
        rc = plain_note(call, handle, (enum share_mode)body.share);
    if (!rc)
        *ret_protocol = body.protocol;
    return rc;
}

int remote_reconnect(struct service_handle *service_handle, enum share_mode share, uint32_t protocols,
                     enum disposition initialization, uint32_t *ret_protocol)
{
    struct remote_handle *handle = remote_handle_of(service_handle);
    struct wire_reconnect wanted = {
        .card = handle->card, .share = share, .protocols = protocols, .initialization = initialization};
    struct remote_call call;
    unsigned pause_ms = 0;
    int rc = call_enter_handle(&call, handle);

    if (rc)
        return rc;
    /* A sharing violation has two causes: another's transaction, which is waited for, and another's use of a
     * reader that is wanted exclusively, which is not. */
    while (!call.connection->features && (rc = ask_status(&call, handle)) == RC_SHARING) {
        rc = call.context->no_wait ? RC_SHARING : call_pause(&call, handle, &pause_ms);
        if (rc)
            goto out;
    }
    rc = rc == RC_SERVICE_STOPPED ? rc : reconnect(&call, handle, &wanted, ret_protocol);
out:
    call_leave(&call);
    return rc;
}

/* The handle is closed. */
static void forget(struct remote_call *call, struct remote_handle *handle)
{
    struct remote *remote = context_remote(call->context);

    pthread_mutex_lock(&remote->lock);
    handle->connection = NULL;
    list_remove(&handle->link);
    pthread_mutex_unlock(&remote->lock);
}

/* Another has a transaction, which a disconnect without a reset does not touch: it need not wait for pcscd,
 * which carries it out when the transaction has ended. */
static int disconnect_later(struct remote_call *call, struct wire_disconnect *body)
{
    struct remote *remote = context_remote(call->context);
    bool alone;
    int rc = connection_send(call->connection, WIRE_DISCONNECT, body, NULL, 0);

    if (rc)
        return call_broken(call, rc);
    pthread_mutex_lock(&remote->lock);
    alone = call->connection->handles.next == call->connection->handles.prev;
    call->connection->broken |= alone;
    pthread_mutex_unlock(&remote->lock);
    return alone ? RC_OK : call_receive(call, body, sizeof *body);
}

int remote_disconnect(struct service_handle *service_handle, enum disposition disposition)
{
    struct remote_handle *handle = remote_handle_of(service_handle);
    struct wire_disconnect body = {.card = handle->card, .disposition = disposition};
    struct remote_call call;
    unsigned pause_ms = 0;
    int rc = call_enter_handle(&call, handle);

    if (rc)
        return rc;
    do {
        rc = call.connection->features ? RC_OK : ask_status(&call, handle);
        if (rc == RC_SHARING && disposition == CARD_LEAVE) {
            rc = disconnect_later(&call, &body);
            break;
        }
        if (rc == RC_SHARING) {
            rc = call_pause(&call, handle, &pause_ms);
            if (rc)
                break;
            rc = RC_SHARING;
        } else if (rc != RC_SERVICE_STOPPED) {
            rc = call_ask(&call, WIRE_DISCONNECT, &body, NULL, 0);
            if (!rc)
                rc = wire_rc(body.rv);
            /* Whatever has become of card and reader, the handle is closed. */
            if (rc != RC_SERVICE_STOPPED && rc != RC_CANCELLED && rc != RC_SHARING)
                rc = RC_OK;
        }
    } while (rc == RC_SHARING);
    if (!rc)
        forget(&call, handle);
    call_leave(&call);
    return rc;
}

void remote_handle_free(struct service_handle *service_handle)
{
    struct remote_handle *handle = remote_handle_of(service_handle);
    struct remote *remote = context_remote(remote_context_of(handle->base.context));

    pthread_mutex_lock(&remote->lock);
    list_remove(&handle->link);
    pthread_mutex_unlock(&remote->lock);
    free(handle);
}

int remote_begin(struct service_handle *service_handle)
{
    struct remote_handle *handle = remote_handle_of(service_handle);
    struct remote_call call;
    unsigned pause_ms = 0;
    int rc = call_enter_handle(&call, handle);

    if (rc)
        return rc;
    for (;;) {
        struct wire_begin body = {.card = handle->card};

        /* pcscd holds a refusal back for 100 ms, so it is asked for that only when it is likely to agree. Not
         * before the first time: most often nobody else is there, and each transaction would cost one
         * question more. A cancel waits for that answer: pcscd has no request that ends it, with the
         * connection the handle would go, and if nobody were left to read that it agreed, the card would stay
         * locked. */
        rc = call.connection->features || !pause_ms ? RC_OK : ask_status(&call, handle);
        if (!rc)
            rc = call_ask(&call, WIRE_BEGIN, &body, NULL, 0);
        if (!rc)
            rc = remote_handle_rc(&call, handle, body.rv);
        if (rc == RC_SHARING)
            rc = call_pause(&call, handle, &pause_ms);
        else
            break;
        if (rc)
            break;
    }
    call_leave(&call);
    return rc;
}

int remote_end(struct service_handle *service_handle, enum disposition disposition)
{
    struct remote_handle *handle = remote_handle_of(service_handle);
    struct wire_disconnect body = {.card = handle->card, .disposition = disposition};
    struct remote_call call;
    int rc = call_enter_handle(&call, handle);

    if (rc)
        return rc;
    rc = call_ask(&call, WIRE_END, &body, NULL, 0);
    if (!rc)
        rc = remote_handle_rc(&call, handle, body.rv);
    call_leave(&call);
    return rc;
}

/* What the table says of the handle's reader. */
static int describe(struct remote_call *call, const struct remote_handle *handle,
                    struct handle_status *ret_status)
{
    const struct wire_reader *entry;
    struct table table;
    int rc = table_read(call, &table);

    if (rc)
        return rc;
    entry = table_find(&table, handle->reader);
    if (!entry || !table_card(entry)) {
        rc = RC_READER_UNAVAILABLE;
    } else {
        *ret_status = (struct handle_status){
            .reader = handle->reader,
            .state = entry->events << 16 | table_card(entry),
            .atr_length = table_atr_length(entry),
        };
        if (ret_status->atr_length)
            ret_status->protocol = entry->protocol;
        memcpy(ret_status->atr, entry->atr, ret_status->atr_length);
    }
    free(table.entries);
    return rc;
}

int remote_status(struct service_handle *service_handle, struct handle_status *ret_status)
{
    struct remote_handle *handle = remote_handle_of(service_handle);
    struct remote_call call;
    unsigned pause_ms = 0;
    int rc = call_enter_handle(&call, handle);

    if (rc)
        return rc;
    while ((rc = ask_status(&call, handle)) == RC_SHARING && !call.context->no_wait) {
        rc = call_pause(&call, handle, &pause_ms);
        if (rc)
            break;
    }
    if (!rc)
        rc = describe(&call, handle, ret_status);
    call_leave(&call);
    return rc;
}
