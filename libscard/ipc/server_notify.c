/* SPDX-License-Identifier: MIT */
#include "ipc/server_notify.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "ipc/server_output.h"

/* A program waits once at a time; libpcsclite does. */
#define WAITS_MAX 64

_Static_assert(READER_NAME_MAX == WIRE_NAME_MAX && ATR_MAX == WIRE_ATR_MAX, "readers fit into the table");
_Static_assert((int)CARD_ABSENT == (int)WIRE_READER_ABSENT && (int)CARD_PRESENT == (int)WIRE_READER_PRESENT &&
                   (int)CARD_SWALLOWED == (int)WIRE_READER_SWALLOWED &&
                   (int)CARD_POWERED == (int)WIRE_READER_POWERED &&
                   (int)CARD_NEGOTIABLE == (int)WIRE_READER_NEGOTIABLE,
               "the states of a card are those of the wire");

/* In an unused place pcscd has a length that no ATR has. */
static const struct wire_reader unused = {.atr_length = WIRE_ATR_MAX + 1};

static void encode(const struct reader_entry *entry, struct wire_reader *ret_reader)
{
    struct wire_reader *reader = ret_reader;

    memset(reader, 0, sizeof *reader); /* the table is compared as a whole */
    memcpy(reader->name, entry->name, strnlen(entry->name, WIRE_NAME_MAX - 1));
    reader->events = entry->state >> 16;
    reader->state = entry->card ? entry->card : WIRE_READER_UNKNOWN;
    reader->sharing = entry->state & STATE_EXCLUSIVE ? -1 : (int32_t)entry->handles;
    reader->atr_length = (uint32_t)(entry->atr_length <= WIRE_ATR_MAX ? entry->atr_length : WIRE_ATR_MAX);
    memcpy(reader->atr, entry->atr, reader->atr_length);
    reader->protocol = entry->protocol;
}

/* With the lock, as all below: the table as it is now. true: it is another one. */
static bool look(struct server *server)
{
    struct reader_entry *entries = NULL;
    struct wire_reader *table = NULL;
    uint16_t list_events;
    size_t count = 0;
    bool changed;

    if (server_ops(server)->table(server->context, &entries, &count, &list_events))
        return false; /* the last one has to do */
    table = calloc(count + 1, sizeof *table);
    if (!table) {
        free(entries);
        return false;
    }
    for (size_t i = 0; i < count; i++)
        encode(&entries[i], &table[i]);
    free(entries);
    changed = count != server->table_count || list_events != server->list_events ||
              (count && memcmp(table, server->table, count * sizeof *table) != 0);
    free(server->table);
    server->table = table;
    server->table_count = count;
    server->list_events = list_events;
    return changed;
}

static void send_ends(struct server_client *client, unsigned count, uint32_t rv)
{
    const struct wire_wait end = {.rv = rv};

    for (unsigned i = 0; i < count; i++)
        server_output_send(client, &end, sizeof end);
}

/* Ends all waits of the client; those that its table has not reached yet, afterwards. */
static void end_waits(struct server_client *client, uint32_t rv)
{
    unsigned count = client->waits;

    client->waits = 0;
    list_remove(&client->wait_link);
    if (client->table_due) {
        client->held += count;
        client->held_rv = rv;
    } else {
        send_ends(client, count, rv);
    }
}

static void table_delivered(struct server_client *client)
{
    unsigned held = client->held;

    client->table_due = false;
    client->held = 0;
    send_ends(client, held, client->held_rv);
}

/* Looks, and tells those who wait if there is something new. */
static void refresh(struct server *server)
{
    if (!look(server))
        return;
    list_each(node, &server->waiting) end_waits(list_entry(node, struct server_client, wait_link), 0);
}

static void send_legacy(struct server_client *client)
{
    const struct server *server = client->server;
    struct wire_reader readers[WIRE_LEGACY_READERS];

    for (size_t i = 0; i < WIRE_LEGACY_READERS; i++)
        readers[i] = i < server->table_count ? server->table[i] : unused;
    server_output_send(client, readers, sizeof readers);
}

