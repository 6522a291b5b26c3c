/* SPDX-License-Identifier: MIT */
/* APDUs to the card at each level of exchange (CCID 1.1, 3.2): character, TPDU, short APDU, extended APDU. */
#ifndef DRIVER_CCID_EXCHANGE_H
#define DRIVER_CCID_EXCHANGE_H

#include "driver/ccid_device.h"

/* As the reader seam's transmit. An APDU that the reader cannot carry: RC_UNSUPPORTED with a detail that
 * names the reader's limit; nothing was sent. */
int ccid_exchange(struct ccid_slot *slot, enum protocol protocol, const uint8_t *command,
                  size_t command_length, uint8_t *response, size_t capacity, size_t *ret_length);

/* t1_exchange_fn over the slot, its user. */
int ccid_exchange_block(void *user, const uint8_t *block, size_t length, uint8_t *answer, size_t capacity,
                        size_t *ret_length, unsigned wtx_multiplier);

/* For PPS and the like: bytes to the card as they are, and at least expect bytes back (at character level;
 * else expect is not used). */
int ccid_exchange_raw(struct ccid_slot *slot, const uint8_t *bytes, size_t length, size_t expect,
                      uint8_t *answer, size_t capacity, size_t *ret_length);

#endif
