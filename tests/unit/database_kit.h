/* SPDX-License-Identifier: MIT */
/* A database of the test's own: both scopes in a new folder. The linker sends database_place_find through
 * here. */
#ifndef UNIT_DATABASE_KIT_H
#define UNIT_DATABASE_KIT_H

#include "tests/unit/api_kit.h"

/* With KIT_SERVED in the environment the readers are those of a server, a process of its own. With
 * KIT_NO_HOME the user has no place for a database. */

/* cmocka's set-up and tear-down of a group; and of each test: the database is empty. */
int kit_begin(void **state);
int kit_end(void **state);
int kit_clear(void **state);

/* The scopes' folders, with a slash at the end. */
#define KIT_USER "user/scard/"
#define KIT_SYSTEM "system/scard/"

/* A file of the database, by its path below the test's folder. kit_read: a new string; NULL: there is none.
 */
void kit_write(const char *path, const char *text);
char *kit_read(const char *path);

SCARDCONTEXT kit_context(DWORD scope);

/* A (buffer, length) function: the idiom of winscard.h, for items of size bytes. home: whose blocks they are.
 */
typedef LONG kit_get_fn(void *buffer, DWORD *length);
void kit_idiom(kit_get_fn *get, size_t size, SCARDCONTEXT home);

/* The two functions say the same, as UTF-8 and as UTF-16. */
void kit_same_text(kit_get_fn *narrow, kit_get_fn *wide);

/* UTF-16 of UTF-8 up to count bytes, NULs included, in a new block. */
WCHAR *kit_widen(const char *text, size_t count, size_t *ret_count);

/* The list that a function gives is the given multi-string. */
void kit_list_is(kit_get_fn *get, const char *list, size_t size);
#define assert_list(get, list) kit_list_is(get, list, sizeof(list))

/* The detail of the last failure has the words. */
#define assert_detail(words) assert_non_null(strstr(scard_error_detail(), words))

#endif
