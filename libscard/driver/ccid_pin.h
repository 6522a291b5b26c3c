/* SPDX-License-Identifier: MIT */
/*
 * PIN entry on the reader's keypad (PC/SC part 10, 2.5; CCID 1.1, 6.1.11): the reader completes the APDU with
 * what the user types, and sends it to the card.
 */
#ifndef DRIVER_CCID_PIN_H
#define DRIVER_CCID_PIN_H

#include "driver/ccid_device.h"

/*
 * in is a PIN_VERIFY_STRUCTURE or (modify) a PIN_MODIFY_STRUCTURE. Inside ccid_link_begin and _end; blocks
 * until the user has entered the PIN, the time is over or a cancel comes. out: SW1 SW2 (and data) of the
 * card; 64 01 the user cancelled, 64 00 no entry in time.
 *
 * RC_INVALID_VALUE: malformed structure. RC_UNSUPPORTED: no keypad, or an APDU that the reader cannot send in
 * this way. RC_NO_CARD, RC_NOT_TRANSACTED, RC_PROTO_MISMATCH: no card is ready. RC_INSUFFICIENT_BUFFER: less
 * than two bytes of room, the user was not asked; or the card said more. All with a detail. RC_* of the
 * exchange.
 */
int ccid_pin(struct ccid_slot *slot, bool modify, const uint8_t *in, size_t length, uint8_t *out,
             size_t capacity, size_t *ret_length);

#endif
