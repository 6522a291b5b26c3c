/* SPDX-License-Identifier: MIT */
/*
 * What a T=0 card does around its commands (ISO 7816-3:2006, 10 and 12.2): a response to a command with
 * data waits for GET RESPONSE (61xx), and a command that expects another number of bytes than there are
 * says how many (6Cxx). The card inside sees whole APDUs.
 *
 * A command runs once: what it answered is held until it is fetched or another command comes.
 */
#ifndef SIM_T0_H
#define SIM_T0_H

#include "sim/card.h"

enum t0_held {
    T0_NOTHING,
    T0_FOR_GET_RESPONSE,
    T0_FOR_REPEAT, /* the same header with the right Le */
};

struct t0 {
    enum t0_held kind;
    uint8_t header[4];
    struct buffer held; /* data field */
    size_t at;          /* delivered so far */
    uint8_t sw[2];
};

/* Forgets what is held; after a reset. {0} is a fresh one. */
void t0_forget(struct t0 *t0);

/* Runs one command APDU; appends the response. A Le behind data is ignored, as the byte is not sent;
 * extended and malformed commands, which cannot be sent at all, are answered 6700. Results as of the
 * card's apdu. */
int t0_transmit(struct t0 *t0, struct sim_card *card, const uint8_t *command, size_t length,
                struct buffer *response);

#endif
