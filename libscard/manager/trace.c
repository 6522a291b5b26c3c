/* SPDX-License-Identifier: MIT */
#include "manager/trace.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/rc.h"
#include "manager/trace_note.h"

struct traced_context {
    struct service_context context; /* first; of service */
    struct service service;
    struct service_context *inner;
    struct trace_sink *sink;
    uint32_t process;
    unsigned number; /* in the process */
    _Atomic unsigned handles;
};

struct traced_handle {
    struct service_handle handle; /* first */
    struct service_handle *inner;
    unsigned number; /* in the context */
    char *reader;
    _Atomic(char *) device; /* once somebody wanted it */
    _Atomic uint32_t protocol;
    _Atomic unsigned told; /* the epoch of the receiver that knows of this connection */
};

static struct traced_context *traced(struct service_context *context)
{
    return (struct traced_context *)context;
}

static struct traced_context *context_of(struct service_handle *handle)
{
    return traced(handle->context);
}

static struct service_handle *inner_of(struct service_handle *handle)
{
    return ((struct traced_handle *)handle)->inner;
}

static const struct service_ops *ops_of(const struct traced_context *context)
{
    return context->inner->service->ops;
}

static struct traced_handle *traced_handle(struct service_handle *handle)
{
    return (struct traced_handle *)handle;
}

static struct trace_note begin_note(const struct traced_context *context, const char *call)
{
    struct trace_note note = trace_note_begin(context->sink, call);

    note.exchange.context = context->number;
    note.exchange.process = context->process;
    return note;
}

static void end_note(const struct traced_context *context, struct trace_note *note, int rc)
{
    trace_note_end(note, context->sink, rc);
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
    struct trace_note note = begin_note(traced(handle->handle.context), call);

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

    if (handle->device || ops_of(context)->fact(context->inner, handle->reader, "device", &device))
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
    end_note(context, note, rc);
}

/* A receiver that came after the connection was made learns of it before it gets an exchange. */
static void tell_connection(struct traced_handle *handle)
{
    const struct trace_sink *sink = traced(handle->handle.context)->sink;
    struct trace_note note;

    if (!sink->epoch || handle->told == sink->epoch)
        return;
    note = begin_note(traced(handle->handle.context), "SCardConnect");
    trace_note_name(&note, handle->reader);
    trace_note_add(&note, " > #%u.%u %s, before", traced(handle->handle.context)->number, handle->number,
                   trace_protocol_word(handle->protocol));
    end_connection(handle, &note, RC_OK);
}

static void release(struct service_context *context)
{
    struct trace_note note = begin_note(traced(context), "SCardReleaseContext");

    ops_of(traced(context))->release(traced(context)->inner);
    end_note(traced(context), &note, RC_OK);
}

static void context_free(struct service_context *context)
{
    ops_of(traced(context))->context_free(traced(context)->inner);
    free(context);
}

static int cancel(struct service_context *context)
{
    struct trace_note note = begin_note(traced(context), "SCardCancel");
    int rc = ops_of(traced(context))->cancel(traced(context)->inner);

    end_note(traced(context), &note, rc);
    return rc;
}

/* Not a call of the program's that does anything: without a line. */
static int check(struct service_context *context)
{
    const struct service_ops *ops = ops_of(traced(context));

    return ops->check ? ops->check(traced(context)->inner) : RC_OK;
}

static int abort_all(struct service_context *context)
{
    struct trace_note note = begin_note(traced(context), "scard_abort");
    int rc = ops_of(traced(context))->abort(traced(context)->inner);

    end_note(traced(context), &note, rc);
    return rc;
}

static int list(struct service_context *context, char **ret_names, size_t *ret_length)
{
    struct trace_note note = begin_note(traced(context), "SCardListReaders");
    int rc = ops_of(traced(context))->list(traced(context)->inner, ret_names, ret_length);

    for (const char *name = rc ? "" : *ret_names; *name; name += strlen(name) + 1) {
        trace_note_add(&note, "%s", name == *ret_names ? " >" : ",");
        trace_note_name(&note, name);
    }
    end_note(traced(context), &note, rc);
    return rc;
}

