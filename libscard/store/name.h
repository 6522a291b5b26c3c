/* SPDX-License-Identifier: MIT */
/* What people may call things in the database. */
#ifndef STORE_NAME_H
#define STORE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#define NAME_MAX_BYTES 4096u /* of a name, without its NUL */

/* 1 to NAME_MAX_BYTES bytes of UTF-8 (RFC 3629) without control characters (below U+0020, and U+007F). */
bool name_is_valid(const char *name);

#define NAME_FILE_MAX 224 /* of what name_to_file makes, with NUL: leaves room for a number and a suffix */

/* The beginning of a file's name that people recognise the name by: letters, digits and what is not ASCII
 * stay, other characters become '_'. Two names may give the same. The name is a valid one. */
void name_to_file(const char *name, char file[NAME_FILE_MAX]);

#endif
