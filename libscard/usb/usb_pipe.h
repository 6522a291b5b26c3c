/* SPDX-License-Identifier: MIT */
/*
 * The pipe over libusb's asynchronous interface, inside: what usb_open makes and usb_notice has a part in.
 *
 * Of the threads that wait for something one leads: it handles libusb's events for all; the others wait for
 * it. lock is held briefly, and never when libusb is called: its callbacks take it.
 */
#ifndef USB_USB_PIPE_H
#define USB_USB_PIPE_H

#include <pthread.h>

#include <libusb.h>

#include "usb/pipe.h"
#include "usb/usb_poll.h"

enum lane_state {
    LANE_IDLE,
    LANE_BUSY, /* submitted */
    LANE_DONE, /* it came back; its result was not taken yet */
};

/* One transfer and its buffer. */
struct lane {
    struct usb_pipe *usb;
    struct libusb_transfer *transfer;
    uint8_t *buffer;
    size_t room;
    enum lane_state state; /* lock */
};

/* Messages of the interrupt endpoint that were not told yet; the oldest gives way. lock. */
#define NOTICES_MAX 16

struct notices {
    uint8_t *bytes; /* NOTICES_MAX times the lane's room */
    size_t lengths[NOTICES_MAX];
    size_t first, count;
    unsigned failures; /* one after the other */
    bool halted;       /* to be cleared, by a thread that may wait */
    bool dead, dead_told;
    bool stopped; /* is not to be submitted again */
};

struct usb_pipe {
    struct pipe pipe;
    struct pipe_layout layout;
    char name[80]; /* for details */
    libusb_context *libusb;
    libusb_device_handle *handle;
    bool claimed;
    struct usb_poll poll;
    int node_fd;

    pthread_mutex_t lock;
    pthread_cond_t moved;
    bool leading;         /* a thread is handling libusb's events */
    unsigned following;   /* so many wait for it */
    bool interrupted;     /* lock */
    bool gone, gone_told; /* lock */
    bool broken;          /* libusb handles no events: what is under way never comes back. lock */
    struct lane out, in, control, notice;
    size_t in_told; /* bytes of in.buffer that the caller has seen */

    /* event_fd (of epoll) has poll.fd and alert_fd in it. lock */
    int alert_fd;
    bool alerted; /* alert_fd is readable */
    unsigned held;
    struct notices notices;
};

extern const struct pipe_ops usb_pipe_ops;

/* usb_pipe.c: */

/* An empty one: fails with RC_NO_MEMORY. To be closed by usb_pipe_close. */
int usb_pipe_new(const struct pipe_layout *layout, struct usb_pipe **ret_usb);
void usb_pipe_close(struct pipe *pipe);

/* Transfer and buffer; room 0: without a buffer. RC_NO_MEMORY. */
int lane_init(struct lane *lane, struct usb_pipe *usb, size_t room);

/* Submits the lane's transfer, which is filled in, and idle. Its callback has to end it. */
int lane_submit(struct lane *lane);

/* Handles what libusb has to do just now, if no other thread does. */
void pipe_pump(struct usb_pipe *usb);

/* Takes back what was submitted, and waits until it came back. */
void lane_cancel(struct lane *lane);

/* RC_READER_UNAVAILABLE from now on, and a detail. */
int pipe_lost(struct usb_pipe *usb);

/* Any request, to any recipient; as pipe_ops.control otherwise. */
int pipe_request(struct usb_pipe *usb, const struct libusb_control_setup *setup, uint8_t *bytes,
                 size_t *ret_length, struct deadline deadline);

/* usb_notice.c: */

int notice_init(struct usb_pipe *usb);  /* descriptors */
int notice_start(struct usb_pipe *usb); /* the first transfer */
void notice_stop(struct usb_pipe *usb);
void notice_fini(struct usb_pipe *usb);
void notice_forget(struct usb_pipe *usb);

/* Makes event_fd readable if there is something to tell. With the lock. */
void notice_alert(struct usb_pipe *usb);

/* Of pipe_ops. */
int notice_take(struct pipe *pipe, uint8_t *bytes, size_t capacity, size_t *ret_length);
void notice_hold(struct pipe *pipe, bool on);
int notice_clear(struct usb_pipe *usb);

#endif
