/* SPDX-License-Identifier: MIT */
/*
 * Two channels for words. The library never writes to a stream.
 *
 * log:    one debug line where a failure is born, handed to a function that the program set.
 * detail: the last failure of this thread in one sentence that says what, where and what to do next;
 *         a program shows it to its user (scard_error_detail in the public API).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdarg.h>

/* Receives one line without newline, from any thread, possibly under a lock of the library: it must not call back. */
typedef void log_fn(void *user, const char *line);

/* Sets the receiver; NULL switches off (the default). user is borrowed until the next call. */
void log_set(log_fn *fn, void *user);

/* In a forked child: a thread of the parent that was logging does not exist there. */
void log_after_fork(void);

void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#define DETAIL_ROOM 512 /* with its NUL */

/* Sets this thread's detail; cut to DETAIL_ROOM. Returns rc, so that a failure reads
 * `return detail_set(RC_IO, "…")`. Also logs it. */
int detail_set(int rc, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "" when nothing was set since detail_clear. Valid until the next detail call of the thread. */
const char *detail_get(void);
void detail_clear(void);

#endif
