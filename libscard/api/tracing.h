/* SPDX-License-Identifier: MIT */
/*
 * The trace of this process, for who asks for it by the environment variable SCARD_TRACE: the number of a
 * descriptor that is open at the first context, or a file, which is made for its owner alone and appended to.
 * Never in a set-uid program.
 */
#ifndef API_TRACING_H
#define API_TRACING_H

#include "manager/service.h"

/* The context, traced if that was asked for; takes it over. It took from start_ns on to make. */
struct service_context *tracing_wrap(struct service_context *context, int64_t start_ns);

#endif
