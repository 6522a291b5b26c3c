/* SPDX-License-Identifier: MIT */
/*
 * The card seam: what answers. A simulated card knows APDUs (ISO 7816-4) and its ATR; transmission
 * protocols, insertion and the line belong to what it is mounted in.
 *
 * A card belongs to one mount; calls are serialised by it.
 */
#ifndef SIM_CARD_H
#define SIM_CARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/uri.h"
#include "sim/line.h"

struct sim_card;

struct sim_card_ops {
    /* Cold or warm reset: volatile state (selection, security status, channels, chaining) is lost.
     * The ATR is borrowed until the card is freed. RC_MUTE: does not answer; RC_NO_CARD, RC_CANCELLED. */
    int (*reset)(struct sim_card *card, const uint8_t **ret_atr, size_t *ret_atr_length);

    /* One command APDU of any length ≥ 1, well formed or not; appends the response APDU (data, SW1 SW2)
     * to response. A malformed command is answered with a status word, as a card does.
     * RC_NO_MEMORY; RC_NO_CARD, RC_MUTE, RC_NOT_TRANSACTED, RC_TIMEOUT, RC_CANCELLED from cards that
     * misbehave, and only they answer less than two bytes or more than 65,538. */
    int (*apdu)(struct sim_card *card, const uint8_t *command, size_t length, struct buffer *response);

    void (*free)(struct sim_card *card);
};

struct sim_card {
    const struct sim_card_ops *ops;
    struct sim_line *line; /* set by the mount; NULL: waits are skipped, leaving is RC_NO_CARD alone */
    bool is_line;       /* what it answers is what came over a line: the mount does nothing of T=0 itself */
    unsigned protocols; /* that it takes beside those of its ATR */
};

/* Makes the card named by uri->path ("iso", "echo", "odd"), or a recorded one (replay:FILE), with its
 * options: sim/iso.h, sim/echo.h, sim/odd.h and sim/replay.h say which. Options of the mount (sim/mount.h)
 * may stand among them. RC_INVALID_VALUE with a detail (unknown card, bad option); RC_NO_MEMORY. */
int sim_card_new(const struct uri *uri, struct sim_card **ret_card);

#endif
