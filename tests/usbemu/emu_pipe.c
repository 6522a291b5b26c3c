/* SPDX-License-Identifier: MIT */
/*
 * Two locks: the emulator's, under which the device is called and calls; and the host's own, under which a
 * pipe waits for what the device has queued. The second is taken inside the first, never the other way round.
 */
#include "tests/usbemu/emu_pipe.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/list.h"
#include "base/log.h"
#include "base/rc.h"

/* A packet that is not full, or a message whose last packet is, or a failure. */
struct item {
    struct list node;
    int failure;
    size_t length, at; /* fetched up to at */
    uint8_t bytes[];
};

struct endpoint {
    struct list node;
    uint8_t address;
    bool halted;
    struct list items;
};

struct soft_host {
    struct emu_device *device; /* NULL: gone */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* something was queued, is ready, was interrupted, has gone */
    struct list endpoints, pipes;
    unsigned users; /* pipes, and emu_pipe_plug */
    bool plugged;   /* by emu_pipe_plug */
    unsigned ready; /* counts what the device said */
};

struct soft_pipe {
    struct pipe pipe;
    struct list node;
    struct soft_host *host;
    struct pipe_layout layout;
    size_t room;      /* of a bulk IN transfer: whole packets */
    struct buffer in; /* the transfer under way, or that bulk_in has given out */
    bool under_way;   /* in holds the beginning of a transfer */
    bool interrupted, interrupt_broken, broken_told;
    bool signalled; /* event_fd is readable */
    unsigned held;
};

static struct soft_pipe *soft_of(struct pipe *pipe)
{
    return (struct soft_pipe *)(void *)pipe;
}

/* The rest of this file down to the operations: with the host's lock. */

static struct endpoint *endpoint_of(struct soft_host *host, uint8_t address)
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

static void drop_first(struct endpoint *endpoint)
{
    struct item *item = list_entry(endpoint->items.next, struct item, node);

    list_remove(&item->node);
    free(item);
}

static struct item *first_of(struct endpoint *endpoint)
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
    return first_of(endpoint_of(soft->host, soft->layout.interrupt)) != NULL;
}

/* Makes event_fd readable, or quiet. */
static void update_event(struct soft_pipe *soft)
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
    list_each(node, &host->pipes) update_event(list_entry(node, struct soft_pipe, node));
}

/* 0: nothing there; 1: a packet was taken over; 2: the transfer is complete; negative: a failure. */
static int fetch_packet(struct soft_pipe *soft, struct endpoint *endpoint, struct buffer *in)
{
    struct item *item = first_of(endpoint);
    size_t packet = soft->layout.in_packet, count;
    int rc;

    if (!item)
        return 0;
    if (item->failure) {
        rc = item->failure;
        endpoint->halted = rc == -EPIPE;
        drop_first(endpoint);
        return rc;
    }
    count = item->length - item->at < packet ? item->length - item->at : packet;
    if (in->length + count > soft->room) { /* more than was asked for: babble, and the rest goes with it */
        drop_first(endpoint);
        return -EOVERFLOW;
    }
    if (count && buffer_append(in, item->bytes + item->at, count))
        return -ENOMEM;
    item->at += count;
    if (item->at == item->length)
        drop_first(endpoint);
    return count < packet || in->length == soft->room ? 2 : 1;
}

/* As far as there is something: what fetch_packet says, but for 1. */
static int fetch(struct soft_pipe *soft)
{
    struct endpoint *endpoint = endpoint_of(soft->host, soft->layout.in);
    int rc;

    if (!endpoint)
        return -ENOMEM;
    if (!soft->under_way)
        soft->in.length = 0;
    soft->under_way = true;
    do
        rc = fetch_packet(soft, endpoint, &soft->in);
    while (rc == 1);
    if (rc)
        soft->under_way = false;
    return rc;
}

