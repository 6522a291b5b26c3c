/* SPDX-License-Identifier: MIT */
#include "manager/slot.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "manager/monitor.h"
#include "manager/turn.h"
#include "manager/watch.h"

static int compare_names(const void *a, const void *b)
{
    return strcmp(((const struct slot *)a)->name, ((const struct slot *)b)->name);
}

/* Counters go round without 0, which means "do not compare" in a watch. */
static void count(uint16_t *counter)
{
    if (!++*counter)
        *counter = 1;
}

static void slot_free(struct slot *slot)
{
    free(slot->name);
    free(slot->device_id);
    free(slot->problem);
    free(slot->facts);
    free(slot);
}

/* "model (serial) NN MM". A long one loses the end of its model and serial number, in whole UTF-8 characters;
 * NN MM is what makes it unique. */
static char *make_name(const char *model, const char *serial, unsigned index, unsigned number)
{
    char *device, *name, suffix[24];
    int suffix_length = snprintf(suffix, sizeof suffix, " %02X %02X", index, number);
    int room = READER_NAME_MAX - 1 - suffix_length, length;

    length = serial ? asprintf(&device, "%s (%s)", model, serial) : asprintf(&device, "%s", model);
    if (length < 0)
        return NULL;
    if (length > room)
        for (length = room; length && (device[length] & 0xC0) == 0x80;)
            length--;
    if (asprintf(&name, "%.*s%s", length, device, suffix) < 0)
        name = NULL;
    free(device);
    return name;
}

struct slot *slot_new(struct manager *manager, struct reader *device, const char *model, const char *serial,
                      const char *device_id, unsigned index, unsigned number)
{
    struct slot *slot = calloc(1, sizeof *slot);
    struct slot **found;

    if (!slot)
        return NULL;
    slot->manager = manager;
    slot->device = device;
    slot->index = index;
    slot->references = 1;
    slot->attached = true;
    slot->settled = slot->faulty = !device;
    slot->idle_at = deadline_never();
    list_init(&slot->link);
    list_init(&slot->look_link);
    list_init(&slot->handles);
    list_init(&slot->queue);
    slot->device_id = strdup(device_id);
    slot->name = make_name(model, serial, index, number);
    found = slot->device_id && slot->name ? tsearch(slot, &manager->slots_by_name, compare_names) : NULL;
    if (!found || *found != slot) {
        slot_free(slot);
        return NULL;
    }
    list_append(&manager->slots, &slot->link);
    manager->slot_count++;
    count(&manager->list_events);
    watch_notify(manager);
    return slot;
}

void slot_detach(struct slot *slot)
{
    struct manager *manager = slot->manager;

    slot->attached = false;
    tdelete(slot, &manager->slots_by_name, compare_names);
    list_remove(&slot->link);
    manager->slot_count--;
    count(&manager->list_events);
    monitor_remove(slot);
    slot->owner = NULL;
    slot->depth = 0;
    list_each(node, &slot->handles)
        turn_evict(list_entry(node, struct handle, slot_link), RC_READER_UNAVAILABLE);
    turn_evict_connects(slot, RC_UNKNOWN_READER);
    watch_notify(manager);
    slot_release(slot);
}

struct slot *slot_find(struct manager *manager, const char *name)
{
    /* The key is only compared; tfind does not write to it. */
    union {
        const char *in;
        char *out;
    } key_name = {.in = name};
    struct slot key = {.name = key_name.out};
    struct slot **found = tfind(&key, &manager->slots_by_name, compare_names);

    return found ? *found : NULL;
}

struct slot *slot_reference(struct slot *slot)
{
    slot->references++;
    return slot;
}

void slot_release(struct slot *slot)
{
    if (!--slot->references)
        slot_free(slot);
}

