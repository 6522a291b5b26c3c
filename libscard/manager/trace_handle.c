/* SPDX-License-Identifier: MIT */
#include "manager/trace_handle.h"

#include <stdlib.h>
#include <string.h>

#include "base/rc.h"

struct traced_handle {
    struct service_handle handle; /* first */
    struct service_handle *inner;
    unsigned number; /* in the context */
    char *reader;
    _Atomic(char *) device; /* once somebody wanted it */
    _Atomic uint32_t protocol;
    _Atomic unsigned told; /* the epoch of the receiver that knows of this connection */
};

static struct traced_context *context_of(struct service_handle *handle)
{
    return traced(handle->context);
}

static struct service_handle *inner_of(struct service_handle *handle)
{
    return ((struct traced_handle *)handle)->inner;
}

static struct traced_handle *traced_handle(struct service_handle *handle)
{
    return (struct traced_handle *)handle;
}

static void describe(const struct traced_handle *handle, struct trace_note *note)
{
    const char *device = handle->device;

    note->exchange.card = handle->number;
    note->exchange.reader = handle->reader;
    note->exchange.device = device ? device : "";
    note->exchange.protocol = handle->protocol;
}

static struct trace_note begin_handle_note(struct traced_handle *handle, const char *call)
{
    struct trace_note note = trace_begin(traced(handle->handle.context), call);

    describe(handle, &note);
    return note;
}

/* The card that the handle is on, as the table of readers has it: asking the handle could mean to wait for
 * its turn. */
static void add_atr(struct traced_handle *handle, struct trace_note *note, uint8_t atr[ATR_MAX])
{
    struct service_context *inner = traced(handle->handle.context)->inner;
    struct reader_entry *entries;
    uint16_t events;
    size_t count;

    if (inner->service->ops->table(inner, &entries, &count, &events))
        return;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(entries[i].name, handle->reader) != 0 || entries[i].atr_length > ATR_MAX)
            continue;
        memcpy(atr, entries[i].atr, entries[i].atr_length);
        note->exchange.response = atr;
        note->exchange.response_length = entries[i].atr_length;
    }
    free(entries);
}

static void learn_device(struct traced_handle *handle)
{
    struct traced_context *context = traced(handle->handle.context);
    char *device = NULL, *none = NULL;

    if (handle->device || trace_ops(context)->fact(context->inner, handle->reader, "device", &device))
        return;
    /* Another thread may have been faster. */
    if (!atomic_compare_exchange_strong(&handle->device, &none, device))
        free(device);
}

static void end_connection(struct traced_handle *handle, struct trace_note *note, int rc)
{
    struct traced_context *context = traced(handle->handle.context);
    uint8_t atr[ATR_MAX];

    trace_note_timed(note);
    if (note->wanted && !rc) {
        learn_device(handle);
        note->exchange.kind = CAPTURED_CONNECT;
        describe(handle, note);
        add_atr(handle, note, atr);
        handle->told = context->sink->epoch;
    }
    trace_end(context, note, rc);
}

/* A receiver that came after the connection was made learns of it before it gets an exchange. */
static void tell_connection(struct traced_handle *handle)
{
    const struct trace_sink *sink = traced(handle->handle.context)->sink;
    struct trace_note note;

    if (!sink->epoch || handle->told == sink->epoch)
        return;
    note = trace_begin(traced(handle->handle.context), "SCardConnect");
    trace_note_name(&note, handle->reader);
    trace_note_add(&note, " > #%u.%u %s, before", traced(handle->handle.context)->number, handle->number,
                   trace_protocol_word(handle->protocol));
    end_connection(handle, &note, RC_OK);
}

static void free_handle(struct traced_handle *handle)
{
    if (!handle)
        return;
    free(handle->reader);
    free(handle->device);
    free(handle);
}

static struct traced_handle *new_handle(struct service_context *context, const char *reader)
{
    struct traced_handle *handle = calloc(1, sizeof *handle);

    if (!handle)
        return NULL;
    handle->handle.context = context;
    handle->reader = strdup(reader);
    if (handle->reader)
        return handle;
    free_handle(handle);
    return NULL;
}

int trace_handle_connect(struct service_context *context, const char *reader, enum share_mode share,
                         uint32_t protocols, struct service_handle **ret_handle, uint32_t *ret_protocol)
{
    struct trace_note note = trace_begin(traced(context), "SCardConnect");
    struct traced_handle *handle = new_handle(context, reader);
    int rc =
        handle ? trace_ops(traced(context))
                     ->connect(traced(context)->inner, reader, share, protocols, &handle->inner, ret_protocol)
               : RC_NO_MEMORY;

    trace_note_name(&note, reader);
    trace_note_add(&note, " %s %s", trace_share_word(share), trace_protocol_word(protocols));
    if (rc) {
        free_handle(handle);
        trace_end(traced(context), &note, rc);
        return rc;
    }
    handle->number = atomic_fetch_add(&traced(context)->handles, 1) + 1;
    handle->protocol = *ret_protocol;
    trace_note_add(&note, " > #%u.%u %s", traced(context)->number, handle->number,
                   trace_protocol_word(*ret_protocol));
    end_connection(handle, &note, rc);
    *ret_handle = &handle->handle;
    return rc;
}

