/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "store/database_folder.h"
#include "store/database_text.h"
#include "store/database_write.h"

static const char *const nouns[DATABASE_KINDS] = {"card type", "name of a reader", "group"};

/* A change of one scope: under its lock, beside what is there now. */
struct edit {
    struct database_writer writer;
    struct database database;
};

static void edit_close(struct edit *edit)
{
    database_fini(&edit->database);
    database_writer_close(&edit->writer);
}

static int load(struct edit *edit, enum database_kind kind)
{
    return database_folder_load(edit->writer.base, edit->writer.scope, kind, &edit->database);
}

/* Without an edit if there is nothing at all. */
static int not_found(const struct edit *edit, enum database_kind kind, const char *name)
{
    const struct database_problem *damaged =
        edit && edit->database.problem_count ? edit->database.problems : NULL;

    if (damaged)
        return detail_set(RC_NOT_FOUND, "there is no %s '%.100s' here; %s cannot be used, and may hold it",
                          nouns[kind], name, damaged->path);
    return detail_set(RC_NOT_FOUND, "there is no %s '%.100s' here", nouns[kind], name);
}

/* Of what is in the scope, loads the entries of one kind. */
static int edit_open(const struct database_place *place, enum database_scope scope, bool make,
                     enum database_kind kind, struct edit *ret_edit)
{
    int rc;

    *ret_edit = (struct edit){0};
    rc = database_writer_open(place, scope, make, &ret_edit->writer);
    if (rc)
        return rc;
    rc = load(ret_edit, kind);
    if (rc)
        edit_close(ret_edit);
    return rc;
}

/* To change or remove what has the name. */
static int edit_open_old(const struct database_place *place, enum database_scope scope,
                         enum database_kind kind, const char *name, struct edit *ret_edit)
{
    int rc = edit_open(place, scope, false, kind, ret_edit);

    return rc == RC_NOT_FOUND ? not_found(NULL, kind, name) : rc;
}

static const char *file_of(const char *path)
{
    return strrchr(path, '/') + 1;
}

static int check_text(const char *what, const char *text)
{
    if (name_is_valid(text))
        return RC_OK;
    return detail_set(RC_INVALID_PARAMETER, "%s is 1 to %u bytes of UTF-8 without control characters", what,
                      NAME_MAX_BYTES);
}

/* The head of a file that is to be changed, a new string. Its entry was just read from it. */
static int read_head(const struct edit *edit, const char *path, char **ret_head)
{
    struct database ignored = {0};
    char *text = NULL;
    size_t length = 0;
    /* Paths of entries are absolute, or below the directory in which the process is. */
    int rc = database_folder_read(edit->writer.folder, path, path, &ignored, &text, &length);

    database_fini(&ignored);
    if (rc)
        return rc;
    *ret_head = strndup(text ? text : "", text ? database_text_head(text, length) : 0);
    free(text);
    return *ret_head ? RC_OK : RC_NO_MEMORY;
}

static int check_card(const struct database_card *card)
{
    struct guid guid;
    int rc = check_text("the name of a card type", card->name);

    for (size_t i = 0; i < PROVIDER_COUNT && !rc; i++)
        if (card->providers[i])
            rc = i == PROVIDER_PRIMARY ? guid_parse(card->providers[i], &guid)
                                       : check_text("the name of a provider", card->providers[i]);
    if (!rc && card->atr_length > DATABASE_ATR_MAX)
        rc = detail_set(RC_INVALID_PARAMETER, "an ATR has at most %d bytes", DATABASE_ATR_MAX);
    return rc;
}

static int exists(int rc, enum database_kind kind, const char *name, const char *path)
{
    return detail_set(rc, "there is a %s '%.100s' already, in %s: remove it first", nouns[kind], name, path);
}

int database_card_add(const struct database_place *place, const struct database_card *card)
{
    const struct database_card *old;
    struct edit edit;
    char *text = NULL;
    size_t length;
    int rc = check_card(card);

    if (!rc)
        rc = edit_open(place, card->scope, true, DATABASE_CARDS, &edit);
    if (rc)
        return rc;
    old = database_card_find(&edit.database, card->name);
    if (old)
        rc = exists(RC_INVALID_VALUE, DATABASE_CARDS, card->name, old->path);
    if (!rc)
        rc = database_text_card(card, NULL, &text, &length);
    if (!rc)
        rc = database_writer_put(&edit.writer, DATABASE_CARDS, NULL, card->name, text, length);
    free(text);
    edit_close(&edit);
    return rc;
}

