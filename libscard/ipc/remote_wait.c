/* SPDX-License-Identifier: MIT */
#include "ipc/remote_wait.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/rc.h"
#include "ipc/remote_call.h"
#include "ipc/remote_table.h"

/* What a wait is about. */
struct wait {
    struct reader_watch *watches;
    size_t count;
    uint16_t list_events; /* of the first look */
    bool looked;
    bool ended;     /* by the server, before it was waited for */
    bool cancelled; /* and by a cancel */
};

static bool is_list(const struct reader_watch *watch)
{
    return !strcasecmp(watch->name, PNP_READER);
}

/* At the first look each name must be known. */
static bool knows_all(const struct wait *wait, const struct table *table)
{
    for (size_t i = 0; i < wait->count; i++) {
        const struct reader_watch *watch = &wait->watches[i];

        if (!(watch->current & STATE_IGNORE) && !is_list(watch) && !table_find(table, watch->name))
            return false;
    }
    return true;
}

static bool fill_list(const struct wait *wait, const struct table *table, struct reader_watch *watch)
{
    bool different = table->list_events != wait->list_events ||
                     (watch->current >> 16 && watch->current >> 16 != table->list_events);

    watch->event = (uint32_t)table->list_events << 16 | (different ? STATE_CHANGED : 0);
    watch->atr_length = 0;
    return different;
}

static bool fill_reader(const struct table *table, struct reader_watch *watch)
{
    const struct wire_reader *entry = table_find(table, watch->name);
    uint32_t state = entry ? table_state(entry) : STATE_UNKNOWN | STATE_UNAVAILABLE;
    bool different = service_state_differs(watch->current, state);

    watch->event = state | (different ? STATE_CHANGED : 0);
    watch->atr_length = entry ? table_atr_length(entry) : 0;
    if (watch->atr_length)
        memcpy(watch->atr, entry->atr, watch->atr_length);
    return different;
}

/* Fills every entry from the table, which is freed. RC_OK: one has changed; RC_TIMEOUT: none. */
static int judge(struct wait *wait, struct table *table)
{
    bool changed = false;
    int rc = RC_OK;

    if (!wait->looked && !knows_all(wait, table))
        rc = RC_UNKNOWN_READER;
    if (!wait->looked)
        wait->list_events = table->list_events;
    wait->looked = true;
    for (size_t i = 0; i < wait->count && !rc; i++) {
        struct reader_watch *watch = &wait->watches[i];

        if (watch->current & STATE_IGNORE) {
            watch->event = 0;
            watch->atr_length = 0;
        } else {
            changed |= is_list(watch) ? fill_list(wait, table, watch) : fill_reader(table, watch);
        }
    }
    free(table->entries);
    if (rc)
        return rc;
    return changed ? RC_OK : RC_TIMEOUT;
}

/* A look, without waiting. */
static int look(struct remote_context *context, struct wait *wait)
{
    struct table table;
    struct remote_call call;
    int rc = call_enter(&call, context, NEED_ANY);

    if (rc)
        return rc;
    rc = table_read(&call, &table);
    call_leave(&call);
    return rc ? rc : judge(wait, &table);
}

/* On another connection than that which waits. */
static int look_apart(struct remote_call *call, struct wait *wait)
{
    int rc = look(call->context, wait);

    /* Closed meanwhile: the call that waits is told so. */
    return rc == RC_INVALID_HANDLE ? RC_TIMEOUT : rc;
}

/* pcscd of minor 6 answers WAIT with nothing, and sends its end whenever it comes, also in the middle of a
 * table. So the table is read on another connection, once it is known that the wait has begun: another
 * request is answered by then. The answer has the form of an end, and takes its place if that was faster. */
static int enlist_apart(struct remote_call *call, struct wait *wait)
{
    struct wire_wait message;
    int rc = call_send(call, WIRE_WAIT, NULL);

    if (!rc)
        rc = call_send(call, WIRE_GET_EVENTS, NULL);
    if (!rc)
        rc = call_receive(call, &message, sizeof message);
    if (rc)
        return rc;
    wait->cancelled = wire_rc(message.rv) == RC_CANCELLED;
    return look_apart(call, wait);
}

/* Minor 3 answers WAIT with nothing either, and has no request with an answer like an end. What begins with
 * the version is the answer to that, because the code of an end is no minor. */
static int enlist_by_version(struct remote_call *call, struct wait *wait)
{
    const struct wire_wait unused = {0};
    struct wire_version version = {.major = WIRE_MAJOR, .minor = call->connection->minor};
    struct wire_wait message;
    int rc = call_send(call, WIRE_WAIT, &unused);

    if (!rc)
        rc = call_send(call, WIRE_VERSION, &version);
    if (!rc)
        rc = call_receive(call, &message, sizeof message);
    wait->ended = !rc && message.rv != (uint32_t)version.minor;
    if (!rc)
        rc = call_receive(call, &version, sizeof version - (wait->ended ? 0 : sizeof message));
    if (rc)
        return rc;
    wait->cancelled = wait->ended && wire_rc(message.rv) == RC_CANCELLED;
    return look_apart(call, wait);
}

