/* SPDX-License-Identifier: MIT */
#include "ipc/remote_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "ipc/remote_connection.h"

/* More than a machine has: a larger count is nonsense. */
#define READERS_MAX 65536

const struct wire_reader *table_find(const struct table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (!strcmp(table->entries[i].name, name))
            return &table->entries[i];
    return NULL;
}

uint32_t table_card(const struct wire_reader *entry)
{
    _Static_assert((int)WIRE_READER_ABSENT == CARD_ABSENT && (int)WIRE_READER_PRESENT == CARD_PRESENT &&
                       (int)WIRE_READER_SWALLOWED == CARD_SWALLOWED &&
                       (int)WIRE_READER_POWERED == CARD_POWERED &&
                       (int)WIRE_READER_NEGOTIABLE == CARD_NEGOTIABLE,
                   "the states on the wire are those of the seam");
    if (entry->state & WIRE_READER_UNKNOWN || !(entry->state & (WIRE_READER_ABSENT | WIRE_READER_PRESENT)))
        return 0;
    return entry->state & (CARD_ABSENT | CARD_PRESENT | CARD_SWALLOWED | CARD_POWERED | CARD_NEGOTIABLE);
}

uint32_t table_state(const struct wire_reader *entry)
{
    uint32_t card = table_card(entry), state;

    if (!card)
        return STATE_UNAVAILABLE;
    state = entry->events << 16 | (card & CARD_PRESENT ? STATE_PRESENT : STATE_EMPTY);
    if (card & CARD_PRESENT && card & CARD_SWALLOWED)
        state |= STATE_MUTE;
    if (entry->sharing < 0)
        state |= STATE_EXCLUSIVE;
    else if (entry->sharing)
        state |= STATE_INUSE;
    return state;
}

size_t table_atr_length(const struct wire_reader *entry)
{
    return table_card(entry) & CARD_PRESENT && entry->atr_length <= ATR_MAX ? entry->atr_length : 0;
}

/* pcscd writes the name of a new reader into the table piece by piece, and has not looked at the reader then:
 * there is nothing to be said of it, and half a name must not be told. Its event comes when it is ready. */
static bool is_being_added(const struct wire_reader *entry)
{
    return !entry->state && entry->atr_length == WIRE_ATR_MAX + 1;
}

/* Drops places without a reader and makes strings of the names. */
static void tidy(struct table *table)
{
    size_t used = 0;

    for (size_t i = 0; i < table->count; i++) {
        struct wire_reader *entry = &table->entries[i];

        entry->name[sizeof entry->name - 1] = '\0';
        if (entry->name[0] && !is_being_added(entry))
            table->entries[used++] = *entry;
    }
    table->count = used;
}

/* A new multi-string of the names. */
static int join_names(const struct table *table, char **ret_names, size_t *ret_length)
{
    size_t length = 1, used = 0;
    char *names;

    for (size_t i = 0; i < table->count; i++)
        length += strlen(table->entries[i].name) + 1;
    names = malloc(length);
    if (!names)
        return RC_NO_MEMORY;
    for (size_t i = 0; i < table->count; i++) {
        size_t size = strlen(table->entries[i].name) + 1;

        memcpy(names + used, table->entries[i].name, size);
        used += size;
    }
    names[used] = '\0';
    *ret_names = names;
    *ret_length = length;
    return RC_OK;
}

/* Counts changes of the list for a server that does not. */
static int count_by_names(struct remote_call *call, struct table *table)
{
    struct remote *remote = context_remote(call->context);
    size_t length;
    char *names;
    int rc = join_names(table, &names, &length);

    if (rc)
        return rc;
    pthread_mutex_lock(&remote->lock);
    if (!remote->names || remote->names_length != length || memcmp(remote->names, names, length) != 0) {
        char *before = remote->names;

        remote->names = names;
        remote->names_length = length;
        names = before;
        if (!++remote->list_events)
            remote->list_events = 1;
    }
    table->list_events = remote->list_events;
    pthread_mutex_unlock(&remote->lock);
    free(names);
    return RC_OK;
}

static int receive_entries(struct remote_call *call, uint32_t count, struct table *ret_table)
{
    struct table table = {.count = count};
    int rc;

    if (count > READERS_MAX)
        return call_broken(call, connection_nonsense(call->connection, "a number of readers"));
    table.entries = calloc(count ? count : 1, sizeof *table.entries);
    if (!table.entries)
        return call_broken(call, RC_NO_MEMORY);
    rc = call_receive(call, table.entries, count * sizeof *table.entries);
    if (!rc) {
        tidy(&table);
        rc = count_by_names(call, &table);
    }
    if (rc)
        free(table.entries);
    else
        *ret_table = table;
    return rc;
}

int table_receive(struct remote_call *call, struct table *ret_table)
{
    return receive_entries(call, WIRE_LEGACY_READERS, ret_table);
}

/* The table of minor 6. A server keeps the end of a WAIT back between its parts, so all that is asked goes
 * between them; and all at once, so that the way to the server counts once. */
