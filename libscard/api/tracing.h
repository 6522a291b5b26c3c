/* SPDX-License-Identifier: MIT */
/*
 * The traces of this process: that of scard_set_trace, and that of the environment. SCARD_TRACE is the number
 * of a descriptor that is open at the first context, or a file, which is made for its owner alone and
 * appended to; SCARD_TRACE_FORMAT its format ("text" when not set), with SCARD_TRACE_SECRETS set to 1 it
 * holds secrets, but in no file that others may read. Nothing goes into another user's file, or into a FIFO
 * that nobody reads. Not in a set-uid program.
 */
#ifndef API_TRACING_H
#define API_TRACING_H

#include <scard.h>

#include "capture/captured.h"
#include "manager/service.h"

/* The context with what traces it; takes it over. It took from start_ns on to make. */
struct service_context *tracing_wrap(struct service_context *context, int64_t start_ns);

/* The same for the context of a client of this process's server. */
struct service_context *tracing_wrap_client(struct service_context *context, int64_t start_ns,
                                            uint32_t process);

/* Around fork, after which the child's traces go where the parent's do. */
void tracing_before_fork(void);
void tracing_after_fork(bool in_child);

/* The public form, borrowing from it, and back. */
struct scard_exchange tracing_public(const struct captured *exchange);
struct captured tracing_internal(const struct scard_exchange *exchange);

#endif
