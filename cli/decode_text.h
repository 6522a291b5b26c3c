/* SPDX-License-Identifier: MIT */
/* Pasted text explained: what scard decode prints. */
#ifndef CLI_DECODE_TEXT_H
#define CLI_DECODE_TEXT_H

#include "cli/call.h"
#include "cli/explain/context.h"
#include "cli/explain/guess.h"

/* Writes a record "item" for each thing in the text, and its parts. as: what lines of nothing but hex are,
 * KIND_UNKNOWN for what they look like. context: the application selected before the first. Lines of hex that
 * mean nothing one by one are taken together. Returns a status; errors are reported. */
int decode_text(struct call *call, const struct buffer *text, enum explain_kind as,
                enum explain_context context);

#endif
