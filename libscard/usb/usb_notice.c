/* SPDX-License-Identifier: MIT */
#include "usb/usb_notice.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "usb/usb_pipe.h"

/* Is there something to tell, or to do, that no descriptor of libusb says? */
static bool untold(const struct usb_pipe *usb)
{
    const struct notices *notices = &usb->notices;

    return notices->count || notices->halted || (notices->dead && !notices->dead_told) ||
           (usb->gone && !usb->gone_told);
}

void notice_alert(struct usb_pipe *usb)
{
    uint64_t one = 1;

    if (usb->alerted || usb->alert_fd < 0 || !untold(usb))
        return;
    if (write(usb->alert_fd, &one, sizeof one) < 0)
        log_debug("%s: eventfd: %s", usb->name, strerror(errno));
    usb->alerted = true;
}

static void calm(struct usb_pipe *usb)
{
    uint64_t count;

    if (!usb->alerted)
        return;
    if (read(usb->alert_fd, &count, sizeof count) < 0)
        log_debug("%s: eventfd: %s", usb->name, strerror(errno));
    usb->alerted = false;
}

/* Whether event_fd listens to libusb's descriptors. It stays in the set with no event wanted: a descriptor of
 * epoll never reports the errors that could not be switched off. */
static void listen_to_libusb(struct usb_pipe *usb, bool on)
{
    struct epoll_event event = {.events = on ? EPOLLIN : 0};

    if (epoll_ctl(usb->pipe.event_fd, EPOLL_CTL_MOD, usb->poll.fd, &event) < 0)
        log_debug("%s: epoll: %s", usb->name, strerror(errno));
}

void notice_hold(struct pipe *pipe, bool on)
{
    struct usb_pipe *usb = (struct usb_pipe *)pipe;

    pthread_mutex_lock(&usb->lock);
    if ((on ? usb->held++ == 0 : --usb->held == 0) && !usb->gone_told)
        listen_to_libusb(usb, !on);
    pthread_mutex_unlock(&usb->lock);
}

static void keep(struct notices *notices, const struct lane *lane)
{
    size_t at = (notices->first + notices->count) % NOTICES_MAX;

    if (notices->count == NOTICES_MAX)
        notices->first = (notices->first + 1) % NOTICES_MAX;
    else
        notices->count++;
    notices->lengths[at] = (size_t)lane->transfer->actual_length;
    memcpy(notices->bytes + at * lane->room, lane->buffer, notices->lengths[at]);
}

/* What the transfer brought; true: it is to be submitted again. With the lock. */
static bool evaluate(struct usb_pipe *usb)
{
    struct notices *notices = &usb->notices;
    struct lane *lane = &usb->notice;

    switch (lane->transfer->status) {
    case LIBUSB_TRANSFER_COMPLETED:
        notices->failures = 0;
        if (lane->transfer->actual_length > 0)
            keep(notices, lane);
        return !notices->stopped;
    case LIBUSB_TRANSFER_NO_DEVICE:
        usb->gone = true;
        return false;
    case LIBUSB_TRANSFER_CANCELLED:
        return false;
    default:
        /* One failure may be a disturbance; two in a row, and the endpoint is of no use. */
        if (notices->stopped)
            return false;
        notices->dead = ++notices->failures > 1;
        notices->halted = !notices->dead && lane->transfer->status == LIBUSB_TRANSFER_STALL;
        return !notices->dead && !notices->halted;
    }
}

/* Submits again. Without the lock, after lane.state was set. */
static void renew(struct usb_pipe *usb)
{
    struct lane *lane = &usb->notice;
    int error = libusb_submit_transfer(lane->transfer);
    bool stopped;

    pthread_mutex_lock(&usb->lock);
    if (error) {
        pthread_cond_broadcast(&usb->moved);
        log_debug("%s: the interrupt endpoint cannot be read: %s", usb->name, libusb_error_name(error));
        lane->state = LANE_DONE;
        if (error == LIBUSB_ERROR_NO_DEVICE)
            usb->gone = true;
        else
            usb->notices.dead = true;
    }
    stopped = usb->notices.stopped;
    notice_alert(usb);
    pthread_mutex_unlock(&usb->lock);
    /* Whoever stopped it just then has found nothing to cancel, and waits for it. */
    if (stopped && error)
        libusb_interrupt_event_handler(usb->libusb);
    else if (stopped)
        libusb_cancel_transfer(lane->transfer);
}

static void LIBUSB_CALL on_notice(struct libusb_transfer *transfer)
{
    struct lane *lane = transfer->user_data;
    struct usb_pipe *usb = lane->usb;
    bool again;

    pthread_mutex_lock(&usb->lock);
    again = evaluate(usb);
    lane->state = again ? LANE_BUSY : LANE_DONE;
    notice_alert(usb);
    pthread_mutex_unlock(&usb->lock);
    if (again)
        renew(usb);
}

static void on_removed(void *user, int fd)
{
    struct usb_pipe *usb = user;

    if (fd != usb->node_fd)
        return;
    /* libusb has seen the node hang up: known at once, even if nothing is under way. */
    pthread_mutex_lock(&usb->lock);
    usb->gone = true;
    notice_alert(usb);
    pthread_mutex_unlock(&usb->lock);
}

