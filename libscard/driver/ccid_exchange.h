/* SPDX-License-Identifier: MIT */
/* APDUs to the card at each level of exchange (CCID 1.1, 3.2): character, TPDU, short APDU, extended APDU. */
#ifndef DRIVER_CCID_EXCHANGE_H
#define DRIVER_CCID_EXCHANGE_H

#include "driver/ccid_device.h"

/* As the reader seam's transmit. An APDU that the reader cannot carry: RC_UNSUPPORTED with a detail that
 * names the reader's limit; nothing was sent. */
int ccid_exchange(struct ccid_slot *slot, enum protocol protocol, const uint8_t *command,
                  size_t command_length, uint8_t *response, size_t capacity, size_t *ret_length);

/* One XfrBlock (6.1.4) within the waiting time of the card, times wtx_multiplier unless that is 0. Result and
 * answer as of ccid_slot_command. RC_UNSUPPORTED with a detail: longer than the reader's messages, or of a
 * length that it loses. */
int ccid_exchange_message(struct ccid_slot *slot, const uint8_t *bytes, size_t length, uint16_t level,
                          unsigned wtx_multiplier, struct ccid_answer *ret_answer);

/* Does the reader lose an XfrBlock of that length (CCID_NO_FULL_PACKETS)? Characters of T=0 are then sent in
 * two parts, and blocks of T=1 are kept short; TPDUs of T=0 and APDUs cannot be parted. */
bool ccid_exchange_is_lost(const struct ccid_slot *slot, size_t length);

/* t1_exchange_fn over the slot, its user. */
int ccid_exchange_block(void *user, const uint8_t *block, size_t length, uint8_t *answer, size_t capacity,
                        size_t *ret_length, unsigned wtx_multiplier);

/* For PPS and the like: bytes to the card as they are, and at least expect bytes back (at character level;
 * else expect is not used). */
int ccid_exchange_raw(struct ccid_slot *slot, const uint8_t *bytes, size_t length, size_t expect,
                      uint8_t *answer, size_t capacity, size_t *ret_length);

#endif
