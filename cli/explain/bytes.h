/* SPDX-License-Identifier: MIT */
/*
 * What bytes mean, by kind of bytes. None believes a length: what is cut off or does not fit is told in a
 * part of its own, and whatever the bytes are there is an explanation. base is where the bytes begin in those
 * that the caller shows: it is added to every offset.
 */
#ifndef CLI_EXPLAIN_BYTES_H
#define CLI_EXPLAIN_BYTES_H

#include "cli/explain/context.h"
#include "cli/explain/explanation.h"

/* Every byte of an answer to reset: TS, T0, TAi to TDi, historical bytes, TCK. */
void explain_atr(const uint8_t *bytes, size_t length, struct explanation *out);

/* Historical bytes alone. base, depth: of the parts. */
void explain_history(const uint8_t *bytes, size_t length, size_t base, unsigned depth,
                     struct explanation *out);

/* A command APDU, well-formed or not: CLA, INS, P1, P2, Lc, data, Le. context: the application selected. What
 * apdu_secret_range calls a secret is one part, hidden; it is nowhere in the words unless show_secrets. */
void explain_command(const uint8_t *bytes, size_t length, enum explain_context context, bool show_secrets,
                     struct explanation *out);

/* A response APDU: data, if it is TLV as a tree, and status word. command: what it answers, may be NULL. */
void explain_response(const uint8_t *bytes, size_t length, const uint8_t *command, size_t command_length,
                      enum explain_context context, struct explanation *out);

/* BER-TLV objects as a tree. parent: the tag that they stand in, 0 at the top. */
void explain_tlv(const uint8_t *bytes, size_t length, size_t base, unsigned depth, uint32_t parent,
                 enum explain_context context, struct explanation *out);

/* Are these BER-TLV objects, from the first byte to the last, and do they not only look so by chance? */
bool explain_is_tlv(const uint8_t *bytes, size_t length);

/* A message of the CCID bulk or interrupt pipes (CCID 1.1, 6), with what it carries. */
void explain_ccid(const uint8_t *bytes, size_t length, enum explain_context context, bool show_secrets,
                  struct explanation *out);

/* Could these bytes be one: a known type, and as long as it says? */
bool explain_is_ccid(const uint8_t *bytes, size_t length);

#endif
