/* SPDX-License-Identifier: MIT */
/* The interactive shell: the same commands, one desk, lines from a terminal. */
#ifndef CLI_SHELL_H
#define CLI_SHELL_H

#include "cli/call.h"

/* front->run_shell of the program. Reads lines until the end of input or exit; with standard input not a
 * terminal it is a script (cli/script.h): no prompt, no history, and the first failure ends it. Works on the
 * desk of the call's front. Returns the status that exit gave, else of the last command. */
int shell_run(struct call *call);

#endif
