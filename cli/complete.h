/* SPDX-License-Identifier: MIT */
/* Completion of a command line, for the shell and for `scard __complete`: both ask the same tables. */
#ifndef CLI_COMPLETE_H
#define CLI_COMPLETE_H

#include "cli/front.h"

/* Receives one candidate for the whole word, and a few words about it ("" = none). */
typedef void complete_fn(void *user, const char *candidate, const char *about);

enum complete_kind {
    COMPLETE_WORDS, /* the candidates given */
    COMPLETE_FILES, /* the caller completes file names */
};

/* words[0..count) stand before the word at the cursor, which begins with prefix. Readers are looked up live
 * through front->desk if needed (a context is opened; failures are silent: no candidates). */
enum complete_kind complete_word(const struct front *front, int count, const char *const *words,
                                 const char *prefix, complete_fn *fn, void *user);

#endif
