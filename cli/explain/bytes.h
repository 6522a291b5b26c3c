/* SPDX-License-Identifier: MIT */
/*
 * What bytes mean, by kind of bytes. None believes a length: what is cut off or does not fit is told in a
 * part of its own, and whatever the bytes are there is an explanation.
 *
 * base: where the bytes begin in those that the caller shows, added to every offset. depth: of the outermost
 * parts.
 */
#ifndef CLI_EXPLAIN_BYTES_H
#define CLI_EXPLAIN_BYTES_H

#include "cli/explain/context.h"
#include "cli/explain/explanation.h"
#include "cli/explain/tag.h"

/* Every byte of an answer to reset: TS, T0, TAi to TDi, historical bytes, TCK. */
void explain_atr(const uint8_t *bytes, size_t length, size_t base, unsigned depth, struct explanation *out);

/* Historical bytes alone (ISO 7816-4:2013, 12.1.1). */
void explain_history(const uint8_t *bytes, size_t length, size_t base, unsigned depth,
                     struct explanation *out);

/* A command APDU, well-formed or not: CLA, INS, P1, P2, Lc, data, Le. context: the application selected. What
 * apdu_secret_range calls a secret is one part, hidden, and nowhere in the words. cut: what stood behind
 * these bytes was masked already by whoever wrote them. */
void explain_command(const uint8_t *bytes, size_t length, bool cut, enum explain_context context, size_t base,
                     unsigned depth, struct explanation *out);

/* P1 and P2 in words, as two parts or one, for explain_command. */
void explain_parameters(const uint8_t header[4], enum explain_context context, size_t base, unsigned depth,
                        struct explanation *out);

/* A response APDU: data, as a tree if it is TLV, and status word. command: what it answers; may be NULL. */
void explain_response(const uint8_t *bytes, size_t length, const uint8_t *command, size_t command_length,
                      enum explain_context context, size_t base, unsigned depth, struct explanation *out);

/* The data of an answer, without its status word, if anything is known of them: data objects as a tree, the
 * value of an object that the command asked for, or text. False if they are only bytes. */
bool explain_answer(const uint8_t *bytes, size_t length, const uint8_t *command, size_t command_length,
                    enum explain_context context, unsigned depth, struct explanation *out);

/* Data of a command or a response: TLV, text or neither. */
void explain_data(const uint8_t *bytes, size_t length, enum explain_context context, size_t base,
                  unsigned depth, struct explanation *out);

/* BER-TLV objects as a tree. parent: the tag that they stand in, 0 at the top. */
void explain_tlv(const uint8_t *bytes, size_t length, uint32_t parent, enum explain_context context,
                 size_t base, unsigned depth, struct explanation *out);

/* Are these BER-TLV objects, from the first byte to the last, and do they not only look so by chance? */
bool explain_is_tlv(const uint8_t *bytes, size_t length);

/* Of whose file these objects are control information, by the name in them (6F or 62, 84); EXPLAIN_ISO if
 * they do not say. */
enum explain_context explain_context_of_objects(const uint8_t *bytes, size_t length);

/* Printable ASCII, a character or more? */
bool explain_is_text(const uint8_t *bytes, size_t length);

/* Adds a value in words to the text of the part added last, where there is more to say than its bytes. */
void explain_value(const uint8_t *bytes, size_t length, enum tag_value value, enum explain_context context,
                   struct explanation *out);

/* A message of the CCID bulk or interrupt pipes (CCID 1.1, 6), with what it carries. */
void explain_ccid(const uint8_t *bytes, size_t length, enum explain_context context, size_t base,
                  unsigned depth, struct explanation *out);

/* Could these bytes be one: a known type, and as long as it says? */
bool explain_is_ccid(const uint8_t *bytes, size_t length);

#endif
