/* SPDX-License-Identifier: MIT */
/*
 * One transfer of a pipe at a time, and the wait for it.
 *
 * Of the threads that wait for something one leads: it handles libusb's events for all; the others wait for
 * it.
 */
#ifndef USB_USB_LANE_H
#define USB_USB_LANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libusb.h>

#include "base/deadline.h"

struct usb_pipe;

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

/* Transfer and buffer; room 0: without a buffer as yet. RC_NO_MEMORY. */
int lane_init(struct lane *lane, struct usb_pipe *usb, size_t room);

/* Wipes and frees; nothing is under way. */
void lane_fini(struct lane *lane);

/* Sees to it that the buffer has room; its content may be lost. RC_NO_MEMORY with a detail. */
int lane_grow(struct lane *lane, size_t room);

/* The callback of all transfers that a thread waits for. */
void LIBUSB_CALL lane_done(struct libusb_transfer *transfer);

enum lane_state lane_state(const struct lane *lane);
void lane_set(struct lane *lane, enum lane_state state);

/* Submits the lane's transfer, which is filled in, and idle. RC_READER_UNAVAILABLE, RC_NO_MEMORY, RC_IO. */
int lane_submit(struct lane *lane);

/* Until the lane's transfer has come back: RC_OK; RC_TIMEOUT, RC_CANCELLED (if interruptible) leave it under
 * way. What is there already comes before the deadline. */
int lane_await(struct lane *lane, bool interruptible, struct deadline deadline);

/* Takes back what was submitted, and waits until it came back. */
void lane_cancel(struct lane *lane);

/* The result of a transfer that came back; the lane is idle then. RC_OK, enum pipe_event,
 * RC_READER_UNAVAILABLE or RC_IO; doing: for the detail. */
int lane_take(struct lane *lane, const char *doing);

/* Handles what libusb has to do just now, if no other thread does. */
void pipe_pump(struct usb_pipe *usb);

/* RC_READER_UNAVAILABLE from now on, and a detail. */
int pipe_lost(struct usb_pipe *usb);

/* The same if that is libusb's error, or else RC_NO_MEMORY or RC_IO, with a detail. */
int pipe_failed(struct usb_pipe *usb, int error, const char *doing);

#endif
