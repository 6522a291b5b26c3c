/* SPDX-License-Identifier: MIT */
/* Time and samples. */
#include "tests/bench/bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double bench_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

_Noreturn void bench_die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

double bench_quantile(double *samples, size_t count, double share)
{
    size_t at = (size_t)((double)count * share);

    qsort(samples, count, sizeof *samples, compare);
    return samples[at < count ? at : count - 1];
}

static double round_of(void (*call)(void *user), void *user, unsigned long count)
{
    double start = bench_now_us();

    for (unsigned long i = 0; i < count; i++)
        call(user);
    return bench_now_us() - start;
}

double bench_per_call(void (*call)(void *user), void *user)
{
    double samples[7];
    unsigned long count = 1;

    while (round_of(call, user, count) < 50e3)
        count *= 2;
    for (size_t i = 0; i < 7; i++)
        samples[i] = round_of(call, user, count) / (double)count;
    return bench_quantile(samples, 7, 0.5);
}
