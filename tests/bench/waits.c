/* SPDX-License-Identifier: MIT */
/* Calls that wait: how long after the event they return. */
#include "tests/bench/bench.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include <scard.h>

#define ROUNDS 500

static void pause_us(long us)
{
    nanosleep(&(struct timespec){.tv_nsec = us * 1000}, NULL);
}

static void rows(const char *what, double *samples, size_t count, double under)
{
    char tail[96];

    bench_row(what, bench_quantile(samples, count, 0.5), "us", under, 0);
    snprintf(tail, sizeof tail, "... 99 of 100 within");
    bench_row(tail, bench_quantile(samples, count, 0.99), "us", 0, 0);
}

struct watcher {
    SCARDCONTEXT context;
    SCARD_READERSTATE state;
    double returned;
};

static void *watch(void *argument)
{
    struct watcher *watcher = argument;

    bench_need(SCardGetStatusChange(watcher->context, 10000, &watcher->state, 1), "SCardGetStatusChange");
    watcher->returned = bench_now_us();
    return NULL;
}

/* From the call that puts the card in (or takes it out) to the return of GetStatusChange in another thread.
 */
static double wake(struct watcher *watcher, SCARDHANDLE direct, DWORD code)
{
    pthread_t thread;
    double start;

    watcher->state.dwCurrentState = watcher->state.dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
    if (pthread_create(&thread, NULL, watch, watcher))
        bench_die("pthread_create");
    pause_us(1000); /* until it waits */
    start = bench_now_us();
    bench_need(SCardControl(direct, code, NULL, 0, NULL, 0, NULL), "SCardControl");
    pthread_join(thread, NULL);
    return watcher->returned - start;
}

void bench_wake(void)
{
    static double in[ROUNDS], out[ROUNDS];
    struct watcher watcher = {.context = bench_establish()};
    SCARDHANDLE direct;
    char reader[128];

    bench_reader(watcher.context, reader);
    direct = bench_connect(watcher.context, reader, SCARD_SHARE_DIRECT);
    watcher.state.szReader = reader;
    bench_need(SCardGetStatusChange(watcher.context, 0, &watcher.state, 1), "SCardGetStatusChange");
    for (size_t i = 0; i < ROUNDS; i++) {
        in[i] = wake(&watcher, direct, SCARD_CTL_SIM_INSERT);
        out[i] = wake(&watcher, direct, SCARD_CTL_SIM_REMOVE);
    }
    rows("card in, to the return of GetStatusChange", in, ROUNDS, 100);
    rows("card out, to the return of GetStatusChange", out, ROUNDS, 100);
    SCardReleaseContext(watcher.context);
}

static struct {
    char reader[128];
    _Atomic double ended; /* when the last owner gave the transaction up */
    _Atomic int owner;
    _Atomic size_t count;
    double samples[ROUNDS];
} turn;

static void *take_turns(void *argument)
{
    int me = *(int *)argument;
    SCARDCONTEXT context = bench_establish();
    SCARDHANDLE card = bench_connect(context, turn.reader, SCARD_SHARE_SHARED);

    while (turn.count < ROUNDS) {
        double got;

        bench_need(SCardBeginTransaction(card), "SCardBeginTransaction");
        got = bench_now_us();
        /* Only a hand-over from the other one, who is long asleep in its Begin by the time of our End,
         * counts. */
        if (turn.owner && turn.owner != me && turn.count < ROUNDS)
            turn.samples[turn.count++] = got - turn.ended;
        turn.owner = me;
        pause_us(200);
        turn.ended = bench_now_us();
        bench_need(SCardEndTransaction(card, SCARD_LEAVE_CARD), "SCardEndTransaction");
    }
    SCardReleaseContext(context);
    return NULL;
}

void bench_hand_over(void)
{
    SCARDCONTEXT context = bench_establish();
    pthread_t threads[2];
    int names[2] = {1, 2};

    bench_reader(context, turn.reader);
    for (size_t i = 0; i < 2; i++) {
        if (pthread_create(&threads[i], NULL, take_turns, &names[i]))
            bench_die("pthread_create");
    }
    for (size_t i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    rows("transaction: EndTransaction to the other's Begin", turn.samples, ROUNDS, 50);
    SCardReleaseContext(context);
}
