/* SPDX-License-Identifier: MIT */
#include "manager/trace.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/rc.h"
#include "manager/trace_line.h"

struct traced_context {
    struct service_context context; /* first; of service */
    struct service service;
    struct service_context *inner;
    trace_fn *fn;
    unsigned number; /* in the process */
    _Atomic unsigned handles;
};

struct traced_handle {
    struct service_handle handle; /* first */
    struct service_handle *inner;
    unsigned number; /* in the context */
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

static struct trace_line begin_line(const struct traced_context *context, const struct service_handle *handle,
                                    const char *call)
{
    return trace_line_begin(call, context->number,
                            handle ? ((const struct traced_handle *)handle)->number : 0);
}

static void end_line(const struct traced_context *context, struct trace_line *line, int rc)
{
    trace_line_end(line, rc);
    context->fn((const char *)line->text.data, line->text.length);
    buffer_fini(&line->text);
}

static void release(struct service_context *context)
{
    struct trace_line line = begin_line(traced(context), NULL, "SCardReleaseContext");

    ops_of(traced(context))->release(traced(context)->inner);
    end_line(traced(context), &line, RC_OK);
}

static void context_free(struct service_context *context)
{
    ops_of(traced(context))->context_free(traced(context)->inner);
    free(context);
}

static int cancel(struct service_context *context)
{
    struct trace_line line = begin_line(traced(context), NULL, "SCardCancel");
    int rc = ops_of(traced(context))->cancel(traced(context)->inner);

    end_line(traced(context), &line, rc);
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
    struct trace_line line = begin_line(traced(context), NULL, "scard_abort");
    int rc = ops_of(traced(context))->abort(traced(context)->inner);

    end_line(traced(context), &line, rc);
    return rc;
}

static int list(struct service_context *context, char **ret_names, size_t *ret_length)
{
    struct trace_line line = begin_line(traced(context), NULL, "SCardListReaders");
    int rc = ops_of(traced(context))->list(traced(context)->inner, ret_names, ret_length);

    for (const char *name = rc ? "" : *ret_names; *name; name += strlen(name) + 1) {
        trace_line_add(&line, "%s", name == *ret_names ? " >" : ",");
        trace_line_name(&line, name);
    }
    end_line(traced(context), &line, rc);
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
    struct trace_line line = begin_line(traced(context), NULL, "SCardGetStatusChange");
    int rc;

    for (size_t i = 0; i < count; i++) {
        trace_line_add(&line, "%s", i ? "," : "");
        trace_line_name(&line, watches[i].name);
        trace_line_add(&line, " %08X", (unsigned)watches[i].current);
    }
    rc = ops_of(traced(context))->wait(traced(context)->inner, deadline, watches, count);
    for (size_t i = 0; i < count && (!rc || rc == RC_TIMEOUT || rc == RC_CANCELLED); i++)
        trace_line_add(&line, "%s %08X", i ? "," : " >", (unsigned)watches[i].event);
    end_line(traced(context), &line, rc);
    return rc;
}

static int fact(struct service_context *context, const char *reader, const char *key, char **ret_value)
{
    return ops_of(traced(context))->fact(traced(context)->inner, reader, key, ret_value);
}

static int connect_card(struct service_context *context, const char *reader, enum share_mode share,
                        uint32_t protocols, struct service_handle **ret_handle, uint32_t *ret_protocol)
{
    struct trace_line line = begin_line(traced(context), NULL, "SCardConnect");
    struct traced_handle *handle = calloc(1, sizeof *handle);
    int rc =
        handle ? ops_of(traced(context))
                     ->connect(traced(context)->inner, reader, share, protocols, &handle->inner, ret_protocol)
               : RC_NO_MEMORY;

    trace_line_name(&line, reader);
    trace_line_add(&line, " %s %s", trace_share_word(share), trace_protocol_word(protocols));
    if (rc) {
        free(handle);
    } else {
        handle->handle.context = context;
        handle->number = atomic_fetch_add(&traced(context)->handles, 1) + 1;
        trace_line_add(&line, " > #%u.%u %s", traced(context)->number, handle->number,
                       trace_protocol_word(*ret_protocol));
        *ret_handle = &handle->handle;
    }
    end_line(traced(context), &line, rc);
    return rc;
}

static int reconnect(struct service_handle *handle, enum share_mode share, uint32_t protocols,
                     enum disposition initialization, uint32_t *ret_protocol)
{
    struct traced_context *context = context_of(handle);
    struct trace_line line = begin_line(context, handle, "SCardReconnect");
    int rc = ops_of(context)->reconnect(inner_of(handle), share, protocols, initialization, ret_protocol);

