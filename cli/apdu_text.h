/* SPDX-License-Identifier: MIT */
/*
 * APDUs as people write them. One grammar for the command line, the shell and scripts. Pure.
 *
 *   plain     00A4040007A0000002471001 00   all bytes of the APDU; blanks, ',' and ':' between bytes,
 *             00:A4:04:00  0xB0 "1PAY"      0x before one, "text" for its bytes
 *   short     [CLA]INS[P1P2][:DATA][/LE]    CLA 00 and P1P2 0000 unless written; Lc is made
 *             a40400:a000000308/00          LE in hex: one byte (00 = 256), or two (0000 = 65536; makes
 *                                           the APDU extended); '/' alone asks for all there is
 *   expected  ...=9000  ...=61xx|9000       status words that are right, x any digit; '=' alone: 9000
 *             ...=[6F1Axx..]9000            and the data before them; .. at the end: whatever else there is
 *   matching  ...~/^6F/                   the data in hex match this extended regular expression; case does
 *                                         not matter, and \/ is a slash
 *   kept      ...>FILE  ...>>FILE         the data become the file, or are put behind what is in it; the name
 *                                         ends at a blank, >"FILE" is quoted
 *   in time   ... @5s  ... @250ms         the exchange ends by then; behind a blank, and with a unit
 *   raw       ...!                        sent as it stands, nothing automatic: --raw for this one
 *
 * The last five are the suffixes: in any order, each once.
 *
 * With a '/' or with a ':' right behind the header (one to four bytes) it is short; else it is plain from
 * four bytes on, short below. Four or more single bytes joined by colons are plain.
 *
 * Where data stands: hex, "text", and from outside @FILE (its bytes; the name ends at a blank or '='; @"FILE"
 * is quoted), - (standard input), {NAME} (a secret, asked for: {pin}, {newpin}), {NAME:8} (the same, filled
 * up to 8 bytes with FF). In a plain APDU as well, behind the header.
 */
#ifndef CLI_APDU_TEXT_H
#define CLI_APDU_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

struct apdu_expect { /* right if (sw & mask) == value */
    uint16_t value, mask;
};

struct apdu_text {
    struct buffer bytes;        /* the APDU */
    struct apdu_expect *expect; /* NULL = nothing was expected */
    size_t expect_count;
    bool expects_data; /* (data & mask) == value, byte for byte */
    bool expects_more; /* and any bytes behind these */
    struct buffer expect_value, expect_mask;
    char *match; /* regular expression for the data in hex; NULL = none. Not compiled: apdu_text_check_match */
    char *file;  /* that gets the data; NULL = none */
    bool append; /* behind what the file has */
    bool raw;
    int64_t deadline_ms; /* -1 = none */
    size_t secret_offset,
        secret_length; /* bytes that came from {NAME} or that the instruction makes secret */
};

/* What is wrong and where: column counts from 0 in the text. */
struct apdu_fault {
    size_t column;
    char words[192];
};

enum apdu_source_kind { APDU_FILE, APDU_STDIN, APDU_SECRET };

/* Gets data from outside: appends the bytes of a file, of standard input ("-"), or of the secret called name.
 * A negative RC_* ends the parse with that code; a detail is set. */
struct apdu_source {
    int (*read)(void *user, enum apdu_source_kind kind, const char *name, struct buffer *data);
    void *user;
};

/* Parses text[0..length). source NULL: data from outside is refused. raw: bytes that are no well-formed APDU
 * are taken as they are. RC_INVALID_VALUE with *ret_fault filled; RC_NO_MEMORY; what the source gave. */
int apdu_text_parse(const char *text, size_t length, bool raw, const struct apdu_source *source,
                    struct apdu_text *ret_apdu, struct apdu_fault *ret_fault);
void apdu_text_fini(struct apdu_text *apdu); /* wipes */

/* Does the status word meet the expectation; without one: sw_is_success. */
bool apdu_text_accepts(const struct apdu_expect *expect, size_t count, uint16_t sw);

/* Does the whole answer: status word and the data of all its parts. Without memory for it, no. */
bool apdu_text_accepts_answer(const struct apdu_text *apdu, uint16_t sw, const struct buffer *data);

/* Is match a regular expression: RC_OK, or RC_INVALID_VALUE with a detail. */
int apdu_text_check_match(const char *match);

/* The expectation as it would be written ("61xx|9000"), cut to capacity. Returns text. */
char *apdu_text_expect_format(const struct apdu_expect *expect, size_t count, char *text, size_t capacity);

/* The whole of it, data included, in a new string without '='; "" for none. NULL: out of memory. Caller frees. */
char *apdu_text_expected(const struct apdu_text *apdu);

/* Could this word or line be an APDU rather than a command name: only characters of the grammar, and the
 * first byte pair is hex (or 0x…). For the shell and scripts, where APDUs may stand without "apdu". */
bool apdu_text_looks_like(const char *text);

/* A copy of a line with the data of secret commands replaced by "**", for histories: as it was when it holds
 * no secret. Every word or part that parses as an APDU is looked at, also malformed ones (the data behind a
 * VERIFY header is masked, however wrong). NULL when out of memory. Caller frees. */
char *apdu_text_masked(const char *line);

#endif
