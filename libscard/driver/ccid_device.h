/* SPDX-License-Identifier: MIT */
/* A CCID device and its slots, as the files of the driver share them. Not for others. */
#ifndef DRIVER_CCID_DEVICE_H
#define DRIVER_CCID_DEVICE_H

#include <stdatomic.h>

#include "driver/ccid.h"
#include "driver/ccid_link.h"
#include "driver/ccid_quirks.h"
#include "iso/atr.h"
#include "iso/t1.h"

struct ccid_device;

/* What readers need at most for what they do without the card. */
#define CCID_ANSWER_MS 3000

/* Used by one thread at a time (the reader's turn), but for cancel. */
struct ccid_slot {
    struct reader reader; /* the first member */
    struct ccid_device *device;
    uint8_t index;

    bool told;            /* presence() has said last that a card is in */
    bool out;             /* a notice says that it was out; presence() has not had a look since */
    uint8_t looks_failed; /* of presence(), in a row */
    bool powered;         /* the host has powered this card up, and not off */
    bool left;            /* that card has gone, and presence() has not said so */
    bool warm_due;        /* protocol parameters are in doubt: a reset must come first */
    uint8_t atr_bytes[ATR_MAX];
    size_t atr_length; /* 0: not powered */
    struct atr atr;
    uint8_t voltage; /* bPowerSelect that the card is on with */

    enum protocol protocol; /* PROTOCOL_NONE until set_protocol has succeeded since the reset */
    uint8_t fd;             /* FI/DI in force */
    struct t1 t1;           /* at TPDU and character level with PROTOCOL_T1 */
    uint64_t exchange_ms;   /* waiting time of an XfrBlock, before extensions (ccid_timing) */
    int64_t card_ns;        /* of the exchange with the card: what its messages took beyond reader_ns each */
    int64_t reader_ns;      /* the fastest message so far that needed no card; 0: none yet */
};

struct ccid_device {
    struct ccid_link *link;
    struct ccid_descriptor descriptor; /* corrected by the quirk */
    struct ccid_quirk quirk;
    struct ccid_identity identity; /* its strings are the device's */
    uint32_t *rates;               /* of GET_DATA_RATES, bit/s; NULL: all up to max_rate */
    size_t rate_count;
    bool escape_allowed, pin_verify, pin_modify;
    atomic_uint open_slots; /* the last to close frees the device */
    bool forgotten;         /* in a forked child */
    struct ccid_slot *slots;
};

static inline struct ccid_slot *ccid_slot_of_reader(struct reader *reader)
{
    return (struct ccid_slot *)(void *)reader;
}

/* A command of the slot (set here) and its answer, with the meaning of the answer as result: RC_* as the
 * reader seam has them, or CCID_KEPT. A busy slot has been waited for and tried again. When the card does not
 * answer it has been looked for: RC_NO_CARD if it has left. *ret_answer is zeros when there is none; it is
 * set when the answer is a failure, too. */
int ccid_slot_command(struct ccid_slot *slot, struct ccid_command *command, uint64_t timeout_ms,
                      struct ccid_answer *ret_answer);

/* GetSlotStatus. A card that was powered and has gone since, or lost its power, is taken note of
 * (ccid_slot_lost). RC_* of an exchange; never RC_NO_CARD. */
int ccid_slot_look(struct ccid_slot *slot, enum ccid_card *ret_card);

/* The card left: forgotten, and presence() is to say so. RC_NO_CARD, with a detail. */
int ccid_slot_lost(struct ccid_slot *slot);

/* The card is not what it was: forgets ATR, protocol and T=1 state. */
void ccid_slot_unpowered(struct ccid_slot *slot);

#endif
