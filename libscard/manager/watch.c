/* SPDX-License-Identifier: MIT */
#include "manager/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/rc.h"
#include "manager/slot.h"

/* Waits for few readers need no memory. */
#define INLINE_ENTRIES 8

/* What an entry of the caller's stands for. */
struct entry {
    struct slot *slot; /* NULL: ignored, or the list of readers */
    bool list;
    uint32_t event;
};

struct watch {
    struct list link; /* manager.watches */
    struct wait wait;
};

void watch_notify(struct manager *manager)
{
    list_each(node, &manager->watches) wait_stir(&list_entry(node, struct watch, link)->wait);
    watch_tell_observer(manager);
}

void watch_tell_observer(struct manager *manager)
{
    if (manager->observer)
        manager->observer(manager->observer_user);
}

void watch_observe(struct manager *manager, void (*changed)(void *user), void *user)
{
    pthread_mutex_lock(&manager->lock);
    manager->observer = changed;
    manager->observer_user = user;
    pthread_mutex_unlock(&manager->lock);
}

static void describe(const struct slot *slot, struct reader_entry *entry)
{
    *entry = (struct reader_entry){.state = slot_watch_state(slot)};
    snprintf(entry->name, sizeof entry->name, "%s", slot->name);
    if (!slot->faulty)
        entry->card = slot_card_state(slot) & 0xFFFF;
    list_each(node, &slot->handles) entry->handles++;
    if (!slot->present)
        return;
    entry->protocol = slot->protocol;
    memcpy(entry->atr, slot->atr, slot->atr_length);
    entry->atr_length = slot->atr_length;
}

int watch_table(struct context *context, struct reader_entry **ret_entries, size_t *ret_count,
                uint16_t *ret_list_events)
{
    struct manager *manager = context_manager(context);
    struct reader_entry *entries = NULL;
    size_t count = 0;
    int rc = RC_OK;

    pthread_mutex_lock(&manager->lock);
    if (context->closed)
        rc = RC_INVALID_HANDLE;
    else if (manager->slot_count && !(entries = calloc(manager->slot_count, sizeof *entries)))
        rc = RC_NO_MEMORY;
    if (!rc) {
        list_each(node, &manager->slots) describe(list_entry(node, struct slot, link), &entries[count++]);
        *ret_entries = entries;
        *ret_count = count;
        *ret_list_events = manager->list_events;
    }
    pthread_mutex_unlock(&manager->lock);
    return rc;
}

/* Fills the event of every entry; true if one has changed. */
static bool evaluate(struct manager *manager, struct entry *entries, const struct reader_watch *watches,
                     size_t count, uint16_t list_events)
{
    bool changed = false;

    for (size_t i = 0; i < count; i++) {
        uint32_t current = watches[i].current, event;
        bool different;

        if (entries[i].list) {
            /* The list differs from the one at the start of this call, or from the one that the caller saw.
             */
            event = (uint32_t)manager->list_events << 16;
            different =
                manager->list_events != list_events || (current >> 16 && current >> 16 != event >> 16);
        } else if (entries[i].slot) {
            event = slot_watch_state(entries[i].slot);
            different = service_state_differs(current, event);
        } else {
            continue;
        }
        entries[i].event = event | (different ? STATE_CHANGED : 0);
        changed |= different;
    }
    return changed;
}

static void fill(const struct entry *entries, struct reader_watch *watches, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct slot *slot = entries[i].slot;

        watches[i].event = entries[i].event;
        watches[i].atr_length = slot && slot->attached && slot->present ? slot->atr_length : 0;
        if (watches[i].atr_length)
            memcpy(watches[i].atr, slot->atr, slot->atr_length);
    }
}

static int resolve(struct manager *manager, struct entry *entries, const struct reader_watch *watches,
                   size_t count)
{
    for (size_t i = 0; i < count; i++) {
        entries[i] = (struct entry){0};
        if (watches[i].current & STATE_IGNORE)
            continue;
        entries[i].list = !strcasecmp(watches[i].name, PNP_READER);
        if (entries[i].list)
            continue;
        entries[i].slot = slot_find(manager, watches[i].name);
        if (!entries[i].slot) {
            while (i-- > 0)
                if (entries[i].slot)
                    slot_release(entries[i].slot);
            return RC_UNKNOWN_READER;
        }
        slot_reference(entries[i].slot);
    }
    return RC_OK;
}

static int wait_for_change(struct context *context, struct deadline deadline, struct entry *entries,
                           const struct reader_watch *watches, size_t count)
{
    struct manager *manager = context_manager(context);
    uint16_t list_events = manager->list_events;
    struct watch watch;
    bool changed;
    int rc;

    if (evaluate(manager, entries, watches, count, list_events))
        return RC_OK;
    if (deadline_passed(deadline))
        return RC_TIMEOUT;
    rc = wait_begin(&watch.wait, context);
    if (rc)
        return rc;
    list_append(&manager->watches, &watch.link);
    do {
        rc = wait_sleep(&watch.wait, manager, deadline);
        changed = evaluate(manager, entries, watches, count, list_events);
    } while (!rc && !changed);
    list_remove(&watch.link);
    wait_end(&watch.wait);
    return changed && rc == RC_TIMEOUT ? RC_OK : rc;
}

int watch_wait(struct context *context, struct deadline deadline, struct reader_watch *watches, size_t count)
{
    struct manager *manager = context_manager(context);
    struct entry few[INLINE_ENTRIES], *entries = few;
    bool any = false;
    int rc;

    for (size_t i = 0; i < count; i++)
        any |= !(watches[i].current & STATE_IGNORE);
    if (count > INLINE_ENTRIES)
        entries = calloc(count, sizeof *entries);
    if (!entries)
        return RC_NO_MEMORY;
    pthread_mutex_lock(&manager->lock);
    rc = context->closed ? RC_INVALID_HANDLE : RC_OK;
    if (!rc && any)
        rc = resolve(manager, entries, watches, count);
    if (!rc && any) {
        rc = wait_for_change(context, deadline, entries, watches, count);
        if (rc == RC_OK || rc == RC_TIMEOUT || rc == RC_CANCELLED)
            fill(entries, watches, count);
        for (size_t i = 0; i < count; i++)
            if (entries[i].slot)
                slot_release(entries[i].slot);
    }
    pthread_mutex_unlock(&manager->lock);
    if (entries != few)
        free(entries);
    return rc;
}
