/* SPDX-License-Identifier: MIT */
/*
 * Attributes that a CCID reader can answer (PC/SC part 3, 3.1.1). Numbers are 4 bytes in the host's order,
 * but presence, interface status and type of card, which are one byte; texts end with a 0 byte.
 *
 * CURRENT_W, _BWT and _CWT are the integers WI, BWI and CWI. What is about a powered card is RC_NO_CARD
 * without one, but for the ATR (empty), the current protocol (0) and the bytes above; what is about the other
 * protocol is RC_UNSUPPORTED.
 */
#ifndef DRIVER_CCID_ATTRIBUTE_H
#define DRIVER_CCID_ATTRIBUTE_H

#include "driver/ccid_device.h"

/* As the reader seam's get_attribute and set_attribute, inside ccid_link_begin and _end. Presence and
 * interface status ask the reader, and leave it to presence() to tell that a card has left; nothing else
 * does. */
int ccid_attribute_get(struct ccid_slot *slot, uint32_t tag, uint8_t *out, size_t capacity,
                       size_t *ret_length);
int ccid_attribute_set(struct ccid_slot *slot, uint32_t tag, const uint8_t *value, size_t length);

#endif
