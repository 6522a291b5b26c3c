/* SPDX-License-Identifier: MIT */
#include "manager/handle.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "manager/negotiate.h"
#include "manager/slot.h"
#include "manager/turn.h"
#include "manager/watch.h"

int handle_usable(const struct handle *handle)
{
    if (handle->closed)
        return RC_INVALID_HANDLE;
    if (!handle->slot->attached || handle->slot->faulty)
        return slot_unavailable(handle->slot);
    return RC_OK;
}

int handle_clear(const struct handle *handle)
{
    int rc = handle_usable(handle);

    if (rc)
        return rc;
    if (handle->event == EVENT_REMOVED)
        return RC_CARD_REMOVED;
    return handle->event == EVENT_RESET ? RC_CARD_RESET : RC_OK;
}

unsigned handle_patience(const struct handle *handle)
{
    return handle_context(handle)->no_wait ? TURN_AT_ONCE : 0;
}

int handle_take_turn(struct handle *handle, unsigned flags)
{
    int (*check)(const struct handle *) = flags & TURN_ANYWAY ? handle_usable : handle_clear;
    int rc = check(handle);

    if (!rc)
        rc = turn_take(handle->slot, handle_context(handle), handle, TURN_DEVICE, flags);
    if (rc)
        return rc;
    rc = check(handle);
    if (rc)
        turn_give(handle->slot);
    return rc;
}

static bool others_connected(const struct slot *slot, const struct handle *handle)
{
    list_each(node, &slot->handles) if (list_entry(node, struct handle, slot_link) != handle) return true;
    return false;
}

/* May the handle (or, with NULL, a new one) use the slot in this mode beside those who are connected? */
static int may_share(const struct slot *slot, const struct handle *handle, enum share_mode share)
{
    if (slot->exclusive && slot->exclusive != handle)
        return detail_set(RC_SHARING, "%s: somebody is connected exclusively", slot->name);
    if (share == SHARE_EXCLUSIVE && others_connected(slot, handle))
        return detail_set(RC_SHARING, "%s: others are connected, so it cannot be had exclusively",
                          slot->name);
    return RC_OK;
}

/* (I/O, with the turn) Makes the card ready for a user of this mode. */
static int prepare_card(struct slot *slot, enum share_mode share, uint32_t protocols)
{
    int rc = slot_look(slot);

    if (rc || share == SHARE_DIRECT)
        return rc;
    if (!slot->present)
        return RC_NO_CARD;
    rc = slot_power_up(slot);
    return rc ? rc : negotiate_protocol(slot, protocols, NULL);
}

/* With the lock, and a reference to the slot. */
static int connect_to(struct slot *slot, struct context *context, uint32_t protocols, struct handle *handle)
{
    int rc = slot->faulty && !slot->device ? slot_look(slot) : may_share(slot, NULL, handle->share);

    if (!rc)
        rc = turn_take(slot, context, NULL, TURN_CONNECT, 0);
    if (rc)
        return rc;
    /* While this call waited, the reader may have gone or others may have come. */
    rc = slot->attached ? may_share(slot, NULL, handle->share) : RC_UNKNOWN_READER;
    if (!rc && context->closed)
        rc = RC_CANCELLED;
    if (!rc)
        rc = prepare_card(slot, handle->share, protocols);
    /* While the device worked, the context may have been released. */
    if (!rc && context->closed)
        rc = RC_CANCELLED;
    if (!rc && !slot->attached)
        rc = slot_unavailable(slot);
    if (!rc) {
        slot_add_handle(slot, handle);
        list_append(&context->handles, &handle->context_link);
    }
    turn_give(slot);
    return rc;
}

