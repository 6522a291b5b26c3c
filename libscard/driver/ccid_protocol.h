/* SPDX-License-Identifier: MIT */
/* Making a powered card speak T=0 or T=1: PPS, SetParameters, IFSD, with fall-backs (ISO 7816-3:2006, 9). */
#ifndef DRIVER_CCID_PROTOCOL_H
#define DRIVER_CCID_PROTOCOL_H

#include "driver/ccid_device.h"

/* As the reader seam's set_protocol. A fall-back resets the card, which nobody has spoken to before. */
int ccid_protocol_set(struct ccid_slot *slot, enum protocol protocol);

#endif
