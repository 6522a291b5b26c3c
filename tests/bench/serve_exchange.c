/* SPDX-License-Identifier: MIT */
/* Exchanges and transactions of many clients, each with a context of its own. */
#include <stdio.h>
#include <stdlib.h>

#include "tests/bench/bench.h"
#include "tests/bench/serve.h"

#define ROOM 64 /* readers */

static void transmit(struct serve_client *client)
{
    static const SCARD_IO_REQUEST pci = {SCARD_PROTOCOL_T1, sizeof pci};
    DWORD length = sizeof client->response;

    pcsc_need(
        pcsc.transmit(client->card, &pci, client->command, client->out, NULL, client->response, &length),
        "SCardTransmit");
    if (length != client->in) {
        fprintf(stderr, "%lu bytes came\n", (unsigned long)length);
        exit(1);
    }
}

static struct serve_client *connect_all(size_t count, size_t out, size_t in, size_t first, size_t readers)
{
    static char names[ROOM][SERVE_READER_MAX];
    struct serve_client *clients = serve_clients_new(count);

    if (readers > ROOM)
        exit(2);
    serve_readers(pcsc_establish(), first, readers, names);
    for (size_t i = 0; i < count; i++) {
        clients[i].call = transmit;
        clients[i].out = out;
        clients[i].in = in;
        serve_command(clients[i].command, out, in);
        clients[i].card = pcsc_connect(pcsc_establish(), names[i % readers], SCARD_PROTOCOL_T1);
    }
    return clients;
}

void serve_rate(char **argv)
{
    size_t count = strtoul(argv[4], NULL, 10);
    struct serve_client *clients = connect_all(count, strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10),
                                               strtoul(argv[0], NULL, 10), strtoul(argv[1], NULL, 10));

    serve_print("rate", serve_run(clients, count, strtol(argv[5], NULL, 10)));
}

static void transact(struct serve_client *client)
{
    double asked = bench_now_us(), waited;

    pcsc_need(pcsc.begin(client->card), "SCardBeginTransaction");
    waited = bench_now_us() - asked;
    if (waited > client->longest_us)
        client->longest_us = waited;
    transmit(client);
    pcsc_need(pcsc.end(client->card, SCARD_LEAVE_CARD), "SCardEndTransaction");
}

void serve_transact(char **argv)
{
    size_t count = strtoul(argv[1], NULL, 10);
    struct serve_client *clients = connect_all(count, 5, 2, strtoul(argv[0], NULL, 10), 1);
    double longest = 0;
    unsigned long least, most;

    for (size_t i = 0; i < count; i++)
        clients[i].call = transact;
    serve_print("rate", serve_run(clients, count, strtol(argv[2], NULL, 10)));
    least = most = clients[0].count;
    for (size_t i = 0; i < count; i++) {
        least = clients[i].count < least ? clients[i].count : least;
        most = clients[i].count > most ? clients[i].count : most;
        longest = clients[i].longest_us > longest ? clients[i].longest_us : longest;
    }
    serve_print("fair", most ? (double)least / (double)most : 0);
    serve_print("longest", longest / 1e3);
}