/* Asks to be told of the next event, and looks what there was before it. */
static int enlist(struct remote_call *call, struct wait *wait)
{
    bool newest = call->connection->minor >= WIRE_MINOR_NEWEST;
    struct table table;
    int rc;

    wait->ended = wait->cancelled = false;
    if (call->connection->minor < WIRE_MINOR_TABLE)
        return enlist_by_version(call, wait);
    if (newest && !call->connection->features)
        return enlist_apart(call, wait);
    rc = call_send(call, WIRE_WAIT, NULL);
    /* The server of minor 4 sends its table with that; ours keeps the event back until the table is read. */
    if (!rc)
        rc = (newest ? table_read : table_receive)(call, &table);
    return rc ? rc : judge(wait, &table);
}

/* The end of a WAIT is the event, or the answer to STOP when the event has not been sent; either is one
 * message. Minor 3 answers STOP also when the event is on its way, and nothing tells the two apart: there the
 * end of the connection ends the wait. */
static int end_wait(struct remote_call *call, bool stop, struct wire_wait *ret_message)
{
    int rc = RC_OK;

    if (stop && call->connection->minor < WIRE_MINOR_TABLE) {
        call_give_up(call);
        return RC_OK;
    }
    if (stop)
        rc = call_send(call, WIRE_STOP_WAITING, NULL);
    return rc ? rc : call_receive(call, ret_message, sizeof *ret_message);
}

/* Whether the wait is over: looks at the table on the connection that has waited, if it can still be used. */
static int look_again(struct remote_call *call, struct wait *wait)
{
    struct table table;
    int rc;

    if (call->connection->broken)
        return look_apart(call, wait);
    rc = table_read(call, &table);
    return rc ? rc : judge(wait, &table);
}

/* Waits with the server until something has changed. The stream is in order after it, or broken. */
static int wait_for_events(struct remote_call *call, struct deadline deadline, struct wait *wait)
{
    struct wire_wait message = {0};
    int rc, sleep_rc, end_rc;

    for (;;) {
        rc = enlist(call, wait);
        if (rc != RC_TIMEOUT) {
            /* Whatever has failed, the connection is of use as long as nothing is owed on it. */
            end_rc = call->connection->broken || wait->ended ? rc : end_wait(call, true, &message);
            return rc ? rc : end_rc;
        }
        sleep_rc = wait->ended ? RC_OK : call_await(call, deadline);
        rc = wait->ended ? RC_OK : end_wait(call, sleep_rc != RC_OK, &message);
        if (rc)
            return rc;
        if (!sleep_rc && (wait->cancelled || wire_rc(message.rv) == RC_CANCELLED))
            sleep_rc = RC_CANCELLED;
        /* The event is most likely what is waited for. At the end the entries tell of now; what has changed
         * in the last moment is a change. */
        rc = look_again(call, wait);
        if (rc && rc != RC_TIMEOUT)
            return rc;
        if (sleep_rc)
            return !rc && sleep_rc == RC_TIMEOUT ? RC_OK : sleep_rc;
        if (!rc)
            return RC_OK;
    }
}

/* Whoever cancels does not know that the wait is several calls: one that came during those before is for
 * this. */
static void heed_cancels(struct remote_call *call, unsigned cancels)
{
    struct remote *remote = context_remote(call->context);

    pthread_mutex_lock(&remote->lock);
    call->cancelled |= call->context->cancels != cancels;
    pthread_mutex_unlock(&remote->lock);
}

int remote_wait(struct service_context *service_context, struct deadline deadline,
                struct reader_watch *watches, size_t count)
{
    struct remote_context *context = remote_context_of(service_context);
    struct wait wait = {.watches = watches, .count = count};
    struct remote_call call;
    bool any = false, closed;
    unsigned cancels;
    int rc;

    for (size_t i = 0; i < count; i++)
        any |= !(watches[i].current & STATE_IGNORE);
    pthread_mutex_lock(&context_remote(context)->lock);
    closed = context->closed;
    cancels = context->cancels;
    pthread_mutex_unlock(&context_remote(context)->lock);
    if (closed || !any)
        return closed ? RC_INVALID_HANDLE : RC_OK;
    rc = look(context, &wait);
    if (rc != RC_TIMEOUT || deadline_passed(deadline))
        return rc;
    rc = call_enter(&call, context, NEED_BARE);
    if (rc)
        return rc;
    heed_cancels(&call, cancels);
    rc = wait_for_events(&call, deadline, &wait);
    call_leave(&call);
    return rc;
}
