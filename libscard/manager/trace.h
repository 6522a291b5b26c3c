/* SPDX-License-Identifier: MIT */
/*
 * A context that tells what is done with it, and does it by another: one line for each verb when it ends,
 * with the time of day, the process, the bytes, the result and how long it took. For programs whose traffic
 * somebody wants to see.
 *
 * Secrets are not in it: the data of APDUs that carry one (apdu_secret_range) is "**"; of what goes into
 * control and set_attribute only the length is told.
 */
#ifndef MANAGER_TRACE_H
#define MANAGER_TRACE_H

#include "manager/service.h"

/* Receives one line with its newline, from any thread. */
typedef void trace_fn(const char *line, size_t length);

/* Takes inner over, which took from start_ns on (clock_now_ns) to make. Without memory inner itself is
 * returned. */
struct service_context *trace_context(struct service_context *inner, int64_t start_ns, trace_fn *fn);

/* The service of the context behind, or service itself if it is none of a traced context. */
struct service *trace_behind(struct service *service);

#endif
