/* SPDX-License-Identifier: MIT */
/*
 * vpcd: the reader side of vsmartcard's virtual reader protocol. We listen, a card program connects;
 * the connection is the card.
 *
 * Both directions: u16 big-endian length, then that many bytes. A frame of one byte is a control code
 * (0 power off, 1 power on, 2 reset, 4 get ATR), only 4 is answered; longer frames are APDUs.
 *
 * URI: vpcd:PORT with the options
 *     slots=N       N slots on PORT, PORT+1, … (1; at most 256: MM of the name is two hex digits)
 *     host=ADDRESS  127.0.0.1 (default) or ::1; nothing but loopback is accepted
 *     timeout=S     seconds allowed for one answer of the card (60); 0 = no limit
 * PORT 0 lets the kernel choose a port for each slot.
 *
 * The slots of one URI are one device, told apart by their slot number; `device` of each names its own port
 * (never 0): "vpcd:35963", or "vpcd:35963?host=::1". event_fd tells that a card program has connected or
 * gone.
 *
 * A card is dropped - its connection ended, and presence() tells it gone once - when its stream cannot be
 * trusted any longer: an answer late (RC_TIMEOUT), a call cancelled (RC_CANCELLED), bytes that nobody asked
 * for (RC_IO, seen before the next command, behind an answer, or by presence). A card program that waits
 * in the backlog is the next card. presence(): RC_NO_MEMORY when a card had to be turned away.
 */
#ifndef DRIVER_VPCD_H
#define DRIVER_VPCD_H

#include "base/uri.h"
#include "driver/reader.h"

/* Opens all slots of one URI. On success *ret_readers is a new array (free it) of *ret_count new readers,
 * each to be closed by its close operation, in any order.
 * RC_INVALID_VALUE for a bad URI, RC_READER_UNAVAILABLE when a port cannot be listened on (detail says
 * which and why), RC_NO_MEMORY, also when the process is out of descriptors. */
int vpcd_open(const struct uri *uri, struct reader ***ret_readers, size_t *ret_count);

#endif
