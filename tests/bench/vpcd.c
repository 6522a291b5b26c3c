/* SPDX-License-Identifier: MIT */
/* The same card program behind the library and behind a bare socket, in turns. */
#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <scard.h>

#define ROUNDS 5

struct line {
    SCARDHANDLE card; /* by the library */
    int fd;           /* bare */
    size_t out, in;   /* bytes of command and response */
    uint8_t command[2 + 65535];
};

static pid_t start_card(const char *port, size_t reply)
{
    char text[24];
    pid_t child = fork();

    if (child < 0)
        bench_die("fork");
    if (child)
        return child;
    snprintf(text, sizeof text, "%zu", reply);
    if (!freopen("/dev/null", "w", stdout))
        _exit(1);
    execl(ECHO_CARD, "echo_card", port, "--reply", text, (char *)NULL);
    _exit(127);
}

static void stop_card(pid_t child)
{
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
}

static void wait_for(SCARDCONTEXT context, const char *reader, DWORD wanted)
{
    SCARD_READERSTATE state = {.szReader = reader};

    do {
        state.dwCurrentState = state.dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
        bench_need(SCardGetStatusChange(context, 10000, &state, 1), "SCardGetStatusChange");
    } while (!(state.dwEventState & wanted));
}

static pid_t plug_into_library(SCARDCONTEXT context, struct line *line)
{
    char reader[128], device[64];
    DWORD length = sizeof device;
    pid_t child;

    bench_reader(context, reader);
    bench_need(scard_reader_fact(context, reader, "device", device, &length), "scard_reader_fact");
    wait_for(context, reader, SCARD_STATE_EMPTY); /* of the card before */
    child = start_card(strchr(device, ':') + 1, line->in - 2);
    wait_for(context, reader, SCARD_STATE_PRESENT);
    line->card = bench_connect(context, reader, SCARD_SHARE_SHARED);
    return child;
}

static pid_t plug_into_socket(struct line *line)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int on = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char port[8];
    pid_t child;

    if (listener < 0 || bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1) ||
        getsockname(listener, (struct sockaddr *)&address, &size))
        bench_die("socket");
    snprintf(port, sizeof port, "%u", ntohs(address.sin_port));
    child = start_card(port, line->in - 2);
    line->fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (line->fd < 0 || setsockopt(line->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on))
        bench_die("accept");
    close(listener);
    return child;
}

static void through_library(void *user)
{
    static uint8_t response[65544];
    struct line *line = user;
    DWORD length = sizeof response;

    bench_need(SCardTransmit(line->card, SCARD_PCI_T1, line->command + 2, line->out, NULL, response, &length),
               "SCardTransmit");
}

static void ping_pong(void *user)
{
    static uint8_t response[65544];
    struct line *line = user;
    size_t got = 0;

    for (size_t sent = 0; sent < 2 + line->out;) {
        ssize_t n = send(line->fd, line->command + sent, 2 + line->out - sent, MSG_NOSIGNAL);

        if (n <= 0)
            bench_die("send");
        sent += (size_t)n;
    }
    while (got < 2 + line->in) {
        ssize_t n = recv(line->fd, response + got, 2 + line->in - got, 0);

        if (n <= 0)
            bench_die("recv");
        got += (size_t)n;
    }
}

static void compare(SCARDCONTEXT context, struct line *line, const char *size)
{
    double library[ROUNDS], bare[ROUNDS], a, b;
    pid_t cards[2];
    char what[96];

    line->command[0] = (uint8_t)(line->out >> 8);
    line->command[1] = (uint8_t)line->out;
    cards[0] = plug_into_library(context, line);
    cards[1] = plug_into_socket(line);
    /* In turns, so that both see the same machine. */
    for (size_t i = 0; i < ROUNDS; i++) {
        bare[i] = bench_per_call(ping_pong, line);
        library[i] = bench_per_call(through_library, line);
    }
    a = bench_quantile(bare, ROUNDS, 0.5);
    b = bench_quantile(library, ROUNDS, 0.5);
    snprintf(what, sizeof what, "bare ping-pong on the socket, %s", size);
    bench_row(what, a, "us", 0, 0);
    snprintf(what, sizeof what, "SCardTransmit over vpcd, %s", size);
    bench_row(what, b, "us", 0, 0);
    bench_row("... more than bare", (b - a) / a * 100, "%", 10, 0);
    SCardDisconnect(line->card, SCARD_LEAVE_CARD);
    close(line->fd);
    stop_card(cards[0]);
    stop_card(cards[1]);
}

void bench_vpcd(void)
{
    SCARDCONTEXT context = bench_establish();
    struct line *line = calloc(1, sizeof *line);

    if (!line)
        bench_die("calloc");
    memcpy(line->command + 2, (const uint8_t[]){0x00, 0x10, 0x00, 0x00, 0x00}, 5);
    line->out = 5;
    line->in = 2;
    compare(context, line, "5 out, 2 in");
    line->command[6] = 0xFF;
    line->out = 261;
    line->in = 258;
    compare(context, line, "261 out, 258 in");
    SCardReleaseContext(context);
    free(line);
}
