/* SPDX-License-Identifier: MIT */
/*
 * What the benchmarks share: time, samples, rows. A failure of the thing measured ends the program: a
 * benchmark without result is of no use.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

#include <winscard.h>

double bench_now_us(void);

/* Ends the program with a line on stderr unless rv is SCARD_S_SUCCESS. */
void bench_need(LONG rv, const char *what);

/* Ends the program with errno's words. */
_Noreturn void bench_die(const char *what);

/* Sorts; 0 ≤ share ≤ 1. */
double bench_quantile(double *samples, size_t count, double share);

/* Microseconds per call: the median of several rounds that take some 100 ms each. */
double bench_per_call(void (*call)(void *user), void *user);

void bench_heading(const char *text);

/* One row: measured value with unit, and the aim it is to stay under (over: for rates); 0 = no aim. */
void bench_row(const char *what, double measured, const char *unit, double under, double over);
/* One row without aim, in words. */
void bench_note(const char *what, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Resident memory of this process in bytes. */
size_t bench_resident(void);

/* A context on the readers of SCARD_READERS, which each part sets in a process of its own. */
SCARDCONTEXT bench_establish(void);
/* First reader's name, into name[128]. */
void bench_reader(SCARDCONTEXT context, char *name);
SCARDHANDLE bench_connect(SCARDCONTEXT context, const char *reader, DWORD share);

/* The parts. */
void bench_transmit(void);
void bench_contexts(void);
void bench_many_contexts(void);
void bench_release(void);
void bench_readers(void);
void bench_wake(void);
void bench_hand_over(void);
void bench_vpcd(void);

/* Runs a command count times; prints medians of wall time and the peak of its memory. */
int bench_process(const char *name, unsigned count, char **argv, double under_ms);

#endif
