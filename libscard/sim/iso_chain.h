/* SPDX-License-Identifier: MIT */
/* Command chaining (ISO 7816-4:2013, 5.3.3). */
#ifndef SIM_ISO_CHAIN_H
#define SIM_ISO_CHAIN_H

#include "sim/iso_card.h"

/* Takes a command before it is run. 0: run *apdu, whose data now is that of the whole chain, borrowed until
 * iso_chain_drop(); a status word: answer that; RC_NO_MEMORY. may_chain: does this instruction chain? */
int iso_chain_take(struct iso_card *card, struct apdu *apdu, bool may_chain);

/* Forgets the collected data and wipes it. */
void iso_chain_drop(struct iso_card *card);

#endif