static bool take_interrupt(struct soft_pipe *soft)
{
    bool was = soft->interrupted;

    soft->interrupted = false;
    return was;
}

/* False: the deadline has passed. */
static bool await(struct soft_host *host, struct deadline deadline)
{
    struct timespec until;

    if (deadline_is_never(deadline))
        return !pthread_cond_wait(&host->changed, &host->lock);
    if (deadline_passed(deadline))
        return false;
    until = deadline_timespec(deadline);
    return pthread_cond_timedwait(&host->changed, &host->lock, &until) != ETIMEDOUT ||
           !deadline_passed(deadline);
}

static int gone(void)
{
    return detail_set(RC_READER_UNAVAILABLE, "the reader has been unplugged");
}

/* From here on without it. */

/* Clears a halt on both sides. */
static void clear_halt(struct soft_host *host, uint8_t address)
{
    struct endpoint *endpoint;

    pthread_mutex_lock(&host->lock);
    endpoint = endpoint_of(host, address);
    if (endpoint)
        endpoint->halted = false;
    pthread_mutex_unlock(&host->lock);
    emu_lock();
    if (host->device && host->device->ops->cleared)
        host->device->ops->cleared(host->device, address);
    emu_unlock();
}

static int outcome(struct soft_host *host, uint8_t address, int failure)
{
    switch (failure) {
    case -EPIPE:
        clear_halt(host, address);
        return PIPE_STALLED;
    case -EOVERFLOW:
        return PIPE_OVERFLOW;
    case -ENOMEM:
        return RC_NO_MEMORY;
    default:
        return detail_set(RC_IO, "transfer failed: %s", strerror(-failure));
    }
}

/* Runs a call of the device until it no longer says -EAGAIN. interruptible: by soft's interrupt. */
static int run_call(struct soft_pipe *soft, int (*call)(struct emu_device *device, void *user), void *user,
                    struct deadline deadline, bool interruptible, int *ret_result)
{
    struct soft_host *host = soft->host;

    for (;;) {
        unsigned ready;
        int rc = 0;

        emu_lock();
        pthread_mutex_lock(&host->lock);
        ready = host->ready;
        if (!host->device)
            rc = gone();
        else if (interruptible && take_interrupt(soft))
            rc = RC_CANCELLED;
        pthread_mutex_unlock(&host->lock);
        if (!rc)
            *ret_result = call(host->device, user);
        emu_unlock();
        if (rc || *ret_result != -EAGAIN)
            return rc;
        pthread_mutex_lock(&host->lock);
        while (host->device && ready == host->ready && !(interruptible && soft->interrupted) && !rc)
            rc = await(host, deadline) ? 0 : RC_TIMEOUT;
        pthread_mutex_unlock(&host->lock);
        if (rc)
            return rc;
    }
}

struct out_call {
    uint8_t endpoint;
    const uint8_t *bytes;
    size_t length;
};

static int call_out(struct emu_device *device, void *user)
{
    const struct out_call *call = user;

    return device->ops->out(device, call->endpoint, call->bytes, call->length);
}

static int soft_out(struct pipe *pipe, const uint8_t *bytes, size_t length, struct deadline deadline)
{
    struct soft_pipe *soft = soft_of(pipe);
    struct out_call call = {soft->layout.out, bytes, length};
    int result = 0, rc = run_call(soft, call_out, &call, deadline, false, &result);

    if (rc || !result)
        return rc;
    return outcome(soft->host, soft->layout.out, result);
}

static int soft_in(struct pipe *pipe, const uint8_t **ret_bytes, size_t *ret_length, struct deadline deadline)
{
    struct soft_pipe *soft = soft_of(pipe);
    struct soft_host *host = soft->host;
    int rc = 0, got = 0;

    pthread_mutex_lock(&host->lock);
    for (;;) {
        if (take_interrupt(soft))
            rc = RC_CANCELLED;
        else if (!(got = fetch(soft)) && !host->device)
            rc = gone();
        if (rc || got)
            break;
        if (!await(host, deadline)) {
            rc = RC_TIMEOUT;
            break;
        }
    }
    pthread_mutex_unlock(&host->lock);
    if (rc)
        return rc;
    if (got < 0)
        return outcome(host, soft->layout.in, got);
    *ret_bytes = soft->in.data;
    *ret_length = soft->in.length;
    return RC_OK;
}

