/* SPDX-License-Identifier: MIT */
/* Changing the files of one scope: the lock, and files that are there whole or not at all. */
#ifndef STORE_DATABASE_WRITE_H
#define STORE_DATABASE_WRITE_H

#include "store/database_file.h"

/* Holds the scope's lock. */
struct database_writer {
    const char *base; /* the scope's folder, borrowed from the place */
    enum database_scope scope;
    int folder, lock;
};

/* Waits for another writer. make: the scope's folder is made if it is not there; else that is RC_NOT_FOUND,
 * without a detail. The other results are those of writing (store/database.h), with a detail. */
int database_writer_open(const struct database_place *place, enum database_scope scope, bool make,
                         struct database_writer *ret_writer);
void database_writer_close(struct database_writer *writer);

/* Puts the text in the place of a file's, or into a new file if file is NULL, called after the entry's name.
 */
int database_writer_put(const struct database_writer *writer, enum database_kind kind, const char *file,
                        const char *name, const char *text, size_t length);
int database_writer_remove(const struct database_writer *writer, enum database_kind kind, const char *file);

#endif
