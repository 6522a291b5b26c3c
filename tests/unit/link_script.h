/* SPDX-License-Identifier: MIT */
/*
 * A ccid_link that plays a script: the commands that the slots must send, in order, and what comes back.
 * Takes the place of driver/ccid_link.c and ccid_timing.c in a test.
 */
#ifndef UNIT_LINK_SCRIPT_H
#define UNIT_LINK_SCRIPT_H

#include "driver/ccid.h"
#include "driver/ccid_message.h"

#define SCRIPT_MS 4711 /* ccid_timing_ms */

/* The next command: its type, byte 7, wLevelParameter and data as hex. The reply is one of those below; an
 * answer that says nothing else is of an active card. */
void script_expect(enum ccid_type type, uint8_t parameter, uint16_t level, const char *data);

/* The answer to it: status of the card, byte 9 and data. */
void script_answer(enum ccid_card card, uint8_t parameter, const char *data);
void script_answer_bytes(uint8_t parameter, const uint8_t *bytes, size_t length);
void script_fail(enum ccid_card card, uint8_t error);
void script_rc(int rc); /* none: that result */

/* Data of the expected command that is too long for a literal; borrowed. */
void script_expect_bytes(uint16_t level, const uint8_t *bytes, size_t length);

/* The answer to GET_DATA_RATES, until the reset: RC_* or enum pipe_event, or bytes. */
void script_rates(int rc, const char *data);

/* Of ccid_link_start. */
void script_start_rc(int rc);

/* Everything has been played; the next script may begin. */
void script_done(void);

/* Setup of a test: no script, whatever the test before it has left. */
int script_fresh(void **state);

extern uint64_t script_timeout_ms; /* of the command sent last */
extern bool script_look;           /* the slot's event_fd is readable */
extern bool script_left;           /* of the next ccid_link_seen */
extern unsigned script_pauses;     /* calls of ccid_link_pause, and their time together */
extern unsigned script_abandoned;  /* calls of ccid_link_abandon */
extern uint64_t script_paused_ms;
extern unsigned script_freed; /* links */
extern unsigned script_forgotten;
extern unsigned script_cancelled;

#endif
