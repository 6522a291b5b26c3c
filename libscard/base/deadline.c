/* SPDX-License-Identifier: MIT */
#include "base/deadline.h"

#include <limits.h>

#define NS_PER_S 1000000000
#define NS_PER_MS 1000000

int64_t clock_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

struct deadline deadline_never(void)
{
    return (struct deadline){.at_ns = INT64_MAX};
}

struct deadline deadline_in_ms(uint64_t timeout_ms)
{
    int64_t now = clock_now_ns();

    if (timeout_ms >= (uint64_t)(INT64_MAX - now) / NS_PER_MS)
        return deadline_never();
    return (struct deadline){.at_ns = now + (int64_t)timeout_ms * NS_PER_MS};
}

bool deadline_is_never(struct deadline deadline)
{
    return deadline.at_ns == INT64_MAX;
}

bool deadline_passed(struct deadline deadline)
{
    return !deadline_is_never(deadline) && clock_now_ns() >= deadline.at_ns;
}

struct deadline deadline_min(struct deadline a, struct deadline b)
{
    return a.at_ns < b.at_ns ? a : b;
}

int deadline_poll_ms(struct deadline deadline)
{
    int64_t left;

    if (deadline_is_never(deadline))
        return -1;
    left = deadline.at_ns - clock_now_ns();
    if (left <= 0)
        return 0;
    left = (left + NS_PER_MS - 1) / NS_PER_MS;
    return left > INT_MAX ? INT_MAX : (int)left;
}

struct timespec deadline_timespec(struct deadline deadline)
{
    return (struct timespec){
        .tv_sec = (time_t)(deadline.at_ns / NS_PER_S),
        .tv_nsec = (long)(deadline.at_ns % NS_PER_S),
    };
}
