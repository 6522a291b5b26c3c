/* SPDX-License-Identifier: MIT */
/*
 * A point in time on the monotonic clock, made once at the edge of a call and passed down, so that
 * retries and partial reads never add up to more than the caller allowed.
 */
#ifndef BASE_DEADLINE_H
#define BASE_DEADLINE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct deadline {
    int64_t at_ns; /* CLOCK_MONOTONIC, nanoseconds; INT64_MAX = never */
};

/* Now on CLOCK_MONOTONIC, in nanoseconds. */
int64_t clock_now_ns(void);

struct deadline deadline_never(void);

/* timeout_ms milliseconds from now; 0 = passed already. */
struct deadline deadline_in_ms(uint64_t timeout_ms);

bool deadline_is_never(struct deadline deadline);
bool deadline_passed(struct deadline deadline);

/* The earlier of two. */
struct deadline deadline_min(struct deadline a, struct deadline b);

/* Time left as poll(2) takes it: -1 never, 0 passed, else milliseconds rounded up. */
int deadline_poll_ms(struct deadline deadline);

/* The point in time for pthread_cond_timedwait on CLOCK_MONOTONIC. Not for "never". */
struct timespec deadline_timespec(struct deadline deadline);

#endif
