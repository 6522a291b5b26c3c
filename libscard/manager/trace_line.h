/* SPDX-License-Identifier: MIT */
/* A line of the trace that is being made. What there is no memory for is left out of it. */
#ifndef MANAGER_TRACE_LINE_H
#define MANAGER_TRACE_LINE_H

#include "base/bytes.h"
#include "manager/service.h"

struct trace_line {
    struct buffer text; /* buffer_fini in the end */
    int64_t start_ns;
};

/* handle 0: the call is one of the context. */
struct trace_line trace_line_begin(const char *call, unsigned context, unsigned handle);

void trace_line_add(struct trace_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
void trace_line_hex(struct trace_line *line, const uint8_t *bytes, size_t count);

/* An APDU without its secret. */
void trace_line_command(struct trace_line *line, const uint8_t *bytes, size_t count);

/* In quotes, behind a blank. */
void trace_line_name(struct trace_line *line, const char *name);

/* What went wrong, and the time since begin. */
void trace_line_end(struct trace_line *line, int rc);

const char *trace_share_word(enum share_mode share);
const char *trace_disposition_word(enum disposition disposition);
const char *trace_protocol_word(uint32_t protocols);

#endif
