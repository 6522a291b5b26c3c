/* SPDX-License-Identifier: MIT */
/*
 * The card's side of a vpcd connection, for card programs of the tests: frames of u16 big-endian length and
 * body. Independent of the driver on purpose, so that the two check each other.
 */
#ifndef INTEROP_VPCD_CLIENT_H
#define INTEROP_VPCD_CLIENT_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { VPCD_OFF, VPCD_ON, VPCD_RESET, VPCD_GET_ATR = 4 };

#define VPCD_BODY_MAX 65535

/* Received bytes are kept, so that one receive serves header, body and what follows. */
struct vpcd_client {
    int fd;
    bool quickack; /* no delayed acknowledgements (tcp(7)); set before connecting */
    size_t from, to;
    uint8_t bytes[2 + VPCD_BODY_MAX];
};

/* Connects to 127.0.0.1, or says on stderr why not and returns false. */
static inline bool vpcd_client_connect(struct vpcd_client *client, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char *end;
    long number = strtol(port, &end, 10);
    int on = 1;

    if (*end || number < 1 || number > UINT16_MAX) {
        fprintf(stderr, "%s is no port: give the number behind vpcd: in the reader's URI\n", port);
        return false;
    }
    address.sin_port = htons((uint16_t)number);
    client->from = client->to = 0;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client->fd < 0 || connect(client->fd, (const struct sockaddr *)&address, sizeof address) ||
        setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on)) {
        fprintf(stderr, "127.0.0.1:%ld: %s; start the reader (vpcd:%ld) before its card\n", number,
                strerror(errno), number);
        return false;
    }
    return true;
}

static inline bool vpcd_client_need(struct vpcd_client *client, size_t count)
{
    if (client->to - client->from < count && client->from) {
        memmove(client->bytes, client->bytes + client->from, client->to - client->from);
        client->to -= client->from;
        client->from = 0;
    }
    while (client->to - client->from < count) {
        int on = 1;
        ssize_t got;

        /* The kernel forgets it at times. */
        if (client->quickack)
            setsockopt(client->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
        got = recv(client->fd, client->bytes + client->to, sizeof client->bytes - client->to, 0);

        if (got <= 0)
            return false; /* a signal without SA_RESTART ends the card as well */
        client->to += (size_t)got;
    }
    return true;
}

/* The next frame's body, valid until the next call; NULL when the reader has gone. */
static inline const uint8_t *vpcd_client_receive(struct vpcd_client *client, size_t *ret_length)
{
    const uint8_t *body;
    size_t length;

    if (client->from == client->to)
        client->from = client->to = 0;
    if (!vpcd_client_need(client, 2))
        return NULL;
    length = (size_t)client->bytes[client->from] << 8 | client->bytes[client->from + 1];
    if (!vpcd_client_need(client, 2 + length))
        return NULL;
    body = client->bytes + client->from + 2;
    client->from += 2 + length;
    *ret_length = length;
    return body;
}

/* Sends frame[0 … 2+length) in one segment; its first two bytes are set here. */
static inline bool vpcd_client_send(struct vpcd_client *client, uint8_t *frame, size_t length)
{
    frame[0] = (uint8_t)(length >> 8);
    frame[1] = (uint8_t)length;
    for (size_t sent = 0; sent < 2 + length;) {
        ssize_t n = send(client->fd, frame + sent, 2 + length - sent, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        sent += (size_t)n;
    }
    return true;
}

#endif
