/* SPDX-License-Identifier: MIT */
/*
 * What a shared reader costs a program, by the PC/SC API of any library: one binary for all of them.
 *
 * serve_bench LIBRARY PART ARGUMENTS...:
 *
 * - rate FIRST READERS OUT IN CLIENTS MS: SCardTransmit, clients spread over the readers
 * - transact FIRST CLIENTS MS: a transaction of one exchange, all on one reader
 * - wake FIRST PORT WAITERS ROUNDS: card in and out, to SCardGetStatusChange's return
 * - cancel WAITERS ROUNDS: SCardCancel to the same
 * - contexts THREADS MS: SCardEstablishContext and SCardReleaseContext
 * - memory COUNT OUT PID: contexts until refused, memory of PID for each; OUT not 0: each has exchanged that
 * much
 * - idle PID SECONDS: a card held and a wait, nothing happens
 * - race THREADS COUNT: contexts made, used and released by all threads
 * - bare HOPS OUT IN CLIENTS MS PORT..., LIBRARY is -: a socket to each card (1 hop), or a process between
 * (2)
 *
 * Readers are by their place in the library's list, cards those of echo_card --reply P1P2, or for wake none.
 * PID: the server's, 0 for this process. Prints a line for each figure: its name, an equals sign and the
 * figure.
 */
#include "tests/bench/serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/bench.h"

void serve_print(const char *name, double figure)
{
    printf("%s=%.3f\n", name, figure);
}

void serve_pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

pthread_t serve_thread(void *(*run)(void *), void *argument)
{
    pthread_t thread;

    errno = pthread_create(&thread, NULL, run, argument);
    if (errno)
        bench_die("pthread_create");
    return thread;
}

void serve_command(uint8_t *command, size_t out, size_t in)
{
    memset(command, 0xA5, out);
    memcpy(command, (const uint8_t[]){0x00, 0x10}, 2);
    command[2] = (uint8_t)((in - 2) >> 8);
    command[3] = (uint8_t)(in - 2);
    command[4] = 0x00;
    if (out > 5 && out <= 261) {
        command[4] = (uint8_t)(out - 6);
    } else if (out > 261) {
        command[5] = (uint8_t)((out - 9) >> 8);
        command[6] = (uint8_t)(out - 9);
    }
}

void serve_readers(SCARDCONTEXT context, size_t index, size_t count, char (*names)[SERVE_READER_MAX])
{
    char all[SERVE_NAMES_MAX], *name = all;
    DWORD length = sizeof all;

    pcsc_need(pcsc.list(context, NULL, all, &length), "SCardListReaders");
    for (size_t i = 0; i < index + count; i++, name += strlen(name) + 1) {
        SCARD_READERSTATE state = {.szReader = name};

        if (!*name) {
            fprintf(stderr, "there are only %zu readers\n", i);
            exit(1);
        }
        if (i < index)
            continue;
        pcsc_await(context, &state, SCARD_STATE_PRESENT);
        snprintf(names[i - index], SERVE_READER_MAX, "%.127s", name);
    }
}

struct serve_client *serve_clients_new(size_t count)
{
    struct serve_client *clients = calloc(count, sizeof *clients);

    if (!clients)
        bench_die("calloc");
    for (size_t i = 0; i < count; i++)
        clients[i].index = i;
    return clients;
}

static pthread_barrier_t start;
static atomic_bool over;

static void *run_client(void *argument)
{
    struct serve_client *client = argument;

    client->call(client); /* so that all is in place */
    client->longest_us = 0;
    pthread_barrier_wait(&start);
    for (client->count = 0; !atomic_load_explicit(&over, memory_order_relaxed); client->count++)
        client->call(client);
    return NULL;
}

double serve_run(struct serve_client *clients, size_t count, long ms)
{
    pthread_t *threads = calloc(count, sizeof *threads);
    unsigned long calls = 0;
    double from, to;

    if (!threads || pthread_barrier_init(&start, NULL, (unsigned)count + 1))
        bench_die("calloc");
    for (size_t i = 0; i < count; i++)
        threads[i] = serve_thread(run_client, &clients[i]);
    pthread_barrier_wait(&start);
    from = bench_now_us();
    serve_pause_ms(ms);
    atomic_store(&over, true);
    for (size_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        calls += clients[i].count;
    }
    to = bench_now_us();
    free(threads);
    return (double)calls * 1e6 / (to - from);
}

/* 10,000 contexts need as many descriptors. */
static void raise_limit(void)
{
    struct rlimit files;

    if (!getrlimit(RLIMIT_NOFILE, &files)) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int arguments;
        serve_part *run;
    } parts[] = {
        {"rate", 6, serve_rate},     {"transact", 3, serve_transact}, {"wake", 4, serve_wake},
        {"cancel", 2, serve_cancel}, {"contexts", 2, serve_contexts}, {"memory", 3, serve_memory},
        {"idle", 2, serve_idle},     {"race", 2, serve_race},         {"bare", 6, serve_bare},
    };

    raise_limit();
    for (size_t i = 0; argc > 2 && i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(argv[2], parts[i].name) == 0 && argc - 3 >= parts[i].arguments) {
            if (strcmp(argv[1], "-") != 0)
                pcsc_load(argv[1]);
            parts[i].run(argv + 3);
            fflush(stdout);
            /* Not exit: what a library does at the end of the process is no part of this. */
            _exit(0);
        }
    }
    fprintf(stderr, "usage: serve_bench LIBRARY PART ARGUMENTS… (see the source)\n");
    return 2;
}