static int table(struct service_context *context, struct reader_entry **ret_entries, size_t *ret_count,
                 uint16_t *ret_list_events)
{
    return ops_of(traced(context))->table(traced(context)->inner, ret_entries, ret_count, ret_list_events);
}

static int wait_for(struct service_context *context, struct deadline deadline, struct reader_watch *watches,
                    size_t count)
{
    struct trace_note note = begin_note(traced(context), "SCardGetStatusChange");
    int rc;

    for (size_t i = 0; i < count; i++) {
        trace_note_add(&note, "%s", i ? "," : "");
        trace_note_name(&note, watches[i].name);
        trace_note_add(&note, " %08X", (unsigned)watches[i].current);
    }
    rc = ops_of(traced(context))->wait(traced(context)->inner, deadline, watches, count);
    for (size_t i = 0; i < count && (!rc || rc == RC_TIMEOUT || rc == RC_CANCELLED); i++)
        trace_note_add(&note, "%s %08X", i ? "," : " >", (unsigned)watches[i].event);
    end_note(traced(context), &note, rc);
    return rc;
}

static int fact(struct service_context *context, const char *reader, const char *key, char **ret_value)
{
    return ops_of(traced(context))->fact(traced(context)->inner, reader, key, ret_value);
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

static int connect_card(struct service_context *context, const char *reader, enum share_mode share,
                        uint32_t protocols, struct service_handle **ret_handle, uint32_t *ret_protocol)
{
    struct trace_note note = begin_note(traced(context), "SCardConnect");
    struct traced_handle *handle = new_handle(context, reader);
    int rc =
        handle ? ops_of(traced(context))
                     ->connect(traced(context)->inner, reader, share, protocols, &handle->inner, ret_protocol)
               : RC_NO_MEMORY;

    trace_note_name(&note, reader);
    trace_note_add(&note, " %s %s", trace_share_word(share), trace_protocol_word(protocols));
    if (rc) {
        free_handle(handle);
        end_note(traced(context), &note, rc);
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

static int reconnect(struct service_handle *handle, enum share_mode share, uint32_t protocols,
                     enum disposition initialization, uint32_t *ret_protocol)
{
    struct traced_handle *outer = traced_handle(handle);
    struct trace_note note = begin_handle_note(outer, "SCardReconnect");
    int rc = ops_of(context_of(handle))
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

static int disconnect(struct service_handle *handle, enum disposition disposition)
{
    struct traced_context *context = context_of(handle);
    struct trace_note note = begin_handle_note(traced_handle(handle), "SCardDisconnect");
    int rc = ops_of(context)->disconnect(inner_of(handle), disposition);

    note.exchange.kind = !rc && disposition != CARD_LEAVE ? CAPTURED_RESET : CAPTURED_CALL;
    trace_note_add(&note, " %s", trace_disposition_word(disposition));
    end_note(context, &note, rc);
    return rc;
}

static void handle_free(struct service_handle *handle)
{
    ops_of(context_of(handle))->handle_free(inner_of(handle));
    free_handle(traced_handle(handle));
}

static int begin(struct service_handle *handle)
{
    struct traced_context *context = context_of(handle);
    struct trace_note note = begin_handle_note(traced_handle(handle), "SCardBeginTransaction");
    int rc = ops_of(context)->begin(inner_of(handle));

    end_note(context, &note, rc);
    return rc;
}

static int end(struct service_handle *handle, enum disposition disposition)
{
    struct traced_context *context = context_of(handle);
    struct trace_note note = begin_handle_note(traced_handle(handle), "SCardEndTransaction");
    int rc = ops_of(context)->end(inner_of(handle), disposition);

    note.exchange.kind = !rc && disposition != CARD_LEAVE ? CAPTURED_RESET : CAPTURED_CALL;
    trace_note_add(&note, " %s", trace_disposition_word(disposition));
    end_note(context, &note, rc);
    return rc;
}

static int status(struct service_handle *handle, struct handle_status *ret_status)
{
    struct traced_context *context = context_of(handle);
    struct trace_note note = begin_handle_note(traced_handle(handle), "SCardStatus");
    int rc = ops_of(context)->status(inner_of(handle), ret_status);

    if (!rc)
        trace_note_add(&note, " > %08X %s", (unsigned)ret_status->state,
                       trace_protocol_word(ret_status->protocol));
    end_note(context, &note, rc);
    return rc;
}

static int transmit(struct service_handle *handle, uint32_t protocol, const uint8_t *command,
                    size_t command_length, uint8_t *response, size_t capacity, size_t *ret_length)
{
    struct traced_context *context = context_of(handle);
    struct trace_note note;
    int rc;

    tell_connection(traced_handle(handle));
    note = begin_handle_note(traced_handle(handle), "SCardTransmit");
    trace_note_command(&note, command, command_length);
    rc = ops_of(context)->transmit(inner_of(handle), protocol, command, command_length, response, capacity,
                                   ret_length);
    if (!rc)
        trace_note_response(&note, response, *ret_length);
    end_note(context, &note, rc);
    return rc;
}

static int control(struct service_handle *handle, uint32_t code, const uint8_t *in, size_t in_length,
                   uint8_t *out, size_t capacity, size_t *ret_length)
{
    struct traced_context *context = context_of(handle);
    struct trace_note note;
    int rc;

    tell_connection(traced_handle(handle));
    note = begin_handle_note(traced_handle(handle), "SCardControl");
    trace_note_add(&note, " %08X %zu bytes", (unsigned)code, in_length);
    trace_note_control(&note, code, in, in_length);
    rc = ops_of(context)->control(inner_of(handle), code, in, in_length, out, capacity, ret_length);
    if (!rc)
        trace_note_response(&note, out, *ret_length);
    end_note(context, &note, rc);
    return rc;
}

static int get_attribute(struct service_handle *handle, uint32_t tag, uint8_t *out, size_t capacity,
                         size_t *ret_length)
{
    struct traced_context *context = context_of(handle);
    struct trace_note note = begin_handle_note(traced_handle(handle), "SCardGetAttrib");
    int rc = ops_of(context)->get_attribute(inner_of(handle), tag, out, capacity, ret_length);

    trace_note_add(&note, " %08X", (unsigned)tag);
    if (!rc) {
        trace_note_add(&note, " > ");
        trace_note_hex(&note, out, *ret_length);
    }
    end_note(context, &note, rc);
    return rc;
}

static int set_attribute(struct service_handle *handle, uint32_t tag, const uint8_t *value, size_t length)
{
    struct traced_context *context = context_of(handle);
    struct trace_note note = begin_handle_note(traced_handle(handle), "SCardSetAttrib");
    int rc = ops_of(context)->set_attribute(inner_of(handle), tag, value, length);

    trace_note_add(&note, " %08X %zu bytes", (unsigned)tag, length);
    end_note(context, &note, rc);
    return rc;
}

/* Contexts are made by the inner service, and nobody observes a traced one. */
static const struct service_ops ops = {
    .release = release,
    .context_free = context_free,
    .cancel = cancel,
    .abort = abort_all,
    .check = check,
    .list = list,
    .table = table,
    .wait = wait_for,
    .fact = fact,
    .connect = connect_card,
    .reconnect = reconnect,
    .disconnect = disconnect,
    .handle_free = handle_free,
    .begin = begin,
    .end = end,
    .status = status,
    .transmit = transmit,
    .control = control,
    .get_attribute = get_attribute,
    .set_attribute = set_attribute,
};

struct service_context *trace_context(struct service_context *inner, int64_t start_ns, uint32_t process,
                                      struct trace_sink *sink)
{
    static _Atomic unsigned contexts;
    struct traced_context *context = calloc(1, sizeof *context);
    struct trace_note note;

    if (!context)
        return inner;
    context->service.ops = &ops;
    context->context.service = &context->service;
    context->inner = inner;
    context->sink = sink;
    context->process = process ? process : (uint32_t)getpid();
    context->number = atomic_fetch_add(&contexts, 1) + 1;
    note = begin_note(context, "SCardEstablishContext");
    note.exchange.time_ns -= note.start_ns - start_ns;
    note.start_ns = start_ns;
    end_note(context, &note, RC_OK);
    return &context->context;
}

struct service *trace_behind(struct service *service)
{
    if (service->ops != &ops)
        return service;
    return list_entry(service, struct traced_context, service)->inner->service;
}
