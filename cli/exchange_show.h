/* SPDX-License-Identifier: MIT */
/* An exchange as a record. */
#ifndef CLI_EXCHANGE_SHOW_H
#define CLI_EXCHANGE_SHOW_H

#include "cli/exchange.h"

/* Writes the record "apdu". JSON has every exchange: n, c, r (data without status), sw, meaning, ms, name,
 * auto, cut, masked, last, and with the last one of an APDU data (all parts joined). Bare has one line for
 * each APDU: joined data and status word. People see every exchange, automatic ones marked. */
int exchange_show(struct call *call, const struct exchange *exchange, const struct exchange_result *result);

/* For a command whose answer is not the card's (call->hushed): with --verbose the same record in JSON, else
 * two lines on stderr; otherwise nothing. */
int exchange_tell(struct call *call, const struct exchange *exchange);

#endif
