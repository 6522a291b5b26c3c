/* SPDX-License-Identifier: MIT */
/*
 * From an argument vector to an exit status. The program, the shell, scripts and sessions all go through
 * here.
 */
#ifndef CLI_DISPATCH_H
#define CLI_DISPATCH_H

#include "cli/call.h"
#include "cli/front.h"

/* Parses and runs one command: [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]; argv[0] is the first word, not
 * the program's name, and need not be ended by NULL. Reports errors to front->output. Clears the interrupt
 * first unless the front is a script, and afterwards front->desk is as the command left it. Returns an exit
 * status. */
int dispatch(const struct front *front, int argc, const char *const *argv);

/* The two halves, for who must look at the call in between (main: may a background session run it?).
 *
 * dispatch_parse: STATUS_DONE, or the status of a reported error. The call borrows front and argv.
 * call->command is NULL when only global options were given (--help, --version, or nothing at all: see
 * globals). Always followed by dispatch_free. */
int dispatch_parse(const struct front *front, int argc, const char *const *argv, struct call *ret_call);
int dispatch_run(struct call *call);
void dispatch_free(struct call *call);

/* Splits a line into words as a shell would: blanks, '…', "…", \x. A line that starts with '#' has no words,
 * and so has all behind a word that starts with '#'. Words are in one block, freed with free(*ret_words).
 * RC_INVALID_VALUE with a detail when a quote is not closed; RC_NO_MEMORY. */
int dispatch_split(const char *line, char ***ret_words, int *ret_count);

#endif