struct control_call {
    uint8_t setup[8];
    uint8_t *bytes;
    size_t length;
};

static int call_control(struct emu_device *device, void *user)
{
    struct control_call *call = user;

    return device->ops->control(device, call->setup, call->bytes, call->length);
}

static int soft_control(struct pipe *pipe, uint8_t request_type, uint8_t request, uint16_t value,
                        uint8_t *bytes, size_t length, size_t *ret_length, struct deadline deadline)
{
    struct soft_pipe *soft = soft_of(pipe);
    struct control_call call = {{request_type, request, (uint8_t)value, (uint8_t)(value >> 8),
                                 soft->layout.interface, 0, (uint8_t)length, (uint8_t)(length >> 8)},
                                bytes,
                                length};
    int result = 0, rc = run_call(soft, call_control, &call, deadline, true, &result);

    if (rc)
        return rc;
    if (result == -EPIPE)
        return PIPE_STALLED; /* of endpoint 0: needs no clearing */
    if (result < 0)
        return outcome(soft->host, 0, result);
    if (ret_length)
        *ret_length = request_type & 0x80 ? (size_t)result : length;
    return RC_OK;
}

static int soft_notice(struct pipe *pipe, uint8_t *bytes, size_t capacity, size_t *ret_length)
{
    struct soft_pipe *soft = soft_of(pipe);
    struct soft_host *host = soft->host;
    struct item *item;
    int rc = RC_OK;

    pthread_mutex_lock(&host->lock);
    if (!host->device) {
        rc = gone();
    } else if (!soft->layout.interrupt) {
        rc = RC_UNSUPPORTED;
    } else {
        item = first_of(endpoint_of(host, soft->layout.interrupt));
        if (item && item->failure)
            soft->interrupt_broken = true;
        if (soft->interrupt_broken) {
            soft->broken_told = true;
            rc = RC_UNSUPPORTED;
        } else if (item) {
            *ret_length = item->length < capacity ? item->length : capacity;
            if (*ret_length)
                memcpy(bytes, item->bytes, *ret_length);
            drop_first(endpoint_of(host, soft->layout.interrupt));
        } else {
            *ret_length = 0;
        }
    }
    update_event(soft);
    pthread_mutex_unlock(&host->lock);
    return rc;
}

static void soft_hold(struct pipe *pipe, bool on)
{
    struct soft_pipe *soft = soft_of(pipe);

    pthread_mutex_lock(&soft->host->lock);
    soft->held += on ? 1U : -1U;
    update_event(soft);
    pthread_mutex_unlock(&soft->host->lock);
}

static int soft_clear(struct pipe *pipe, bool interrupt)
{
    struct soft_pipe *soft = soft_of(pipe);
    struct soft_host *host = soft->host;
    struct item *item;
    bool here;

    pthread_mutex_lock(&host->lock);
    here = host->device != NULL;
    if (interrupt) {
        item = first_of(endpoint_of(host, soft->layout.interrupt));
        if (item && item->failure)
            drop_first(endpoint_of(host, soft->layout.interrupt));
        soft->interrupt_broken = soft->broken_told = false;
        update_event(soft);
    } else if (soft->under_way) { /* what has come for it by now is thrown away with it */
        (void)fetch(soft);
        soft->under_way = false;
    }
    pthread_mutex_unlock(&host->lock);
    if (!here)
        return gone();
    if (interrupt) {
        clear_halt(host, soft->layout.interrupt);
    } else {
        clear_halt(host, soft->layout.out);
        clear_halt(host, soft->layout.in);
    }
    return RC_OK;
}

