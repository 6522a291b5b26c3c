/* SPDX-License-Identifier: MIT */
/* One file of the database: from its bytes to an entry, or to a problem. */
#ifndef STORE_DATABASE_FILE_H
#define STORE_DATABASE_FILE_H

#include "store/database.h"

#define DATABASE_FILE_MAX (1u << 18) /* bytes: what is longer has no end, or is no entry */

enum database_kind { DATABASE_CARDS, DATABASE_READERS, DATABASE_GROUPS, DATABASE_KINDS };

/* Adds the entry, or the problem, at the end of what the database has. text is what the file holds, any
 * bytes, with a NUL behind them; the path is for the entry. RC_NO_MEMORY, and then nothing is added. */
int database_file_take(const char *path, enum database_scope scope, enum database_kind kind, const char *text,
                       size_t length, struct database *database);

/* Adds a problem. Line 0: the file as a whole. RC_NO_MEMORY. */
int database_problem_add(struct database *database, const char *path, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

void database_card_fini(struct database_card *card);
void database_reader_fini(struct database_reader *reader);
void database_group_fini(struct database_group *group);

#endif
