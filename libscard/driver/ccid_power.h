/* SPDX-License-Identifier: MIT */
/* Presence, activation, voltages and resets of a slot (CCID 1.1, 6.1.1 to 6.1.3; ISO 7816-3:2006, 6). */
#ifndef DRIVER_CCID_POWER_H
#define DRIVER_CCID_POWER_H

#include "driver/ccid_device.h"

/* As the reader seam's presence and power, inside ccid_link_begin and _end. */
int ccid_power_presence(struct ccid_slot *slot, bool *ret_present);
int ccid_power(struct ccid_slot *slot, enum power_action action, uint8_t atr[ATR_MAX],
               size_t *ret_atr_length);

#endif
