/* SPDX-License-Identifier: MIT */
/*
 * What a reader on USB costs a program, by the PC/SC API of any library: one binary for all of them.
 *
 *     usb_bench LIBRARY transmit T0|T1 OUT IN    one SCardTransmit; the card answers IN bytes to whatever
 *     usb_bench LIBRARY wake CTL PATH ROUNDS     a card put in, to the return of SCardGetStatusChange
 *     usb_bench LIBRARY plug CTL PATH ROUNDS     a reader plugged in, to its name and to a connected card
 *     usb_bench LIBRARY idle SECONDS [PID]       a card held and a thread that waits, nothing happens
 *
 * CTL is the emulator's socket (tests/usbemu/emu_ctl.h) and PATH the reader's there; PID: a daemon's, counted
 * with this process. Prints a line for each figure: its name, an equals sign and the figure.
 */
#include "tests/bench/bench.h"
#include "tests/bench/pcsc.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include <winscard.h>

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

static void print_median(const char *name, double *samples, size_t count)
{
    printf("%s=%.2f\n", name, bench_quantile(samples, count, 0.5));
}

/* The first reader's name, "" without one. */
static void first_reader(SCARDCONTEXT context, char name[256])
{
    char names[2048];
    DWORD length = sizeof names;
    LONG rv = pcsc.list(context, NULL, names, &length);

    if (rv == SCARD_E_NO_READERS_AVAILABLE)
        names[0] = '\0';
    else
        pcsc_need(rv, "SCardListReaders");
    snprintf(name, 256, "%.255s", names);
}

/* Until there is a reader, or (wanted false) none. libpcsclite does not tell what changed between the two
 * calls. */
static void await_reader(SCARDCONTEXT context, bool wanted, char name[256])
{
    for (first_reader(context, name); (name[0] != '\0') != wanted; first_reader(context, name)) {
        SCARD_READERSTATE state = {.szReader = PCSC_NEW_READER, .dwCurrentState = wanted ? 0 : 1U << 16};
        LONG rv = pcsc.wait(context, 200, &state, 1);

        if (rv != SCARD_E_TIMEOUT)
            pcsc_need(rv, "SCardGetStatusChange for a reader");
    }
}

/* With the card in. */
static SCARDCONTEXT begin(char reader[256])
{
    SCARD_READERSTATE state = {.szReader = reader};
    SCARDCONTEXT context = pcsc_establish();

    await_reader(context, true, reader);
    pcsc_await(context, &state, SCARD_STATE_PRESENT);
    return context;
}

struct exchange {
    SCARDHANDLE card;
    SCARD_IO_REQUEST pci;
    uint8_t command[65544];
    size_t out, in;
};

/* A case 2, 3 or 4 command of that length. */
static void fill(struct exchange *exchange)
{
    uint8_t *command = exchange->command;
    size_t out = exchange->out;

    memset(command, 0xA5, out);
    memcpy(command, (const uint8_t[]){0x00, 0x10, 0x00, 0x00, 0x00}, 5);
    if (out > 5 && out <= 260) {
        command[4] = (uint8_t)(out - 5);
    } else if (out == 261) {
        command[4] = 0xFF;
        command[260] = 0x00;
    } else if (out > 261) {
        command[5] = (uint8_t)((out - 9) >> 8);
        command[6] = (uint8_t)(out - 9);
        command[out - 2] = command[out - 1] = 0x00;
    }
}

static void exchange_once(void *user)
{
    static uint8_t response[65544];
    const struct exchange *exchange = user;
    DWORD length = sizeof response;

    pcsc_need(pcsc.transmit(exchange->card, &exchange->pci, exchange->command, exchange->out, NULL, response,
                            &length),
              "SCardTransmit");
    if (length != exchange->in || response[length - 2] != 0x90) {
        fprintf(stderr, "%lu bytes came, with SW %02X%02X\n", (unsigned long)length,
                (unsigned)response[length - 2], (unsigned)response[length - 1]);
        exit(1);
    }
}

static void transmit(char **argv)
{
    static struct exchange exchange;
    DWORD protocol = strcmp(argv[0], "T0") == 0 ? SCARD_PROTOCOL_T0 : SCARD_PROTOCOL_T1;
    char reader[256];

    exchange.out = strtoul(argv[1], NULL, 10);
    exchange.in = strtoul(argv[2], NULL, 10);
    fill(&exchange);
    exchange.card = pcsc_connect(begin(reader), reader, protocol);
    exchange.pci = (SCARD_IO_REQUEST){protocol, sizeof exchange.pci};
    printf("us=%.2f\n", bench_per_call(exchange_once, &exchange));
}

