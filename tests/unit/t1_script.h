/* SPDX-License-Identifier: MIT */
/*
 * A conversation in T=1 written down: blocks separated by spaces, the host's and the card's in turn.
 *
 *   I(N(S),M)@OFFSET+LENGTH   with that part of the command or of the answer; I(N(S),M) is empty
 *   R(N(R),error)  S(RESYNCH?) S(RESYNCH!) S(ABORT?) S(ABORT!) S(IFS?FE) S(IFS!FE) S(WTX?02) S(WTX!02)
 *   #hex                      these bytes and no others
 *   parity timeout nocard io cancelled late      what the exchange function finds instead (card only)
 *
 * and behind a block of the card: ~edc wrong EDC, ~nad wrong NAD, ~short the last byte missing, ~long one
 * more, ~cut the last two missing.
 */
#ifndef UNIT_T1_SCRIPT_H
#define UNIT_T1_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "iso/t1.h"

#define T1_SCRIPT_DATA 70000

struct t1_scenario {
    const char *name;
    unsigned ifsc; /* 32 */
    unsigned ifsc_max;
    bool crc;
    uint8_t nad;
    unsigned reader_ifsd; /* the reader announced this one by itself */
    unsigned negotiate;   /* first t1_negotiate_ifsd */
    size_t command;       /* then t1_transceive with a command of that length, unless 0 */
    bool secure;          /* the same with the block sent by the reader: the card begins the script */
    size_t capacity;      /* of the response; a lot by default */
    const char *script;
    int rc;              /* of the last call */
    size_t received;     /* expected; also with RC_INSUFFICIENT_BUFFER */
    uint8_t ns, nr;      /* expected */
    unsigned ifsc_after; /* 32 */
    unsigned ifsd_after; /* 32 */
    bool dead;
    const char *next; /* script of a command of 5 bytes after that */
    size_t next_received;
    int next_rc;
};

extern const struct t1_scenario t1_scenarios[];
extern const size_t t1_scenario_count;

/* The bytes of command and answer. */
uint8_t t1_command_byte(size_t at);
uint8_t t1_answer_byte(size_t at);

/* Appends the EDC, computed other than the engine does; the new length. */
size_t t1_script_edc(uint8_t *block, size_t length, bool crc);

/* Plays one scenario; fails the cmocka test, with its name, where it is not kept to. */
void t1_scenario_play(const struct t1_scenario *scenario);

#endif