static void soft_interrupt(struct pipe *pipe)
{
    struct soft_pipe *soft = soft_of(pipe);

    pthread_mutex_lock(&soft->host->lock);
    soft->interrupted = true;
    pthread_cond_broadcast(&soft->host->changed);
    pthread_mutex_unlock(&soft->host->lock);
}

/* The host. */

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

static void host_unref(struct soft_host *host)
{
    if (--host->users)
        return;
    host_detach(host);
    list_each(node, &host->endpoints)
    {
        struct endpoint *endpoint = list_entry(node, struct endpoint, node);

        while (first_of(endpoint))
            drop_first(endpoint);
        list_remove(&endpoint->node);
        free(endpoint);
    }
    pthread_cond_destroy(&host->changed);
    pthread_mutex_destroy(&host->lock);
    free(host);
}

static int host_ref(struct emu_device *device, struct soft_host **ret_host)
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
    rc = host_ref(device, &host);
    if (!rc && host->plugged)
        host_unref(host);
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
            host_unref(host);
        }
    }
    emu_unlock();
}

static void soft_close(struct pipe *pipe)
{
    struct soft_pipe *soft = soft_of(pipe);
    struct soft_host *host = soft->host;

    emu_lock();
    pthread_mutex_lock(&host->lock);
    list_remove(&soft->node);
    pthread_mutex_unlock(&host->lock);
    if (host->device && host->device->ops->claimed)
        host->device->ops->claimed(host->device, soft->layout.interface, false);
    host_unref(host);
    emu_unlock();
    close(soft->pipe.event_fd);
    buffer_fini(&soft->in);
    free(soft);
}

static void soft_forget(struct pipe *pipe)
{
    close(pipe->event_fd);
}

static bool is_claimed(const struct soft_host *host, uint8_t interface)
{
    list_each(node, &host->pipes) if (list_entry(node, struct soft_pipe, node)->layout.interface ==
                                      interface) return true;
    return false;
}

static int claim(struct soft_pipe *soft, struct emu_device *device)
{
    int rc = host_ref(device, &soft->host);

    if (rc)
        return rc;
    if (is_claimed(soft->host, soft->layout.interface)) {
        host_unref(soft->host);
        return detail_set(RC_SHARING, "the interface is claimed already");
    }
    pthread_mutex_lock(&soft->host->lock);
    list_append(&soft->host->pipes, &soft->node);
    update_event(soft);
    pthread_mutex_unlock(&soft->host->lock);
    if (device->ops->claimed)
        device->ops->claimed(device, soft->layout.interface, true);
    return RC_OK;
}

int pipe_open_emu(struct emu_device *device, const struct pipe_layout *layout, struct pipe **ret_pipe)
{
    static const struct pipe_ops ops = {
        .bulk_out = soft_out,
        .bulk_in = soft_in,
        .control = soft_control,
        .notice = soft_notice,
        .hold = soft_hold,
        .clear = soft_clear,
        .interrupt = soft_interrupt,
        .close = soft_close,
        .forget = soft_forget,
    };
    struct soft_pipe *soft = calloc(1, sizeof *soft);
    size_t packet = layout->in_packet ? layout->in_packet : 64;
    int rc;

    if (!soft)
        return RC_NO_MEMORY;
    soft->pipe.ops = &ops;
    soft->layout = *layout;
    soft->layout.in_packet = (uint16_t)packet;
    soft->room = (layout->in_room + packet - 1) / packet * packet;
    soft->pipe.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (soft->pipe.event_fd < 0) {
        free(soft);
        return RC_NO_MEMORY;
    }
    emu_lock();
    rc = claim(soft, device);
    emu_unlock();
    if (rc) {
        close(soft->pipe.event_fd);
        free(soft);
        return rc;
    }
    *ret_pipe = &soft->pipe;
    return RC_OK;
}
