/* SPDX-License-Identifier: MIT */
/* The server's table of readers, and what it means. */
#ifndef IPC_REMOTE_TABLE_H
#define IPC_REMOTE_TABLE_H

#include "ipc/remote_call.h"

struct table {
    struct wire_reader *entries; /* free it */
    size_t count;
    uint16_t list_events; /* how often the list has changed, never 0 */
};

/* Asks for the table. As call_ask; RC_NO_MEMORY. */
int table_read(struct remote_call *call, struct table *ret_table);

/* The table as it comes, unasked, after a WAIT of an older minor. */
int table_receive(struct remote_call *call, struct table *ret_table);

/* NULL: no such reader. */
const struct wire_reader *table_find(const struct table *table, const char *name);

/* enum reader_state and counter; and enum card_state without, 0 when the reader cannot be used. */
uint32_t table_state(const struct wire_reader *entry);
uint32_t table_card(const struct wire_reader *entry);

/* 0 without card. */
size_t table_atr_length(const struct wire_reader *entry);

/* See service_ops. */
int remote_list(struct service_context *context, char **ret_names, size_t *ret_length);
int remote_table(struct service_context *context, struct reader_entry **ret_entries, size_t *ret_count,
                 uint16_t *ret_list_events);
int remote_fact(struct service_context *context, const char *reader, const char *key, char **ret_value);

#endif
