/* SPDX-License-Identifier: MIT */
/*
 * One flat JSON object (RFC 8259) from a line of text. A reader of its own: the library goes into programs of
 * others, where a JSON library's symbols could meet those of another.
 */
#ifndef CAPTURE_JSON_TEXT_H
#define CAPTURE_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_STRING, JSON_OTHER /* array or object: skipped */ };

struct json_value {
    enum json_kind kind;
    bool truth;
    double number;
    const char *text; /* of a string, with a NUL; \u0000 ends it early */
    size_t length;
};

/* strtod with a point, whatever locale the program has set. */
double json_text_number(const char *digits, char **ret_end);

/* Called for each member in order; not RC_OK ends the reading with that. Borrowed until it returns. */
typedef int json_member_fn(void *user, const char *key, const struct json_value *value);

/* RC_OK; RC_INVALID_VALUE when the text is no object, with *ret_at where (0…length); RC_NO_MEMORY; what fn
 * said. */
int json_text_read(const char *text, size_t length, json_member_fn *fn, void *user, size_t *ret_at);

#endif