int trace_handle_reconnect(struct service_handle *handle, enum share_mode share, uint32_t protocols,
                           enum disposition initialization, uint32_t *ret_protocol)
{
    struct traced_handle *outer = traced_handle(handle);
    struct trace_note note = begin_handle_note(outer, "SCardReconnect");
    int rc = trace_ops(context_of(handle))
                 ->reconnect(inner_of(handle), share, protocols, initialization, ret_protocol);

    if (!rc)
        outer->protocol = *ret_protocol;
    note.exchange.code = initialization;
    trace_note_add(&note, " %s %s %s", trace_share_word(share), trace_protocol_word(protocols),
                   trace_disposition_word(initialization));
    if (!rc)
        trace_note_add(&note, " > %s", trace_protocol_word(*ret_protocol));
    end_connection(outer, &note, rc);
    return rc;
}

/* The end of a call that does something with the card as well. */
static int end_disposition(struct traced_context *context, struct trace_note *note,
                           enum disposition disposition, int rc)
{
    note->exchange.kind = !rc && disposition != CARD_LEAVE ? CAPTURED_RESET : CAPTURED_CALL;
    trace_note_add(note, " %s", trace_disposition_word(disposition));
    trace_end(context, note, rc);
    return rc;
}

int trace_handle_disconnect(struct service_handle *handle, enum disposition disposition)
{
    struct traced_context *context = context_of(handle);
    struct trace_note note = begin_handle_note(traced_handle(handle), "SCardDisconnect");
    int rc = trace_ops(context)->disconnect(inner_of(handle), disposition);

    return end_disposition(context, &note, disposition, rc);
}

void trace_handle_free(struct service_handle *handle)
{
    trace_ops(context_of(handle))->handle_free(inner_of(handle));
    free_handle(traced_handle(handle));
}

int trace_handle_begin(struct service_handle *handle)
{
    struct traced_context *context = context_of(handle);
    struct trace_note note = begin_handle_note(traced_handle(handle), "SCardBeginTransaction");
    int rc = trace_ops(context)->begin(inner_of(handle));

    trace_end(context, &note, rc);
    return rc;
}

int trace_handle_end(struct service_handle *handle, enum disposition disposition)
{
    struct traced_context *context = context_of(handle);
    struct trace_note note = begin_handle_note(traced_handle(handle), "SCardEndTransaction");
    int rc = trace_ops(context)->end(inner_of(handle), disposition);

    return end_disposition(context, &note, disposition, rc);
}

int trace_handle_status(struct service_handle *handle, struct handle_status *ret_status)
{
    struct traced_context *context = context_of(handle);
    struct trace_note note = begin_handle_note(traced_handle(handle), "SCardStatus");
    int rc = trace_ops(context)->status(inner_of(handle), ret_status);

    if (!rc)
        trace_note_add(&note, " > %08X %s", (unsigned)ret_status->state,
                       trace_protocol_word(ret_status->protocol));
    trace_end(context, &note, rc);
    return rc;
}

int trace_handle_transmit(struct service_handle *handle, uint32_t protocol, const uint8_t *command,
                          size_t command_length, uint8_t *response, size_t capacity, size_t *ret_length)
{
    struct traced_context *context = context_of(handle);
    struct trace_note note;
    int rc;

    tell_connection(traced_handle(handle));
    note = begin_handle_note(traced_handle(handle), "SCardTransmit");
    trace_note_command(&note, command, command_length);
    rc = trace_ops(context)->transmit(inner_of(handle), protocol, command, command_length, response, capacity,
                                      ret_length);
    if (!rc)
        trace_note_response(&note, response, *ret_length);
    trace_end(context, &note, rc);
    return rc;
}

int trace_handle_control(struct service_handle *handle, uint32_t code, const uint8_t *in, size_t in_length,
                         uint8_t *out, size_t capacity, size_t *ret_length)
{
    struct traced_context *context = context_of(handle);
    struct trace_note note;
    int rc;

    tell_connection(traced_handle(handle));
    note = begin_handle_note(traced_handle(handle), "SCardControl");
    trace_note_add(&note, " %08X %zu bytes", (unsigned)code, in_length);
    trace_note_control(&note, code, in, in_length);
    rc = trace_ops(context)->control(inner_of(handle), code, in, in_length, out, capacity, ret_length);
    if (!rc)
        trace_note_response(&note, out, *ret_length);
    trace_end(context, &note, rc);
    return rc;
}

int trace_handle_get_attribute(struct service_handle *handle, uint32_t tag, uint8_t *out, size_t capacity,
                               size_t *ret_length)
{
    struct traced_context *context = context_of(handle);
    struct trace_note note = begin_handle_note(traced_handle(handle), "SCardGetAttrib");
    int rc = trace_ops(context)->get_attribute(inner_of(handle), tag, out, capacity, ret_length);

    trace_note_add(&note, " %08X", (unsigned)tag);
    if (!rc) {
        trace_note_add(&note, " > ");
        trace_note_hex(&note, out, *ret_length);
    }
    trace_end(context, &note, rc);
    return rc;
}

int trace_handle_set_attribute(struct service_handle *handle, uint32_t tag, const uint8_t *value,
                               size_t length)
{
    struct traced_context *context = context_of(handle);
    struct trace_note note = begin_handle_note(traced_handle(handle), "SCardSetAttrib");
    int rc = trace_ops(context)->set_attribute(inner_of(handle), tag, value, length);

    trace_note_add(&note, " %08X %zu bytes", (unsigned)tag, length);
    trace_end(context, &note, rc);
    return rc;
}
