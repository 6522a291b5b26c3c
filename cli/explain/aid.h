/* SPDX-License-Identifier: MIT */
/* Names of applications (ISO 7816-4:2013, 12.2.3): what is registered, and what people call it. */
#ifndef CLI_EXPLAIN_AID_H
#define CLI_EXPLAIN_AID_H

#include "cli/explain/context.h"

#define AID_MAX 16

struct aid {
    const char *word; /* "piv"; what a user types. "" if it is only shown */
    const char *name; /* "PIV" */
    uint8_t length;
    uint8_t bytes[AID_MAX]; /* as to be selected */
    enum explain_context context;
};

/* The known application whose AID is these bytes, or begins them, or begins with them in six bytes or more:
 * the longest. NULL. */
const struct aid *aid_find(const uint8_t *bytes, size_t length);

/* Its name in words; that of the registered provider (RID) if no more is known; NULL. */
const char *aid_name(const uint8_t *bytes, size_t length);

/* By word, upper or lower case. NULL. */
const struct aid *aid_by_name(const char *word);

/* All that have a word, for completion and help: index from 0, NULL behind the last. */
const struct aid *aid_word_at(size_t index);

#endif
