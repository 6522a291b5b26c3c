/* SPDX-License-Identifier: MIT */
/*
 * The pipe seam: one interface of a USB device, opened and claimed, as a CCID driver needs it.
 *
 * Calls block in the caller's thread. bulk_out, bulk_in, control and notice may be called from different
 * threads at the same time; two calls of the same operation are never under way at once.
 *
 * Results: 0, one of enum pipe_event, or
 *   RC_TIMEOUT             the deadline passed
 *   RC_CANCELLED           interrupt came
 *   RC_READER_UNAVAILABLE  the device has gone; every call says so from then on
 *   RC_IO                  the transfer failed (detail set); the next one may work
 */
#ifndef USB_PIPE_H
#define USB_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

enum pipe_event {
    PIPE_STALLED = 1,  /* STALL; a bulk endpoint's halt has been cleared again */
    PIPE_OVERFLOW = 2, /* more came than the room: that message is lost */
};

struct pipe;

struct pipe_ops {
    /* Sends bytes as one transfer (no zero-length packet behind). RC_TIMEOUT: the device may have taken a
     * part of it. interrupt does not end it: a message is not cut in two. */
    int (*bulk_out)(struct pipe *pipe, const uint8_t *bytes, size_t length, struct deadline deadline);

    /* Receives one transfer into the pipe's own buffer: *ret_bytes is valid until the next bulk_in. Length 0
     * is an empty packet; a message longer than the room comes in two. A wait that ends without data leaves
     * the transfer under way, and the next bulk_in gets what it brings: nothing that the device sends is lost
     * between two calls. What is there already comes even if the deadline has passed. */
    int (*bulk_in)(struct pipe *pipe, const uint8_t **ret_bytes, size_t *ret_length,
                   struct deadline deadline);

    /* Control transfer to the interface (wIndex is its number); the direction is in request_type. In: at most
     * length bytes into bytes, *ret_length of them came. Out: bytes are sent, *ret_length may be NULL. */
    int (*control)(struct pipe *pipe, uint8_t request_type, uint8_t request, uint16_t value, uint8_t *bytes,
                   size_t length, size_t *ret_length, struct deadline deadline);

    /* The oldest message (one packet) of the interrupt endpoint that was not told yet, at most capacity bytes
     * of it; of many that nobody asked for the latest are kept. Waits for nothing but, after a STALL, for the
     * halt to be cleared. *ret_length 0: there is none. Makes event_fd quiet if there is nothing more to
     * tell: call it until there is none. RC_UNSUPPORTED: no interrupt endpoint, or it works no longer -
     * presence must be asked for. RC_READER_UNAVAILABLE: gone; event_fd is quiet from then on. */
    int (*notice)(struct pipe *pipe, uint8_t *bytes, size_t capacity, size_t *ret_length);

    /* Between hold(true) and hold(false) event_fd is not readable because of what is under way on the pipe:
     * that is the business of the callers there. A notice that the transfers of a caller bring along may show
     * there at once - other slots should not have to wait for the end of a long call - and shows afterwards
     * at the latest. Calls nest. */
    void (*hold)(struct pipe *pipe, bool on);

    /* Clears the halt, and with it the data toggles, of the bulk endpoints; interrupt: of that endpoint.
     * No transfer of bulk_out or bulk_in may be wanted any more: one that is under way is thrown away. */
    int (*clear)(struct pipe *pipe, bool interrupt);

    /* Ends the bulk_in or control that is under way with RC_CANCELLED, or else the next one, even if that had
     * something to tell (bulk_in: the one after it gets it). Any thread, at any time before close; never
     * blocks. */
    void (*interrupt)(struct pipe *pipe);

    /* Ends what is under way, releases the interface, closes and frees. No other call is under way. */
    void (*close)(struct pipe *pipe);

    /* In a forked child: closes the inherited descriptors and does nothing else. */
    void (*forget)(struct pipe *pipe);
};

/* The first member of each implementation's own struct. */
struct pipe {
    const struct pipe_ops *ops;
    /* Readable when notice has something to tell, or the device has gone; also, for a moment, when the pipe
     * has work of its own, which notice does. -1: never. */
    int event_fd;
};

/* What to open, from the interface's descriptors. Address 0: no such endpoint. */
struct pipe_layout {
    uint8_t interface;
    uint8_t out, in, interrupt;           /* addresses */
    uint16_t in_packet, interrupt_packet; /* wMaxPacketSize */
    size_t in_room; /* longest transfer that bulk_in has to take; rounded up to whole packets by the pipe */
};

#endif
