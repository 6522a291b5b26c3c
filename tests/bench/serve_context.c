/* SPDX-License-Identifier: MIT */
/* Contexts: how fast, how many, how large, what they cost when nothing happens, and whether threads may race.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/serve.h"

static void renew(struct serve_client *client)
{
    (void)client;
    pcsc_need(pcsc.release(pcsc_establish()), "SCardReleaseContext");
}

void serve_contexts(char **argv)
{
    size_t count = strtoul(argv[0], NULL, 10);
    struct serve_client *clients = serve_clients_new(count);

    for (size_t i = 0; i < count; i++)
        clients[i].call = renew;
    serve_print("rate", serve_run(clients, count, strtol(argv[1], NULL, 10)));
}

/* Resident memory in bytes. */
static double resident(const char *pid)
{
    char path[64];
    unsigned long pages = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%s/statm", pid);
    file = fopen(path, "re");
    if (!file || fscanf(file, "%*u %lu", &pages) != 1)
        bench_die(path);
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

static void exchange(SCARDCONTEXT context, const char *reader, size_t size)
{
    static const SCARD_IO_REQUEST pci = {SCARD_PROTOCOL_T1, sizeof pci};
    static uint8_t command[SERVE_BYTES_MAX], response[SERVE_BYTES_MAX];
    DWORD length = sizeof response;

    serve_command(command, size, size);
    pcsc_need(pcsc.transmit(pcsc_connect(context, reader, SCARD_PROTOCOL_T1), &pci, command, size, NULL,
                            response, &length),
              "SCardTransmit");
}

void serve_memory(char **argv)
{
    size_t wanted = strtoul(argv[0], NULL, 10), size = strtoul(argv[1], NULL, 10), count = 0;
    SCARDCONTEXT *contexts = malloc(wanted * sizeof *contexts);
    const char *pid = strcmp(argv[2], "0") != 0 ? argv[2] : "self";
    char reader[1][SERVE_READER_MAX];
    double before, start;

    if (!contexts)
        bench_die("malloc");
    memset(contexts, 0xFF, wanted * sizeof *contexts); /* its pages are not the library's */
    if (size) {
        SCARDCONTEXT context = pcsc_establish();

        serve_readers(context, 0, 1, reader);
        exchange(context, *reader, size);
    } else {
        pcsc_establish();
    }
    malloc_trim(0);
    before = resident(pid);
    while (count < wanted && !pcsc.establish(SCARD_SCOPE_SYSTEM, NULL, NULL, &contexts[count])) {
        if (size)
            exchange(contexts[count], *reader, size);
        count++;
    }
    serve_print("contexts", (double)count + 1);
    serve_print("bytes", count ? (resident(pid) - before) / (double)count : 0);
    start = bench_now_us();
    for (size_t i = 0; i < count; i++)
        pcsc.release(contexts[i]);
    serve_print("release", count ? (bench_now_us() - start) / (double)count : 0);
}

static void *wait_for_ever(void *argument)
{
    SCARDCONTEXT context = *(SCARDCONTEXT *)argument;
    char reader[1][SERVE_READER_MAX];
    SCARD_READERSTATE state = {.szReader = *reader};
    LONG rv;

    serve_readers(context, 0, 1, reader);
    do {
        rv = pcsc.wait(context, INFINITE, &state, 1);
        state.dwCurrentState = state.dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
    } while (rv == SCARD_S_SUCCESS);
    if (rv != SCARD_E_CANCELLED)
        pcsc_need(rv, "SCardGetStatusChange, idle");
    return NULL;
}

void serve_idle(char **argv)
{
    const char *pid = strcmp(argv[0], "0") != 0 ? argv[0] : "self";
    long seconds = strtol(argv[1], NULL, 10);
    SCARDCONTEXT context = pcsc_establish();
    char reader[1][SERVE_READER_MAX];
    struct pcsc_use before = {0}, after = {0};
    pthread_t thread;

    serve_readers(context, 0, 1, reader);
    pcsc_connect(context, *reader, SCARD_PROTOCOL_T1);
    thread = serve_thread(wait_for_ever, &context);
    serve_pause_ms(1000); /* until all is quiet */
    pcsc_add_use(pid, &before);
    serve_pause_ms(seconds * 1000);
    pcsc_add_use(pid, &after);
    pcsc_need(pcsc.cancel(context), "SCardCancel");
    pthread_join(thread, NULL);
    serve_print("wakes", (double)(after.wakes - before.wakes) / (double)seconds);
    serve_print("busy", (after.busy_us - before.busy_us) / (double)seconds);
}

struct racer {
    unsigned seed;
    long count;
};

/* Each has contexts of its own: nothing that a program may not do. */
static void *race(void *argument)
{
    struct racer *racer = argument;

    for (long i = 0; i < racer->count; i++) {
        SCARDCONTEXT contexts[4];
        size_t count = 1 + (size_t)rand_r(&racer->seed) % 4;

        for (size_t k = 0; k < count; k++)
            contexts[k] = pcsc_establish();
        for (size_t k = 0; k < count; k++) {
            char names[SERVE_NAMES_MAX];
            DWORD length = sizeof names;
            SCARDCONTEXT context = contexts[(size_t)rand_r(&racer->seed) % count];

            pcsc_need(pcsc.list(context, NULL, names, &length), "SCardListReaders");
        }
        for (size_t k = count; k > 0; k--) {
            size_t which = (size_t)rand_r(&racer->seed) % k;

            pcsc_need(pcsc.release(contexts[which]), "SCardReleaseContext");
            contexts[which] = contexts[k - 1];
        }
    }
    return NULL;
}

void serve_race(char **argv)
{
    size_t count = strtoul(argv[0], NULL, 10);
    pthread_t *threads = calloc(count, sizeof *threads);
    struct racer *racers = calloc(count, sizeof *racers);

    if (!threads || !racers)
        bench_die("calloc");
    for (size_t i = 0; i < count; i++) {
        racers[i] = (struct racer){.seed = (unsigned)i + 1, .count = strtol(argv[1], NULL, 10)};
        threads[i] = serve_thread(race, &racers[i]);
    }
    for (size_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    serve_print("clean", 1);
}
