/* SPDX-License-Identifier: MIT */
#include "manager/local.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "manager/attach.h"
#include "manager/exchange.h"
#include "manager/handle.h"
#include "manager/monitor.h"
#include "manager/slot.h"
#include "manager/turn.h"
#include "manager/watch.h"

#define IDLE_POWER_MS                                                                                        \
    5000 /* as pcscd has it: programs expect a card to outlive a short gap between users                     \
          */

static int establish(struct service *service, bool no_wait, struct service_context **ret_context)
{
    struct context *context = calloc(1, sizeof *context);

    if (!context)
        return RC_NO_MEMORY;
    context->base.service = service;
    context->no_wait = no_wait;
    list_init(&context->handles);
    list_init(&context->waits);
    pthread_cond_init(&context->quiet, NULL);
    *ret_context = &context->base;
    return RC_OK;
}

/* With the lock: the card of an unfinished transaction is reset, so that nobody inherits its state. */
static void abandon_transaction(struct handle *handle)
{
    struct slot *slot = handle->slot;

    if (slot->owner != handle)
        return;
    /* Only a look at presence can be under way: it is short, and tells when it is over. */
    while (slot->attached && slot->owner == handle && !turn_try(slot))
        pthread_cond_wait(&slot->manager->changed, &slot->manager->lock);
    if (!slot->attached || slot->owner != handle)
        return;
    if (slot->present)
        slot_power(slot, POWER_WARM, handle);
    turn_give(slot);
}

static void release(struct service_context *service_context)
{
    struct context *context = context_of(service_context);
    struct manager *manager = context_manager(context);

    pthread_mutex_lock(&manager->lock);
    context->closed = true;
    wait_finish_all(context, RC_CANCELLED);
    list_each(node, &context->handles) list_entry(node, struct handle, context_link)->closed = true;
    while (context->exchanges)
        pthread_cond_wait(&context->quiet, &manager->lock);
    while (!list_empty(&context->handles)) {
        struct handle *handle = list_entry(context->handles.next, struct handle, context_link);

        list_remove(&handle->context_link);
        abandon_transaction(handle);
        handle_close(handle);
    }
    pthread_mutex_unlock(&manager->lock);
}

static void context_free(struct service_context *service_context)
{
    struct context *context = context_of(service_context);

    pthread_cond_destroy(&context->quiet);
    free(context);
}

static int cancel(struct service_context *service_context)
{
    struct context *context = context_of(service_context);
    struct manager *manager = context_manager(context);
    int rc;

    pthread_mutex_lock(&manager->lock);
    rc = context->closed ? RC_INVALID_HANDLE : RC_OK;
    wait_finish_all(context, RC_CANCELLED);
    pthread_mutex_unlock(&manager->lock);
    return rc;
}

static int abort_exchanges(struct service_context *service_context)
{
    struct context *context = context_of(service_context);
    struct manager *manager = context_manager(context);
    int rc = cancel(service_context);

    pthread_mutex_lock(&manager->lock);
    list_each(node, &manager->slots)
    {
        struct slot *slot = list_entry(node, struct slot, link);

        if (slot->busy && slot->busy_context == context)
            slot->device->ops->cancel(slot->device);
    }
    pthread_mutex_unlock(&manager->lock);
    return rc;
}

static int list_names(struct service_context *service_context, char **ret_names, size_t *ret_length)
{
    struct context *context = context_of(service_context);
    struct manager *manager = context_manager(context);
    size_t length = 1, used = 0;
    char *names = NULL;
    int rc = RC_OK;

    pthread_mutex_lock(&manager->lock);
    list_each(node, &manager->slots) length += strlen(list_entry(node, struct slot, link)->name) + 1;
    if (context->closed)
        rc = RC_INVALID_HANDLE;
    else if (length == 1)
        rc = RC_NO_READERS;
    else if (!(names = malloc(length)))
        rc = RC_NO_MEMORY;
    if (!rc) {
        list_each(node, &manager->slots)
        {
            const char *name = list_entry(node, struct slot, link)->name;

            memcpy(names + used, name, strlen(name) + 1);
            used += strlen(name) + 1;
        }
        names[used] = '\0';
        *ret_names = names;
        *ret_length = length;
    }
    pthread_mutex_unlock(&manager->lock);
    return rc;
}

static int table(struct service_context *context, struct reader_entry **ret_entries, size_t *ret_count,
                 uint16_t *ret_list_events)
{
    return watch_table(context_of(context), ret_entries, ret_count, ret_list_events);
}

static void observe(struct service *service, void (*changed)(void *user), void *user)
{
    watch_observe(manager_of(service), changed, user);
}

static int wait_for_change(struct service_context *context, struct deadline deadline,
                           struct reader_watch *watches, size_t count)
{
    return watch_wait(context_of(context), deadline, watches, count);
}

