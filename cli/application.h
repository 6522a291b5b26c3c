/* SPDX-License-Identifier: MIT */
/* The application that a user means. */
#ifndef CLI_APPLICATION_H
#define CLI_APPLICATION_H

#include "base/bytes.h"
#include "cli/call.h"

/* Appends the AID, or what else is to be selected: of a known name ("piv"), or hex. STATUS_DONE, or the
 * status of a reported failure. */
int application_find(struct call *call, const char *text, struct buffer *name);

#endif
