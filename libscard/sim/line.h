/* SPDX-License-Identifier: MIT */
/*
 * What a card may do to its mount while it answers: wait, so that a cancel or a removal ends the wait at
 * once, and leave. Made by the mount, which hands it to the card before the first reset.
 */
#ifndef SIM_LINE_H
#define SIM_LINE_H

#include "base/deadline.h"

struct sim_line {
    /* Blocks until the deadline: RC_OK. Before that: RC_NO_CARD when the card was taken out, RC_CANCELLED.
     * Only during a reset or an APDU, in its thread. */
    int (*wait)(struct sim_line *line, struct deadline deadline);

    /* The card jumps out of its reader. */
    void (*leave)(struct sim_line *line);
};

#endif
