/* SPDX-License-Identifier: MIT */
#include "usb/usb_pipe.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/rc.h"

static struct usb_pipe *pipe_of(struct pipe *pipe)
{
    return (struct usb_pipe *)pipe;
}

int pipe_lost(struct usb_pipe *usb)
{
    pthread_mutex_lock(&usb->lock);
    usb->gone = true;
    notice_alert(usb);
    pthread_mutex_unlock(&usb->lock);
    return detail_set(RC_READER_UNAVAILABLE, "%s was unplugged", usb->name);
}

static int still_there(struct usb_pipe *usb)
{
    bool gone;

    pthread_mutex_lock(&usb->lock);
    gone = usb->gone;
    pthread_mutex_unlock(&usb->lock);
    return gone ? pipe_lost(usb) : RC_OK;
}

static int failed(struct usb_pipe *usb, int error, const char *doing)
{
    if (error == LIBUSB_ERROR_NO_DEVICE)
        return pipe_lost(usb);
    return detail_set(error == LIBUSB_ERROR_NO_MEM ? RC_NO_MEMORY : RC_IO, "%s: %s: %s", usb->name, doing,
                      libusb_strerror(error));
}

/* The callback of all lanes but notice. */
static void LIBUSB_CALL on_done(struct libusb_transfer *transfer)
{
    struct lane *lane = transfer->user_data;

    pthread_mutex_lock(&lane->usb->lock);
    lane->state = LANE_DONE;
    pthread_mutex_unlock(&lane->usb->lock);
}

int lane_init(struct lane *lane, struct usb_pipe *usb, size_t room)
{
    lane->usb = usb;
    lane->room = room;
    lane->transfer = libusb_alloc_transfer(0);
    lane->buffer = malloc(room ? room : 1);
    return lane->transfer && lane->buffer ? RC_OK : RC_NO_MEMORY;
}

static void lane_fini(struct lane *lane)
{
    libusb_free_transfer(lane->transfer);
    if (lane->buffer)
        secret_wipe(lane->buffer, lane->room);
    free(lane->buffer);
    *lane = (struct lane){0};
}

static int lane_grow(struct lane *lane, size_t room)
{
    uint8_t *buffer;

    if (room <= lane->room)
        return RC_OK;
    buffer = malloc(room);
    if (!buffer)
        return detail_set(RC_NO_MEMORY, "%s: no memory for %zu bytes", lane->usb->name, room);
    free(lane->buffer); /* wiped after each use */
    lane->buffer = buffer;
    lane->room = room;
    return RC_OK;
}

static enum lane_state lane_state(const struct lane *lane)
{
    enum lane_state state;

    pthread_mutex_lock(&lane->usb->lock);
    state = lane->state;
    pthread_mutex_unlock(&lane->usb->lock);
    return state;
}

static void lane_set(struct lane *lane, enum lane_state state)
{
    pthread_mutex_lock(&lane->usb->lock);
    lane->state = state;
    pthread_mutex_unlock(&lane->usb->lock);
}

int lane_submit(struct lane *lane)
{
    int error;

    lane_set(lane, LANE_BUSY);
    error = libusb_submit_transfer(lane->transfer);
    if (!error)
        return RC_OK;
    lane_set(lane, LANE_IDLE);
    return failed(lane->usb, error, "no transfer can be started");
}

/* Handles events for all threads, at most until the deadline. With the lock, which is given up meanwhile. */
static void lead(struct usb_pipe *usb, struct deadline deadline)
{
    int left_ms = deadline_poll_ms(deadline);
    struct timeval left;
    int error;

    if (left_ms < 0)
        left_ms = INT_MAX; /* the caller comes again */
    left = (struct timeval){.tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000};
    usb->leading = true;
    pthread_mutex_unlock(&usb->lock);
    error = libusb_handle_events_timeout_completed(usb->libusb, &left, NULL);
    pthread_mutex_lock(&usb->lock);
    usb->leading = false;
    if (error && error != LIBUSB_ERROR_INTERRUPTED) {
        /* What is under way will never be known to have ended. */
        log_debug("%s: events cannot be handled: %s", usb->name, libusb_error_name(error));
        usb->gone = usb->broken = true;
        notice_alert(usb);
    }
    if (usb->following)
        pthread_cond_broadcast(&usb->moved);
}

