/* SPDX-License-Identifier: MIT */
/* Help as text or records, made from the tables. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "base/bytes.h"
#include "cli/call.h"

/* All commands by group, with the global options. program: "scard" or "" in the shell. Lines of
 * at most width columns. RC_NO_MEMORY. */
int help_overview(const struct command *const *commands, const char *program, size_t width,
                  struct buffer *text);

/* One command: usage, description, arguments, options, examples; of a family the usage of each child, and
 * what they do. */
int help_command(const struct command *command, const char *program, size_t width, struct buffer *text);

/* One line: "scard apdu [OPTIONS] APDU...". */
int help_usage(const struct command *command, const char *program, struct buffer *text);

/* Prints it: of one command, or the overview if command is NULL. As JSON a record "command" for that one, or
 * for each; a family is followed by its children. Exit status. */
int help_show(struct call *call, const struct command *command);

#endif
