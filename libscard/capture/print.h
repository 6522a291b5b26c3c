/* SPDX-License-Identifier: MIT */
/* Text at the end of a buffer. Each returns RC_OK or RC_NO_MEMORY, which leaves the buffer as it was or with
 * a part. */
#ifndef CAPTURE_PRINT_H
#define CAPTURE_PRINT_H

#include "base/bytes.h"
#include "capture/captured.h"

int print(struct buffer *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
int print_hex(struct buffer *out, const uint8_t *bytes, size_t count);

/* The command with "**" for a masked secret. */
int print_command(struct buffer *out, const struct captured *exchange);

/* "2026-01-31T12:00:00.123456Z" */
int print_time(struct buffer *out, int64_t time_ns);

/* "0.123": with a point, whatever locale the program has set. */
int print_ms(struct buffer *out, int64_t duration_ns);

/* Names come from programs and readers: on one line, whatever they hold. */
int print_name(struct buffer *out, const char *name);

#endif