int handle_connect(struct service_context *service_context, const char *reader, enum share_mode share,
                   uint32_t protocols, struct service_handle **ret_handle, uint32_t *ret_protocol)
{
    struct context *context = context_of(service_context);
    struct manager *manager = context_manager(context);
    struct handle *handle = calloc(1, sizeof *handle);
    struct slot *slot;
    int rc;

    if (!handle)
        return RC_NO_MEMORY;
    handle->base.context = service_context;
    handle->share = share;
    list_init(&handle->context_link);
    list_init(&handle->slot_link);
    pthread_mutex_lock(&manager->lock);
    slot = slot_find(manager, reader);
    if (context->closed) {
        rc = RC_INVALID_HANDLE;
    } else if (!slot) {
        rc = RC_UNKNOWN_READER;
    } else {
        slot_reference(slot);
        rc = connect_to(slot, context, protocols, handle);
        if (rc == RC_OK) {
            *ret_handle = &handle->base;
            *ret_protocol = slot->protocol;
        }
        slot_release(slot);
    }
    pthread_mutex_unlock(&manager->lock);
    if (rc)
        free(handle);
    return rc;
}

/* (I/O, with the turn) */
static int reinitialize(struct handle *handle, enum share_mode share, uint32_t protocols,
                        enum disposition initialization)
{
    struct slot *slot = handle->slot;
    int rc = slot_look(slot);

    if (rc)
        return rc;
    if (!slot->present)
        return share == SHARE_DIRECT ? RC_OK : RC_NO_CARD;
    /* A card that others had powered off is taken into use again. */
    if (initialization != CARD_LEAVE)
        rc = slot_power(slot, initialization == CARD_RESET ? POWER_WARM : POWER_COLD, handle);
    else if (share != SHARE_DIRECT)
        rc = slot_power_up(slot);
    if (rc == RC_NO_CARD || rc == RC_READER_UNAVAILABLE || rc == RC_CANCELLED)
        return rc;
    if (rc)
        return share == SHARE_DIRECT ? RC_OK : RC_UNRESPONSIVE;
    return share == SHARE_DIRECT ? RC_OK : negotiate_protocol(slot, protocols, handle);
}

static void change_share(struct handle *handle, enum share_mode share)
{
    struct slot *slot = handle->slot;

    handle->share = share;
    if (share == SHARE_EXCLUSIVE)
        slot->exclusive = handle;
    else if (slot->exclusive == handle)
        slot->exclusive = NULL;
    watch_notify(slot->manager);
}

int handle_reconnect(struct service_handle *service_handle, enum share_mode share, uint32_t protocols,
                     enum disposition initialization, uint32_t *ret_protocol)
{
    struct handle *handle = handle_of(service_handle);
    struct slot *slot = handle->slot;
    struct manager *manager = slot->manager;
    int rc;

    pthread_mutex_lock(&manager->lock);
    rc = handle_usable(handle);
    if (!rc)
        rc = may_share(slot, handle, share);
    if (!rc)
        rc = handle_take_turn(handle, TURN_ANYWAY | handle_patience(handle));
    if (rc)
        goto out;
    rc = may_share(slot, handle, share);
    if (!rc)
        rc = reinitialize(handle, share, protocols, initialization);
    if (!rc && handle->closed)
        rc = RC_INVALID_HANDLE;
    if (!rc) {
        handle->event = EVENT_NONE;
        change_share(handle, share);
        *ret_protocol = slot->protocol;
    }
    turn_give(slot);
out:
    pthread_mutex_unlock(&manager->lock);
    return rc;
}

void handle_close(struct handle *handle)
{
    handle->closed = true;
    list_remove(&handle->context_link);
    turn_evict(handle, RC_INVALID_HANDLE);
    slot_remove_handle(handle->slot, handle);
}

/* (I/O, with the turn) What a disposition does to the card. Its failure does not keep anybody from leaving.
 */
static void dispose(struct slot *slot, enum disposition disposition, const struct handle *except)
{
    if (!slot->present || (disposition != CARD_RESET && !slot->powered))
        return;
    /* No reader here can eject; powering off makes the card safe to take out. */
    slot_power(slot, disposition == CARD_RESET ? POWER_WARM : POWER_OFF, except);
}

int handle_disconnect(struct service_handle *service_handle, enum disposition disposition)
{
    struct handle *handle = handle_of(service_handle);
    struct slot *slot = handle->slot;
    struct manager *manager = slot->manager;
    int rc;

    pthread_mutex_lock(&manager->lock);
    rc = handle->closed ? RC_INVALID_HANDLE : RC_OK;
    if (!rc && disposition != CARD_LEAVE) {
        rc = handle_take_turn(handle, TURN_ANYWAY);
        if (rc == RC_OK) {
            dispose(slot, disposition, handle);
            turn_give(slot);
        } else if (rc == RC_READER_UNAVAILABLE) {
            rc = RC_OK;
        }
    }
    if (!rc && handle->closed)
        rc = RC_INVALID_HANDLE;
    if (!rc)
        handle_close(handle);
    pthread_mutex_unlock(&manager->lock);
    return rc;
}

