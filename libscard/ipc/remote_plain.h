/* SPDX-License-Identifier: MIT */
/*
 * What pcscd does otherwise than the seam promises, set right from this side as far as that goes. Each is for
 * the call that has the turn; nothing is done for a server with features.
 */
#ifndef IPC_REMOTE_PLAIN_H
#define IPC_REMOTE_PLAIN_H

#include "ipc/remote_call.h"

/* The handle has just been connected, or reconnected. As call_ask. */
int plain_note(struct remote_call *call, struct remote_handle *handle, enum share_mode share);

/* A card that left and another that came are told as a reset of the card: RC_CARD_REMOVED for that. A reader
 * that left is told as a removed card: RC_READER_UNAVAILABLE. */
int plain_event(struct remote_call *call, const struct remote_handle *handle, int rc);

/* May the handle ask for exclusive use? Asked in vain, pcscd keeps the reader locked. RC_SHARING. */
int plain_may_be_exclusive(struct remote_call *call, const struct remote_handle *handle);

/* Is there a card that somebody powered off? It is not powered up by a reconnect that leaves it as it is. */
bool plain_is_off(struct remote_call *call, const struct remote_handle *handle);

#endif