static int fact(struct service_context *service_context, const char *reader, const char *key,
                char **ret_value)
{
    const struct context *context = context_of(service_context);
    struct manager *manager = context_manager(context);
    struct slot *slot;
    const char *value = NULL;
    int rc = RC_OK;

    pthread_mutex_lock(&manager->lock);
    slot = slot_find(manager, reader);
    if (context->closed)
        rc = RC_INVALID_HANDLE;
    else if (!slot)
        rc = RC_UNKNOWN_READER;
    else if (!strcmp(key, "device"))
        value = slot->device_id;
    else if (!strcmp(key, "problem"))
        value = slot->problem ? slot->problem : slot->faulty ? "the reader does not work" : "";
    else if (!strcmp(key, "facts"))
        value = slot->facts ? slot->facts : "";
    else
        rc = RC_UNSUPPORTED;
    if (!rc) {
        char *copy = strdup(value);

        if (copy)
            *ret_value = copy;
        else
            rc = RC_NO_MEMORY;
    }
    pthread_mutex_unlock(&manager->lock);
    return rc;
}

static const struct service_ops local_ops = {
    .establish = establish,
    .release = release,
    .context_free = context_free,
    .cancel = cancel,
    .abort = abort_exchanges,
    .list = list_names,
    .table = table,
    .observe = observe,
    .wait = wait_for_change,
    .fact = fact,
    .connect = handle_connect,
    .reconnect = handle_reconnect,
    .disconnect = handle_disconnect,
    .handle_free = handle_free,
    .begin = handle_begin,
    .end = handle_end,
    .status = handle_status,
    .transmit = exchange_transmit,
    .control = exchange_control,
    .get_attribute = exchange_get_attribute,
    .set_attribute = exchange_set_attribute,
};

int local_new(struct service **ret_service)
{
    struct manager *manager = calloc(1, sizeof *manager);
    int rc;

    if (!manager)
        return RC_NO_MEMORY;
    manager->service.ops = &local_ops;
    manager->idle_power_ms = IDLE_POWER_MS;
    manager->epoll_fd = manager->wake_fd = manager->timer_fd = -1;
    pthread_mutex_init(&manager->lock, NULL);
    pthread_condattr_init(&manager->monotonic);
    pthread_condattr_setclock(&manager->monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&manager->changed, &manager->monotonic);
    list_init(&manager->slots);
    list_init(&manager->watches);
    list_init(&manager->to_look);
    manager->list_events = 1;
    ids_init(&manager->slot_ids);
    rc = monitor_start(manager);
    if (rc) {
        local_free(&manager->service);
        return rc;
    }
    *ret_service = &manager->service;
    return RC_OK;
}

void local_free(struct service *service)
{
    struct manager *manager = manager_of(service);

    pthread_mutex_lock(&manager->lock);
    while (!list_empty(&manager->slots))
        attach_remove(list_entry(manager->slots.next, struct slot, link));
    pthread_mutex_unlock(&manager->lock);
    monitor_stop(manager);
    ids_fini(&manager->slot_ids);
    pthread_cond_destroy(&manager->changed);
    pthread_condattr_destroy(&manager->monotonic);
    pthread_mutex_destroy(&manager->lock);
    free(manager);
}

void local_settle(struct service *service, struct deadline deadline)
{
    struct manager *manager = manager_of(service);
    bool settled;

    pthread_mutex_lock(&manager->lock);
    do {
        settled = true;
        list_each(node, &manager->slots) settled &= list_entry(node, struct slot, link)->settled;
        if (!settled && deadline_is_never(deadline)) {
            pthread_cond_wait(&manager->changed, &manager->lock);
        } else if (!settled) {
            struct timespec at = deadline_timespec(deadline);

            if (pthread_cond_timedwait(&manager->changed, &manager->lock, &at))
                break;
        }
    } while (!settled);
    pthread_mutex_unlock(&manager->lock);
}

void local_set_idle_power_ms(struct service *service, uint32_t milliseconds)
{
    struct manager *manager = manager_of(service);

    pthread_mutex_lock(&manager->lock);
    manager->idle_power_ms = milliseconds;
    pthread_mutex_unlock(&manager->lock);
}

void local_before_fork(struct service *service)
{
    pthread_mutex_lock(&manager_of(service)->lock);
}

void local_after_fork(struct service *service, bool in_child)
{
    struct manager *manager = manager_of(service);

    if (in_child) {
        list_each(node, &manager->slots)
        {
            struct reader *device = list_entry(node, struct slot, link)->device;

            if (device)
                device->ops->forget(device);
        }
        monitor_close(manager);
    }
    pthread_mutex_unlock(&manager->lock);
}
