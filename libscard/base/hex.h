/* SPDX-License-Identifier: MIT */
/* Bytes as hexadecimal text. */
#ifndef BASE_HEX_H
#define BASE_HEX_H

#include <stddef.h>
#include <stdint.h>

/* 0…15, or -1. */
int hex_digit(char c);

/* Value of text[0..length): pairs of digits, with blanks (space, tab), ':' , '-' and ',' allowed between
 * pairs. out may be text itself. Room needed: length / 2. On RC_INVALID_VALUE *ret_at is the index of the
 * offending character (length when a digit is missing at the end); no detail is set. */
int hex_parse(const char *text, size_t length, uint8_t *out, size_t *ret_count, size_t *ret_at);

/* Upper case, no blanks, with NUL: out needs 2 * count + 1 bytes. Returns out. */
char *hex_format(const uint8_t *bytes, size_t count, char *out);

/* The same in a new string, or NULL when out of memory. Caller frees. */
char *hex_new(const uint8_t *bytes, size_t count);

/* The same with "**" in place of secret_length bytes from secret_offset on (0: nothing), whatever their number,
 * which is a secret too. They are never written. */
char *hex_new_masked(const uint8_t *bytes, size_t count, size_t secret_offset, size_t secret_length);

#endif
