/* SPDX-License-Identifier: MIT */
/*
 * Variables of a shell or script: names with texts. Lines are expanded before they are read:
 *
 *   $NAME    where it begins a word or follows a character that no name has
 *   ${NAME}  anywhere
 *   \$       a dollar sign; in '…' nothing is expanded
 *
 * In an APDU the value stands as it is. In a line of words (dispatch_split) quotes, backslashes and # in it
 * are escaped, so that the words hold them; its blanks separate words unless quoted, and an empty value alone
 * is an empty word.
 *
 * A name is a letter or '_', then letters, digits, '_'. The series itself sets, after each APDU, _ (the
 * answer's data in hex) and SW (its status word).
 */
#ifndef CLI_VARIABLES_H
#define CLI_VARIABLES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

struct variable {
    char *name, *value;
};

struct variables { /* {0} is an empty set */
    struct variable *entries;
    size_t count;
};

void variables_fini(struct variables *variables); /* wipes */

/* Sets or replaces. RC_INVALID_VALUE with a detail: the name; RC_NO_MEMORY. */
int variables_set(struct variables *variables, const char *name, const char *value);
void variables_unset(struct variables *variables, const char *name);

/* NULL: not set. */
const char *variables_get(const struct variables *variables, const char *name);

enum variables_line { VARIABLES_APDU, VARIABLES_WORDS };

/* The line with its variables, a new string. RC_INVALID_VALUE with a detail: a name that is not set, or "${"
 * without an end; RC_NO_MEMORY. The caller wipes and frees. */
int variables_expand(const struct variables *variables, const char *line, enum variables_line kind,
                     char **ret_line);

#endif
