/* SPDX-License-Identifier: MIT */
/* Status words, by application. */
#ifndef CLI_EXPLAIN_SW_H
#define CLI_EXPLAIN_SW_H

#include "cli/explain/context.h"
#include "iso/sw.h"

/* Meaning in words, into text (SW_TEXT_MAX holds every one): that of the application, else of ISO 7816 and
 * kin (sw_describe). Never empty. Returns text. */
const char *explain_sw(uint16_t sw, enum explain_context context, char *text, size_t capacity);

/* The same for the answer to this command, of which length bytes are known (they may be masked behind the
 * header): 63Cx after a VERIFY without data is a count of tries, after a GET DATA it is none. */
const char *explain_sw_of(const uint8_t *command, size_t length, uint16_t sw, enum explain_context context,
                          char *text, size_t capacity);

#endif