int database_card_remove(const struct database_place *place, enum database_scope scope, const char *name)
{
    const struct database_card *card;
    struct edit edit;
    int rc = edit_open_old(place, scope, DATABASE_CARDS, name, &edit);

    if (rc)
        return rc;
    card = database_card_find(&edit.database, name);
    rc = card ? database_writer_remove(&edit.writer, DATABASE_CARDS, file_of(card->path))
              : not_found(&edit, DATABASE_CARDS, name);
    edit_close(&edit);
    return rc;
}

static int set_provider(struct edit *edit, const struct database_card *old, enum database_provider provider,
                        const char *value)
{
    struct database_card card = *old;
    char *head, *text;
    size_t length;
    int rc;

    card.providers[provider] = (char *)(uintptr_t)value;
    rc = check_card(&card);
    if (!rc)
        rc = read_head(edit, old->path, &head);
    if (rc)
        return rc;
    rc = database_text_card(&card, head, &text, &length);
    free(head);
    if (rc)
        return rc;
    rc = database_writer_put(&edit->writer, DATABASE_CARDS, file_of(old->path), card.name, text, length);
    free(text);
    return rc;
}

int database_card_set_provider(const struct database_place *place, enum database_scope scope,
                               const char *name, enum database_provider provider, const char *value)
{
    const struct database_card *card;
    struct edit edit;
    int rc = edit_open_old(place, scope, DATABASE_CARDS, name, &edit);

    if (rc)
        return rc;
    card = database_card_find(&edit.database, name);
    rc = card ? set_provider(&edit, card, provider, value) : not_found(&edit, DATABASE_CARDS, name);
    edit_close(&edit);
    return rc;
}

static int check_reader(const struct database_reader *reader)
{
    int rc = check_text("the name of a reader", reader->name);

    if (rc || (reader->hidden && !reader->device))
        return rc;
    if (reader->hidden || !reader->device)
        return detail_set(RC_INVALID_PARAMETER, "a name of a reader has a device, or is hidden");
    return check_text("the device of a reader", reader->device);
}

int database_reader_add(const struct database_place *place, const struct database_reader *reader)
{
    const struct database_reader *old;
    struct edit edit;
    char *text = NULL;
    size_t length;
    int rc = check_reader(reader);

    if (!rc)
        rc = edit_open(place, reader->scope, true, DATABASE_READERS, &edit);
    if (rc)
        return rc;
    old = database_reader_find(&edit.database, reader->name);
    if (old)
        rc = exists(RC_DUPLICATE, DATABASE_READERS, reader->name, old->path);
    if (!rc)
        rc = database_text_reader(reader, NULL, &text, &length);
    if (!rc)
        rc = database_writer_put(&edit.writer, DATABASE_READERS, NULL, reader->name, text, length);
    free(text);
    edit_close(&edit);
    return rc;
}

static const struct database_group *group_find(const struct database *database, const char *name)
{
    for (size_t i = 0; i < database->group_count; i++)
        if (!strcmp(database->groups[i].name, name))
            return &database->groups[i];
    return NULL;
}

static size_t member_index(const struct database_group *group, const char *reader)
{
    size_t i = 0;

    while (i < group->reader_count && strcmp(group->readers[i], reader) != 0)
        i++;
    return i;
}

/* Old NULL: a new group. */
static int write_group(struct edit *edit, const struct database_group *old,
                       const struct database_group *group)
{
    char *head = NULL, *text;
    size_t length;
    int rc = old ? read_head(edit, old->path, &head) : RC_OK;

    if (rc)
        return rc;
    rc = database_text_group(group, head, &text, &length);
    free(head);
    if (rc)
        return rc;
    rc = database_writer_put(&edit->writer, DATABASE_GROUPS, old ? file_of(old->path) : NULL, group->name,
                             text, length);
    free(text);
    return rc;
}

