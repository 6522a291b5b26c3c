/* SPDX-License-Identifier: MIT */
/*
 * The database (store/database.h) as the API sees it: loaded once, again when its files have changed; and
 * what it makes of the names of readers.
 */
#ifndef API_CATALOG_H
#define API_CATALOG_H

#include "api/object.h"
#include "store/database.h"

/* The database as it is now, constant, shared by threads; put it back. RC_NO_MEMORY. */
int catalog_get(const struct database **ret_database);
void catalog_put(const struct database *database);

/* Where it is written to: for a context, that of its scope. Valid for the life of the process. RC_NO_MEMORY.
 */
int catalog_place(const struct database_place **ret_place);
enum database_scope catalog_scope(const struct api_context *context);

/* The service's own name of a reader, a new string (free it): name itself if a reader is called so, else the
 * reader that the database means by it, if it is attached. RC_UNKNOWN_READER, RC_NO_MEMORY, and what the
 * service says to list.
 *
 * Callers on the way to a card try the name as it is first, and come here when the service does not know it:
 * who has no database pays nothing. */
int catalog_own_name(struct api_context *context, const char *name, char **ret_own);

/* The names that readers are listed by, a multi-string in a new block with its length: their own, unless
 * hidden, each followed by its others in the order of the database; groups (multi-string) as in
 * SCardListReaders. RC_NO_READERS. */
int catalog_list(struct api_context *context, const char *groups, char **ret_names, size_t *ret_length);

/* All names of the reader, own one first unless hidden. As catalog_list. */
int catalog_names_of(struct api_context *context, const char *own, char **ret_names, size_t *ret_length);

/* The groups that have a reader, and SCard$DefaultReaders, as a multi-string. */
int catalog_groups(struct api_context *context, char **ret_groups, size_t *ret_length);

/* Around fork, as in object.h. */
void catalog_before_fork(void);
void catalog_after_fork(bool in_child);

#endif
