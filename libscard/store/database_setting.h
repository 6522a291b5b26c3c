/* SPDX-License-Identifier: MIT */
/* The settings of one file of the database, while it is read. */
#ifndef STORE_DATABASE_SETTING_H
#define STORE_DATABASE_SETTING_H

#include <libconfig.h>

#include "store/database_file.h"

/* The file was told as a problem, and what was read of it is of no use; not a failure. */
#define DATABASE_UNUSABLE 1

/* What was read; of the entries the one of the file's kind. */
struct database_reading {
    struct database *database; /* gets the problem */
    const char *path;
    char *name;
    struct database_card card;
    struct database_reader reader;
    struct database_group group;
    size_t mask_length;
    unsigned mask_line;
    bool has_mask, has_readers;
};

/* Tells a problem with a line of the file: DATABASE_UNUSABLE or RC_NO_MEMORY. */
#define DATABASE_UNUSABLE_LINE(reading, line, ...)                                                           \
    (database_problem_add((reading)->database, (reading)->path, line, __VA_ARGS__) ? RC_NO_MEMORY            \
                                                                                   : DATABASE_UNUSABLE)

/* Takes all settings of the file, each for itself. DATABASE_UNUSABLE, RC_NO_MEMORY. */
int database_setting_take(struct database_reading *reading, enum database_kind kind,
                          const config_setting_t *root);

#endif