static int read_newest(struct remote_call *call, struct table *ret_table)
{
    struct wire_events events = {0};
    uint32_t count = 0;
    int rc = call_send(call, WIRE_GET_TABLE_SIZE, NULL);

    if (!rc)
        rc = call_send(call, WIRE_GET_EVENTS, NULL);
    if (!rc)
        rc = call_send(call, WIRE_GET_TABLE, NULL);
    if (!rc)
        rc = call_receive(call, &count, sizeof count);
    if (!rc)
        rc = call_receive(call, &events, sizeof events);
    if (!rc)
        rc = receive_entries(call, count, ret_table);
    if (!rc && !events.rv && events.events & 0xFFFF)
        ret_table->list_events = (uint16_t)events.events;
    return rc;
}

int table_read(struct remote_call *call, struct table *ret_table)
{
    int rc;

    if (call->connection->minor >= WIRE_MINOR_NEWEST)
        return read_newest(call, ret_table);
    rc = call_send(call, WIRE_GET_LEGACY_TABLE, NULL);
    return rc ? rc : table_receive(call, ret_table);
}

/* The table, in a call of its own. */
static int look(struct service_context *context, struct table *ret_table)
{
    struct remote_call call;
    int rc = call_enter(&call, remote_context_of(context), NEED_ANY);

    if (rc)
        return rc;
    rc = table_read(&call, ret_table);
    call_leave(&call);
    return rc;
}

int remote_list(struct service_context *context, char **ret_names, size_t *ret_length)
{
    struct table table;
    int rc = look(context, &table);

    if (rc)
        return rc;
    rc = table.count ? join_names(&table, ret_names, ret_length) : RC_NO_READERS;
    free(table.entries);
    return rc;
}

static void describe(const struct wire_reader *entry, struct reader_entry *ret_entry)
{
    *ret_entry = (struct reader_entry){
        .state = table_state(entry),
        .card = table_card(entry),
        .handles = entry->sharing < 0 ? 1 : (unsigned)entry->sharing,
        .atr_length = table_atr_length(entry),
    };
    memcpy(ret_entry->name, entry->name, sizeof ret_entry->name);
    memcpy(ret_entry->atr, entry->atr, ret_entry->atr_length);
    if (ret_entry->atr_length)
        ret_entry->protocol = entry->protocol;
}

int remote_table(struct service_context *context, struct reader_entry **ret_entries, size_t *ret_count,
                 uint16_t *ret_list_events)
{
    struct reader_entry *entries = NULL;
    struct table table;
    int rc = look(context, &table);

    if (rc)
        return rc;
    if (table.count && !(entries = calloc(table.count, sizeof *entries)))
        rc = RC_NO_MEMORY;
    if (!rc) {
        for (size_t i = 0; i < table.count; i++)
            describe(&table.entries[i], &entries[i]);
        *ret_entries = entries;
        *ret_count = table.count;
        *ret_list_events = table.list_events;
    }
    free(table.entries);
    return rc;
}

/* A server that knows no facts: what can be told from here. */
static int guess_fact(struct remote_call *call, const char *reader, const char *key, char **ret_value)
{
    const struct wire_reader *entry;
    struct table table;
    char *value = NULL;
    int rc = table_read(call, &table);

    if (rc)
        return rc;
    entry = table_find(&table, reader);
    if (!entry)
        rc = RC_UNKNOWN_READER;
    else if (!strcmp(key, "device"))
        rc = asprintf(&value, "pcscd:%s", context_remote(call->context)->path) < 0 ? RC_NO_MEMORY : RC_OK;
    else if (!strcmp(key, "problem"))
        value = strdup(table_card(entry) ? "" : "the reader does not work");
    else if (!strcmp(key, "facts"))
        value = strdup("");
    else
        rc = RC_UNSUPPORTED;
    free(table.entries);
    if (!rc && !value)
        rc = RC_NO_MEMORY;
    if (!rc)
        *ret_value = value;
    return rc;
}

static int ask_fact(struct remote_call *call, const char *reader, const char *key, char **ret_value)
{
    struct wire_fact body = {.context = call->connection->context};
    char *value;
    int rc;

    if (strlen(reader) >= sizeof body.reader)
        return RC_UNKNOWN_READER;
    if (strlen(key) >= sizeof body.key)
        return RC_UNSUPPORTED;
    strcpy(body.reader, reader);
    strcpy(body.key, key);
    rc = call_ask(call, WIRE_FACT, &body, NULL, 0);
    if (!rc)
        rc = call_rc(call, body.rv);
    if (rc)
        return rc;
    if (body.length > WIRE_DATA_MAX)
        return call_broken(call, connection_nonsense(call->connection, "the length of a fact"));
    value = malloc((size_t)body.length + 1);
    if (!value)
        return call_broken(call, RC_NO_MEMORY);
    rc = call_receive(call, value, body.length);
    value[body.length] = '\0';
    if (rc)
        free(value);
    else
        *ret_value = value;
    return rc;
}

int remote_fact(struct service_context *context, const char *reader, const char *key, char **ret_value)
{
    struct remote_call call;
    int rc = call_enter(&call, remote_context_of(context), NEED_ANY);

    if (rc)
        return rc;
    rc = (call.connection->features & WIRE_CAN_FACT ? ask_fact : guess_fact)(&call, reader, key, ret_value);
    call_leave(&call);
    return rc;
}
