/* SPDX-License-Identifier: MIT */
#include "manager/turn.h"

#include <assert.h>

#include "base/log.h"
#include "base/rc.h"
#include "manager/monitor.h"
#include "manager/slot.h"

struct turn_wait {
    struct wait wait;
    struct list link; /* slot.queue */
    struct context *context;
    struct handle *handle;
    enum turn_kind kind;
    unsigned flags;
};

static bool may_have(const struct slot *slot, const struct handle *handle, enum turn_kind kind)
{
    if (slot->owner && slot->owner != handle)
        return false;
    return kind == TURN_LOOK || !slot->busy;
}

static void grant(struct slot *slot, struct context *context, struct handle *handle, enum turn_kind kind)
{
    if (kind == TURN_DEVICE || kind == TURN_CONNECT) {
        slot->busy = true;
        slot->busy_context = context;
        slot->busy_counts = kind == TURN_DEVICE;
        context->exchanges += slot->busy_counts;
    } else if (kind == TURN_OWNER) {
        slot->owner = handle;
        slot->depth++;
    }
}

/* Hands the turn to those who may have it, first come first served. */
static void pass_on(struct slot *slot)
{
    list_each(node, &slot->queue)
    {
        struct turn_wait *next = list_entry(node, struct turn_wait, link);

        if (next->wait.done)
            continue;
        if (next->flags & TURN_AT_ONCE && slot->owner && slot->owner != next->handle)
            wait_finish(&next->wait, RC_SHARING);
        if (next->wait.done || !may_have(slot, next->handle, next->kind))
            continue;
        grant(slot, next->context, next->handle, next->kind);
        list_remove(&next->link);
        wait_finish(&next->wait, RC_OK);
    }
}

static int sharing(const struct slot *slot)
{
    return detail_set(RC_SHARING, "%s: another program is in a transaction", slot->name);
}

int turn_take(struct slot *slot, struct context *context, struct handle *handle, enum turn_kind kind,
              unsigned flags)
{
    struct turn_wait wait = {.context = context, .handle = handle, .kind = kind, .flags = flags};
    int rc;

    if (may_have(slot, handle, kind)) {
        if (context->closed)
            return RC_INVALID_HANDLE;
        grant(slot, context, handle, kind);
        return RC_OK;
    }
    if (flags & TURN_AT_ONCE && slot->owner && slot->owner != handle)
        return sharing(slot);
    rc = wait_begin(&wait.wait, context);
    if (rc)
        return rc;
    list_append(&slot->queue, &wait.link);
    rc = wait_sleep(&wait.wait, slot->manager, deadline_never());
    list_remove(&wait.link);
    wait_end(&wait.wait);
    if (rc == RC_SHARING)
        return sharing(slot);
    return rc == RC_READER_UNAVAILABLE ? slot_unavailable(slot) : rc;
}

bool turn_try(struct slot *slot)
{
    if (slot->busy)
        return false;
    slot->busy = true;
    slot->busy_context = NULL;
    return true;
}

void turn_give(struct slot *slot)
{
    struct context *context = slot->busy_context;

    assert(slot->busy);
    slot->busy = false;
    slot->busy_context = NULL;
    if (context && slot->busy_counts && !--context->exchanges && context->closed)
        pthread_cond_broadcast(&context->quiet);
    if (slot->look_again) {
        slot->look_again = false;
        monitor_look(slot);
    }
    slot_expect_idle(slot);
    if (!slot->attached || (slot->owner && slot->owner->closed))
        pthread_cond_broadcast(&slot->manager->changed);
    pass_on(slot);
}

void turn_disown(struct slot *slot)
{
    slot->owner = NULL;
    slot->depth = 0;
    pass_on(slot);
}

static void evict(struct slot *slot, const struct handle *handle, int result, unsigned spared)
{
    list_each(node, &slot->queue)
    {
        struct turn_wait *wait = list_entry(node, struct turn_wait, link);

        if (wait->handle == handle && !(wait->flags & spared))
            wait_finish(&wait->wait, result);
    }
}

void turn_evict(struct handle *handle, int result)
{
    evict(handle->slot, handle, result, 0);
}

void turn_evict_for_event(struct handle *handle, int result)
{
    evict(handle->slot, handle, result, TURN_ANYWAY);
}

void turn_evict_connects(struct slot *slot, int result)
{
    evict(slot, NULL, result, 0);
}
