/* SPDX-License-Identifier: MIT */
/*
 * USB-ICC devices (ICCD 1.0), which speak on control transfers: version B as a CCID message exchange, version
 * A as T=0 bytes. One slot.
 *
 * Of the commands there are GetSlotStatus, IccPowerOn, IccPowerOff and XfrBlock. SetParameters is answered as
 * by a reader that changes nothing (CCID_KEPT): such a device chooses them itself. All else is answered as
 * not supported.
 *
 * XfrBlock: version A takes a whole T=0 TPDU, the header alone in case 1, and answers data and SW1 SW2,
 * whatever level the descriptor names; version B as a reader of the descriptor's level, chained by
 * wLevelParameter and bChainParameter (enum ccid_part) where it is longer than ICCD_TRANSFER_MAX. A transfer
 * that ends without an answer, by time or cancel, ends with the card switched off: nothing else would keep
 * its late answer from being taken for the next one's.
 */
#ifndef DRIVER_CCID_ICCD_H
#define DRIVER_CCID_ICCD_H

#include "driver/ccid_link.h"

#define ICCD_TRANSFER_MAX 4096 /* bytes in one control transfer that every host controller takes */
#define ICCD_ROOM ICCD_TRANSFER_MAX

/* As ccid_link_exchange, which calls them for such devices: the answer has the form that a bulk reader gives.
 * answer data is in room, of at least ICCD_ROOM bytes. */
int iccd_b_exchange(struct ccid_link *link, const struct ccid_command *command, uint64_t timeout_ms,
                    uint8_t *room, size_t room_size, struct ccid_answer *ret_answer);
int iccd_a_exchange(struct ccid_link *link, const struct ccid_command *command, uint64_t timeout_ms,
                    uint8_t *room, size_t room_size, struct ccid_answer *ret_answer);

/* Off, on, off: a known state, whatever went before. */
void iccd_start(struct ccid_link *link);

#endif
