/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/catalog.h"
#include "base/bytes.h"
#include "base/log.h"
#include "base/rc.h"

#define NONE SIZE_MAX

static const char system_prefix[] = "SCard$";
static const char *const system_groups[] = {"SCard$AllReaders", "SCard$DefaultReaders", "SCard$LocalReaders",
                                            "SCard$SystemReaders"};

/* The readers that are attached, and the database beside them. */
struct view {
    struct api_context *context;
    const struct database *database;
    char *names; /* of the service, multi-string */
    struct attached {
        const char *name; /* in names */
        char *device;     /* once asked; NULL: the service does not tell */
    } * readers;
    size_t count;
    bool devices_asked;
};

static void view_close(struct view *view)
{
    for (size_t i = 0; i < view->count; i++)
        free(view->readers[i].device);
    free(view->readers);
    free(view->names);
    catalog_put(view->database);
}

/* By the table, which is in no trace: the program did not ask for a list. */
static int read_names(struct api_context *context, char **ret_names)
{
    struct reader_entry *entries;
    struct buffer names = {0};
    uint16_t list_events;
    size_t count;
    int rc = context_ops(context)->table(context->service, &entries, &count, &list_events);

    if (rc)
        return rc;
    for (size_t i = 0; i < count && !rc; i++)
        rc = buffer_append(&names, entries[i].name, strlen(entries[i].name) + 1);
    if (!rc)
        rc = buffer_append(&names, "", 1);
    free(entries);
    if (rc)
        buffer_fini(&names);
    else
        *ret_names = (char *)names.data;
    return rc;
}

/* Takes names and the reference to the database, also on failure. */
static int view_open(struct api_context *context, const struct database *database, char *names,
                     struct view *ret_view)
{
    struct view view = {.context = context, .database = database, .names = names};
    size_t count = 0;

    for (const char *name = names; *name; name += strlen(name) + 1)
        count++;
    view.readers = calloc(count + !count, sizeof *view.readers);
    if (!view.readers) {
        view_close(&view);
        return RC_NO_MEMORY;
    }
    for (const char *name = names; *name; name += strlen(name) + 1)
        view.readers[view.count++].name = name;
    *ret_view = view;
    return RC_OK;
}

static int view_now(struct api_context *context, struct view *ret_view)
{
    const struct database *database;
    char *names;
    int rc = catalog_get(&database);

    if (rc)
        return rc;
    rc = read_names(context, &names);
    if (rc) {
        catalog_put(database);
        return rc;
    }
    return view_open(context, database, names, ret_view);
}

static int ask_devices(struct view *view)
{
    const struct service_ops *ops = context_ops(view->context);

    for (size_t i = 0; i < view->count && !view->devices_asked; i++) {
        struct attached *reader = &view->readers[i];
        int rc = ops->fact(view->context->service, reader->name, "device", &reader->device);

        /* It may have gone meanwhile. */
        if (rc == RC_UNKNOWN_READER || rc == RC_UNSUPPORTED)
            detail_clear();
        else if (rc)
            return rc;
        else if (!strncmp(reader->device, "pcscd:", 6)) {
            free(reader->device);
            reader->device = NULL;
        }
    }
    view->devices_asked = true;
    return RC_OK;
}

static size_t index_of(const struct view *view, const char *name)
{
    for (size_t i = 0; i < view->count; i++)
        if (!strcmp(view->readers[i].name, name))
            return i;
    return NONE;
}

/* The first reader of the device, or that is called so. */
static int find_device(struct view *view, const char *device, size_t *ret_index)
{
    int rc;

    *ret_index = index_of(view, device);
    if (*ret_index != NONE)
        return RC_OK;
    rc = ask_devices(view);
    for (size_t i = 0; i < view->count && !rc && *ret_index == NONE; i++)
        if (view->readers[i].device && !strcmp(view->readers[i].device, device))
            *ret_index = i;
    return rc;
}

const struct database_reader *catalog_alias(const struct database *database, const char *name)
{
    for (size_t i = 0; i < database->reader_count; i++) {
        const struct database_reader *entry = &database->readers[i];

        if (!entry->hidden && entry->device && !strcmp(entry->name, name))
            return strlen(name) < READER_NAME_MAX ? entry : NULL;
    }
    return NULL;
}

static int find(struct view *view, const char *name, size_t *ret_index)
{
    const struct database_reader *alias;
    int rc;

    *ret_index = index_of(view, name);
    if (*ret_index != NONE)
        return RC_OK;
    alias = catalog_alias(view->database, name);
    if (!alias)
        return detail_set(RC_UNKNOWN_READER,
                          "no reader is called '%s': look at the list of readers for how it is written",
                          name);
    rc = find_device(view, alias->device, ret_index);
    if (!rc && *ret_index == NONE)
        rc = detail_set(RC_UNKNOWN_READER, "'%s' is a name for %s (%s), which is not attached: plug it in",
                        name, alias->device, alias->path);
    return rc;
}

int catalog_own_name(struct api_context *context, const char *name, char **ret_own)
{
    struct view view;
    size_t index;
    char *own;
    int rc = view_now(context, &view);

    if (rc)
        return rc;
    rc = find(&view, name, &index);
    if (!rc) {
        own = strdup(view.readers[index].name);
        if (own)
            *ret_own = own;
        else
            rc = RC_NO_MEMORY;
    }
    view_close(&view);
    return rc;
}

