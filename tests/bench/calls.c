/* SPDX-License-Identifier: MIT */
/* Calls that do not wait: exchange, contexts, lists, release. */
#include "tests/bench/bench.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/uri.h"
#include "sim/card.h"

#define CONTEXTS 10000
#define OBJECTS 1000

struct exchange {
    SCARDHANDLE handle;
    struct sim_card *card;
    struct buffer answer;
    const uint8_t *command;
    size_t length;
};

static void through_library(void *user)
{
    struct exchange *exchange = user;
    uint8_t response[300];
    DWORD length = sizeof response;

    bench_need(SCardTransmit(exchange->handle, SCARD_PCI_T1, exchange->command, exchange->length, NULL,
                             response, &length),
               "SCardTransmit");
}

static void direct(void *user)
{
    struct exchange *exchange = user;

    exchange->answer.length = 0;
    if (exchange->card->ops->apdu(exchange->card, exchange->command, exchange->length, &exchange->answer))
        bench_need(SCARD_F_INTERNAL_ERROR, "sim:echo");
}

static void exchange_rows(struct exchange *exchange, const char *size)
{
    double bare = bench_per_call(direct, exchange);
    double library = bench_per_call(through_library, exchange);
    char what[96];

    snprintf(what, sizeof what, "the card itself, %s", size);
    bench_row(what, bare, "us", 0, 0);
    snprintf(what, sizeof what, "SCardTransmit, %s", size);
    bench_row(what, library, "us", 0, 0);
    snprintf(what, sizeof what, "what the library adds, %s", size);
    bench_row(what, library - bare, "us", 1, 0);
}

void bench_transmit(void)
{
    static const uint8_t small[5] = {0x00, 0x10, 0x00, 0x00, 0x00};
    static const uint8_t large[261] = {0x00, 0x10, 0x00, 0x00, 0xFF};
    SCARDCONTEXT context = bench_establish();
    struct exchange exchange = {.command = small, .length = sizeof small};
    struct uri uri;
    char reader[128];

    bench_reader(context, reader);
    exchange.handle = bench_connect(context, reader, SCARD_SHARE_SHARED);
    if (uri_parse("sim:echo?reply=0", 16, &uri) || sim_card_new(&uri, &exchange.card))
        bench_need(SCARD_F_INTERNAL_ERROR, "sim:echo");
    exchange_rows(&exchange, "5 bytes out, 2 in");
    exchange.command = large;
    exchange.length = sizeof large;
    exchange_rows(&exchange, "261 bytes out, 2 in");
    exchange.card->ops->free(exchange.card);
    buffer_fini(&exchange.answer);
    uri_fini(&uri);
    SCardReleaseContext(context);
}

static void establish_release(void *user)
{
    (void)user;
    SCardReleaseContext(bench_establish());
}

static void connect_disconnect(void *user)
{
    struct exchange *exchange = user;
    const char *reader = (const char *)exchange->command;

    SCardDisconnect(bench_connect((SCARDCONTEXT)exchange->length, reader, SCARD_SHARE_SHARED),
                    SCARD_LEAVE_CARD);
}

void bench_contexts(void)
{
    char reader[128];
    struct exchange exchange = {.command = (const uint8_t *)reader};

    bench_row("EstablishContext + ReleaseContext", 1e6 / bench_per_call(establish_release, NULL), "per s", 0,
              1e6);
    exchange.length = (size_t)bench_establish();
    bench_reader((SCARDCONTEXT)exchange.length, reader);
    bench_row("Connect + Disconnect(LEAVE)", 1e6 / bench_per_call(connect_disconnect, &exchange), "per s", 0,
              0);
    SCardReleaseContext((SCARDCONTEXT)exchange.length);
}

void bench_many_contexts(void)
{
    SCARDCONTEXT first = bench_establish(), *contexts = calloc(CONTEXTS, sizeof *contexts);
    size_t before;
    double start;

    if (!contexts)
        bench_die("calloc");
    memset(contexts, 0xFF, CONTEXTS * sizeof *contexts); /* its pages are not the library's */
    malloc_trim(0);
    before = bench_resident();
    for (size_t i = 0; i < CONTEXTS; i++)
        contexts[i] = bench_establish();
    bench_row("10,000 contexts open: resident memory of each", (double)(bench_resident() - before) / CONTEXTS,
              "bytes", 1024, 0);
    start = bench_now_us();
    for (size_t i = 0; i < CONTEXTS; i++)
        SCardReleaseContext(contexts[i]);
    bench_row("... and their release, each", (bench_now_us() - start) / CONTEXTS, "us", 0, 0);
    free(contexts);
    SCardReleaseContext(first);
}

void bench_release(void)
{
    SCARDCONTEXT keep = bench_establish();
    char reader[128];
    double samples[15];

    bench_reader(keep, reader);
    for (size_t round = 0; round < 15; round++) {
        SCARDCONTEXT context = bench_establish();
        double start;

        for (size_t i = 0; i < OBJECTS; i++) {
            char *names;
            DWORD length = SCARD_AUTOALLOCATE;

            bench_connect(context, reader, SCARD_SHARE_SHARED);
            bench_need(SCardListReaders(context, NULL, (LPSTR)&names, &length), "SCardListReaders");
        }
        start = bench_now_us();
        SCardReleaseContext(context);
        samples[round] = (bench_now_us() - start) / 1000;
    }
    bench_row("release of a context with 1,000 handles and 1,000 blocks", bench_quantile(samples, 15, 0.5),
              "ms", 0, 0);
    SCardReleaseContext(keep);
}

struct listing {
    SCARDCONTEXT context;
    char *names;
    DWORD room;
    SCARD_READERSTATE *states;
    DWORD count;
};

static void list_readers(void *user)
{
    struct listing *listing = user;
    DWORD length = listing->room;

    bench_need(SCardListReaders(listing->context, NULL, listing->names, &length), "SCardListReaders");
}

static void status_change(void *user)
{
    struct listing *listing = user;

    bench_need(SCardGetStatusChange(listing->context, 0, listing->states, listing->count),
               "SCardGetStatusChange");
}

void bench_readers(void)
{
    struct listing listing = {.context = bench_establish()};
    char what[96];
    double us;

    bench_need(SCardListReaders(listing.context, NULL, NULL, &listing.room), "SCardListReaders");
    listing.names = malloc(listing.room);
    listing.states = calloc(listing.room, sizeof *listing.states);
    if (!listing.names || !listing.states)
        bench_die("malloc");
    list_readers(&listing);
    for (const char *name = listing.names; *name; name += strlen(name) + 1)
        listing.states[listing.count++].szReader = name;

    us = bench_per_call(list_readers, &listing);
    snprintf(what, sizeof what, "ListReaders, %lu readers", listing.count);
    bench_row(what, us, "us", 0, 0);
    us = bench_per_call(status_change, &listing);
    snprintf(what, sizeof what, "GetStatusChange, %lu readers", listing.count);
    bench_row(what, us, "us", 0, 0);
    bench_note("", "%.3f us each", us / (double)listing.count);
    SCardReleaseContext(listing.context);
    free(listing.states);
    free(listing.names);
}
