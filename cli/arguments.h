/* SPDX-License-Identifier: MIT */
/* From words to a call, driven by the tables of options and arguments. */
#ifndef CLI_ARGUMENTS_H
#define CLI_ARGUMENTS_H

#include "cli/call.h"

/* Fills command, globals, options and arguments of a call whose other members are set. Checks values.
 * STATUS_DONE, or the status of a reported error. */
int arguments_parse(struct call *call, int argc, const char *const *argv);

/* The option that a word such as "--timeout=5", "--timeout" or "-t" names, among the command's (NULL: none)
 * and the global ones; NULL if there is none. *ret_value is what follows '=' in the word, or NULL. */
const struct option_spec *arguments_find_option(const struct command *command, const char *word,
                                                const char **ret_value);

#endif
