/* SPDX-License-Identifier: MIT */
#include "ipc/remote_plain.h"

#include <stdlib.h>

#include "base/rc.h"
#include "ipc/remote_table.h"

/* The entry of the handle's reader. RC_READER_UNAVAILABLE when it has none. */
static int look(struct remote_call *call, const struct remote_handle *handle, struct wire_reader *ret_entry)
{
    const struct wire_reader *entry;
    struct table table;
    int rc = table_read(call, &table);

    if (rc)
        return rc;
    entry = table_find(&table, handle->reader);
    if (entry)
        *ret_entry = *entry;
    else
        rc = RC_READER_UNAVAILABLE;
    free(table.entries);
    return rc;
}

int plain_note(struct remote_call *call, struct remote_handle *handle, enum share_mode share)
{
    struct wire_disconnect end = {.card = handle->card, .disposition = CARD_LEAVE};
    struct wire_reader entry;
    bool was_exclusive = handle->exclusive;
    int rc;

    if (call->connection->features)
        return RC_OK;
    handle->exclusive = share == SHARE_EXCLUSIVE;
    /* Exclusive use is a lock to pcscd, which it forgets to give back when the use is shared again. */
    if (was_exclusive && !handle->exclusive) {
        rc = call_ask(call, WIRE_END, &end, NULL, 0);
        if (rc)
            return rc;
    }
    rc = look(call, handle, &entry);
    if (!rc)
        handle->events = entry.events;
    return rc == RC_READER_UNAVAILABLE ? RC_OK : rc;
}

int plain_event(struct remote_call *call, const struct remote_handle *handle, int rc)
{
    struct wire_reader entry;
    int look_rc;

    if ((rc != RC_CARD_RESET && rc != RC_CARD_REMOVED) || call->connection->features)
        return rc;
    look_rc = look(call, handle, &entry);
    if (look_rc)
        return look_rc;
    return entry.events == handle->events ? rc : RC_CARD_REMOVED;
}

int plain_may_be_exclusive(struct remote_call *call, const struct remote_handle *handle)
{
    struct wire_reader entry;
    int rc;

    if (call->connection->features)
        return RC_OK;
    rc = look(call, handle, &entry);
    if (rc)
        return rc;
    return entry.sharing > 1 ? RC_SHARING : RC_OK;
}

bool plain_is_off(struct remote_call *call, const struct remote_handle *handle)
{
    struct wire_reader entry;

    return !call->connection->features && !look(call, handle, &entry) &&
           (table_card(&entry) & (CARD_PRESENT | CARD_POWERED | CARD_SWALLOWED)) == CARD_PRESENT;
}
