/* SPDX-License-Identifier: MIT */
/*
 * The protocol T=1 (ISO 7816-3:2006, 11), the side of the interface device.
 *
 * The engine knows no reader: it gets one function that carries a block to the card and brings the answer
 * back. It has no clock and allocates nothing. It always ends, whatever the card answers: attempts,
 * resynchronisations, requests of the card and the length of an answer are bounded. Only time is not: that is
 * for the exchange function, which ends a call by RC_CANCELLED or RC_TIMEOUT.
 *
 * A command is executed once, or an error is reported: after a loss of synchronisation it is sent again only
 * when the card has shown that it never had all of it.
 */
#ifndef ISO_T1_H
#define ISO_T1_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iso/atr.h"
#include "iso/t1_block.h"

/* What an exchange found instead of an answer, beside 0 and RC_*. */
enum t1_event {
    T1_PARITY = 1,  /* characters of the answer came damaged */
    T1_TIMEOUT = 2, /* the block waiting time passed */
};

/*
 * Carries one block, EDC included, and waits for the answer: 3 bytes, the INF that the third of them
 * announces, and t1_edc_length bytes. wtx_multiplier: the block waiting time of this exchange is multiplied
 * by it (11.4.3); 0 = no extension. block holds secrets as the command does.
 *
 * 0: *ret_length bytes came, the first of them, up to capacity (T1_BLOCK_MAX), are in answer.
 * T1_PARITY, T1_TIMEOUT: no answer that can be used; the engine asks the card again.
 * RC_CANCELLED, RC_TIMEOUT (the caller's time): the call ends, and the next one begins by resynchronising; to
 * be returned when an answer that still comes is not delivered to a later exchange. RC_NO_CARD, RC_IO, any
 * other RC_*: the call ends, and nothing goes until a reset. RC_* is passed up unchanged.
 */
typedef int t1_exchange_fn(void *user, const uint8_t *block, size_t length, uint8_t *answer, size_t capacity,
                           size_t *ret_length, unsigned wtx_multiplier);

/* From reset to reset. nad and ifsc_max may be set between calls; the rest is to be read. */
struct t1 {
    t1_exchange_fn *exchange;
    void *user;
    uint8_t nad;          /* DAD << 4 | SAD, 0 by default; the card answers with both swapped */
    uint8_t ns;           /* N(S) of the next I-block to the card */
    uint8_t nr;           /* N(S) expected from the card */
    uint8_t ifsc;         /* longest INF to the card, now */
    uint8_t ifsc_initial; /* from the ATR */
    uint8_t ifsc_max;     /* longest INF that the reader can carry to the card; 0 = 254 */
    uint8_t ifsd;         /* longest INF from the card, now */
    uint8_t ifsd_wanted;  /* announced by t1_negotiate_ifsd, again after each resynchronisation; 0 = none */
    bool crc;             /* EDC is a CRC */
    bool alive;           /* a valid block came since the reset */
    bool resynch_due;     /* state of the card unknown: the next call starts with S(RESYNCH request) */
    bool dead;            /* every call fails until a reset */
};

/* From an ATR, or from values: ifsc 1…254. exchange and user are borrowed as long as the struct is used. */
void t1_init_atr(struct t1 *t1, const struct atr *atr, t1_exchange_fn *exchange, void *user);
void t1_init(struct t1 *t1, uint8_t ifsc, bool crc, t1_exchange_fn *exchange, void *user);

/* The card was reset, warm or cold, with the same ATR. NAD and ifsc_max stay. */
void t1_reset(struct t1 *t1);

static inline size_t t1_edc_length(const struct t1 *t1)
{
    return t1->crc ? 2 : 1;
}

/* Announces the longest INF that the reader takes, 1…254, with S(IFS request): right after a reset, for a
 * reader that does not do so itself. A card that is alive but does not agree leaves IFSD at 32, which is no
 * failure; read t1->ifsd. RC_UNRESPONSIVE: no valid block came since the reset; nothing goes until a reset
 * (11.6.3.2, rule 8). RC_INVALID_VALUE. RC_* of the exchange. */
int t1_negotiate_ifsd(struct t1 *t1, unsigned ifsd);

/* For a reader that announces IFSD by itself, 1…254: what the card may send from now on. */
void t1_set_ifsd(struct t1 *t1, uint8_t ifsd);

/*
 * Sends a command APDU of any length and receives the response APDU, as the card sent it: it may be shorter
 * than two bytes. response may overlap command.
 *
 * RC_INSUFFICIENT_BUFFER: the card answered all of *ret_length bytes, response holds the first capacity of
 * them. RC_IO: the exchange failed and the command may or may not have been executed - the card aborted it,
 * damage beyond repair, more than APDU_RESPONSE_MAX bytes; the next call works if it can be made to (t1->dead
 * is false). RC_* of the exchange.
 */
int t1_transceive(struct t1 *t1, const uint8_t *command, size_t length, uint8_t *response, size_t capacity,
                  size_t *ret_length);

/*
 * Secure PIN entry: the reader builds the I-block itself, and shares the counters (PC/SC part 10,
 * bTeoPrologue).
 *
 * t1_secure_prologue gives NAD PCB LEN of the block that is to carry a command of length bytes; may exchange
 * blocks to resynchronise. RC_UNSUPPORTED: longer than one block. No counter moves, so that nothing is to be
 * undone when the reader then never sends the block (entry cancelled, no key pressed).
 *
 * t1_secure_answer takes what the card answered to it - event as t1_exchange_fn gives it, RC_* included, and
 * the whole block - and goes on from there as t1_transceive does. What needs the command again, which only
 * the reader knows, ends in RC_IO.
 */
int t1_secure_prologue(struct t1 *t1, size_t length, uint8_t ret_prologue[static 3]);
int t1_secure_answer(struct t1 *t1, int event, const uint8_t *block, size_t block_length, uint8_t *response,
                     size_t capacity, size_t *ret_length);

#endif
