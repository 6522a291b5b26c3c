/* SPDX-License-Identifier: MIT */
/*
 * The database (store/database.h) as the API sees it: loaded once, again when its files have changed; and
 * what it makes of the names of readers.
 *
 * Names: a reader's own name comes before all others. Another name that the database has twice is the user's;
 * one whose device is not attached means no reader. Names too long for a program's array (READER_NAME_MAX)
 * are passed over, and so are devices of pcscd, which calls all of its readers the same.
 */
#ifndef API_CATALOG_H
#define API_CATALOG_H

#include "api/object.h"
#include "store/database.h"

/* The database as it is now, constant, shared by threads; put it back. Costs a stamp: a few system
 * calls without a database, else one for each of its files; and a load when something has changed.
 * RC_NO_MEMORY. */
int catalog_get(const struct database **ret_database);
void catalog_put(const struct database *database);

/* To be called with the result of each write by this process: what was loaded before is old then, whatever
 * the clock of the file system. Returns what a function says of it: not_found for RC_NOT_FOUND, RC_NO_ACCESS
 * also when there is no place to write to. */
int catalog_written(int rc, int not_found);

/* Where it is written to: for a context (NULL: none), that of its scope. Valid for the life of the process.
 * RC_NO_MEMORY. */
int catalog_place(const struct database_place **ret_place);
enum database_scope catalog_scope(const struct api_context *context);

/* What makes name another name of a reader; NULL if nothing does. */
const struct database_reader *catalog_alias(const struct database *database, const char *name);

/* One of the groups that exist by themselves, or another name that begins as theirs do. */
bool catalog_is_system_group(const char *group);

/* The service's own name of a reader, a new string (free it): name itself if a reader is called so, else the
 * reader that the database means by it, if it is attached. RC_UNKNOWN_READER with a detail, RC_NO_MEMORY, and
 * what the service says to list.
 *
 * Callers on the way to a card try the name as it is first, and come here when the service does not know it:
 * who has no database pays nothing. */
int catalog_own_name(struct api_context *context, const char *name, char **ret_own);

/* The same for the entries of a wait, all at once; the reader of the list and ignored entries stay as they
 * are. The names are borrowed from the new block *ret_names (free it). */
int catalog_own_watches(struct api_context *context, struct reader_watch *watches, size_t count,
                        char **ret_names);

/* The names that readers are listed by, a multi-string in a new block with its length: their own, unless
 * hidden, each followed by its others in the order of the database; groups (multi-string) as in
 * SCardListReaders. RC_NO_READERS. A reader whose only name is hidden is shown. */
int catalog_list(struct api_context *context, const char *groups, char **ret_names, size_t *ret_length);

/* All names of the reader, own one first unless hidden. As catalog_list. */
int catalog_names_of(struct api_context *context, const char *own, char **ret_names, size_t *ret_length);

/* The groups that have a member, attached or not, behind SCard$DefaultReaders, as a multi-string. */
int catalog_groups(char **ret_groups, size_t *ret_length);

/* Around fork, as in object.h. */
void catalog_before_fork(void);
void catalog_after_fork(bool in_child);

#endif
