/* SPDX-License-Identifier: MIT */
/* Will an APDU pass a reader, and how: said from the reader's facts, before anything is sent. Pure. */
#ifndef CLI_PREDICT_H
#define CLI_PREDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PREDICT_WORDS_MAX 200

struct prediction {
    const char *protocol; /* "T=0" or "T=1" */
    bool passes;
    char how[PREDICT_WORDS_MAX]; /* as it is, or what can be done in its place */
};

/* facts: lines "key=value" of scard_reader_fact. A prediction for each protocol that the reader has; how
 * many. An APDU that is malformed is predicted by its length alone. 0: the facts say nothing of limits. */
size_t predict_apdu(const char *facts, const uint8_t *apdu, size_t length, struct prediction predictions[2]);

#endif
