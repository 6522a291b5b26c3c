/* SPDX-License-Identifier: MIT */
#include "api/plug.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "api/plug_state.h"
#include "base/list.h"
#include "base/log.h"
#include "base/rc.h"
#include "base/thread.h"
#include "manager/local.h"
#include "usb/usb.h"

/* How long a stop waits for devices that are being opened. One that does not answer may take a minute. */
#define STOP_MS 1000

/* Under the lock, as the rest of this file unless said otherwise. */
static struct plug_device *find(struct plug *plug, uint8_t bus, uint8_t address)
{
    list_each(node, &plug->devices)
    {
        struct plug_device *device = list_entry(node, struct plug_device, link);

        if (device->usb.bus == bus && device->usb.address == address)
            return device;
    }
    return NULL;
}

/* Hooks: in the watching thread, without the lock. */
static void arrived(void *user, const struct usb_device *usb)
{
    struct plug *plug = user;
    struct plug_device *device;
    int rc = plug_device_new(usb, &plug->choices, &device);

    if (rc)
        log_debug("usb:%s: not listed: %s", usb->path, rc_name(rc));
    if (rc || !device)
        return;
    device->plug = plug;
    pthread_mutex_lock(&plug->lock);
    list_append(&plug->devices, &device->link);
    plug_open(plug, device);
    pthread_mutex_unlock(&plug->lock);
}

static void left(void *user, uint8_t bus, uint8_t address)
{
    struct plug *plug = user;
    struct plug_device *device;

    pthread_mutex_lock(&plug->lock);
    device = find(plug, bus, address);
    if (!device) {
        pthread_mutex_unlock(&plug->lock);
        return;
    }
    device->gone = device->leaving = true;
    list_remove(&device->link);
    for (size_t i = 0; i < device->reader_count; i++) {
        struct plug_reader *reader = &device->readers[i];
        struct reader **slots = reader->slots;
        size_t count = reader->slot_count;

        if (reader->unusable)
            local_remove_unusable(plug->service, reader->unusable);
        reader->unusable = NULL;
        if (!slots)
            continue;
        reader->slots = NULL;
        /* Here and not in a thread of its own: the same reader at its next address gets the same name. */
        pthread_mutex_unlock(&plug->lock);
        for (size_t j = 0; j < count; j++)
            local_remove(plug->service, slots[j]);
        free(slots);
        pthread_mutex_lock(&plug->lock);
    }
    device->leaving = false;
    if (!device->busy)
        plug_device_free(device);
    pthread_cond_broadcast(&plug->changed);
    pthread_mutex_unlock(&plug->lock);
}

static void eased(void *user, uint8_t bus, uint8_t address)
{
    struct plug *plug = user;
    struct plug_device *device;

    pthread_mutex_lock(&plug->lock);
    device = find(plug, bus, address);
    if (device && plug_device_may_open(device))
        plug_open(plug, device);
    pthread_mutex_unlock(&plug->lock);
}

/* Has the devices watched that could not be opened. What was in the way may have gone just before that. */
static void watch_for_ease(struct plug *plug)
{
    list_each(node, &plug->devices)
    {
        struct plug_device *device = list_entry(node, struct plug_device, link);

        if (!device->may_ease || device->easing || device->busy)
            continue;
        device->easing = true;
        usb_watch_ease(plug->watch, &device->usb);
        if (plug_device_may_open(device))
            plug_open(plug, device);
    }
}

static void *watching_thread(void *argument)
{
    struct plug *plug = argument;
    struct pollfd polled[] = {
        {.fd = usb_watch_fd(plug->watch), .events = POLLIN},
        {.fd = plug->wake_fd, .events = POLLIN},
    };
    uint64_t count;

    usb_watch_handle(plug->watch);
    pthread_mutex_lock(&plug->lock);
    plug->looked = true;
    pthread_cond_broadcast(&plug->changed);
    while (!plug->stopping) {
        pthread_mutex_unlock(&plug->lock);
        if (poll(polled, 2, -1) > 0 && polled[0].revents)
            usb_watch_handle(plug->watch);
        if (polled[1].revents && read(plug->wake_fd, &count, sizeof count) < 0)
            log_debug("eventfd cannot be read: error %d", errno);
        pthread_mutex_lock(&plug->lock);
        watch_for_ease(plug);
    }
    plug->watching = false;
    pthread_cond_broadcast(&plug->changed);
    pthread_mutex_unlock(&plug->lock);
    return NULL;
}

