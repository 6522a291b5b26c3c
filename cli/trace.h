/* SPDX-License-Identifier: MIT */
/* The trace that this program writes of itself (--trace FILE): one at a time. */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include <stdbool.h>

#include "cli/call.h"

/* The formats, as the choices of an option. */
#define TRACE_FORMATS "jsonl|text|pcapng|gp|apdu4j|cardpeek|scard"

/* What the library calls the format that was asked for, that the file's ending means, or fallback. */
const char *trace_format(const char *file, const char *format, const char *fallback);

/* A new file, for its owner alone, relative to the caller's folder; one of this user's that is there is
 * emptied, and with --show-secrets is its owner's alone, too. A FIFO needs a reader. A descriptor, or -1 when
 * that was reported. */
int trace_create(struct call *call, const char *file);

/* From now on all exchanges go into the file, until trace_stop; a trace that was under way is ended. With
 * --show-secrets secrets, too. "-" is standard error. STATUS_DONE, or the status of a reported failure. */
int trace_start(struct call *call, const char *file, const char *format);

/* Ends it; nothing happens without one. Reports when not all of it could be written. */
int trace_stop(struct call *call);

bool trace_is_on(void);

/* What dispatch does around a command: the trace that --trace of this call asks for, unless it is that of the
 * front. ret_started says whether trace_stop is to follow. */
int trace_begin_call(struct call *call, bool *ret_started);

#endif
