/* SPDX-License-Identifier: MIT */
/* A traced context, as it and its card handles know it. */
#ifndef MANAGER_TRACE_STATE_H
#define MANAGER_TRACE_STATE_H

#include <stdatomic.h>

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

static inline struct traced_context *traced(struct service_context *context)
{
    return (struct traced_context *)context;
}

static inline const struct service_ops *trace_ops(const struct traced_context *context)
{
    return context->inner->service->ops;
}

/* A note on a call in the context, and its end. */
struct trace_note trace_begin(const struct traced_context *context, const char *call);
void trace_end(const struct traced_context *context, struct trace_note *note, int rc);

#endif
