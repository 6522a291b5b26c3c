/* SPDX-License-Identifier: MIT */
/* The commands that only a series of commands has: exit, and in a shell history. */
#ifndef CLI_BUILTIN_H
#define CLI_BUILTIN_H

#include "cli/front.h"

/* front->user of a shell or script. */
struct series {
    bool ended;               /* by exit */
    int status;               /* that exit gave */
    const char *history_path; /* NULL = none is kept */
};

/* The commands and the built-in ones as a new table; free() it. NULL: out of memory. */
const struct command **builtin_table(const struct command *const *commands, bool with_history);

#endif