int server_notify_wait(struct server_client *client)
{
    struct server *server = client->server;
    int rc = RC_OK;

    pthread_mutex_lock(&server->notify_lock);
    refresh(server);
    if (client->waits + client->held >= WAITS_MAX) {
        rc = detail_set(RC_IO, "it waits %d times at once", WAITS_MAX);
    } else {
        if (!client->waits++)
            list_append(&server->waiting, &client->wait_link);
        if (client->minor >= WIRE_MINOR_NEWEST)
            client->table_due = true;
        else if (client->minor >= WIRE_MINOR_TABLE)
            send_legacy(client);
    }
    pthread_mutex_unlock(&server->notify_lock);
    return rc;
}

void server_notify_stop_waiting(struct server_client *client)
{
    struct server *server = client->server;

    pthread_mutex_lock(&server->notify_lock);
    if (client->held) {
        client->held--;
        send_ends(client, 1, client->held_rv);
    } else if (client->waits) {
        if (!--client->waits)
            list_remove(&client->wait_link);
        send_ends(client, 1, 0);
    }
    if (!client->held && !client->waits)
        client->table_due = false;
    pthread_mutex_unlock(&server->notify_lock);
}

void server_notify_send_legacy_table(struct server_client *client)
{
    struct server *server = client->server;

    pthread_mutex_lock(&server->notify_lock);
    refresh(server);
    send_legacy(client);
    pthread_mutex_unlock(&server->notify_lock);
}

void server_notify_send_count(struct server_client *client)
{
    struct server *server = client->server;
    uint32_t count;

    pthread_mutex_lock(&server->notify_lock);
    refresh(server);
    count = client->told_count = (uint32_t)server->table_count;
    server_output_send(client, &count, sizeof count);
    pthread_mutex_unlock(&server->notify_lock);
}

void server_notify_send_table(struct server_client *client)
{
    struct server *server = client->server;
    size_t count, known;

    pthread_mutex_lock(&server->notify_lock);
    refresh(server);
    /* As many as the client was told and reads, whatever has come or gone since. */
    count = client->told_count == UINT32_MAX ? server->table_count : client->told_count;
    known = count < server->table_count ? count : server->table_count;
    client->told_count = UINT32_MAX;
    if (known)
        server_output_send(client, server->table, known * sizeof *server->table);
    for (size_t i = known; i < count; i++)
        server_output_send(client, &unused, sizeof unused);
    table_delivered(client);
    pthread_mutex_unlock(&server->notify_lock);
}

void server_notify_send_list_events(struct server_client *client)
{
    struct server *server = client->server;
    struct wire_events events = {0};

    pthread_mutex_lock(&server->notify_lock);
    refresh(server);
    events.events = server->list_events;
    server_output_send(client, &events, sizeof events);
    pthread_mutex_unlock(&server->notify_lock);
}

void server_notify_cancel(struct server_client *client)
{
    struct server *server = client->server;

    pthread_mutex_lock(&server->notify_lock);
    if (client->waits)
        end_waits(client, wire_code(RC_CANCELLED));
    pthread_mutex_unlock(&server->notify_lock);
}

void server_notify_forget(struct server_client *client)
{
    struct server *server = client->server;

    pthread_mutex_lock(&server->notify_lock);
    list_remove(&client->wait_link);
    client->waits = client->held = 0;
    pthread_mutex_unlock(&server->notify_lock);
}

void server_notify_event(struct server *server)
{
    pthread_mutex_lock(&server->notify_lock);
    refresh(server);
    pthread_mutex_unlock(&server->notify_lock);
}

/* Under the service's lock. */
static void changed(void *user)
{
    const struct server *server = user;

    server_signal(server->table_fd);
}

int server_notify_start(struct server *server)
{
    int rc = server_ops(server)->establish(server->service, true, &server->context);

    if (rc)
        return rc;
    server_ops(server)->observe(server->service, changed, server);
    server_notify_event(server);
    return RC_OK;
}

void server_notify_stop(struct server *server)
{
    if (!server->context)
        return;
    server_ops(server)->observe(server->service, NULL, NULL);
    server_ops(server)->release(server->context);
    server_ops(server)->context_free(server->context);
    free(server->table);
}