void handle_free(struct service_handle *service_handle)
{
    struct handle *handle = handle_of(service_handle);
    struct manager *manager = context_manager(handle_context(handle));

    pthread_mutex_lock(&manager->lock);
    /* A connect that found its context released gives the handle up before the release has come to it. */
    handle_close(handle);
    slot_release(handle->slot);
    pthread_mutex_unlock(&manager->lock);
    free(handle);
}

int handle_begin(struct service_handle *service_handle)
{
    struct handle *handle = handle_of(service_handle);
    struct context *context = handle_context(handle);
    int rc;

    pthread_mutex_lock(&context_manager(context)->lock);
    rc = handle_clear(handle);
    if (!rc && handle->slot->owner == handle) {
        handle->slot->depth++;
    } else if (!rc) {
        rc = turn_take(handle->slot, context, handle, TURN_OWNER, 0);
        /* What happened between hand-over and wake-up. */
        if (!rc && handle_clear(handle)) {
            rc = handle_clear(handle);
            if (handle->slot->owner == handle)
                turn_disown(handle->slot);
        }
    }
    pthread_mutex_unlock(&context_manager(context)->lock);
    return rc;
}

/* With the lock: ends one level of the handle's transaction. */
static int end_level(struct handle *handle, enum disposition disposition)
{
    struct slot *slot = handle->slot;
    int rc = RC_OK;

    if (disposition != CARD_LEAVE) {
        rc = turn_take(slot, handle_context(handle), handle, TURN_DEVICE, 0);
        if (rc)
            return rc;
        /* The one who resets sees the reset as well; unlike a disconnect this leaves the card powered. */
        if (slot->present && disposition != CARD_EJECT)
            rc = slot_power(slot, disposition == CARD_RESET ? POWER_WARM : POWER_COLD, NULL);
        else
            dispose(slot, disposition, NULL);
        turn_give(slot);
    }
    if (slot->owner == handle && !--slot->depth)
        turn_disown(slot);
    return rc == RC_READER_UNAVAILABLE ? rc : RC_OK;
}

int handle_end(struct service_handle *service_handle, enum disposition disposition)
{
    struct handle *handle = handle_of(service_handle);
    struct slot *slot = handle->slot;
    struct manager *manager = slot->manager;
    int rc;

    pthread_mutex_lock(&manager->lock);
    rc = handle_clear(handle);
    if (rc == RC_CARD_RESET || rc == RC_CARD_REMOVED) {
        if (slot->owner == handle)
            turn_disown(slot);
    } else if (!rc && !slot->owner) {
        rc = RC_NOT_TRANSACTED;
    } else if (!rc && slot->owner != handle) {
        rc = RC_SHARING;
    } else if (!rc) {
        rc = end_level(handle, disposition);
    }
    pthread_mutex_unlock(&manager->lock);
    return rc;
}

int handle_status(struct service_handle *service_handle, struct handle_status *ret_status)
{
    struct handle *handle = handle_of(service_handle);
    struct context *context = handle_context(handle);
    struct slot *slot = handle->slot;
    int rc;

    pthread_mutex_lock(&context_manager(context)->lock);
    rc = handle_clear(handle);
    if (!rc)
        rc = turn_take(slot, context, handle, TURN_LOOK, handle_patience(handle));
    if (!rc)
        rc = handle_clear(handle);
    if (!rc) {
        *ret_status = (struct handle_status){
            .reader = slot->name,
            .state = slot_card_state(slot),
            .protocol = slot->protocol,
            .atr_length = slot->present ? slot->atr_length : 0,
        };
        memcpy(ret_status->atr, slot->atr, ret_status->atr_length);
    }
    pthread_mutex_unlock(&context_manager(context)->lock);
    return rc;
}
