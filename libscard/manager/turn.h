/* SPDX-License-Identifier: MIT */
/*
 * A slot's turn: who may use the device now. It is the reader's I/O lock and its transaction lock in one
 * queue, kept as state instead of a mutex so that waiting for it follows the order of arrival and can be
 * cancelled. Whoever gives a turn back hands it to the first waiter that may have it; nobody polls and
 * nobody overtakes.
 *
 * All functions are called with the state lock held; turn_take may let go of it while it waits.
 */
#ifndef MANAGER_TURN_H
#define MANAGER_TURN_H

#include "manager/state.h"

enum turn_kind {
    TURN_DEVICE,  /* use of the device: ends with turn_give */
    TURN_CONNECT, /* the same, but a release of the context does not wait for it */
    TURN_OWNER,   /* the transaction: makes handle the owner; ends with turn_disown */
    TURN_LOOK,    /* nothing is taken: only waits until no other handle owns a transaction */
};

/* Flags. */
#define TURN_ANYWAY 1u  /* it is for the reader: events of the card do not end the wait */
#define TURN_AT_ONCE 2u /* RC_SHARING instead of waiting behind the transaction of another */

/* Waits for the turn. handle may be NULL (a connect). RC_CANCELLED, RC_INVALID_HANDLE (context closed or
 * handle closed meanwhile), or what turn_evict says. */
int turn_take(struct slot *slot, struct context *context, struct handle *handle, enum turn_kind kind,
              unsigned flags);

/* Takes the device if it is free, whoever owns the transaction; for looks at presence. */
bool turn_try(struct slot *slot);

/* Gives the device back. */
void turn_give(struct slot *slot);

/* Ends the transaction whatever its depth, and passes it on. */
void turn_disown(struct slot *slot);

/* Ends the handle's own waits on its slot with the result. */
void turn_evict(struct handle *handle, int result);

/* The same for an event of the card: waits for the reader go on. */
void turn_evict_for_event(struct handle *handle, int result);

/* Ends the waits of connects on the slot with the result. */
void turn_evict_connects(struct slot *slot, int result);

#endif
