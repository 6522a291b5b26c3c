/* SPDX-License-Identifier: MIT */
/* One try of a PIN or PUK: from the question how many are left to the word of the card and what it means. */
#ifndef CLI_PIN_TRIAL_H
#define CLI_PIN_TRIAL_H

#include "cli/call.h"
#include "cli/pin_block.h"
#include "cli/pin_card.h"

struct pin_trial {
    struct call *call;
    const char *action;
    uint8_t header[4]; /* of the command that spends it */
    uint8_t asked;     /* reference whose tries are at stake */
    bool asks;         /* they are asked for first */
    char name[16];     /* "PIN 81", "PUK" */
    struct pin_format format;
    struct pin_state before;
    struct buffer data;
    size_t present; /* bytes of data that the card compares */
    uint16_t sw;
};

/* From the options --reference, --format and --pad. STATUS_DONE, or the status of a reported failure, as all
 * here. */
int pin_trial_init(struct pin_trial *trial, struct call *call, const char *action, uint8_t ins);
void pin_trial_fini(struct pin_trial *trial); /* wipes */

/* An option that is a reference; *reference stays as it is without it. */
int pin_trial_reference(struct call *call, const char *option, uint8_t *reference);

/* The application of --aid, if given. */
int pin_trial_select(struct call *call);

/* A transaction: nobody else selects another application, or spends a try, in between. unlock: a status that
 * is no STATUS_DONE comes back. */
int pin_trial_lock(struct call *call);
int pin_trial_unlock(struct call *call, int status);

/* What is to be verified, from the options OPTION-file, -fd, -env or the terminal, and a new PIN behind it,
 * from those of new-pin, the same place or the terminal. Looks at the tries before. What this card has
 * refused already is not taken without --again. name: "PIN". */
int pin_trial_take(struct pin_trial *trial, const char *option, const char *name, bool with_new);

/* Looks again, for time has passed at the prompt; sends; tells. */
int pin_trial_spend(struct pin_trial *trial);

/* All of that on the keys of the reader. */
int pin_trial_on_pad(struct pin_trial *trial, bool modify);

#endif
