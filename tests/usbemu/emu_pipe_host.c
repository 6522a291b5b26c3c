/* SPDX-License-Identifier: MIT */
#include "tests/usbemu/emu_pipe_host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"

struct endpoint *endpoint_of(struct soft_host *host, uint8_t address)
{
    struct endpoint *endpoint;

    list_each(node, &host->endpoints)
    {
        endpoint = list_entry(node, struct endpoint, node);
        if (endpoint->address == address)
            return endpoint;
    }
    endpoint = calloc(1, sizeof *endpoint);
    if (!endpoint)
        return NULL;
    endpoint->address = address;
    list_init(&endpoint->items);
    list_append(&host->endpoints, &endpoint->node);
    return endpoint;
}

void endpoint_drop(struct endpoint *endpoint)
{
    struct item *item = list_entry(endpoint->items.next, struct item, node);

    list_remove(&item->node);
    free(item);
}

struct item *endpoint_first(struct endpoint *endpoint)
{
    return !endpoint || list_empty(&endpoint->items) ? NULL
                                                     : list_entry(endpoint->items.next, struct item, node);
}

static bool has_news(struct soft_pipe *soft)
{
    if (!soft->host->device)
        return true;
    if (!soft->layout.interrupt)
        return false;
    if (soft->interrupt_broken)
        return !soft->broken_told;
    return endpoint_first(endpoint_of(soft->host, soft->layout.interrupt)) != NULL;
}

void soft_event(struct soft_pipe *soft)
{
    bool readable = !soft->held && has_news(soft);
    uint64_t one = 1;

    if (readable == soft->signalled)
        return;
    soft->signalled = readable;
    if (readable ? write(soft->pipe.event_fd, &one, sizeof one) < 0
                 : read(soft->pipe.event_fd, &one, sizeof one) < 0)
        emu_blame("usbemu: event_fd: %s", strerror(errno));
}

static void update_events(struct soft_host *host)
{
    list_each(node, &host->pipes) soft_event(list_entry(node, struct soft_pipe, node));
}

static void host_in(struct emu_device *device, uint8_t address, const uint8_t *bytes, size_t length,
                    int failure)
{
    struct soft_host *host = device->host_state;
    struct item *item = malloc(sizeof *item + length);
    struct endpoint *endpoint;

    if (!item) {
        emu_blame("usbemu has no memory");
        return;
    }
    item->failure = failure;
    item->length = length;
    item->at = 0;
    if (length)
        memcpy(item->bytes, bytes, length);
    pthread_mutex_lock(&host->lock);
    endpoint = endpoint_of(host, address);
    if (endpoint)
        list_append(&endpoint->items, &item->node);
    else
        free(item);
    update_events(host);
    pthread_cond_broadcast(&host->changed);
    pthread_mutex_unlock(&host->lock);
}

static void host_ready(struct emu_device *device)
{
    struct soft_host *host = device->host_state;

    pthread_mutex_lock(&host->lock);
    host->ready++;
    pthread_cond_broadcast(&host->changed);
    pthread_mutex_unlock(&host->lock);
}

static const struct emu_host_ops host_ops = {
    .in = host_in,
    .ready = host_ready,
    .unplug = emu_pipe_unplug,
};

/* Everything from here on with the emulator's lock. */

static struct soft_host *host_new(struct emu_device *device)
{
    struct soft_host *host = calloc(1, sizeof *host);
    pthread_condattr_t attributes;

    if (!host)
        return NULL;
    pthread_mutex_init(&host->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&host->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    list_init(&host->endpoints);
    list_init(&host->pipes);
    host->device = device;
    device->host_state = host;
    device->host = &host_ops;
    if (device->ops->plugged)
        device->ops->plugged(device, true);
    return host;
}

/* The device has gone, for all. */
static void host_detach(struct soft_host *host)
{
    struct emu_device *device = host->device;

    if (!device)
        return;
    if (device->ops->plugged)
        device->ops->plugged(device, false);
    device->host = NULL;
    device->host_state = NULL;
    pthread_mutex_lock(&host->lock);
    host->device = NULL;
    update_events(host);
    pthread_cond_broadcast(&host->changed);
    pthread_mutex_unlock(&host->lock);
}

void soft_host_unref(struct soft_host *host)
{
    if (--host->users)
        return;
    host_detach(host);
    list_each(node, &host->endpoints)
    {
        struct endpoint *endpoint = list_entry(node, struct endpoint, node);

        while (endpoint_first(endpoint))
            endpoint_drop(endpoint);
        list_remove(&endpoint->node);
        free(endpoint);
    }
    pthread_cond_destroy(&host->changed);
    pthread_mutex_destroy(&host->lock);
    free(host);
}

int soft_host_ref(struct emu_device *device, struct soft_host **ret_host)
{
    struct soft_host *host = device->host_state;

    if (device->host && device->host != &host_ops)
        return detail_set(RC_READER_UNAVAILABLE, "the emulated device is plugged into something else");
    if (!device->host)
        host = host_new(device);
    if (!host)
        return RC_NO_MEMORY;
    host->users++;
    *ret_host = host;
    return RC_OK;
}

int emu_pipe_plug(struct emu_device *device)
{
    struct soft_host *host;
    int rc;

    emu_lock();
    rc = soft_host_ref(device, &host);
    if (!rc && host->plugged)
        soft_host_unref(host);
    else if (!rc)
        host->plugged = true;
    emu_unlock();
    return rc;
}

void emu_pipe_unplug(struct emu_device *device)
{
    struct soft_host *host;

    emu_lock();
    if (device->host == &host_ops) {
        host = device->host_state;
        host_detach(host);
        if (host->plugged) {
            host->plugged = false;
            soft_host_unref(host);
        }
    }
    emu_unlock();
}
