/* SPDX-License-Identifier: MIT */
/* While a command holds secrets: no core dump, and no other program of the user may look into this one. */
#ifndef CLI_GUARD_H
#define CLI_GUARD_H

#include "cli/call.h"

struct guard {
    bool begun;
    int dumpable; /* before */
};

/* For a call whose command may hold secrets: COMMAND_SECRET, APDUs as arguments, or options that name a place
 * of one (secret_is_place). Nothing for others. Of the whole process; ended in the reverse order when nested.
 */
void guard_begin(struct guard *guard, const struct call *call);
void guard_end(struct guard *guard);

#endif
