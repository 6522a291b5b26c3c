/* SPDX-License-Identifier: MIT */
#include "store/database.h"

#include <stdlib.h>
#include <string.h>

#include "base/rc.h"
#include "store/database_folder.h"

int database_load(const struct database_place *place, struct database *ret_database)
{
    const char *const bases[] = {[DATABASE_USER] = place->user, [DATABASE_SYSTEM] = place->system};
    struct database found = {0};
    int rc = RC_OK;

    for (enum database_scope scope = DATABASE_USER; scope <= DATABASE_SYSTEM && !rc; scope++)
        for (enum database_kind kind = 0; kind < DATABASE_KINDS && !rc && bases[scope]; kind++)
            rc = database_folder_load(bases[scope], scope, kind, &found);
    if (rc) {
        database_fini(&found);
        return rc;
    }
    *ret_database = found;
    return RC_OK;
}

void database_fini(struct database *database)
{
    for (size_t i = 0; i < database->card_count; i++)
        database_card_fini(&database->cards[i]);
    for (size_t i = 0; i < database->reader_count; i++)
        database_reader_fini(&database->readers[i]);
    for (size_t i = 0; i < database->group_count; i++)
        database_group_fini(&database->groups[i]);
    for (size_t i = 0; i < database->problem_count; i++) {
        free(database->problems[i].path);
        free(database->problems[i].text);
    }
    free(database->cards);
    free(database->readers);
    free(database->groups);
    free(database->problems);
    *database = (struct database){0};
}

const struct database_card *database_card_find(const struct database *database, const char *name)
{
    for (size_t i = 0; i < database->card_count; i++)
        if (!strcmp(database->cards[i].name, name))
            return &database->cards[i];
    return NULL;
}

const struct database_reader *database_reader_find(const struct database *database, const char *name)
{
    for (size_t i = 0; i < database->reader_count; i++)
        if (!strcmp(database->readers[i].name, name))
            return &database->readers[i];
    return NULL;
}

bool database_card_matches(const struct database_card *card, const uint8_t *atr, size_t atr_length)
{
    if (!atr_length || atr_length != card->atr_length)
        return false;
    for (size_t i = 0; i < atr_length; i++)
        if ((atr[i] & card->mask[i]) != card->atr[i])
            return false;
    return true;
}
