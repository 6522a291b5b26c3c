/* SPDX-License-Identifier: MIT */
/* Calls that wait, one or many: how long after the event they have all returned. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/bench.h"
#include "tests/bench/serve.h"
#include "tests/interop/vpcd_client.h"

struct waiter {
    SCARDCONTEXT context;
    SCARD_READERSTATE state;
    DWORD wanted; /* 0: until cancelled */
    double returned;
};

static void *wait_once(void *argument)
{
    struct waiter *waiter = argument;
    LONG rv;

    if (waiter->wanted) {
        pcsc_await(waiter->context, &waiter->state, waiter->wanted);
    } else {
        rv = pcsc.wait(waiter->context, INFINITE, &waiter->state, 1);
        if (rv != SCARD_E_CANCELLED) {
            fprintf(stderr, "SCardGetStatusChange, cancelled: %08lX\n", (unsigned long)rv);
            exit(1);
        }
    }
    waiter->returned = bench_now_us();
    return NULL;
}

static struct waiter *waiters_new(size_t count)
{
    struct waiter *waiters = calloc(count, sizeof *waiters);

    if (!waiters)
        bench_die("calloc");
    for (size_t i = 0; i < count; i++)
        waiters[i].context = pcsc_establish();
    return waiters;
}

/* Lets them wait, makes what they wait for, and returns when the last one had returned. */
static double measure(struct waiter *waiters, size_t count, void (*cause)(void *user), void *user)
{
    pthread_t *threads = calloc(count, sizeof *threads);
    double start, last = 0;

    if (!threads)
        bench_die("calloc");
    for (size_t i = 0; i < count; i++)
        threads[i] = serve_thread(wait_once, &waiters[i]);
    serve_pause_ms(40 + (long)count / 4); /* until they wait: a cancel before that is for nobody */
    start = bench_now_us();
    cause(user);
    for (size_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        last = waiters[i].returned > last ? waiters[i].returned : last;
    }
    free(threads);
    return last - start;
}

struct card {
    const char *port;
    struct vpcd_client client;
    pthread_t thread;
};

/* As little of a card as makes it present. */
static void *be_card(void *argument)
{
    uint8_t answer[] = {0, 0, 0x3B, 0x80, 0x01, 0x81};
    struct card *card = argument;
    const uint8_t *body;
    size_t length;

    while ((body = vpcd_client_receive(&card->client, &length))) {
        if (length == 1 && *body == VPCD_GET_ATR && !vpcd_client_send(&card->client, answer, 4))
            break;
    }
    return NULL;
}

static void insert(void *user)
{
    struct card *card = user;

    card->client.quickack = true;
    if (!vpcd_client_connect(&card->client, card->port))
        exit(1);
    card->thread = serve_thread(be_card, card);
}

static void withdraw(void *user)
{
    struct card *card = user;

    shutdown(card->client.fd, SHUT_RDWR);
}

static double *samples_new(size_t count)
{
    double *samples = calloc(count, sizeof *samples);

    if (!samples)
        bench_die("calloc");
    return samples;
}

static void set_wanted(struct waiter *waiters, size_t count, DWORD wanted)
{
    for (size_t i = 0; i < count; i++)
        waiters[i].wanted = wanted;
}

/* The reader must be empty; the list tells its name all the same. */
void serve_wake(char **argv)
{
    static char names[SERVE_NAMES_MAX];
    static struct card card;
    size_t index = strtoul(argv[0], NULL, 10), count = strtoul(argv[2], NULL, 10);
    size_t rounds = strtoul(argv[3], NULL, 10);
    double *in = samples_new(rounds), *out = samples_new(rounds);
    struct waiter *waiters = waiters_new(count);
    DWORD length = sizeof names;
    char *name = names;

    card.port = argv[1];
    pcsc_need(pcsc.list(waiters->context, NULL, names, &length), "SCardListReaders");
    for (size_t i = 0; i < index; i++)
        name += strlen(name) + 1;
    for (size_t i = 0; i < count; i++) {
        waiters[i].state.szReader = name;
        pcsc_await(waiters[i].context, &waiters[i].state, SCARD_STATE_EMPTY);
    }
    for (size_t i = 0; i < rounds; i++) {
        set_wanted(waiters, count, SCARD_STATE_PRESENT);
        in[i] = measure(waiters, count, insert, &card);
        set_wanted(waiters, count, SCARD_STATE_EMPTY);
        out[i] = measure(waiters, count, withdraw, &card);
        pthread_join(card.thread, NULL);
        close(card.client.fd);
    }
    serve_print("in", bench_quantile(in, rounds, 0.5));
    serve_print("in99", bench_quantile(in, rounds, 0.99));
    serve_print("out", bench_quantile(out, rounds, 0.5));
}

static void cancel_all(void *user)
{
    struct waiter *const *range = user;

    for (const struct waiter *waiter = range[0]; waiter < range[1]; waiter++)
        pcsc_need(pcsc.cancel(waiter->context), "SCardCancel");
}

void serve_cancel(char **argv)
{
    size_t count = strtoul(argv[0], NULL, 10), rounds = strtoul(argv[1], NULL, 10);
    struct waiter *waiters = waiters_new(count), *range[] = {waiters, waiters + count};
    double *samples = samples_new(rounds);

    for (size_t i = 0; i < count; i++)
        waiters[i].state = (SCARD_READERSTATE){.szReader = PCSC_NEW_READER};
    for (size_t i = 0; i < rounds; i++)
        samples[i] = measure(waiters, count, cancel_all, range);
    serve_print("cancel", bench_quantile(samples, rounds, 0.5));
    serve_print("cancel99", bench_quantile(samples, rounds, 0.99));
}
