/* SPDX-License-Identifier: MIT */
/* Results that are files. */
#ifndef CLI_SAVE_H
#define CLI_SAVE_H

#include "cli/call.h"

/* Writes the bytes to a file that a call names, "-": standard output, as they are; what was in the file is
 * replaced. STATUS_DONE, or the status of a reported failure. */
int save_file(struct call *call, const char *name, const uint8_t *data, size_t length);

/* The data of one answer into a file that an APDU names (>FILE), or behind what it has: for lines of scripts
 * that others wrote, so only a regular file is written, and no symbolic link is followed. The same results. */
int save_answer(struct call *call, const char *name, bool append, const uint8_t *data, size_t length);

#endif
