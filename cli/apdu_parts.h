/* SPDX-License-Identifier: MIT */
/* The parts of the grammar in cli/apdu_text.h: elements of data, and the expectation. Internal to apdu_*.c.
 */
#ifndef CLI_APDU_PARTS_H
#define CLI_APDU_PARTS_H

#include "cli/apdu_text.h"

struct apdu_parser {
    const char *text;
    size_t end; /* of the APDU part: before the expectation */
    size_t at;
    const struct apdu_source *source;
    struct buffer *out;
    size_t secret_start, secret_end; /* in out */
    struct apdu_fault *fault;
};

/* Notes the fault; RC_INVALID_VALUE. */
int apdu_fault_at(struct apdu_parser *parser, size_t column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A character that may stand between bytes anywhere. */
bool apdu_is_blank(char c);

/* The character so far ahead, or NUL behind the end. */
char apdu_peek(const struct apdu_parser *parser, size_t ahead);

/* One byte in hex, perhaps with 0x before it. */
int apdu_take_byte(struct apdu_parser *parser);

/* Hex bytes with blanks between, as far as they go. */
int apdu_take_run(struct apdu_parser *parser);

/* Elements of data until the end, or '/' when slash ends them. */
int apdu_take_elements(struct apdu_parser *parser, bool slash);

/* Where the first suffix stands, or length: not in quotes, and not in the name of a file. */
size_t apdu_find_suffix(const char *text, size_t length);

/* Does the suffix of a deadline stand there: '@', a time with its unit, and no more word? A file that is called
 * so is quoted. */
bool apdu_is_deadline(const char *text, size_t at, size_t length);

/* The suffixes in text[at..length) into ret. */
int apdu_parse_suffixes(struct apdu_parser *parser, const char *text, size_t at, size_t length,
                        struct apdu_text *ret);

/* Does the data match the regular expression? */
bool apdu_matches(const char *match, const struct buffer *data);

/* The patterns in text[at..length) into ret. */
int apdu_parse_expectation(struct apdu_parser *parser, const char *text, size_t at, size_t length,
                           struct apdu_text *ret);

#endif