    trace_line_add(&line, " %s %s %s", trace_share_word(share), trace_protocol_word(protocols),
                   trace_disposition_word(initialization));
    if (!rc)
        trace_line_add(&line, " > %s", trace_protocol_word(*ret_protocol));
    end_line(context, &line, rc);
    return rc;
}

static int disconnect(struct service_handle *handle, enum disposition disposition)
{
    struct traced_context *context = context_of(handle);
    struct trace_line line = begin_line(context, handle, "SCardDisconnect");
    int rc = ops_of(context)->disconnect(inner_of(handle), disposition);

    trace_line_add(&line, " %s", trace_disposition_word(disposition));
    end_line(context, &line, rc);
    return rc;
}

static void handle_free(struct service_handle *handle)
{
    ops_of(context_of(handle))->handle_free(inner_of(handle));
    free(handle);
}

static int begin(struct service_handle *handle)
{
    struct traced_context *context = context_of(handle);
    struct trace_line line = begin_line(context, handle, "SCardBeginTransaction");
    int rc = ops_of(context)->begin(inner_of(handle));

    end_line(context, &line, rc);
    return rc;
}

static int end(struct service_handle *handle, enum disposition disposition)
{
    struct traced_context *context = context_of(handle);
    struct trace_line line = begin_line(context, handle, "SCardEndTransaction");
    int rc = ops_of(context)->end(inner_of(handle), disposition);

    trace_line_add(&line, " %s", trace_disposition_word(disposition));
    end_line(context, &line, rc);
    return rc;
}

static int status(struct service_handle *handle, struct handle_status *ret_status)
{
    struct traced_context *context = context_of(handle);
    struct trace_line line = begin_line(context, handle, "SCardStatus");
    int rc = ops_of(context)->status(inner_of(handle), ret_status);

    if (!rc)
        trace_line_add(&line, " > %08X %s", (unsigned)ret_status->state,
                       trace_protocol_word(ret_status->protocol));
    end_line(context, &line, rc);
    return rc;
}

static int transmit(struct service_handle *handle, uint32_t protocol, const uint8_t *command,
                    size_t command_length, uint8_t *response, size_t capacity, size_t *ret_length)
{
    struct traced_context *context = context_of(handle);
    struct trace_line line = begin_line(context, handle, "SCardTransmit");
    int rc;

    trace_line_command(&line, command, command_length);
    rc = ops_of(context)->transmit(inner_of(handle), protocol, command, command_length, response, capacity,
                                   ret_length);
    if (!rc) {
        trace_line_add(&line, " > ");
        trace_line_hex(&line, response, *ret_length);
    }
    end_line(context, &line, rc);
    return rc;
}

static int control(struct service_handle *handle, uint32_t code, const uint8_t *in, size_t in_length,
                   uint8_t *out, size_t capacity, size_t *ret_length)
{
    struct traced_context *context = context_of(handle);
    struct trace_line line = begin_line(context, handle, "SCardControl");
    int rc;

    trace_line_add(&line, " %08X %zu bytes", (unsigned)code, in_length);
    rc = ops_of(context)->control(inner_of(handle), code, in, in_length, out, capacity, ret_length);
    if (!rc) {
        trace_line_add(&line, " > ");
        trace_line_hex(&line, out, *ret_length);
    }
    end_line(context, &line, rc);
    return rc;
}

static int get_attribute(struct service_handle *handle, uint32_t tag, uint8_t *out, size_t capacity,
                         size_t *ret_length)
{
    struct traced_context *context = context_of(handle);
    struct trace_line line = begin_line(context, handle, "SCardGetAttrib");
    int rc = ops_of(context)->get_attribute(inner_of(handle), tag, out, capacity, ret_length);

    trace_line_add(&line, " %08X", (unsigned)tag);
    if (!rc) {
        trace_line_add(&line, " > ");
        trace_line_hex(&line, out, *ret_length);
    }
    end_line(context, &line, rc);
    return rc;
}

static int set_attribute(struct service_handle *handle, uint32_t tag, const uint8_t *value, size_t length)
{
    struct traced_context *context = context_of(handle);
    struct trace_line line = begin_line(context, handle, "SCardSetAttrib");
    int rc = ops_of(context)->set_attribute(inner_of(handle), tag, value, length);

    trace_line_add(&line, " %08X %zu bytes", (unsigned)tag, length);
    end_line(context, &line, rc);
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

struct service_context *trace_context(struct service_context *inner, int64_t start_ns, trace_fn *fn)
{
    static _Atomic unsigned contexts;
    struct traced_context *context = calloc(1, sizeof *context);
    struct trace_line line;

    if (!context)
        return inner;
    context->service.ops = &ops;
    context->context.service = &context->service;
    context->inner = inner;
    context->fn = fn;
    context->number = atomic_fetch_add(&contexts, 1) + 1;
    line = begin_line(context, NULL, "SCardEstablishContext");
    line.start_ns = start_ns;
    end_line(context, &line, RC_OK);
    return &context->context;
}

struct service *trace_behind(struct service *service)
{
    if (service->ops != &ops)
        return service;
    return list_entry(service, struct traced_context, service)->inner->service;
}
