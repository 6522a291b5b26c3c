/* SPDX-License-Identifier: MIT */
/* Scripts: files of commands and APDUs (their lines: cli/script_line.h). */
#ifndef CLI_SCRIPT_H
#define CLI_SCRIPT_H

#include "cli/call.h"

/* front->run_script of the program, for the command `run`: its arguments are files, "-" standard input; its
 * options
 *   --command TEXT  lines separated by ';', before the files
 *   --scriptor      all files are scriptor's; without it those whose name ends in ".apdu"
 *   --keep-going    go on after a failure
 * All work on the desk of the call's front, which is connected by the first line that needs a card. Errors
 * begin with FILE:LINE; with --json a record "script" (file, line, code, name) follows each.
 *
 * An APDU without an expectation is judged as `apdu` does; in scriptor's files, which know no expectations,
 * it is sent as it is and any answer will do. Returns the status of the first failure, else what exit gave,
 * else 0. */
int script_run(struct call *call);

/* Standard input as a script. */
int script_run_input(struct call *call);

#endif