static void follow(struct usb_pipe *usb, struct deadline deadline)
{
    usb->following++;
    if (deadline_is_never(deadline)) {
        pthread_cond_wait(&usb->moved, &usb->lock);
    } else {
        struct timespec until = deadline_timespec(deadline);

        pthread_cond_timedwait(&usb->moved, &usb->lock, &until);
    }
    usb->following--;
}

/* Until the lane's transfer has come back: RC_OK; RC_TIMEOUT, RC_CANCELLED leave it under way. */
static int lane_await(struct lane *lane, bool interruptible, struct deadline deadline)
{
    struct usb_pipe *usb = lane->usb;
    bool last = false;
    int rc;

    pthread_mutex_lock(&usb->lock);
    for (;;) {
        if (interruptible && usb->interrupted) {
            usb->interrupted = false;
            rc = RC_CANCELLED;
            break;
        }
        if (lane->state == LANE_DONE || usb->broken) {
            rc = RC_OK;
            break;
        }
        if (last) {
            rc = RC_TIMEOUT;
            break;
        }
        /* What is there already comes before the deadline. */
        last = deadline_passed(deadline);
        if (!usb->leading)
            lead(usb, deadline);
        else
            follow(usb, deadline);
    }
    pthread_mutex_unlock(&usb->lock);
    return rc;
}

void pipe_pump(struct usb_pipe *usb)
{
    pthread_mutex_lock(&usb->lock);
    if (!usb->leading)
        lead(usb, (struct deadline){0});
    pthread_mutex_unlock(&usb->lock);
}

void lane_cancel(struct lane *lane)
{
    if (!lane->transfer || lane_state(lane) == LANE_IDLE)
        return;
    libusb_cancel_transfer(lane->transfer); /* an error: it has ended by itself */
    lane_await(lane, false, deadline_never());
}

/* The result of a transfer that came back; the lane is idle then. doing: for the detail. */
static int lane_take(struct lane *lane, const char *doing)
{
    struct usb_pipe *usb = lane->usb;

    pthread_mutex_lock(&usb->lock);
    if (usb->gone || lane->state != LANE_DONE) {
        pthread_mutex_unlock(&usb->lock);
        return pipe_lost(usb);
    }
    lane->state = LANE_IDLE;
    pthread_mutex_unlock(&usb->lock);
    switch (lane->transfer->status) {
    case LIBUSB_TRANSFER_COMPLETED:
        return RC_OK;
    case LIBUSB_TRANSFER_STALL:
        return PIPE_STALLED;
    case LIBUSB_TRANSFER_OVERFLOW:
        return PIPE_OVERFLOW;
    case LIBUSB_TRANSFER_NO_DEVICE:
        return pipe_lost(usb);
    default:
        return detail_set(RC_IO, "%s: %s failed on the bus; look at the cable, or plug it in again",
                          usb->name, doing);
    }
}

static int clear_halt(struct usb_pipe *usb, uint8_t endpoint)
{
    int error = libusb_clear_halt(usb->handle, endpoint);

    return error ? failed(usb, error, "a halted endpoint cannot be cleared") : RC_OK;
}

