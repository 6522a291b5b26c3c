/* SPDX-License-Identifier: MIT */
/*
 * A simulated card straight behind the reader seam. URI: sim:NAME[?option=value&…], or replay:FILE[?…] for a
 * recorded one (sim/replay.h)
 *
 * Options of the mount, for every card:
 *     insert=yes|no           card in at start (yes)
 *     protocol=T0|T1|both     the protocols that the ATR offers (T1). As T=0 the mount does what a T=0
 *                             card does: 61xx and GET RESPONSE for case 4, 6Cxx for a wrong Le, short
 *                             APDUs only
 *     presence=PATH           the card is in while the file PATH exists (watched by inotify, no polling):
 *                             `touch PATH` inserts, `rm PATH` removes; insert= is then ignored
 *     serial=TEXT             serial number in the reader's name
 *
 * Control codes (SCARD_CTL_CODE(n), see scard.h): SIM_CONTROL_INSERT, SIM_CONTROL_REMOVE; PC/SC part 10
 * feature list and TLV properties.
 *
 * The card that comes back is the one that left: its files and retry counters are kept, its volatile state
 * is gone. No removal is missed: after a card left and came back between two looks, presence says "absent"
 * once and event_fd stays readable.
 */
#ifndef SIM_MOUNT_H
#define SIM_MOUNT_H

#include "base/uri.h"
#include "driver/reader.h"

#define SIM_CONTROL_INSERT 0x42002580 /* SCARD_CTL_CODE(9600): put the card in; done already: RC_OK */
#define SIM_CONTROL_REMOVE 0x42002581 /* SCARD_CTL_CODE(9601): take it out */

/* RC_INVALID_VALUE with a detail for a bad URI; RC_READER_UNAVAILABLE, with a detail, when PATH cannot be
 * watched; RC_NO_MEMORY, also when the process is out of descriptors. */
int sim_open(const struct uri *uri, struct reader **ret_reader);

/* For tests, from any thread, also while a call is on the card: the card leaves or comes. The mount
 * keeps this one flag atomic and signals event_fd; a call under way ends with RC_NO_CARD. */
void sim_set_present(struct reader *reader, bool present);

#endif
