/* SPDX-License-Identifier: MIT */
/*
 * How a reader is named in SCARD_READERS, --readers and the configuration file:
 *
 *     scheme:path[?key=value[&key=value…]]        vpcd:35963?slots=2     sim:iso?pin=1234&insert=no
 *
 * %XX stands for one byte in path, keys and values (not %00).
 */
#ifndef BASE_URI_H
#define BASE_URI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uri_option {
    char *key, *value; /* a key without '=' has the value "" */
};

struct uri {
    char *text; /* scheme and path as given, for messages: options may hold a PIN */
    char *scheme, *path;
    struct uri_option *options;
    size_t option_count;
};

/* Parses text[0..length). RC_INVALID_VALUE with a detail that names the fault; RC_NO_MEMORY. */
int uri_parse(const char *text, size_t length, struct uri *ret_uri);
void uri_fini(struct uri *uri);

/* Value of a key, or NULL; the last one wins. */
const char *uri_get(const struct uri *uri, const char *key);

/* Typed access. Absent: *ret untouched and RC_OK. A bad value: RC_INVALID_VALUE, detail set.
 * Booleans: yes, no, true, false, on, off, 1, 0. */
int uri_get_bool(const struct uri *uri, const char *key, bool *ret);
int uri_get_number(const struct uri *uri, const char *key, uint64_t min, uint64_t max, uint64_t *ret);

/* RC_INVALID_VALUE with a detail if a key is not in the NULL-terminated list known. */
int uri_check_keys(const struct uri *uri, const char *const *known);

#endif
