/* SPDX-License-Identifier: MIT */
/* How far long work has come, on standard error when that is a terminal, in one line that goes away again. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/output.h"

struct progress {
    const struct output *output;
    const char *what; /* "exchanges" */
    int64_t next_ns;  /* when to show it again; the first time after a while: short work shows nothing */
    bool on, shown;
};

/* what is borrowed. beside: results go to standard output meanwhile; where that is the terminal, they tell
 * enough. */
void progress_begin(struct progress *progress, const struct output *output, const char *what, bool beside);

/* total 0: nobody knows. */
void progress_step(struct progress *progress, size_t done, size_t total);

/* Takes the line away, so that something else can be written; progress_step shows it again. */
void progress_hide(struct progress *progress);

#endif
