/* SPDX-License-Identifier: MIT */
/*
 * The reader seam: one slot of a reader, as the resource manager sees it.
 *
 * Calls on one reader are serialised by the manager ("the reader's turn"), except cancel, which may come
 * from any thread at any time between open and close. A driver has no locks of its own; state that
 * cancel touches is atomic. Calls block in the caller's thread, up to the given deadline or the driver's
 * own; each returns 0 or a negative RC_*.
 *
 * What a driver answers for its failures:
 *   RC_NO_CARD             slot empty, or the card left during the call
 *   RC_MUTE                card present, no ATR; in an exchange: it has stopped answering
 *   RC_UNRESPONSIVE        protocol set-up (PPS) failed
 *   RC_NOT_TRANSACTED      the exchange failed between reader and card; the next one may work
 *   RC_TIMEOUT             no answer before the deadline; the driver is ready for the next call
 *   RC_CANCELLED           cancel came
 *   RC_INSUFFICIENT_BUFFER the answer was longer than the room; *ret_length says how long, the rest is lost
 *   RC_UNSUPPORTED         no such control code or attribute
 *   RC_READER_UNAVAILABLE  the reader itself is gone or broken
 *   RC_IO                  the transport broke; said when none of the above fits
 */
#ifndef DRIVER_READER_H
#define DRIVER_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/deadline.h"

#define ATR_MAX 33 /* ISO 7816-3:2006, 8.1: TS and at most 32 bytes */

/* Transmission protocols, as a mask (PC/SC numbering). */
enum protocol {
    PROTOCOL_NONE = 0,
    PROTOCOL_T0 = 1,
    PROTOCOL_T1 = 2,
    PROTOCOL_RAW = 4,
};

/* An attribute of libscard's own, SCARD_ATTR_CARD_TIME: how long the last transmit was with the card, as far
 * as the driver can tell it from the reader and the way there; 64 bits, nanoseconds. */
#define READER_CARD_TIME 0x0007C001U

enum power_action {
    POWER_OFF,
    POWER_COLD, /* off, then on: cold reset */
    POWER_WARM, /* warm reset */
};

struct reader;

struct reader_ops {
    /* Is a card in? Consumes whatever made event_fd readable. Never waits for a card. A card that left since
     * the last call is reported absent once, even if one is in again; event_fd is then readable again. So it
     * is after a failure that may be over by then; after RC_READER_UNAVAILABLE only when there is news. */
    int (*presence)(struct reader *reader, bool *ret_present);

    /* Powers the card off or resets it. For a reset: *ret_atr_length bytes (at most ATR_MAX) in atr.
     * For POWER_OFF: length 0. */
    int (*power)(struct reader *reader, enum power_action action, uint8_t atr[ATR_MAX],
                 size_t *ret_atr_length);

    /* Makes the powered card speak PROTOCOL_T0 or _T1 (PPS and parameters as needed). */
    int (*set_protocol)(struct reader *reader, enum protocol protocol);

    /* One command APDU (1 … any length) to the powered card; response with SW1 SW2 into response. */
    int (*transmit)(struct reader *reader, enum protocol protocol, const uint8_t *command,
                    size_t command_length, uint8_t *response, size_t capacity, size_t *ret_length);

    /* A direct command to the reader; works without a card. */
    int (*control)(struct reader *reader, uint32_t code, const uint8_t *in, size_t in_length, uint8_t *out,
                   size_t capacity, size_t *ret_length);

    /* Attributes by PC/SC tag. get: as control, too little room (capacity 0 included) is
     * RC_INSUFFICIENT_BUFFER with the needed length in *ret_length. */
    int (*get_attribute)(struct reader *reader, uint32_t tag, uint8_t *out, size_t capacity,
                         size_t *ret_length);
    int (*set_attribute)(struct reader *reader, uint32_t tag, const uint8_t *value, size_t length);

    /* Ends the call that is under way, if any, with RC_CANCELLED; not sticky. Any thread, under the manager's
     * lock: never blocks. */
    void (*cancel)(struct reader *reader);

    /* Powers off, closes and frees. No other call is under way or follows. */
    void (*close)(struct reader *reader);

    /* In a forked child: closes the descriptors that were inherited, and does nothing else - no word to the
     * device, which is the parent's. A call of a thread of the parent may have been under way. No call
     * follows. */
    void (*forget)(struct reader *reader);
};

/* The first member of each driver's own struct. Everything below is set at open and constant. */
struct reader {
    const struct reader_ops *ops;
    const char *model;  /* e.g. "Virtual PCD"; the manager makes "model (serial) NN MM" of it */
    const char *serial; /* or NULL */
    const char *device; /* stable identity of the device for people and scripts: "vpcd:35963" */
    const char *vendor; /* or NULL */
    unsigned slot;      /* MM of the name: index of the slot in its device */
    int event_fd;       /* readable when presence may have changed or the reader has gone; -1: never */
};

#endif
