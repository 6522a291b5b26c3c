/* SPDX-License-Identifier: MIT */
/*
 * PIN entry on the reader's keypad (PC/SC part 10, 2.5; CCID 1.1, 6.1.11): PIN_VERIFY_STRUCTURE and
 * PIN_MODIFY_STRUCTURE to PC_to_RDR_Secure, with the quirks, and back.
 */
#ifndef DRIVER_CCID_PIN_H
#define DRIVER_CCID_PIN_H

#include "driver/ccid_device.h"

/* Longest data of a Secure command that a structure of length bytes can become. */
size_t ccid_pin_room(size_t length);

/* Builds the data of Secure (from bPINOperation on) of the structure; prologue is NAD PCB LEN, or zeros.
 * Pure. RC_INVALID_VALUE with a detail: malformed; RC_INSUFFICIENT_BUFFER. ret_apdu points into in: the APDU
 * template. */
int ccid_pin_build(const struct ccid_quirk *quirk, bool modify, const uint8_t *in, size_t length,
                   const uint8_t prologue[static 3], uint8_t *out, size_t capacity, size_t *ret_length,
                   const uint8_t **ret_apdu, size_t *ret_apdu_length, unsigned *ret_seconds);

/* The whole operation: blocks until the user has entered the PIN, the time is over or a cancel comes. Answer:
 * SW1 SW2 (and data) of the card; 64 01 the user cancelled, 64 00 no entry in time. */
int ccid_pin(struct ccid_slot *slot, bool modify, const uint8_t *in, size_t length, uint8_t *out,
             size_t capacity, size_t *ret_length);

#endif
