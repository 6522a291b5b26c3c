/* SPDX-License-Identifier: MIT */
/* Groups of readers. */
#include <stdlib.h>
#include <string.h>

#include "api/card_type.h"
#include "api/catalog.h"
#include "api/export.h"
#include "api/text.h"
#include "store/name.h"

/* Can a group be called so, and is it one of the database's? */
static int check_name(const char *group)
{
    if (!name_is_valid(group))
        return detail_set(RC_INVALID_PARAMETER,
                          "the name of a group is 1 to %u bytes of UTF-8 without control characters",
                          NAME_MAX_BYTES);
    if (catalog_is_system_group(group))
        return detail_set(RC_INVALID_PARAMETER,
                          "'%s': groups that begin with SCard$ are there by themselves: choose another name",
                          group);
    return RC_OK;
}

static int introduce(SCARDCONTEXT handle, const char *group)
{
    struct api_context *context;

    if (!group)
        return RC_INVALID_PARAMETER;
    if (!card_type_enter(handle, &context))
        return RC_INVALID_HANDLE;
    card_type_leave(context);
    return check_name(group);
}

EXPORT LONG SCardIntroduceReaderGroup(SCARDCONTEXT hContext, LPCSTR szGroupName)
{
    EXPORT_BEGIN;
    return codes_from_rc(introduce(hContext, szGroupName));
}

EXPORT_A(SCardIntroduceReaderGroup);

EXPORT LONG SCardIntroduceReaderGroupW(SCARDCONTEXT hContext, LPCWSTR szGroupName)
{
    TEXT_OWNED char *group = NULL;
    int rc;

    EXPORT_BEGIN;
    rc = text_from_wide(szGroupName, &group);
    return codes_from_rc(rc ? rc : introduce(hContext, group));
}

/* The entry of a group in a scope; NULL: there is none. */
static const struct database_group *find_group(const struct database *database, enum database_scope scope,
                                               const char *group)
{
    for (size_t i = 0; i < database->group_count; i++)
        if (database->groups[i].scope == scope && !strcmp(database->groups[i].name, group))
            return &database->groups[i];
    return NULL;
}

/* Why a change of a group in the context's scope did not find what to change: rc with a detail. */
static int not_found(const struct api_context *context, const char *group, const char *reader, int rc)
{
    bool system = catalog_scope(context) == DATABASE_SYSTEM;
    const struct database *database;
    const struct database_group *other;
    int loaded = catalog_get(&database);

    if (loaded)
        return loaded;
    other = find_group(database, system ? DATABASE_USER : DATABASE_SYSTEM, group);
    if (other)
        detail_set(rc, "'%s' is a group of the %s (%s): use a context of SCARD_SCOPE_%s", group,
                   system ? "user" : "system", other->path, system ? "USER" : "SYSTEM");
    else if (reader && find_group(database, catalog_scope(context), group))
        detail_set(rc, "'%s' is not in the group '%s'", reader, group);
    else
        detail_set(rc, "no group is called '%s': a group exists while it has readers", group);
    catalog_put(database);
    return rc;
}

static int forget_group(const struct api_context *context, const char *group)
{
    const struct database_place *place;
    int rc = check_name(group);

    if (!rc)
        rc = catalog_place(&place);
    if (rc)
        return rc;
    rc = catalog_written(database_group_forget(place, catalog_scope(context), group), RC_NOT_FOUND);
    return rc == RC_NOT_FOUND ? not_found(context, group, NULL, RC_INVALID_PARAMETER) : rc;
}

static int forget(SCARDCONTEXT handle, const char *group)
{
    struct api_context *context;
    int rc;

    if (!group)
        return RC_INVALID_PARAMETER;
    context = object_context(handle);
    if (!context)
        return RC_INVALID_HANDLE;
    rc = forget_group(context, group);
    object_put_context(context);
    return rc;
}

EXPORT LONG SCardForgetReaderGroup(SCARDCONTEXT hContext, LPCSTR szGroupName)
{
    EXPORT_BEGIN;
    return codes_from_rc(forget(hContext, szGroupName));
}

