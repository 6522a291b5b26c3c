/* SPDX-License-Identifier: MIT */
#include "tests/usbemu/emu_pipe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "tests/usbemu/emu_pipe_host.h"

static struct soft_pipe *soft_of(struct pipe *pipe)
{
    return (struct soft_pipe *)(void *)pipe;
}

/* Down to the operations: with the host's lock. */

/* 0: nothing there; 1: a packet was taken over; 2: the transfer is complete; negative: a failure. */
static int fetch_packet(struct soft_pipe *soft, struct endpoint *endpoint, struct buffer *in)
{
    struct item *item = endpoint_first(endpoint);
    size_t packet = soft->layout.in_packet, count;
    int rc;

    if (!item)
        return 0;
    if (item->failure) {
        rc = item->failure;
        endpoint->halted = rc == -EPIPE;
        endpoint_drop(endpoint);
        return rc;
    }
    count = item->length - item->at < packet ? item->length - item->at : packet;
    if (in->length + count > soft->room) { /* more than was asked for: babble, and the rest goes with it */
        endpoint_drop(endpoint);
        return -EOVERFLOW;
    }
    if (count && buffer_append(in, item->bytes + item->at, count))
        return -ENOMEM;
    item->at += count;
    if (item->at == item->length)
        endpoint_drop(endpoint);
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
        item = endpoint_first(endpoint_of(host, soft->layout.interrupt));
        if (item && item->failure)
            soft->interrupt_broken = true;
        if (soft->interrupt_broken) {
            soft->broken_told = true;
            rc = RC_UNSUPPORTED;
        } else if (item) {
            *ret_length = item->length < capacity ? item->length : capacity;
            if (*ret_length)
                memcpy(bytes, item->bytes, *ret_length);
            endpoint_drop(endpoint_of(host, soft->layout.interrupt));
        } else {
            *ret_length = 0;
        }
    }
    soft_event(soft);
    pthread_mutex_unlock(&host->lock);
    return rc;
}

static void soft_hold(struct pipe *pipe, bool on)
{
    struct soft_pipe *soft = soft_of(pipe);

    pthread_mutex_lock(&soft->host->lock);
    soft->held += on ? 1U : -1U;
    soft_event(soft);
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
        item = endpoint_first(endpoint_of(host, soft->layout.interrupt));
        if (item && item->failure)
            endpoint_drop(endpoint_of(host, soft->layout.interrupt));
        soft->interrupt_broken = soft->broken_told = false;
        soft_event(soft);
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
    soft_host_unref(host);
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
    int rc = soft_host_ref(device, &soft->host);

    if (rc)
        return rc;
    if (is_claimed(soft->host, soft->layout.interface)) {
        soft_host_unref(soft->host);
        return detail_set(RC_SHARING, "the interface is claimed already");
    }
    pthread_mutex_lock(&soft->host->lock);
    list_append(&soft->host->pipes, &soft->node);
    soft_event(soft);
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
