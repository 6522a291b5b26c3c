/* SPDX-License-Identifier: MIT */
/*
 * PINs that a card has refused, so that the same one costs no second try. Kept while a desk lives, in memory
 * alone, as keyed hashes: the PINs themselves are nowhere. A card that was taken out, or has taken a PIN, is
 * forgotten.
 */
#ifndef CLI_PIN_REFUSED_H
#define CLI_PIN_REFUSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct call;

/* {0}: nothing was refused. */
struct pin_refusals {
    bool keyed;
    uint64_t key[2];    /* random */
    struct buffer list; /* of struct refusal (pin_refused.c) */
};

void pin_refusals_fini(struct pin_refusals *refusals); /* wipes; can be used again */

/* What is put before the card in call->desk: the block as it is sent. */
struct pin_claim {
    bool puk;          /* the resetting code of that reference */
    uint8_t reference; /* P2 */
    const uint8_t *block;
    size_t length;
};

/* Has the card refused it. Without memory, or where the card cannot be told from others: false. */
bool pin_refused(struct call *call, const struct pin_claim *claim);

/* Notes what the card answered: a refusal, or that it has taken it. Other words change nothing. */
void pin_refused_note(struct call *call, const struct pin_claim *claim, uint16_t sw);

#endif
