/* SPDX-License-Identifier: MIT */
/*
 * USB-ICC devices (ICCD 1.0), which speak on control transfers: version B as a CCID message exchange, version
 * A as T=0 bytes. One slot.
 */
#ifndef DRIVER_CCID_ICCD_H
#define DRIVER_CCID_ICCD_H

#include "driver/ccid_link.h"

/* As ccid_link_exchange, which calls them for such devices: the answer has the form that a bulk reader gives.
 * answer data is in room. */
int iccd_b_exchange(struct ccid_link *link, const struct ccid_command *command, uint64_t timeout_ms,
                    uint8_t *room, size_t room_size, struct ccid_answer *ret_answer);
int iccd_a_exchange(struct ccid_link *link, const struct ccid_command *command, uint64_t timeout_ms,
                    uint8_t *room, size_t room_size, struct ccid_answer *ret_answer);

#endif
