/* SPDX-License-Identifier: MIT */
/* "Did you mean": the nearest name to a mistyped one. Pure. */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include <stddef.h>

#include "cli/command.h"

/* Insertions, removals, exchanges and swaps of neighbours that turn one into the other; SIZE_MAX when either
 * is longer than 32 bytes. */
size_t suggest_distance(const char *a, const char *b);

/* The name of an option near to word ("--timout", "--timout=5"), among specs (may be NULL) and the global
 * ones. */
const char *suggest_option(const struct option_spec *specs, const char *word);

#endif
