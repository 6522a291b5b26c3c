/* SPDX-License-Identifier: MIT */
/*
 * The pipe over libusb's asynchronous interface, inside: what usb_open makes, and usb_lane and usb_notice
 * have a part in. lock is held briefly, and never when libusb is called: its callbacks take it.
 */
#ifndef USB_USB_PIPE_H
#define USB_USB_PIPE_H

#include <pthread.h>

#include <libusb.h>

#include "usb/pipe.h"
#include "usb/usb_lane.h"
#include "usb/usb_notice.h"
#include "usb/usb_poll.h"

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

/* An empty one: RC_NO_MEMORY. To be closed by usb_pipe_close. */
int usb_pipe_new(const struct pipe_layout *layout, struct usb_pipe **ret_usb);
void usb_pipe_close(struct pipe *pipe);

/* Any request, to any recipient; as pipe_ops.control otherwise. */
int pipe_request(struct usb_pipe *usb, const struct libusb_control_setup *setup, uint8_t *bytes,
                 size_t *ret_length, struct deadline deadline);

#endif
