/* SPDX-License-Identifier: MIT */
/* Which reader a call means, and the connection that its command needs. */
#ifndef CLI_CHOOSE_H
#define CLI_CHOOSE_H

#include "cli/call.h"

/* Sets call->reader; for NEED_CARD and NEED_DIRECT also call->desk: the front's desk when it is connected to
 * that reader, else a guest that is connected for this call. The desk has a context. STATUS_DONE, or the
 * status of a reported failure.
 *
 * The reader: -r of this call; the one that the desk is connected to; -r of the front; SCARD_READER; the only
 * one there is. */
int choose_reader(struct call *call, enum command_needs needs);

/* What the kit does before a command with these needs: open the context, choose, connect. For commands whose
 * needs hang on their arguments. */
int choose_prepare(struct call *call, enum command_needs needs);

/* Finds the reader that choice means (NULL: the only one) among those there are. Caller frees *ret_name. */
int choose_find(struct call *call, const char *choice, char **ret_name);

#endif