static FILE *open_control(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FILE *control;

    if (strlen(path) >= sizeof address.sun_path)
        bench_die(path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        bench_die(path);
    control = fdopen(fd, "r");
    if (!control)
        bench_die(path);
    return control;
}

static void tell(FILE *control, const char *verb, const char *path, const char *rest)
{
    if (dprintf(fileno(control), "%s %s%s\n", verb, path, rest) < 0)
        bench_die("the emulator's socket");
}

static void heard(FILE *control)
{
    char reply[256];

    if (!fgets(reply, sizeof reply, control) || strncmp(reply, "ok", 2) != 0) {
        fprintf(stderr, "the emulator: %s", reply);
        exit(1);
    }
}

struct watcher {
    SCARDCONTEXT context;
    SCARD_READERSTATE state;
    DWORD wanted;
    double returned;
};

static void *watch(void *argument)
{
    struct watcher *watcher = argument;

    pcsc_await(watcher->context, &watcher->state, watcher->wanted);
    watcher->returned = bench_now_us();
    return NULL;
}

static double wake(struct watcher *watcher, FILE *control, const char *path, DWORD wanted)
{
    pthread_t thread;
    double start;

    watcher->wanted = wanted;
    if (pthread_create(&thread, NULL, watch, watcher))
        bench_die("pthread_create");
    pause_ms(5); /* until it waits */
    start = bench_now_us();
    tell(control, "card", path, wanted == SCARD_STATE_PRESENT ? " 0 sim:echo" : " 0 out");
    heard(control);
    pthread_join(thread, NULL);
    return watcher->returned - start;
}

static void wakes(char **argv)
{
    size_t rounds = strtoul(argv[2], NULL, 10);
    double *in = calloc(rounds, sizeof *in), *out = calloc(rounds, sizeof *out);
    double *asked = calloc(rounds, sizeof *asked);
    FILE *control = open_control(argv[0]);
    char reader[256];
    struct watcher watcher = {.context = begin(reader), .state = {.szReader = reader}};

    if (!in || !out || !asked)
        bench_die("calloc");
    pcsc_await(watcher.context, &watcher.state, SCARD_STATE_PRESENT);
    for (size_t i = 0; i < rounds; i++) {
        asked[i] = bench_now_us();
        tell(control, "list", "", "");
        heard(control);
        asked[i] = bench_now_us() - asked[i];
        out[i] = wake(&watcher, control, argv[1], SCARD_STATE_EMPTY);
        in[i] = wake(&watcher, control, argv[1], SCARD_STATE_PRESENT);
    }
    print_median("control", asked, rounds);
    print_median("in", in, rounds);
    print_median("out", out, rounds);
}

struct newcomer {
    SCARDCONTEXT context;
    char reader[256];
    double listed, usable;
};

static void *await_newcomer(void *argument)
{
    struct newcomer *newcomer = argument;
    SCARD_READERSTATE state = {.szReader = newcomer->reader};

    await_reader(newcomer->context, true, newcomer->reader);
    newcomer->listed = bench_now_us();
    pcsc_await(newcomer->context, &state, SCARD_STATE_PRESENT);
    pcsc_need(pcsc.disconnect(pcsc_connect(newcomer->context, newcomer->reader, SCARD_PROTOCOL_T1),
                              SCARD_LEAVE_CARD),
              "SCardDisconnect");
    newcomer->usable = bench_now_us();
    return NULL;
}

static void plugs(char **argv)
{
    size_t rounds = strtoul(argv[2], NULL, 10);
    double *listed = calloc(rounds, sizeof *listed), *usable = calloc(rounds, sizeof *usable);
    FILE *control = open_control(argv[0]);
    struct newcomer newcomer;

    if (!listed || !usable)
        bench_die("calloc");
    newcomer.context = begin(newcomer.reader);
    for (size_t i = 0; i < rounds; i++) {
        pthread_t thread;
        double start;

        tell(control, "pull", argv[1], "");
        heard(control);
        await_reader(newcomer.context, false, newcomer.reader);
        if (pthread_create(&thread, NULL, await_newcomer, &newcomer))
            bench_die("pthread_create");
        pause_ms(50); /* until it waits, and the old one is done with */
        start = bench_now_us();
        tell(control, "replug", argv[1], "");
        tell(control, "card", argv[1], " 0 sim:echo");
        pthread_join(thread, NULL);
        heard(control);
        heard(control);
        listed[i] = newcomer.listed - start;
        usable[i] = newcomer.usable - start;
    }
    print_median("listed", listed, rounds);
    print_median("usable", usable, rounds);
}

static struct pcsc_use measure(const char *daemon)
{
    struct pcsc_use use = {0};

    pcsc_add_use("self", &use);
    if (daemon)
        pcsc_add_use(daemon, &use);
    return use;
}

static void *wait_for_ever(void *argument)
{
    struct watcher *watcher = argument;
    LONG rv = pcsc.wait(watcher->context, INFINITE, &watcher->state, 1);

    if (rv != SCARD_E_CANCELLED)
        pcsc_need(rv, "SCardGetStatusChange, idle");
    return NULL;
}

static void idle(char **argv)
{
    long seconds = strtol(argv[0], NULL, 10);
    char reader[256];
    SCARDCONTEXT context = begin(reader);
    struct watcher watcher = {.context = context, .state = {.szReader = reader}};
    struct pcsc_use before, after;
    pthread_t thread;

    pcsc_connect(context, reader, SCARD_PROTOCOL_T1);
    pcsc_await(context, &watcher.state, SCARD_STATE_INUSE);
    watcher.state.dwCurrentState = watcher.state.dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
    if (pthread_create(&thread, NULL, wait_for_ever, &watcher))
        bench_die("pthread_create");
    pause_ms(1000); /* until all is quiet */
    before = measure(argv[1]);
    pause_ms(seconds * 1000);
    after = measure(argv[1]);
    pcsc_need(pcsc.cancel(context), "SCardCancel");
    pthread_join(thread, NULL);
    printf("wakes=%.2f\nbusy=%.2f\n", (double)(after.wakes - before.wakes) / (double)seconds,
           (after.busy_us - before.busy_us) / (double)seconds);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        int least;
        void (*run)(char **argv);
    } parts[] = {{"transmit", 6, transmit}, {"wake", 6, wakes}, {"plug", 6, plugs}, {"idle", 4, idle}};

    for (size_t i = 0; argc > 2 && i < sizeof parts / sizeof *parts; i++) {
        if (strcmp(argv[2], parts[i].name) == 0 && argc >= parts[i].least) {
            pcsc_load(argv[1]);
            parts[i].run(argv + 3);
            fflush(stdout);
            /* Not exit: what a library does at the end of the process is no part of this. */
            _exit(0);
        }
    }
    fprintf(stderr, "usage: usb_bench LIBRARY transmit|wake|plug|idle ARGUMENTS…\n");
    return 2;
}
