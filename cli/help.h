/* SPDX-License-Identifier: MIT */
/* Help as text, made from the tables. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "base/bytes.h"
#include "cli/command.h"

/* All commands by group, with the global options. program: "scard" or "" in the shell. RC_NO_MEMORY. */
int help_overview(const struct command *const *commands, const char *program, struct buffer *text);

/* One command: usage, description, arguments, options, examples. */
int help_command(const struct command *command, const char *program, struct buffer *text);

/* One line: "scard apdu [OPTIONS] APDU...". */
int help_usage(const struct command *command, const char *program, struct buffer *text);

#endif