static int pipe_bulk_out(struct pipe *pipe, const uint8_t *bytes, size_t length, struct deadline deadline)
{
    struct usb_pipe *usb = pipe_of(pipe);
    struct lane *lane = &usb->out;
    int rc = still_there(usb);

    assert(length <= INT_MAX);
    if (!rc)
        rc = lane_grow(lane, length);
    if (rc)
        return rc;
    if (length)
        memcpy(lane->buffer, bytes, length);
    libusb_fill_bulk_transfer(lane->transfer, usb->handle, usb->layout.out, lane->buffer, (int)length,
                              on_done, lane, 0);
    rc = lane_submit(lane);
    if (!rc) {
        rc = lane_await(lane, false, deadline);
        if (rc == RC_TIMEOUT)
            lane_cancel(lane);
    }
    secret_wipe(lane->buffer, length);
    if (rc && rc != RC_TIMEOUT)
        return rc;
    if (rc == RC_TIMEOUT && lane->transfer->status == LIBUSB_TRANSFER_CANCELLED) {
        lane_set(lane, LANE_IDLE);
        return rc;
    }
    rc = lane_take(lane, "sending");
    if (rc == PIPE_STALLED) {
        int cleared = clear_halt(usb, usb->layout.out);

        return cleared == RC_READER_UNAVAILABLE ? cleared : rc;
    }
    if (rc == RC_OK && lane->transfer->actual_length != (int)length)
        return detail_set(RC_IO, "%s: took %d bytes of %zu", usb->name, lane->transfer->actual_length,
                          length);
    return rc;
}

static int pipe_bulk_in(struct pipe *pipe, const uint8_t **ret_bytes, size_t *ret_length,
                        struct deadline deadline)
{
    struct usb_pipe *usb = pipe_of(pipe);
    struct lane *lane = &usb->in;
    int rc = still_there(usb);

    if (rc)
        return rc;
    secret_wipe(lane->buffer, usb->in_told);
    usb->in_told = 0;
    if (lane_state(lane) == LANE_IDLE) {
        libusb_fill_bulk_transfer(lane->transfer, usb->handle, usb->layout.in, lane->buffer, (int)lane->room,
                                  on_done, lane, 0);
        rc = lane_submit(lane);
        if (rc)
            return rc;
    }
    rc = lane_await(lane, true, deadline);
    if (rc)
        return rc;
    rc = lane_take(lane, "receiving");
    /* What came of a transfer that failed was told to nobody, and is wiped by the next call. */
    usb->in_told = lane->transfer->actual_length > 0 ? (size_t)lane->transfer->actual_length : 0;
    if (rc == PIPE_STALLED) {
        int cleared = clear_halt(usb, usb->layout.in);

        return cleared == RC_READER_UNAVAILABLE ? cleared : rc;
    }
    if (rc)
        return rc;
    *ret_bytes = lane->buffer;
    *ret_length = usb->in_told;
    return RC_OK;
}

int pipe_request(struct usb_pipe *usb, const struct libusb_control_setup *setup, uint8_t *bytes,
                 size_t *ret_length, struct deadline deadline)
{
    struct lane *lane = &usb->control;
    size_t length = setup->wLength, got;
    bool in = setup->bmRequestType & LIBUSB_ENDPOINT_IN;
    int rc = still_there(usb);

    if (!rc)
        rc = lane_grow(lane, LIBUSB_CONTROL_SETUP_SIZE + length);
    if (rc)
        return rc;
    libusb_fill_control_setup(lane->buffer, setup->bmRequestType, setup->bRequest, setup->wValue,
                              setup->wIndex, setup->wLength);
    if (!in && length)
        memcpy(lane->buffer + LIBUSB_CONTROL_SETUP_SIZE, bytes, length);
    libusb_fill_control_transfer(lane->transfer, usb->handle, lane->buffer, on_done, lane, 0);
    rc = lane_submit(lane);
    if (!rc)
        rc = lane_await(lane, true, deadline);
    if (rc == RC_TIMEOUT || rc == RC_CANCELLED) {
        lane_cancel(lane);
        if (rc == RC_CANCELLED || lane->transfer->status == LIBUSB_TRANSFER_CANCELLED)
            lane_set(lane, LANE_IDLE);
        else
            rc = RC_OK; /* it had ended just then */
    }
    if (!rc)
        rc = lane_take(lane, "a control transfer");
    got = lane->transfer->actual_length > 0 ? (size_t)lane->transfer->actual_length : 0;
    if (!rc && in)
        memcpy(bytes, lane->buffer + LIBUSB_CONTROL_SETUP_SIZE, got);
    secret_wipe(lane->buffer, LIBUSB_CONTROL_SETUP_SIZE + length);
    if (!rc && !in && got != length)
        return detail_set(RC_IO, "%s: took %zu bytes of %zu", usb->name, got, length);
    if (!rc && ret_length)
        *ret_length = got;
    return rc;
}