/* The rest are for other threads, without the lock. */
static void stop_watching(struct plug *plug)
{
    usb_watch_close(plug->watch);
    if (plug->wake_fd >= 0)
        close(plug->wake_fd);
}

static struct plug *new_plug(struct service *service)
{
    struct plug *plug = calloc(1, sizeof *plug);
    pthread_condattr_t monotonic;

    if (!plug)
        return NULL;
    plug->service = service;
    plug->wake_fd = -1;
    list_init(&plug->devices);
    pthread_mutex_init(&plug->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&plug->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return plug;
}

static const struct usb_watch_hooks hooks = {.arrived = arrived, .left = left, .eased = eased};

int plug_start(struct service *service, struct plug_choices *choices, struct plug **ret_plug)
{
    struct plug *plug = new_plug(service);
    int rc;

    if (!plug)
        return RC_NO_MEMORY;
    rc = usb_watch_open(&hooks, plug, &plug->watch);
    if (!rc) {
        plug->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (plug->wake_fd < 0)
            rc = detail_set(RC_NO_MEMORY,
                            "no file descriptor left for watching USB (error %d); raise ulimit -n", errno);
    }
    if (!rc) {
        plug->choices = *choices;
        plug->watching = true;
        rc = thread_start(watching_thread, plug);
    }
    if (rc) {
        plug->choices = (struct plug_choices){0};
        stop_watching(plug);
        plug_free(plug);
        return rc;
    }
    *choices = (struct plug_choices){0};
    *ret_plug = plug;
    return RC_OK;
}

static bool settled(struct plug *plug)
{
    bool all = plug->looked;

    list_each(node, &plug->devices) all &= list_entry(node, struct plug_device, link)->tried;
    return all;
}

void plug_settle(struct plug *plug, struct deadline deadline)
{
    struct timespec at = deadline_timespec(deadline);

    pthread_mutex_lock(&plug->lock);
    while (!settled(plug) && !pthread_cond_timedwait(&plug->changed, &plug->lock, &at))
        ;
    pthread_mutex_unlock(&plug->lock);
}

void plug_stop(struct plug *plug)
{
    struct timespec at = deadline_timespec(deadline_in_ms(STOP_MS));
    bool patient = true, last;

    if (!plug)
        return;
    pthread_mutex_lock(&plug->lock);
    plug->stopping = true;
    plug_wake(plug);
    pthread_cond_broadcast(&plug->changed);
    while (plug->watching)
        pthread_cond_wait(&plug->changed, &plug->lock);
    while (plug->opening && patient)
        patient = !pthread_cond_timedwait(&plug->changed, &plug->lock, &at);
    while (!list_empty(&plug->devices)) {
        struct plug_device *device = list_entry(plug->devices.next, struct plug_device, link);

        list_remove(&device->link);
        device->gone = true;
        if (!device->busy)
            plug_device_free(device);
    }
    plug->abandoned = plug->opening > 0;
    last = !plug->abandoned;
    stop_watching(plug);
    pthread_mutex_unlock(&plug->lock);
    if (last)
        plug_free(plug);
}

void plug_before_fork(struct plug *plug)
{
    if (plug)
        pthread_mutex_lock(&plug->lock);
}

void plug_after_fork(struct plug *plug, bool in_child)
{
    if (!plug)
        return;
    if (in_child) {
        usb_watch_forget(plug->watch);
        close(plug->wake_fd);
    }
    pthread_mutex_unlock(&plug->lock);
}
