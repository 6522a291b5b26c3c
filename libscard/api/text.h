/* SPDX-License-Identifier: MIT */
/* Text of callers in UTF-8 or UTF-16 (WCHAR); inside it is UTF-8 throughout. */
#ifndef API_TEXT_H
#define API_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <winscard.h>

#include "api/object.h"

/* In what a function's caller has its text. */
enum text_form { TEXT_UTF8, TEXT_UTF16 };

/* A new UTF-8 string (free it) of a string, or of a multi-string with its end; NULL for NULL.
 * RC_INVALID_PARAMETER: half a surrogate pair; RC_NO_MEMORY. */
int text_from_wide(const WCHAR *wide, char **ret_text);
int text_from_wide_list(const WCHAR *wide, char **ret_list);

/* TEXT_OWNED char *name = NULL; is freed where its block ends. */
static inline void text_drop(char **text)
{
    free(*text);
}
#define TEXT_OWNED __attribute__((cleanup(text_drop)))

/* A new array of code units (free it) of length bytes of UTF-8, NULs included, and how many. Bytes that are
 * no UTF-8 become U+FFFD. RC_NO_MEMORY. */
int text_to_wide(const char *text, size_t length, WCHAR **ret_wide, size_t *ret_count);

/* How many bytes at text are one control character (C0, DEL, or C1 in UTF-8), which would end a line or steer
 * a terminal; 0: it begins with another. */
size_t text_control(const char *text);

/* memory_give (memory.h) for text: length bytes of UTF-8, NULs included; the caller's length counts its own
 * units. context NULL: the call had none (hContext 0), and the block is freed with hContext 0. */
int text_give(struct api_context *context, enum text_form form, const char *text, size_t length, void *buffer,
              DWORD *length_pointer);

#endif
