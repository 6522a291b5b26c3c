/* SPDX-License-Identifier: MIT */
/* The interrupt endpoint of a pipe, and the descriptor that tells of it. */
#ifndef USB_USB_NOTICE_H
#define USB_USB_NOTICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pipe;
struct usb_pipe;

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
