/* SPDX-License-Identifier: MIT */
#include "usb/usb_pipe.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/rc.h"

static struct usb_pipe *pipe_of(struct pipe *pipe)
{
    return (struct usb_pipe *)pipe;
}

static int still_there(struct usb_pipe *usb)
{
    bool gone;

    pthread_mutex_lock(&usb->lock);
    gone = usb->gone;
    pthread_mutex_unlock(&usb->lock);
    return gone ? pipe_lost(usb) : RC_OK;
}

static int clear_halt(struct usb_pipe *usb, uint8_t endpoint)
{
    int error = libusb_clear_halt(usb->handle, endpoint);

    return error ? pipe_failed(usb, error, "a halted endpoint cannot be cleared") : RC_OK;
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
                              lane_done, lane, 0);
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
                                  lane_done, lane, 0);
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
    libusb_fill_control_transfer(lane->transfer, usb->handle, lane->buffer, lane_done, lane, 0);
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
