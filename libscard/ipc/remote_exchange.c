/* SPDX-License-Identifier: MIT */
#include "ipc/remote_exchange.h"

#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/rc.h"
#include "ipc/remote_call.h"
#include "ipc/remote_connection.h"
#include "ipc/remote_plain.h"

/* Size of PC/SC's protocol control information on the wire. */
#define PCI_LENGTH 16

int remote_handle_rc(struct remote_call *call, const struct remote_handle *handle, uint32_t code)
{
    int rc = call_rc(call, code);

    /* pcscd forgets the reader of a handle before the handle. */
    if (rc == RC_INVALID_VALUE || rc == RC_INVALID_HANDLE || rc == RC_UNKNOWN_READER)
        return RC_READER_UNAVAILABLE;
    return plain_event(call, handle, rc);
}

/* With the turn. A server of minor 3 may have two bytes less for an answer, and hangs up on who asks for
 * more. */
static uint32_t room(const struct remote_call *call, size_t capacity)
{
    uint32_t most = call->connection->minor < WIRE_MINOR_TABLE ? WIRE_DATA_MAX - 2 : WIRE_DATA_MAX;

    return capacity < most ? (uint32_t)capacity : most;
}

/* With the turn. */
static int transmit_once(struct remote_call *call, const struct remote_handle *handle,
                         struct wire_transmit *body, const uint8_t *command, uint8_t *response)
{
    uint32_t offered = body->receive_length;
    int rc = call_ask(call, WIRE_TRANSMIT, body, command, body->send_length);

    if (rc)
        return rc;
    rc = remote_handle_rc(call, handle, body->rv);
    if (!rc && body->receive_length > offered)
        return call_broken(call, connection_nonsense(call->connection, "the length of a response"));
    if (!rc)
        rc = call_receive(call, response, body->receive_length);
    return rc;
}

int remote_transmit(struct service_handle *service_handle, uint32_t protocol, const uint8_t *command,
                    size_t command_length, uint8_t *response, size_t capacity, size_t *ret_length)
{
    struct remote_handle *handle = remote_handle_of(service_handle);
    struct wire_transmit body;
    struct remote_call call;
    unsigned pause_ms = 0;
    int rc;

    if (command_length > WIRE_DATA_MAX)
        return detail_set(RC_INSUFFICIENT_BUFFER, "a command of %zu bytes; %u can be sent to a service",
                          command_length, WIRE_DATA_MAX);
    rc = call_enter_handle(&call, handle);
    if (rc)
        return rc;
    for (;;) {
        body = (struct wire_transmit){.card = handle->card,
                                      .send_protocol = protocol,
                                      .send_pci_length = PCI_LENGTH,
                                      .send_length = (uint32_t)command_length,
                                      .receive_protocol = protocol,
                                      .receive_pci_length = PCI_LENGTH,
                                      .receive_length = room(&call, capacity)};
        rc = transmit_once(&call, handle, &body, command, response);
        if (rc != RC_SHARING || call.context->no_wait)
            break;
        rc = call_pause(&call, handle, &pause_ms);
        if (rc)
            break;
    }
    if (rc == RC_OK || rc == RC_INSUFFICIENT_BUFFER)
        *ret_length = body.receive_length;
    call_leave(&call);
    return rc;
}

int remote_control(struct service_handle *service_handle, uint32_t code, const uint8_t *in, size_t in_length,
                   uint8_t *out, size_t capacity, size_t *ret_length)
{
    struct remote_handle *handle = remote_handle_of(service_handle);
    struct wire_control body = {.card = handle->card, .code = code, .send_length = (uint32_t)in_length};
    struct remote_call call;
    uint32_t offered;
    int rc;

    if (in_length > WIRE_DATA_MAX)
        return detail_set(RC_INSUFFICIENT_BUFFER, "%zu bytes for the reader; %u can be sent to a service",
                          in_length, WIRE_DATA_MAX);
    rc = call_enter_handle(&call, handle);
    if (rc)
        return rc;
    offered = body.receive_length = room(&call, capacity);
    rc = call_ask(&call, WIRE_CONTROL, &body, in, in_length);
    if (!rc)
        rc = remote_handle_rc(&call, handle, body.rv);
    if (!rc && body.returned > offered)
        rc = call_broken(&call, connection_nonsense(call.connection, "the length of a reader's answer"));
    else if (!rc)
        rc = call_receive(&call, out, body.returned);
    if (rc == RC_OK || rc == RC_INSUFFICIENT_BUFFER)
        *ret_length = body.returned;
    call_leave(&call);
    return rc;
}

int remote_get_attribute(struct service_handle *service_handle, uint32_t tag, uint8_t *out, size_t capacity,
                         size_t *ret_length)
{
    struct remote_handle *handle = remote_handle_of(service_handle);
    struct wire_attribute body = {.card = handle->card, .id = tag, .length = WIRE_ATTRIBUTE_MAX};
    struct remote_call call;
    int rc = call_enter_handle(&call, handle);

    if (rc)
        return rc;
    rc = call_ask(&call, WIRE_GET_ATTRIBUTE, &body, NULL, 0);
    if (!rc)
        rc = remote_handle_rc(&call, handle, body.rv);
    if (rc == RC_INSUFFICIENT_BUFFER)
        rc = detail_set(RC_UNSUPPORTED, "the attribute is longer than the %u bytes that a service can send",
                        WIRE_ATTRIBUTE_MAX);
    else if (!rc && body.length > WIRE_ATTRIBUTE_MAX)
        rc = call_broken(&call, connection_nonsense(call.connection, "the length of an attribute"));
    if (!rc) {
        *ret_length = body.length;
        if (body.length > capacity)
            rc = RC_INSUFFICIENT_BUFFER;
        else if (body.length)
            memcpy(out, body.value, body.length);
    }
    call_leave(&call);
    return rc;
}

int remote_set_attribute(struct service_handle *service_handle, uint32_t tag, const uint8_t *value,
                         size_t length)
{
    struct remote_handle *handle = remote_handle_of(service_handle);
    struct wire_attribute body = {.card = handle->card, .id = tag, .length = (uint32_t)length};
    struct remote_call call;
    int rc;

    if (length > sizeof body.value)
        return detail_set(RC_INSUFFICIENT_BUFFER, "the value has %zu bytes; %u can be sent to a service",
                          length, WIRE_ATTRIBUTE_MAX);
    if (length)
        memcpy(body.value, value, length);
    rc = call_enter_handle(&call, handle);
    if (!rc) {
        rc = call_ask(&call, WIRE_SET_ATTRIBUTE, &body, NULL, 0);
        if (!rc)
            rc = remote_handle_rc(&call, handle, body.rv);
        call_leave(&call);
    }
    secret_wipe(&body, sizeof body);
    return rc;
}
