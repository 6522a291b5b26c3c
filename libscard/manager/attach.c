/* SPDX-License-Identifier: MIT */
#include "manager/attach.h"

#include <stdlib.h>
#include <string.h>

#include "base/rc.h"
#include "manager/local.h"
#include "manager/monitor.h"
#include "manager/slot.h"

#define CANCEL_AGAIN_MS 20

void attach_remove(struct slot *slot)
{
    struct manager *manager = slot->manager;
    struct reader *device = slot->device;

    slot_reference(slot);
    slot_detach(slot);
    /* A cancel that comes just before the call reaches the device is lost (driver/reader.h), hence once more.
     */
    while (slot->busy && device) {
        struct timespec at = deadline_timespec(deadline_in_ms(CANCEL_AGAIN_MS));

        device->ops->cancel(device);
        pthread_cond_timedwait(&manager->changed, &manager->lock, &at);
    }
    slot->device = NULL;
    slot_release(slot);
    if (!device)
        return;
    pthread_mutex_unlock(&manager->lock);
    device->ops->close(device);
    pthread_mutex_lock(&manager->lock);
}

/* The lowest NN that no slot's name has. */
static int free_index(struct manager *manager, unsigned *ret_index)
{
    bool *taken = calloc(manager->slot_count + 1, sizeof *taken);
    unsigned index = 0;

    if (!taken)
        return RC_NO_MEMORY;
    list_each(node, &manager->slots)
    {
        const struct slot *slot = list_entry(node, struct slot, link);

        if (slot->index <= manager->slot_count)
            taken[slot->index] = true;
    }
    while (taken[index])
        index++;
    free(taken);
    *ret_index = index;
    return RC_OK;
}

/* facts may be NULL. */
static int set_facts(struct slot *slot, const char *facts)
{
    slot->facts = facts ? strdup(facts) : NULL;
    return facts && !slot->facts ? RC_NO_MEMORY : RC_OK;
}

/* With the lock. On failure the reader is still the caller's. */
static int add_slot(struct manager *manager, struct reader *reader, unsigned index, const char *facts)
{
    struct slot *slot =
        slot_new(manager, reader, reader->model, reader->serial, reader->device, index, reader->slot);
    int rc;

    if (!slot)
        return RC_NO_MEMORY;
    rc = set_facts(slot, facts);
    if (!rc)
        rc = monitor_add(slot);
    if (rc) {
        slot->device = NULL;
        slot_detach(slot);
    }
    return rc;
}

int local_add(struct service *service, struct reader *const *readers, size_t count)
{
    return local_add_device(service, readers, count, NULL, NULL);
}

int local_add_device(struct service *service, struct reader *const *readers, size_t count, const char *facts,
                     struct slot *instead)
{
    struct manager *manager = manager_of(service);
    size_t added = 0;
    unsigned index = 0;
    int rc = RC_OK;

    pthread_mutex_lock(&manager->lock);
    if (instead) {
        index = instead->index;
        attach_remove(instead);
    } else {
        rc = free_index(manager, &index);
    }
    while (!rc && added < count) {
        rc = add_slot(manager, readers[added], index, facts);
        added += !rc;
    }
    pthread_mutex_unlock(&manager->lock);
    if (!rc)
        return RC_OK;
    /* All slots of a device or none. */
    for (size_t i = 0; i < count; i++) {
        if (i < added)
            local_remove(service, readers[i]);
        else
            readers[i]->ops->close(readers[i]);
    }
    return rc;
}

int local_add_unusable(struct service *service, const struct local_unusable *unusable, struct slot **ret_slot)
{
    struct manager *manager = manager_of(service);
    char *problem = strdup(unusable->problem);
    struct slot *slot = NULL;
    unsigned index;

    if (!problem)
        return RC_NO_MEMORY;
    pthread_mutex_lock(&manager->lock);
    if (!free_index(manager, &index))
        slot = slot_new(manager, NULL, unusable->model, unusable->serial, unusable->device, index, 0);
    if (slot)
        slot->problem = problem;
    else
        free(problem);
    if (slot && set_facts(slot, unusable->facts)) {
        slot_detach(slot);
        slot = NULL;
    }
    if (slot && ret_slot)
        *ret_slot = slot;
    pthread_mutex_unlock(&manager->lock);
    return slot ? RC_OK : RC_NO_MEMORY;
}

int local_set_problem(struct service *service, struct slot *unusable, const char *problem)
{
    struct manager *manager = manager_of(service);
    char *copy = strdup(problem);

    if (!copy)
        return RC_NO_MEMORY;
    pthread_mutex_lock(&manager->lock);
    free(unusable->problem);
    unusable->problem = copy;
    pthread_mutex_unlock(&manager->lock);
    return RC_OK;
}

void local_remove_unusable(struct service *service, struct slot *unusable)
{
    struct manager *manager = manager_of(service);

    pthread_mutex_lock(&manager->lock);
    attach_remove(unusable);
    pthread_mutex_unlock(&manager->lock);
}

void local_remove(struct service *service, struct reader *reader)
{
    struct manager *manager = manager_of(service);

    pthread_mutex_lock(&manager->lock);
    list_each(node, &manager->slots)
    {
        struct slot *slot = list_entry(node, struct slot, link);

        if (slot->device == reader) {
            attach_remove(slot);
            break;
        }
    }
    pthread_mutex_unlock(&manager->lock);
}