/* Gives an event to every handle but except. A removal is final until the handle reconnects. */
static void post(struct slot *slot, enum card_event event, const struct handle *except)
{
    list_each(node, &slot->handles)
    {
        struct handle *handle = list_entry(node, struct handle, slot_link);

        if (handle == except || handle->event == EVENT_REMOVED)
            continue;
        handle->event = event;
        turn_evict_for_event(handle, event == EVENT_REMOVED ? RC_CARD_REMOVED : RC_CARD_RESET);
    }
}

static void settle(struct slot *slot)
{
    if (slot->settled)
        return;
    slot->settled = true;
    pthread_cond_broadcast(&slot->manager->changed);
}

static void card_out(struct slot *slot)
{
    slot->present = slot->powered = slot->mute = false;
    slot->atr_length = 0;
    slot->protocol = PROTOCOL_NONE;
    slot->idle_at = deadline_never();
    count(&slot->counter);
    log_debug("%s: card out", slot->name);
    post(slot, EVENT_REMOVED, NULL);
    turn_disown(slot);
    watch_notify(slot->manager);
}

int slot_failed(struct slot *slot, int rc)
{
    if (rc == RC_NO_CARD && slot->present)
        card_out(slot);
    if (rc == RC_READER_UNAVAILABLE && !slot->faulty) {
        slot->faulty = true;
        log_debug("%s: reader does not work", slot->name);
        watch_notify(slot->manager);
    }
    return rc;
}

int slot_unavailable(const struct slot *slot)
{
    return detail_set(RC_READER_UNAVAILABLE, "%s: %s", slot->name,
                      slot->attached ? "the reader does not work; unplug it and plug it in again"
                                     : "the reader has been unplugged");
}

int slot_enter(struct slot *slot)
{
    if (!slot->attached)
        return slot_unavailable(slot);
    pthread_mutex_unlock(&slot->manager->lock);
    return RC_OK;
}

int slot_leave(struct slot *slot, int rc)
{
    pthread_mutex_lock(&slot->manager->lock);
    return rc && !slot->attached ? slot_unavailable(slot) : rc;
}

/* PC/SC knows one code for a card that could not be powered up, whatever stood in the way; the words tell. */
static int power_up_failed(int rc)
{
    switch (rc) {
    case RC_IO:
    case RC_TIMEOUT:
    case RC_NOT_TRANSACTED:
    case RC_UNSUPPORTED:
    case RC_PROTO_MISMATCH:
        return RC_MUTE;
    default:
        return rc;
    }
}

/* (I/O) The device's power operation, and what it says about the card. */
static int device_power(struct slot *slot, enum power_action action)
{
    uint8_t atr[ATR_MAX];
    size_t atr_length = 0;
    int rc = slot_enter(slot);

    if (rc)
        return rc;
    rc = slot_leave(slot, slot->device->ops->power(slot->device, action, atr, &atr_length));
    slot->protocol = PROTOCOL_NONE;
    slot->powered = !rc && action != POWER_OFF;
    if (action == POWER_OFF || rc == RC_NO_CARD || rc == RC_READER_UNAVAILABLE || rc == RC_CANCELLED)
        return rc;
    slot->mute = rc != RC_OK;
    slot->atr_length = rc ? 0 : atr_length;
    memcpy(slot->atr, atr, slot->atr_length);
    return power_up_failed(rc);
}

/* A card stays powered for a while after its last user has gone, so that the next one need not wait. */
void slot_expect_idle(struct slot *slot)
{
    if (!slot->attached || !slot->powered || !list_empty(&slot->handles) || !deadline_is_never(slot->idle_at))
        return;
    slot->idle_at = deadline_in_ms(slot->manager->idle_power_ms);
    monitor_arm_idle(slot);
}

/* (I/O) A card came: it is powered up before anybody is told, so that its ATR is known to all who see it. */
static int card_in(struct slot *slot)
{
    int rc = device_power(slot, POWER_COLD);

    if (rc == RC_NO_CARD)
        return RC_OK;
    if (rc == RC_READER_UNAVAILABLE)
        return slot_failed(slot, rc);
    slot->present = true;
    count(&slot->counter);
    log_debug("%s: card in%s", slot->name, slot->mute ? ", mute" : "");
    watch_notify(slot->manager);
    return RC_OK;
}

