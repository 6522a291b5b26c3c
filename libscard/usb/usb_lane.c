/* SPDX-License-Identifier: MIT */
#include "usb/usb_lane.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/time.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/rc.h"
#include "usb/usb_pipe.h"

int pipe_lost(struct usb_pipe *usb)
{
    pthread_mutex_lock(&usb->lock);
    usb->gone = true;
    notice_alert(usb);
    pthread_mutex_unlock(&usb->lock);
    return detail_set(RC_READER_UNAVAILABLE, "%s was unplugged", usb->name);
}

int pipe_failed(struct usb_pipe *usb, int error, const char *doing)
{
    if (error == LIBUSB_ERROR_NO_DEVICE)
        return pipe_lost(usb);
    return detail_set(error == LIBUSB_ERROR_NO_MEM ? RC_NO_MEMORY : RC_IO, "%s: %s: %s", usb->name, doing,
                      libusb_strerror(error));
}

void LIBUSB_CALL lane_done(struct libusb_transfer *transfer)
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

void lane_fini(struct lane *lane)
{
    libusb_free_transfer(lane->transfer);
    if (lane->buffer)
        secret_wipe(lane->buffer, lane->room);
    free(lane->buffer);
    *lane = (struct lane){0};
}

int lane_grow(struct lane *lane, size_t room)
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

enum lane_state lane_state(const struct lane *lane)
{
    enum lane_state state;

    pthread_mutex_lock(&lane->usb->lock);
    state = lane->state;
    pthread_mutex_unlock(&lane->usb->lock);
    return state;
}

void lane_set(struct lane *lane, enum lane_state state)
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
    return pipe_failed(lane->usb, error, "no transfer can be started");
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

int lane_await(struct lane *lane, bool interruptible, struct deadline deadline)
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

int lane_take(struct lane *lane, const char *doing)
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
