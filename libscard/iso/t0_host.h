/* SPDX-License-Identifier: MIT */
/*
 * The protocol T=0 (ISO 7816-3:2006, 10 and 12.2), the side of the interface device. (The card's side is
 * simulated in sim/t0.)
 *
 * One command is one TPDU. Nothing is done on its own: no GET RESPONSE after 61xx, no repetition after 6Cxx -
 * programs do that themselves, as with every other PC/SC service. The one change is that Le of a case 4S
 * command is cut, because T=0 has no place for it (12.2.5); the response is then 61xx.
 */
#ifndef ISO_T0_HOST_H
#define ISO_T0_HOST_H

#include <stddef.h>
#include <stdint.h>

#define T0_HOST_TPDU_MAX 260     /* header with P3 and 255 data bytes */
#define T0_HOST_RESPONSE_MAX 258 /* 256 data bytes and SW1 SW2 */

struct t0_host_tpdu {
    const uint8_t *bytes; /* borrowed: the beginning of the command APDU */
    size_t length;        /* 4 in case 1: a reader at TPDU level adds P3 = 00 */
    size_t lc;            /* data bytes to the card */
    size_t le;            /* from the card at most; never both */
};

/* Command APDU to TPDU, for readers at TPDU level. RC_INVALID_VALUE, with a detail: malformed, or an INS that
 * cannot be told from a status byte (6x, 9x: 10.3.2). RC_UNSUPPORTED, with a detail: extended APDU. */
int t0_host_map(const uint8_t *command, size_t length, struct t0_host_tpdu *ret_tpdu);

/*
 * Sends send_length bytes (perhaps none) to the card and waits until receive_length bytes (at least 1) have
 * come back; more do not come unasked. Each character has the work waiting time. send holds secrets as the
 * command does. 0, with *ret_length the number of bytes in receive, or RC_*, which ends the command.
 */
typedef int t0_host_exchange_fn(void *user, const uint8_t *send, size_t send_length, uint8_t *receive,
                                size_t receive_length, size_t *ret_length);

/*
 * Runs a TPDU with procedure bytes (10.3.3), for readers at character level. response gets data and SW1 SW2;
 * it may overlap the command. Always ends but for NULL bytes, which only time limits: that is for exchange.
 *
 * RC_INSUFFICIENT_BUFFER: the command ran; *ret_length is the room needed, response is untouched.
 * RC_NOT_TRANSACTED, with a detail: procedure byte out of place; the card should be reset. RC_IO, with a
 * detail: another number of bytes than asked for. RC_* of exchange.
 */
int t0_host_transceive(const struct t0_host_tpdu *tpdu, t0_host_exchange_fn *exchange, void *user,
                       uint8_t *response, size_t capacity, size_t *ret_length);

#endif