EXPORT_A(SCardForgetReaderGroup);

EXPORT LONG SCardForgetReaderGroupW(SCARDCONTEXT hContext, LPCWSTR szGroupName)
{
    TEXT_OWNED char *group = NULL;
    int rc;

    EXPORT_BEGIN;
    rc = text_from_wide(szGroupName, &group);
    return codes_from_rc(rc ? rc : forget(hContext, group));
}

/* Is it the name of a reader: another name, attached or not, or the own name of one that is attached? */
static int check_reader(struct api_context *context, const char *reader)
{
    const struct database *database;
    bool known;
    char *own;
    int rc = catalog_get(&database);

    if (rc)
        return rc;
    known = catalog_alias(database, reader);
    catalog_put(database);
    if (known)
        return RC_OK;
    rc = catalog_own_name(context, reader, &own);
    if (!rc)
        free(own);
    return rc;
}

static int add_reader(struct api_context *context, const char *reader, const char *group)
{
    const struct database_place *place;
    int rc = check_name(group);

    if (!rc)
        rc = check_reader(context, reader);
    if (!rc)
        rc = catalog_place(&place);
    if (rc)
        return rc;
    return catalog_written(database_group_add(place, catalog_scope(context), group, reader), RC_INTERNAL);
}

static int remove_reader(struct api_context *context, const char *reader, const char *group)
{
    const struct database_place *place;
    int rc = check_name(group);

    if (!rc)
        rc = catalog_place(&place);
    if (rc)
        return rc;
    rc = catalog_written(database_group_remove(place, catalog_scope(context), group, reader), RC_NOT_FOUND);
    return rc == RC_NOT_FOUND ? not_found(context, group, reader, RC_UNKNOWN_READER) : rc;
}

typedef int change_fn(struct api_context *context, const char *reader, const char *group);

static int change(SCARDCONTEXT handle, const char *reader, const char *group, change_fn *fn)
{
    struct api_context *context;
    int rc;

    if (!reader || !group)
        return RC_INVALID_PARAMETER;
    context = object_context(handle);
    if (!context)
        return RC_INVALID_HANDLE;
    rc = fn(context, reader, group);
    object_put_context(context);
    return rc;
}

static int change_wide(SCARDCONTEXT handle, LPCWSTR reader_name, LPCWSTR group_name, change_fn *fn)
{
    TEXT_OWNED char *reader = NULL, *group = NULL;
    int rc = text_from_wide(reader_name, &reader);

    if (!rc)
        rc = text_from_wide(group_name, &group);
    return rc ? rc : change(handle, reader, group, fn);
}

EXPORT LONG SCardAddReaderToGroup(SCARDCONTEXT hContext, LPCSTR szReaderName, LPCSTR szGroupName)
{
    EXPORT_BEGIN;
    return codes_from_rc(change(hContext, szReaderName, szGroupName, add_reader));
}

EXPORT_A(SCardAddReaderToGroup);

EXPORT LONG SCardAddReaderToGroupW(SCARDCONTEXT hContext, LPCWSTR szReaderName, LPCWSTR szGroupName)
{
    EXPORT_BEGIN;
    return codes_from_rc(change_wide(hContext, szReaderName, szGroupName, add_reader));
}

EXPORT LONG SCardRemoveReaderFromGroup(SCARDCONTEXT hContext, LPCSTR szReaderName, LPCSTR szGroupName)
{
    EXPORT_BEGIN;
    return codes_from_rc(change(hContext, szReaderName, szGroupName, remove_reader));
}

EXPORT_A(SCardRemoveReaderFromGroup);

EXPORT LONG SCardRemoveReaderFromGroupW(SCARDCONTEXT hContext, LPCWSTR szReaderName, LPCWSTR szGroupName)
{
    EXPORT_BEGIN;
    return codes_from_rc(change_wide(hContext, szReaderName, szGroupName, remove_reader));
}
