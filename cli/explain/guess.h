/* SPDX-License-Identifier: MIT */
/* What kind of bytes somebody pasted. */
#ifndef CLI_EXPLAIN_GUESS_H
#define CLI_EXPLAIN_GUESS_H

#include <stddef.h>
#include <stdint.h>

enum explain_kind {
    KIND_UNKNOWN,
    KIND_ATR,
    KIND_COMMAND,
    KIND_RESPONSE, /* also a status word alone */
    KIND_TLV,
    KIND_CCID,
    KIND_ERROR, /* four bytes: a code of PC/SC */
    KIND_RESET, /* no bytes: the card was reset here (in a log) */
};

/* "command"; never NULL. */
const char *explain_kind_name(enum explain_kind kind);

/* The likeliest kind; KIND_UNKNOWN if none is likely. */
enum explain_kind explain_guess(const uint8_t *bytes, size_t length);

#endif
