/* SPDX-License-Identifier: MIT */
/* Which protocol the card of a slot speaks. With the state lock and the slot's turn; lets go of the lock
 * while the device works. */
#ifndef MANAGER_NEGOTIATE_H
#define MANAGER_NEGOTIATE_H

#include "manager/state.h"

/* Makes the card speak one of the protocols of the mask, unless one is in force, which must then be in the
 * mask. May have to reset the card, with except as slot_power has it. RC_PROTO_MISMATCH, RC_UNRESPONSIVE. */
int negotiate_protocol(struct slot *slot, uint32_t protocols, const struct handle *except);

#endif
