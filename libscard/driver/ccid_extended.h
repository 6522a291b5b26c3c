/* SPDX-License-Identifier: MIT */
/* APDUs at extended APDU level: commands and answers that span several messages (CCID 1.1, 6.1.4, 6.2.1). */
#ifndef DRIVER_CCID_EXTENDED_H
#define DRIVER_CCID_EXTENDED_H

#include "driver/ccid_device.h"

/* Sends all of command, receives all of the response. RC_INSUFFICIENT_BUFFER: *ret_length bytes came, the
 * first capacity of them are in response. */
int ccid_extended_exchange(struct ccid_slot *slot, const uint8_t *command, size_t length, uint8_t *response,
                           size_t capacity, size_t *ret_length);

#endif
