/* SPDX-License-Identifier: MIT */
/*
 * A context that tells what is done with it, and does it by another: each verb is a captured exchange when it ends. For
 * programs whose traffic somebody wants to see. While nobody wants it, a verb costs one look at the sink.
 */
#ifndef MANAGER_TRACE_H
#define MANAGER_TRACE_H

#include <stdatomic.h>

#include "capture/captured.h"
#include "manager/service.h"

/* Who wants to see. Lives as long as the contexts that give to it. */
struct trace_sink {
    /* Another number for each new receiver, which is told of connections that are open already; 0: nobody wants it. */
    _Atomic unsigned epoch;
    _Atomic bool secrets; /* as they are; else they are masked before give sees them */

    /* One exchange, borrowed, from any thread. */
    void (*give)(struct trace_sink *sink, const struct captured *exchange);
};

/* Takes inner over, which took from start_ns on (clock_now_ns) to make. process: whose context it is; 0 = this one.
 * Without memory inner itself is returned. */
struct service_context *trace_context(struct service_context *inner, int64_t start_ns, uint32_t process,
                                      struct trace_sink *sink);

/* The service of the context behind, or service itself if it is none of a traced context. */
struct service *trace_behind(struct service *service);

/* About the next transmit of this thread, for its trace alone: CAPTURED_AUTOMATIC or 0, and bytes that are secret
 * beside those that apdu_secret_range tells. */
void trace_hint(unsigned flags, size_t secret_offset, size_t secret_length);

#endif