int catalog_own_watches(struct api_context *context, struct reader_watch *watches, size_t count,
                        char **ret_names)
{
    struct view view;
    size_t index;
    int rc = view_now(context, &view);

    if (rc)
        return rc;
    for (size_t i = 0; i < count && !rc; i++) {
        bool ignored = watches[i].current & STATE_IGNORE;

        if (!strcasecmp(watches[i].name, PNP_READER))
            continue;
        rc = find(&view, watches[i].name, &index);
        if (!rc)
            watches[i].name = view.readers[index].name;
        else if (rc == RC_UNKNOWN_READER && ignored) {
            rc = RC_OK;
            detail_clear();
        }
    }
    if (!rc) {
        *ret_names = view.names;
        view.names = NULL;
    }
    view_close(&view);
    return rc;
}

static bool is_hidden(const struct database *database, const char *name)
{
    for (size_t i = 0; i < database->reader_count; i++)
        if (database->readers[i].hidden && !strcmp(database->readers[i].name, name))
            return true;
    return false;
}

static bool is_member(const struct database *database, const char *group, const char *name)
{
    for (size_t i = 0; i < database->group_count; i++)
        for (size_t j = 0; j < database->groups[i].reader_count; j++)
            if (!strcmp(database->groups[i].name, group) && !strcmp(database->groups[i].readers[j], name))
                return true;
    return false;
}

/* groups NULL: all names. */
static bool is_in(const struct database *database, const char *groups, const char *name)
{
    if (!groups)
        return true;
    for (; *groups; groups += strlen(groups) + 1)
        if (is_member(database, groups, name))
            return true;
    return false;
}

/* Appends the names of one reader that are in the groups. */
static int append_names(struct view *view, size_t index, const char *groups, struct buffer *names)
{
    const struct database *database = view->database;
    const char *own = view->readers[index].name;
    size_t start = names->length, others = 0, owner;
    bool hidden = is_hidden(database, own);
    int rc = RC_OK;

    if (!hidden && is_in(database, groups, own))
        rc = buffer_append(names, own, strlen(own) + 1);
    for (size_t i = 0; i < database->reader_count && !rc; i++) {
        const struct database_reader *entry = &database->readers[i];

        if (catalog_alias(database, entry->name) != entry || index_of(view, entry->name) != NONE)
            continue;
        rc = find_device(view, entry->device, &owner);
        if (rc || owner != index)
            continue;
        others++;
        if (is_in(database, groups, entry->name))
            rc = buffer_append(names, entry->name, strlen(entry->name) + 1);
    }
    /* Its only name is shown, or nobody would find the reader. */
    if (!rc && hidden && !others && names->length == start && is_in(database, groups, own))
        rc = buffer_append(names, own, strlen(own) + 1);
    return rc;
}

static int finish_list(struct buffer *list, int rc, char **ret_names, size_t *ret_length)
{
    if (!rc && !list->length)
        rc = RC_NO_READERS;
    if (!rc)
        rc = buffer_append(list, "", 1);
    if (rc) {
        buffer_fini(list);
        return rc;
    }
    *ret_names = (char *)list->data;
    *ret_length = list->length;
    return RC_OK;
}

bool catalog_is_system_group(const char *group)
{
    return !strncmp(group, system_prefix, sizeof system_prefix - 1);
}

/* No group named, or one that every reader is in by itself. */
static bool groups_hold_all(const char *groups)
{
    if (!groups || !*groups)
        return true;
    for (; *groups; groups += strlen(groups) + 1)
        for (size_t i = 0; i < sizeof system_groups / sizeof *system_groups; i++)
            if (!strcmp(groups, system_groups[i]))
                return true;
    return false;
}

int catalog_list(struct api_context *context, const char *groups, char **ret_names, size_t *ret_length)
{
    const struct database *database;
    struct buffer list = {0};
    struct view view;
    char *names;
    int rc = catalog_get(&database);

    if (rc)
        return rc;
    if (groups_hold_all(groups))
        groups = NULL;
    if (groups ? !database->group_count : !database->reader_count) {
        catalog_put(database);
        return groups ? RC_NO_READERS : context_ops(context)->list(context->service, ret_names, ret_length);
    }
    rc = context_ops(context)->list(context->service, &names, ret_length);
    if (rc) {
        catalog_put(database);
        return rc;
    }
    rc = view_open(context, database, names, &view);
    if (rc)
        return rc;
    for (size_t i = 0; i < view.count && !rc; i++)
        rc = append_names(&view, i, groups, &list);
    view_close(&view);
    return finish_list(&list, rc, ret_names, ret_length);
}

int catalog_names_of(struct api_context *context, const char *own, char **ret_names, size_t *ret_length)
{
    struct buffer list = {0};
    struct view view;
    size_t index;
    int rc = view_now(context, &view);

    if (rc)
        return rc;
    index = index_of(&view, own);
    if (index != NONE)
        rc = append_names(&view, index, NULL, &list);
    view_close(&view);
    return finish_list(&list, rc, ret_names, ret_length);
}

/* Was the group named by an entry before this one? */
static bool is_repeated(const struct database *database, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (database->groups[i].reader_count &&
            !strcmp(database->groups[i].name, database->groups[index].name))
            return true;
    return false;
}

int catalog_groups(char **ret_groups, size_t *ret_length)
{
    static const char every[] = "SCard$DefaultReaders";
    const struct database *database;
    struct buffer list = {0};
    int rc = catalog_get(&database);

    if (rc)
        return rc;
    rc = buffer_append(&list, every, sizeof every);
    for (size_t i = 0; i < database->group_count && !rc; i++) {
        const struct database_group *group = &database->groups[i];

        if (group->reader_count && !catalog_is_system_group(group->name) && !is_repeated(database, i))
            rc = buffer_append(&list, group->name, strlen(group->name) + 1);
    }
    catalog_put(database);
    return finish_list(&list, rc, ret_groups, ret_length);
}