int notice_init(struct usb_pipe *usb)
{
    struct epoll_event event = {.events = EPOLLIN};
    size_t room = usb->layout.interrupt_packet ? usb->layout.interrupt_packet : 64;

    usb->alert_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    usb->pipe.event_fd = epoll_create1(EPOLL_CLOEXEC);
    if (usb->alert_fd < 0 || usb->pipe.event_fd < 0 ||
        epoll_ctl(usb->pipe.event_fd, EPOLL_CTL_ADD, usb->alert_fd, &event) < 0 ||
        epoll_ctl(usb->pipe.event_fd, EPOLL_CTL_ADD, usb->poll.fd, &event) < 0)
        return detail_set(RC_IO, "%s: no file descriptor left (%s); raise ulimit -n", usb->name,
                          strerror(errno));
    usb->poll.user = usb;
    usb->poll.removed = on_removed;
    if (!usb->layout.interrupt)
        return RC_OK;
    usb->notices.bytes = malloc(room * NOTICES_MAX);
    if (lane_init(&usb->notice, usb, room) || !usb->notices.bytes)
        return detail_set(RC_NO_MEMORY, "%s: no memory for its interrupt endpoint", usb->name);
    return RC_OK;
}

int notice_start(struct usb_pipe *usb)
{
    struct lane *lane = &usb->notice;
    int rc = RC_OK;

    if (!usb->layout.interrupt) {
        usb->notices.dead = usb->notices.dead_told = true;
        return RC_OK;
    }
    libusb_fill_interrupt_transfer(lane->transfer, usb->handle, usb->layout.interrupt, lane->buffer,
                                   (int)lane->room, on_notice, lane, 0);
    rc = lane_submit(lane);
    if (rc == RC_IO) {
        pthread_mutex_lock(&usb->lock);
        usb->notices.dead = true;
        notice_alert(usb);
        pthread_mutex_unlock(&usb->lock);
        rc = RC_OK;
    }
    return rc;
}

void notice_stop(struct usb_pipe *usb)
{
    pthread_mutex_lock(&usb->lock);
    usb->notices.stopped = true;
    usb->notices.halted = false;
    pthread_mutex_unlock(&usb->lock);
    lane_cancel(&usb->notice);
}

void notice_fini(struct usb_pipe *usb)
{
    usb_poll_fini(&usb->poll);
    if (usb->pipe.event_fd >= 0)
        close(usb->pipe.event_fd);
    if (usb->alert_fd >= 0)
        close(usb->alert_fd);
    free(usb->notices.bytes);
}

void notice_forget(struct usb_pipe *usb)
{
    usb_poll_forget(&usb->poll);
    close(usb->pipe.event_fd);
    close(usb->alert_fd);
}

int notice_clear(struct usb_pipe *usb)
{
    int error;

    if (!usb->layout.interrupt)
        return RC_UNSUPPORTED;
    notice_stop(usb);
    error = libusb_clear_halt(usb->handle, usb->layout.interrupt);
    if (error == LIBUSB_ERROR_NO_DEVICE)
        return pipe_lost(usb);
    if (error)
        log_debug("%s: the interrupt endpoint cannot be cleared: %s", usb->name, libusb_error_name(error));
    pthread_mutex_lock(&usb->lock);
    usb->notices.stopped = usb->notices.dead = usb->notices.dead_told = false;
    usb->notices.failures = 0;
    usb->notice.state = LANE_BUSY;
    pthread_mutex_unlock(&usb->lock);
    renew(usb);
    return RC_OK;
}

/* After a STALL: what a callback must not do, because it may wait. */
static void mend(struct usb_pipe *usb)
{
    bool halted;

    pthread_mutex_lock(&usb->lock);
    halted = usb->notices.halted;
    usb->notices.halted = false;
    if (halted)
        usb->notice.state = LANE_BUSY;
    pthread_mutex_unlock(&usb->lock);
    if (!halted)
        return;
    libusb_clear_halt(usb->handle, usb->layout.interrupt); /* a failure shows with the next transfer */
    renew(usb);
}

int notice_take(struct pipe *pipe, uint8_t *bytes, size_t capacity, size_t *ret_length)
{
    struct usb_pipe *usb = (struct usb_pipe *)pipe;
    struct notices *notices = &usb->notices;
    size_t length = 0;
    int rc = RC_OK;

    pipe_pump(usb);
    mend(usb);
    pthread_mutex_lock(&usb->lock);
    if (notices->count) {
        length = notices->lengths[notices->first];
        if (length > capacity)
            length = capacity;
        memcpy(bytes, notices->bytes + notices->first * usb->notice.room, length);
        notices->first = (notices->first + 1) % NOTICES_MAX;
        notices->count--;
    } else if (usb->gone) {
        rc = RC_READER_UNAVAILABLE;
        if (!usb->gone_told)
            listen_to_libusb(usb, false); /* of no interest any more */
        usb->gone_told = true;
    } else if (notices->dead) {
        rc = RC_UNSUPPORTED;
        notices->dead_told = true;
    }
    if (!untold(usb))
        calm(usb);
    pthread_mutex_unlock(&usb->lock);
    if (rc == RC_READER_UNAVAILABLE)
        return pipe_lost(usb);
    if (!rc)
        *ret_length = length;
    return rc;
}
