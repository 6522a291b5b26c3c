/* SPDX-License-Identifier: MIT */
/*
 * Answer to Reset (ISO 7816-3:2006, 8).
 *
 * Parsing is tolerant, because cards are: it refuses only what cannot be read at all (under two bytes, TS
 * other than 3B or 3F, interface bytes cut off or past the 33 bytes of an ATR). Lesser faults are flags.
 */
#ifndef ISO_ATR_H
#define ISO_ATR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ATR_MAX 33    /* TS and at most 32 more (8.2.1) */
#define ATR_LEVELS 32 /* groups of nothing but TDi, 31 of them behind T0 */

enum atr_fault {
    ATR_TCK_MISSING = 1,
    ATR_TCK_WRONG = 2,
    ATR_HISTORY_SHORT = 4, /* fewer historical bytes than T0 says; a TCK due is then missing, too */
    ATR_TRAILING = 8,      /* bytes after the end */
    ATR_TA1_RESERVED = 16, /* reserved FI or DI */
    ATR_T15_FIRST = 32,    /* TD1 names T=15 */
    ATR_TOO_LONG = 64,     /* more than 33 bytes */
    ATR_ORDER = 128,       /* protocols in TDi do not rise */
};

struct atr {
    bool inverse;    /* TS 3F */
    unsigned levels; /* groups announced: 1 for T0 and 1 for each TDi, empty ones too */
    struct {
        bool has_a, has_b, has_c, has_d;
        uint8_t a, b, c, d;
        uint8_t t;          /* protocol in force for this group; 0 for the first two */
    } level[ATR_LEVELS];    /* level[0] is TA1…TD1 */
    const uint8_t *history; /* borrowed from the input */
    size_t history_length;
    bool has_tck; /* a TCK is called for and there */
    uint8_t tck;
    unsigned faults; /* enum atr_fault */

    uint32_t protocols;     /* mask 1 << T of the protocols named (TDi; T=0 if none); no T=15 */
    uint8_t first_protocol; /* the first of them, in force when no PPS takes place */
    bool specific;          /* TA2 there: specific mode */
    uint8_t specific_protocol;
    bool specific_fixed;    /* cannot change to negotiable mode */
    bool specific_implicit; /* F and D not from TA1 */

    uint8_t ta1;     /* 11 when absent or reserved */
    unsigned fi, di; /* from ta1: 372, 1 … */
    unsigned fmax_khz;
    uint8_t n;          /* extra guard time, TC1, 0…255 */
    uint8_t wi;         /* T=0, TC2; 10; 00 is reserved and counts as 10 */
    uint8_t ifsc;       /* T=1; 32; 00 counts as 32 and FF as 254 */
    uint8_t bwi, cwi;   /* T=1; 4 and 13; BWI over 9 is reserved and counts as 9 */
    bool crc;           /* T=1: CRC instead of LRC */
    uint8_t clock_stop; /* T=15: 0 no, 1 low, 2 high, 3 either */
    uint8_t classes;    /* T=15: 1 A (5 V), 2 B (3 V), 4 C (1.8 V); 1 when absent */
    bool has_spu;
    uint8_t spu; /* T=15: use of C6 */
};

/* RC_INVALID_ATR, with a detail, if bytes cannot be read as an ATR. The result borrows bytes. */
int atr_parse(const uint8_t *bytes, size_t length, struct atr *ret_atr);

/* How long an ATR of which nothing but the address is known says that it is (8.2): reads no byte behind its
 * end. RC_INVALID_ATR, with a detail: TS, or more than ATR_MAX bytes. */
int atr_measure(const uint8_t *bytes, size_t *ret_length);

/* PC/SC protocol mask (1 T=0, 2 T=1) that a card offers at the API: the one protocol of specific mode, else
 * each of T=0 and T=1 named, provided that the first named is one of them - a card that starts in another
 * protocol cannot be talked to. 0: raw mode remains. */
uint32_t atr_protocol_mask(const struct atr *atr);

/* Fi, Di and fmax of a TA1 byte. false for reserved values. */
bool atr_fi_di(uint8_t ta1, unsigned *ret_fi, unsigned *ret_di, unsigned *ret_fmax_khz);

#endif