static int add_member(struct edit *edit, const char *name, const char *reader)
{
    const struct database_group *old = group_find(&edit->database, name);
    struct database_group group = {.name = (char *)(uintptr_t)name};
    int rc;

    if (old && member_index(old, reader) < old->reader_count)
        return RC_OK;
    group.reader_count = (old ? old->reader_count : 0) + 1;
    group.readers = calloc(group.reader_count, sizeof *group.readers);
    if (!group.readers)
        return RC_NO_MEMORY;
    for (size_t i = 0; i + 1 < group.reader_count; i++)
        group.readers[i] = old->readers[i];
    group.readers[group.reader_count - 1] = (char *)(uintptr_t)reader;
    rc = write_group(edit, old, &group);
    free(group.readers);
    return rc;
}

int database_group_add(const struct database_place *place, enum database_scope scope, const char *group,
                       const char *reader)
{
    struct edit edit;
    int rc = check_text("the name of a group", group);

    if (!rc)
        rc = check_text("the name of a reader", reader);
    if (!rc)
        rc = edit_open(place, scope, true, DATABASE_GROUPS, &edit);
    if (rc)
        return rc;
    rc = add_member(&edit, group, reader);
    edit_close(&edit);
    return rc;
}

static int remove_member(struct edit *edit, const struct database_group *old, size_t index)
{
    struct database_group group = *old;
    int rc;

    if (old->reader_count == 1)
        return database_writer_remove(&edit->writer, DATABASE_GROUPS, file_of(old->path));
    group.readers = calloc(old->reader_count, sizeof *group.readers);
    if (!group.readers)
        return RC_NO_MEMORY;
    group.reader_count = 0;
    for (size_t i = 0; i < old->reader_count; i++)
        if (i != index)
            group.readers[group.reader_count++] = old->readers[i];
    rc = write_group(edit, old, &group);
    free(group.readers);
    return rc;
}

int database_group_remove(const struct database_place *place, enum database_scope scope, const char *name,
                          const char *reader)
{
    const struct database_group *group;
    struct edit edit;
    size_t index;
    int rc = edit_open_old(place, scope, DATABASE_GROUPS, name, &edit);

    if (rc)
        return rc;
    group = group_find(&edit.database, name);
    if (!group) {
        rc = not_found(&edit, DATABASE_GROUPS, name);
    } else {
        index = member_index(group, reader);
        rc = index < group->reader_count
                 ? remove_member(&edit, group, index)
                 : detail_set(RC_NOT_FOUND, "'%.100s' is not in the group '%.100s' (%s)", reader, name,
                              group->path);
    }
    edit_close(&edit);
    return rc;
}

int database_group_forget(const struct database_place *place, enum database_scope scope, const char *name)
{
    const struct database_group *group;
    struct edit edit;
    int rc = edit_open_old(place, scope, DATABASE_GROUPS, name, &edit);

    if (rc)
        return rc;
    group = group_find(&edit.database, name);
    rc = group ? database_writer_remove(&edit.writer, DATABASE_GROUPS, file_of(group->path))
               : not_found(&edit, DATABASE_GROUPS, name);
    edit_close(&edit);
    return rc;
}

static int leave_groups(struct edit *edit, const char *reader)
{
    int rc = load(edit, DATABASE_GROUPS);

    for (size_t i = 0; i < edit->database.group_count && !rc; i++) {
        const struct database_group *group = &edit->database.groups[i];
        size_t index = member_index(group, reader);

        if (index < group->reader_count)
            rc = remove_member(edit, group, index);
    }
    return rc;
}

int database_reader_remove(const struct database_place *place, enum database_scope scope, const char *name)
{
    const struct database_reader *reader;
    struct edit edit;
    int rc = edit_open_old(place, scope, DATABASE_READERS, name, &edit);

    if (rc)
        return rc;
    reader = database_reader_find(&edit.database, name);
    if (reader) {
        /* The name goes last: it is found again if something stands in the way of the rest. */
        rc = leave_groups(&edit, name);
        if (!rc)
            rc = database_writer_remove(&edit.writer, DATABASE_READERS, file_of(reader->path));
    } else {
        rc = not_found(&edit, DATABASE_READERS, name);
    }
    edit_close(&edit);
    return rc;
}
