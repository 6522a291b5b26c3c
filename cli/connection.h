/* SPDX-License-Identifier: MIT */
/* The connection of a desk as a record, for connect, reconnect and sessions. */
#ifndef CLI_CONNECTION_H
#define CLI_CONNECTION_H

#include "cli/call.h"

/* Writes the record "connected": reader, share mode, protocol, ATR. words for people: "Connected to". An exit
 * status. */
int connection_show(struct call *call, const char *words);

#endif
