/* SPDX-License-Identifier: MIT */
#ifndef SIM_ISO_CHANNEL_H
#define SIM_ISO_CHANNEL_H

#include "sim/iso_card.h"

/* After a reset: the basic channel is open on the MF, the others are closed. */
void iso_channel_reset(struct iso_card *card);

/* MANAGE CHANNEL (ISO 7816-4:2013, 11.1.2). */
iso_handler iso_manage_channel;

#endif
