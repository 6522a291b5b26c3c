/* SPDX-License-Identifier: MIT */
/* Status words SW1 SW2 (ISO 7816-4:2013, 5.6; GSM 11.11, ETSI TS 102 221 for 9Fxx, 91xx, 92xx, 94xx, 98xx).
 */
#ifndef ISO_SW_H
#define ISO_SW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * 91xx means two things: on a SIM "done, a proactive command of xx bytes waits" (TS 102 221), on DESFire and
 * its kin a native status. It is done unless xx is one of DESFire's error codes.
 */
enum sw_class {
    SW_DONE,       /* 9000, 61xx; SIM: 9Fxx, 91xx, 920x */
    SW_WARNING,    /* 62xx, 63xx but 63Cx */
    SW_TRIES_LEFT, /* 63Cx */
    SW_ERROR,      /* everything else */
};
enum sw_class sw_classify(uint16_t sw);

#define SW_TEXT_MAX 128

/* Did the command do what was asked, when nothing else was expected: 9000, 61xx, 62xx, 63xx but 63Cx. Words of other
 * standards that mean success (9Fxx, 91xx) are for whoever expects them. */
bool sw_is_success(uint16_t sw);

/* Meaning in words ("file or application not found", "verification failed, 3 tries left"), into text. Never
 * empty: unknown words get the meaning of their SW1, or "unknown status". Cut to capacity (over 0),
 * SW_TEXT_MAX holds every text. Returns text. */
const char *sw_describe(uint16_t sw, char *text, size_t capacity);

#endif
