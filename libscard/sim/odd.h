/* SPDX-License-Identifier: MIT */
/*
 * sim:odd - a card that misbehaves on request.
 *
 * Commands, CLA 80; P = P1 P2 as a number:
 *
 *     INS
 *     10   answer 9000 after P milliseconds
 *     12   say nothing for P milliseconds, then RC_TIMEOUT
 *     14   RC_NOT_TRANSACTED at once: the exchange breaks between reader and card
 *     16   answer P bytes in all, status word included: 0 and 1 are no responses at all
 *     18   answer P data bytes more than Le, and 9000
 *     1A   answer 65,538 + P bytes in all
 *     1C   die: RC_MUTE to this and every command until the next reset
 *     1E   die, and stay mute for the next P resets too
 *     20   leave the reader after P milliseconds, without an answer
 *     22   answer the status word P
 *
 * Data of these commands is ignored. Another INS: 6D00; another class: 9000; malformed: 6700.
 * In counted answers data bytes count 00 01 …, and the last two bytes are 9000.
 *
 * Options:
 *     mute=yes        no ATR, ever
 *     atr=HEX         this ATR, 1 … 33 bytes of any kind
 *     delay=MS        every APDU takes so long
 *     powerdelay=MS   every reset takes so long
 *     powerfail=N     mute at the first N resets
 */
#ifndef SIM_ODD_H
#define SIM_ODD_H

#include "sim/card.h"

int odd_new(const struct uri *uri, struct sim_card **ret_card);

#endif