/* (I/O) */
static int ask_presence(struct slot *slot, bool *ret_present)
{
    int rc = slot_enter(slot);

    return rc ? rc : slot_leave(slot, slot->device->ops->presence(slot->device, ret_present));
}

int slot_look(struct slot *slot)
{
    bool present = false;
    int rc;

    if (!slot->device)
        return detail_set(RC_READER_UNAVAILABLE, "%s: %s", slot->name, slot->problem);
    rc = ask_presence(slot, &present);
    if (rc == RC_OK && slot->faulty) {
        slot->faulty = false;
        watch_notify(slot->manager);
    }
    if (rc == RC_OK && slot->present && !present)
        card_out(slot);
    /* "Absent" may be of the past: another card may be in by now (driver/reader.h). */
    if (rc == RC_OK && !present)
        rc = ask_presence(slot, &present);
    if (rc == RC_OK && !slot->present && present)
        rc = card_in(slot);
    else if (rc)
        slot_failed(slot, rc);
    settle(slot);
    return rc == RC_IO || rc == RC_TIMEOUT ? RC_READER_UNAVAILABLE : rc;
}

int slot_power(struct slot *slot, enum power_action action, const struct handle *except)
{
    int rc;

    if (!slot->present)
        return RC_NO_CARD;
    /* Only a card that is on can be warm reset (ISO 7816-3:2006, 6.2.3). */
    rc = device_power(slot, action == POWER_WARM && !slot->powered ? POWER_COLD : action);
    if (rc == RC_NO_CARD || rc == RC_READER_UNAVAILABLE)
        return slot_failed(slot, rc);
    post(slot, EVENT_RESET, except);
    watch_notify(slot->manager);
    return rc;
}

int slot_power_up(struct slot *slot)
{
    int rc;

    if (slot->powered)
        return RC_OK;
    rc = slot_failed(slot, device_power(slot, POWER_COLD));
    watch_notify(slot->manager);
    return rc;
}

void slot_add_handle(struct slot *slot, struct handle *handle)
{
    handle->slot = slot_reference(slot);
    list_append(&slot->handles, &handle->slot_link);
    slot->idle_at = deadline_never();
    if (handle->share == SHARE_EXCLUSIVE)
        slot->exclusive = handle;
    watch_notify(slot->manager);
}

void slot_remove_handle(struct slot *slot, struct handle *handle)
{
    if (list_empty(&handle->slot_link))
        return;
    list_remove(&handle->slot_link);
    if (slot->exclusive == handle)
        slot->exclusive = NULL;
    if (slot->owner == handle)
        turn_disown(slot);
    slot_expect_idle(slot);
    watch_notify(slot->manager);
}

uint32_t slot_watch_state(const struct slot *slot)
{
    uint32_t state = (uint32_t)slot->counter << 16;

    if (!slot->attached)
        return STATE_UNKNOWN | STATE_UNAVAILABLE;
    if (slot->faulty)
        return STATE_UNAVAILABLE;
    state |= slot->present ? STATE_PRESENT : STATE_EMPTY;
    if (slot->mute)
        state |= STATE_MUTE;
    if (slot->exclusive)
        state |= STATE_EXCLUSIVE;
    else if (!list_empty(&slot->handles))
        state |= STATE_INUSE;
    return state;
}

uint32_t slot_card_state(const struct slot *slot)
{
    uint32_t state = (uint32_t)slot->counter << 16;

    if (!slot->present)
        return state | CARD_ABSENT;
    state |= CARD_PRESENT;
    if (slot->mute)
        state |= CARD_SWALLOWED;
    if (slot->powered)
        state |= CARD_POWERED | CARD_NEGOTIABLE;
    return state;
}