static int pipe_control(struct pipe *pipe, uint8_t request_type, uint8_t request, uint16_t value,
                        uint8_t *bytes, size_t length, size_t *ret_length, struct deadline deadline)
{
    struct usb_pipe *usb = pipe_of(pipe);

    assert(length <= UINT16_MAX);
    return pipe_request(usb,
                        &(struct libusb_control_setup){.bmRequestType = request_type,
                                                       .bRequest = request,
                                                       .wValue = value,
                                                       .wIndex = usb->layout.interface,
                                                       .wLength = (uint16_t)length},
                        bytes, ret_length, deadline);
}

static int pipe_clear(struct pipe *pipe, bool interrupt)
{
    struct usb_pipe *usb = pipe_of(pipe);
    int rc = still_there(usb);

    if (rc || interrupt)
        return rc ? rc : notice_clear(usb);
    lane_cancel(&usb->in);
    lane_set(&usb->in, LANE_IDLE);
    secret_wipe(usb->in.buffer, usb->in.room);
    if (usb->layout.out)
        rc = clear_halt(usb, usb->layout.out);
    if (!rc && usb->layout.in)
        rc = clear_halt(usb, usb->layout.in);
    return rc;
}

static void pipe_interrupt(struct pipe *pipe)
{
    struct usb_pipe *usb = pipe_of(pipe);
    bool leading;

    pthread_mutex_lock(&usb->lock);
    usb->interrupted = true;
    leading = usb->leading;
    pthread_cond_broadcast(&usb->moved);
    pthread_mutex_unlock(&usb->lock);
    /* Nobody leads: who comes to lead looks at the flag before. */
    if (leading)
        libusb_interrupt_event_handler(usb->libusb);
}

static void pipe_forget(struct pipe *pipe)
{
    notice_forget(pipe_of(pipe));
}

const struct pipe_ops usb_pipe_ops = {
    .bulk_out = pipe_bulk_out,
    .bulk_in = pipe_bulk_in,
    .control = pipe_control,
    .notice = notice_take,
    .hold = notice_hold,
    .clear = pipe_clear,
    .interrupt = pipe_interrupt,
    .close = usb_pipe_close,
    .forget = pipe_forget,
};

int usb_pipe_new(const struct pipe_layout *layout, struct usb_pipe **ret_usb)
{
    struct usb_pipe *usb = calloc(1, sizeof *usb);
    size_t packet = layout->in_packet ? layout->in_packet : 64;
    size_t packets = layout->in_room / packet + (layout->in_room % packet || !layout->in_room);
    pthread_condattr_t monotonic;

    if (!usb)
        return RC_NO_MEMORY;
    assert(layout->in_room <= INT_MAX - packet);
    usb->pipe = (struct pipe){.ops = &usb_pipe_ops, .event_fd = -1};
    usb->layout = *layout;
    usb->node_fd = usb->poll.fd = usb->alert_fd = -1;
    pthread_mutex_init(&usb->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&usb->moved, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (lane_init(&usb->out, usb, 0) || lane_init(&usb->in, usb, packets * packet) ||
        lane_init(&usb->control, usb, 0)) {
        usb_pipe_close(&usb->pipe);
        return RC_NO_MEMORY;
    }
    *ret_usb = usb;
    return RC_OK;
}

void usb_pipe_close(struct pipe *pipe)
{
    struct usb_pipe *usb = pipe_of(pipe);

    if (usb->handle) {
        notice_stop(usb);
        lane_cancel(&usb->in);
        if (usb->claimed)
            libusb_release_interface(usb->handle, usb->layout.interface);
        libusb_close(usb->handle);
    }
    lane_fini(&usb->out);
    lane_fini(&usb->in);
    lane_fini(&usb->control);
    lane_fini(&usb->notice);
    notice_fini(usb);
    if (usb->libusb)
        libusb_exit(usb->libusb);
    pthread_cond_destroy(&usb->moved);
    pthread_mutex_destroy(&usb->lock);
    free(usb);
}
