/* SPDX-License-Identifier: MIT */
/* UTF-8: RFC 3629. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_MAX 4 /* bytes of a character */

/* Writes the character of a code point (below 110000h), at most UTF8_MAX bytes; how many. */
size_t utf8_put(uint32_t code, char *out);

/* How many of the left bytes are the character that they begin with, and its code point; 0: they begin with
 * none. */
size_t utf8_take(const uint8_t *text, size_t left, uint32_t *ret_code);

#endif
