/* SPDX-License-Identifier: MIT */
/* Character level: bytes to the card, and as many back as are asked for (CCID 1.1, 3.2.4). */
#ifndef DRIVER_CCID_CHARACTER_H
#define DRIVER_CCID_CHARACTER_H

#include "driver/ccid_device.h"

/* Sends length bytes (perhaps none) and receives expect of them, or what more comes in the same message.
 * RC_INSUFFICIENT_BUFFER for more than capacity. *ret_length and the last answer, *ret_came, are always set.
 */
int ccid_character_swap(struct ccid_slot *slot, const uint8_t *bytes, size_t length, size_t expect,
                        unsigned wtx_multiplier, uint8_t *answer, size_t capacity, size_t *ret_length,
                        struct ccid_answer *ret_came);

/* t0_host_exchange_fn over the slot, its user. */
int ccid_character_t0(void *user, const uint8_t *send, size_t send_length, uint8_t *receive,
                      size_t receive_length, size_t *ret_length);

/* A block of T=1, its answer in two parts: the prologue says how much follows. */
int ccid_character_block(struct ccid_slot *slot, const uint8_t *block, size_t length, unsigned wtx_multiplier,
                         uint8_t *answer, size_t capacity, size_t *ret_length, struct ccid_answer *ret_came);

#endif
