/* SPDX-License-Identifier: MIT */
/* What is asked of a card about its PINs, and sent to it (ISO 7816-4:2013, 11.5.6 to 11.5.10). */
#ifndef CLI_PIN_CARD_H
#define CLI_PIN_CARD_H

#include "cli/call.h"

#define INS_VERIFY 0x20
#define INS_CHANGE 0x24
#define INS_RESET_TRIES 0x2C

enum pin_condition {
    PIN_VERIFIED, /* or none is needed; how many tries are left is not told then */
    PIN_WAITS,    /* tries left are known */
    PIN_BLOCKED,
    PIN_ABSENT, /* the card has no such reference */
    PIN_UNTOLD, /* the card does not say */
};

struct pin_state {
    enum pin_condition condition;
    int tries; /* -1 = not known */
    uint16_t sw;
};

/* "verified", "not verified", "blocked", "absent", "not told". */
const char *pin_condition_name(enum pin_condition condition);

/* What a status word of VERIFY, with or without data, says. Pure. */
struct pin_state pin_state_of(uint16_t sw);

/* Asks by a VERIFY without data, which counts no try (11.5.6). STATUS_DONE, or the status of a reported
 * failure. */
int pin_ask(struct call *call, uint8_t reference, struct pin_state *ret_state);

/* May a try be spent: STATUS_DONE; else STATUS_REFUSED, or STATUS_ANSWER for what is blocked or absent;
 * reported. name: "PIN 81". */
int pin_allow(struct call *call, const char *name, const struct pin_state *state, bool last_try);

/* Sends 00 ins p1 reference with data, all of which is secret. STATUS_DONE with the card's word, or the
 * status of a reported failure. */
int pin_send(struct call *call, uint8_t ins, uint8_t p1, uint8_t reference, const struct buffer *data,
             uint16_t *ret_sw);

/* Selects an application: a known name, or hex. STATUS_ANSWER, reported, when the card has none of that name. */
int pin_select(struct call *call, const char *aid);

#endif
