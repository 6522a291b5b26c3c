/* SPDX-License-Identifier: MIT */
#include "manager/trace.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/list.h"
#include "base/rc.h"
#include "manager/trace_handle.h"

struct trace_note trace_begin(const struct traced_context *context, const char *call)
{
    struct trace_note note = trace_note_begin(context->sink, call);

    note.exchange.context = context->number;
    note.exchange.process = context->process;
    return note;
}

void trace_end(const struct traced_context *context, struct trace_note *note, int rc)
{
    trace_note_end(note, context->sink, rc);
}

static void release(struct service_context *context)
{
    struct trace_note note = trace_begin(traced(context), "SCardReleaseContext");

    trace_ops(traced(context))->release(traced(context)->inner);
    trace_end(traced(context), &note, RC_OK);
}

static void context_free(struct service_context *context)
{
    trace_ops(traced(context))->context_free(traced(context)->inner);
    free(context);
}

static int cancel(struct service_context *context)
{
    struct trace_note note = trace_begin(traced(context), "SCardCancel");
    int rc = trace_ops(traced(context))->cancel(traced(context)->inner);

    trace_end(traced(context), &note, rc);
    return rc;
}

/* Not a call of the program's that does anything: without a line. */
static int check(struct service_context *context)
{
    const struct service_ops *ops = trace_ops(traced(context));

    return ops->check ? ops->check(traced(context)->inner) : RC_OK;
}

static int abort_all(struct service_context *context)
{
    struct trace_note note = trace_begin(traced(context), "scard_abort");
    int rc = trace_ops(traced(context))->abort(traced(context)->inner);

    trace_end(traced(context), &note, rc);
    return rc;
}

static int list(struct service_context *context, char **ret_names, size_t *ret_length)
{
    struct trace_note note = trace_begin(traced(context), "SCardListReaders");
    int rc = trace_ops(traced(context))->list(traced(context)->inner, ret_names, ret_length);

    for (const char *name = rc ? "" : *ret_names; *name; name += strlen(name) + 1) {
        trace_note_add(&note, "%s", name == *ret_names ? " >" : ",");
        trace_note_name(&note, name);
    }
    trace_end(traced(context), &note, rc);
    return rc;
}

static int table(struct service_context *context, struct reader_entry **ret_entries, size_t *ret_count,
                 uint16_t *ret_list_events)
{
    return trace_ops(traced(context))->table(traced(context)->inner, ret_entries, ret_count, ret_list_events);
}

static int wait_for(struct service_context *context, struct deadline deadline, struct reader_watch *watches,
                    size_t count)
{
    struct trace_note note = trace_begin(traced(context), "SCardGetStatusChange");
    int rc;

    for (size_t i = 0; i < count; i++) {
        trace_note_add(&note, "%s", i ? "," : "");
        trace_note_name(&note, watches[i].name);
        trace_note_add(&note, " %08X", (unsigned)watches[i].current);
    }
    rc = trace_ops(traced(context))->wait(traced(context)->inner, deadline, watches, count);
    for (size_t i = 0; i < count && (!rc || rc == RC_TIMEOUT || rc == RC_CANCELLED); i++)
        trace_note_add(&note, "%s %08X", i ? "," : " >", (unsigned)watches[i].event);
    trace_end(traced(context), &note, rc);
    return rc;
}

static int fact(struct service_context *context, const char *reader, const char *key, char **ret_value)
{
    return trace_ops(traced(context))->fact(traced(context)->inner, reader, key, ret_value);
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
    .connect = trace_handle_connect,
    .reconnect = trace_handle_reconnect,
    .disconnect = trace_handle_disconnect,
    .handle_free = trace_handle_free,
    .begin = trace_handle_begin,
    .end = trace_handle_end,
    .status = trace_handle_status,
    .transmit = trace_handle_transmit,
    .control = trace_handle_control,
    .get_attribute = trace_handle_get_attribute,
    .set_attribute = trace_handle_set_attribute,
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
    note = trace_begin(context, "SCardEstablishContext");
    note.exchange.time_ns -= note.start_ns - start_ns;
    note.start_ns = start_ns;
    trace_end(context, &note, RC_OK);
    return &context->context;
}

struct service *trace_behind(struct service *service)
{
    if (service->ops != &ops)
        return service;
    return list_entry(service, struct traced_context, service)->inner->service;
}
