/* SPDX-License-Identifier: MIT */
/*
 * The measure of all: the same card programs behind bare sockets, once (what a library in the process could
 * reach at best) and with a process between that only passes on (what a server could).
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/bench.h"
#include "tests/bench/serve.h"

struct line {
    int fd;
    pthread_mutex_t turn; /* several clients have one card */
};

static void send_all(int fd, const uint8_t *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

        if (sent <= 0)
            bench_die("send");
        bytes += sent;
        length -= (size_t)sent;
    }
}

/* A frame of u16 big-endian length and body; 0 at the end of the connection. */
static size_t receive_frame(int fd, uint8_t *frame)
{
    size_t got = 0, wanted = 2;

    while (got < wanted) {
        ssize_t n = recv(fd, frame + got, 2 + UINT16_MAX - got, 0);

        if (n <= 0)
            return 0;
        got += (size_t)n;
        if (got >= 2)
            wanted = 2 + ((size_t)frame[0] << 8 | frame[1]);
    }
    return got;
}

static void ping_pong(struct serve_client *client)
{
    struct line *line = client->line;

    pthread_mutex_lock(&line->turn);
    send_all(line->fd, client->command, client->out);
    if (receive_frame(line->fd, client->response) != client->in)
        bench_die("a response of another length");
    pthread_mutex_unlock(&line->turn);
}

static int accept_card(const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)strtoul(port, NULL, 10))};
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, fd;

    if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) ||
        bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1))
        bench_die("a port for a card");
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on))
        bench_die("accept");
    close(listener);
    return fd;
}

struct relay {
    int client, card;
};

static void *relay(void *argument)
{
    uint8_t *frame = malloc(2 + UINT16_MAX);
    const struct relay *between = argument;
    size_t length;

    if (!frame)
        bench_die("malloc");
    while ((length = receive_frame(between->client, frame))) {
        send_all(between->card, frame, length);
        length = receive_frame(between->card, frame);
        send_all(between->client, frame, length);
    }
    _exit(0);
}

/* A process between client and cards, a thread for each. */
static void interpose(struct line *lines, size_t count)
{
    struct relay *relays = calloc(count, sizeof *relays);
    int pair[2];
    pid_t child;

    if (!relays)
        bench_die("calloc");
    for (size_t i = 0; i < count; i++) {
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
            bench_die("socketpair");
        relays[i] = (struct relay){.client = pair[1], .card = lines[i].fd};
        lines[i].fd = pair[0];
    }
    child = fork();
    if (child < 0)
        bench_die("fork");
    for (size_t i = 0; i < count; i++) {
        close(child ? relays[i].card : lines[i].fd);
        if (child)
            close(relays[i].client);
    }
    if (child)
        return;
    for (size_t i = 1; i < count; i++)
        serve_thread(relay, &relays[i]);
    relay(&relays[0]);
}

/* The ports end with a null pointer. */
void serve_bare(char **argv)
{
    size_t out = strtoul(argv[1], NULL, 10), in = strtoul(argv[2], NULL, 10);
    size_t count = strtoul(argv[3], NULL, 10), ports = 0;
    struct serve_client *clients = serve_clients_new(count);
    struct line *lines;

    while (argv[5 + ports] && ports < count)
        ports++;
    lines = calloc(ports, sizeof *lines);
    if (!lines)
        bench_die("calloc");
    for (size_t i = 0; i < ports; i++) {
        lines[i].fd = accept_card(argv[5 + i]);
        pthread_mutex_init(&lines[i].turn, NULL);
    }
    if (strcmp(argv[0], "2") == 0)
        interpose(lines, ports);
    for (size_t i = 0; i < count; i++) {
        clients[i].call = ping_pong;
        clients[i].line = &lines[i % ports];
        clients[i].out = 2 + out;
        clients[i].in = 2 + in;
        clients[i].command[0] = (uint8_t)(out >> 8);
        clients[i].command[1] = (uint8_t)out;
        serve_command(clients[i].command + 2, out, in);
    }
    serve_print("rate", serve_run(clients, count, strtol(argv[4], NULL, 10)));
}
