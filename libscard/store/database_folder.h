/* SPDX-License-Identifier: MIT */
/* One folder of the database: cards.d, readers.d or groups.d of a scope. */
#ifndef STORE_DATABASE_FOLDER_H
#define STORE_DATABASE_FOLDER_H

#include <dirent.h>

#include "store/database_file.h"

/* Its name below the scope's. */
extern const char *const database_folder_names[DATABASE_KINDS];

/* Is it the name of a file of the database: "….conf", and not hidden? */
bool database_folder_has(const char *file);

/* Adds its entries, by name, and its problems. A folder that is not there is an empty one. base is the
 * scope's folder. RC_NO_MEMORY; what was added till then stays. */
int database_folder_load(const char *base, enum database_scope scope, enum database_kind kind,
                         struct database *database);

/* What a file holds, if it is a regular one and not too long: *ret_text has a NUL behind it (free it). Else a
 * problem, or nothing if it is gone, and *ret_text is NULL. RC_NO_MEMORY. */
int database_folder_read(int folder, const char *file, const char *path, struct database *database,
                         char **ret_text, size_t *ret_length);

#endif
