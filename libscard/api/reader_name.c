/* SPDX-License-Identifier: MIT */
/* Other names of readers: introduce, forget; what a name stands for; what is wrong with the database. */
#include <scard.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "api/card_type.h"
#include "api/catalog.h"
#include "api/export.h"
#include "api/memory.h"
#include "api/text.h"
#include "base/bytes.h"
#include "store/name.h"

/* Is a reader that is attached called so in the service? */
static int is_own_name(struct api_context *context, const char *name, bool *ret_own)
{
    char *own;
    int rc = catalog_own_name(context, name, &own);

    if (rc == RC_UNKNOWN_READER)
        *ret_own = false;
    else if (!rc)
        *ret_own = !strcmp(own, name);
    if (!rc)
        free(own);
    return rc == RC_UNKNOWN_READER ? RC_OK : rc;
}

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'F');
}

/* May a reader that is not attached now be called so: "Model (serial) 00 00", or by its device,
 * "usb:1-2.3:1.0"? */
static bool can_be_a_reader(const char *name)
{
    size_t length = strlen(name), scheme = strspn(name, "abcdefghijklmnopqrstuvwxyz");
    const char *tail = length > 6 ? name + length - 6 : "";

    if (scheme && name[scheme] == ':' && name[scheme + 1] && !strchr(name, ' '))
        return true;
    return length < READER_NAME_MAX && tail[0] == ' ' && is_hex(tail[1]) && is_hex(tail[2]) &&
           tail[3] == ' ' && is_hex(tail[4]) && is_hex(tail[5]);
}

/* What the database keeps for the reader that device names, a new string: device itself, or what it is
 * another name for. RC_UNKNOWN_READER. */
static int find_device(struct api_context *context, const char *device, char **ret_device)
{
    const struct database *database;
    const struct database_reader *alias;
    bool own = false;
    int rc = is_own_name(context, device, &own);

    if (!rc)
        rc = catalog_get(&database);
    if (rc)
        return rc;
    alias = own ? NULL : catalog_alias(database, device);
    if (!own && !alias && !can_be_a_reader(device)) {
        rc = detail_set(RC_UNKNOWN_READER,
                        "no reader is called '%s', and none can be: give a name from the list of readers, or "
                        "a device such as usb:1-2.3:1.0",
                        device);
    } else {
        *ret_device = strdup(alias ? alias->device : device);
        rc = *ret_device ? RC_OK : RC_NO_MEMORY;
    }
    catalog_put(database);
    return rc;
}

/* The entry of the scope that hides the name. */
static bool is_hidden(enum database_scope scope, const char *name, int *ret_rc)
{
    const struct database *database;
    bool hidden = false;

    *ret_rc = catalog_get(&database);
    if (*ret_rc)
        return false;
    for (size_t i = 0; i < database->reader_count; i++)
        hidden |= database->readers[i].hidden && database->readers[i].scope == scope &&
                  !strcmp(database->readers[i].name, name);
    catalog_put(database);
    return hidden;
}

/* Is device what the attached reader itself is called by? */
static int is_same(struct api_context *context, const char *name, const char *device, bool *ret_same)
{
    TEXT_OWNED char *its = NULL;
    int rc;

    *ret_same = !strcmp(name, device);
    if (*ret_same)
        return RC_OK;
    rc = context_ops(context)->fact(context->service, name, "device", &its);
    *ret_same = !rc && !strcmp(its, device);
    return rc;
}

/* An own name is taken, but one that was forgotten can be introduced again. */
static int show_again(struct api_context *context, const struct database_place *place, const char *name,
                      const char *device)
{
    enum database_scope scope = catalog_scope(context);
    bool hidden, same;
    int rc = is_same(context, name, device, &same);

    if (rc)
        return rc;
    hidden = is_hidden(scope, name, &rc);
    if (rc)
        return rc;
    if (same && hidden)
        return catalog_written(database_reader_remove(place, scope, name), RC_OK);
    return detail_set(RC_DUPLICATE, "a reader is called '%s': choose another name", name);
}

static int add_name(struct api_context *context, const char *name, const char *device)
{
    struct database_reader entry = {.scope = catalog_scope(context), .name = (char *)(uintptr_t)name};
    const struct database_place *place;
    bool own = false;
    int rc;

    if (!name_is_valid(name) || strlen(name) >= READER_NAME_MAX)
        return detail_set(RC_INVALID_PARAMETER,
                          "the name of a reader is 1 to %d bytes of UTF-8 without control characters",
                          READER_NAME_MAX - 1);
    if (!strcasecmp(name, PNP_READER))
        return detail_set(RC_DUPLICATE, "'%s' stands for the list of readers: choose another name", name);
    rc = catalog_place(&place);
    if (!rc)
        rc = is_own_name(context, name, &own);
    if (!rc && own)
        return show_again(context, place, name, device);
    if (!rc)
        rc = find_device(context, device, &entry.device);
    if (!rc)
        rc = catalog_written(database_reader_add(place, &entry), RC_INTERNAL);
    free(entry.device);
    return rc;
}

static int introduce(SCARDCONTEXT handle, const char *name, const char *device)
{
    struct api_context *context;
    int rc;

    if (!name || !device)
        return RC_INVALID_PARAMETER;
    context = object_context(handle);
    if (!context)
        return RC_INVALID_HANDLE;
    rc = add_name(context, name, device);
    /* What looking for the names said. */
    if (!rc)
        detail_clear();
    object_put_context(context);
    return rc;
}

EXPORT LONG SCardIntroduceReader(SCARDCONTEXT hContext, LPCSTR szReaderName, LPCSTR szDeviceName)
{
    EXPORT_BEGIN;
    return codes_from_rc(introduce(hContext, szReaderName, szDeviceName));
}

EXPORT_A(SCardIntroduceReader);

EXPORT LONG SCardIntroduceReaderW(SCARDCONTEXT hContext, LPCWSTR szReaderName, LPCWSTR szDeviceName)
{
    TEXT_OWNED char *name = NULL, *device = NULL;
    int rc;

    EXPORT_BEGIN;
    rc = text_from_wide(szReaderName, &name);
    if (!rc)
        rc = text_from_wide(szDeviceName, &device);
    return codes_from_rc(rc ? rc : introduce(hContext, name, device));
}

static int leave_groups(const struct database *database, const struct database_place *place,
                        const struct database_reader *entry)
{
    int rc = RC_OK;

    for (size_t i = 0; i < database->group_count && !rc; i++) {
        const struct database_group *group = &database->groups[i];

        for (size_t j = 0; j < group->reader_count && !rc; j++)
            if (group->scope == entry->scope && !strcmp(group->readers[j], entry->name))
                rc = catalog_written(database_group_remove(place, entry->scope, group->name, entry->name),
                                     RC_OK);
    }
    return rc;
}

/* Is the reader shown by this name, and by another one too? */
static int check_others(struct api_context *context, const char *name)
{
    TEXT_OWNED char *names = NULL;
    size_t length;
    int rc = catalog_names_of(context, name, &names, &length);

    if (rc)
        return rc == RC_NO_READERS ? RC_UNKNOWN_READER : rc;
    if (strcmp(names, name) != 0)
        return detail_set(RC_UNKNOWN_READER, "'%s' was forgotten already: the reader is '%s'", name, names);
    if (!names[strlen(names) + 1])
        return detail_set(RC_INVALID_PARAMETER,
                          "'%s' is the only name of the reader: SCardIntroduceReader gives it another", name);
    return RC_OK;
}

/* A reader's own name is not in the database: it is hidden there. */
static int hide(struct api_context *context, const struct database_place *place, const char *name)
{
    struct database_reader entry = {
        .scope = catalog_scope(context), .name = (char *)(uintptr_t)name, .hidden = true};
    const struct database *database;
    int rc = check_others(context, name);

    if (!rc)
        rc = catalog_get(&database);
    if (rc)
        return rc;
    rc = catalog_written(database_reader_add(place, &entry), RC_INTERNAL);
    if (!rc)
        rc = leave_groups(database, place, &entry);
    catalog_put(database);
    return rc;
}

static int unknown_in_scope(const struct api_context *context, const char *name)
{
    bool system = catalog_scope(context) == DATABASE_SYSTEM;
    const struct database_reader *alias;
    const struct database *database;
    int rc = catalog_get(&database);

    if (rc)
        return rc;
    alias = catalog_alias(database, name);
    rc =
        alias
            ? detail_set(RC_UNKNOWN_READER, "'%s' is a name of the %s (%s): use a context of SCARD_SCOPE_%s",
                         name, system ? "user" : "system", alias->path, system ? "USER" : "SYSTEM")
            : detail_set(RC_UNKNOWN_READER,
                         "no reader is called '%s': look at the list of readers for how it is written", name);
    catalog_put(database);
    return rc;
}

static int remove_name(struct api_context *context, const char *name)
{
    const struct database_place *place;
    bool own = false;
    int rc = catalog_place(&place);

    if (!rc)
        rc = is_own_name(context, name, &own);
    if (rc)
        return rc;
    if (own)
        return hide(context, place, name);
    rc = catalog_written(database_reader_remove(place, catalog_scope(context), name), RC_UNKNOWN_READER);
    return rc == RC_UNKNOWN_READER ? unknown_in_scope(context, name) : rc;
}

static int forget(SCARDCONTEXT handle, const char *name)
{
    struct api_context *context;
    int rc;

    if (!name)
        return RC_INVALID_PARAMETER;
    context = object_context(handle);
    if (!context)
        return RC_INVALID_HANDLE;
    rc = remove_name(context, name);
    if (!rc)
        detail_clear();
    object_put_context(context);
    return rc;
}

EXPORT LONG SCardForgetReader(SCARDCONTEXT hContext, LPCSTR szReaderName)
{
    EXPORT_BEGIN;
    return codes_from_rc(forget(hContext, szReaderName));
}

EXPORT_A(SCardForgetReader);

EXPORT LONG SCardForgetReaderW(SCARDCONTEXT hContext, LPCWSTR szReaderName)
{
    TEXT_OWNED char *name = NULL;
    int rc;

    EXPORT_BEGIN;
    rc = text_from_wide(szReaderName, &name);
    return codes_from_rc(rc ? rc : forget(hContext, name));
}

EXPORT LONG scard_reader_own_name(SCARDCONTEXT hContext, LPCSTR szReader, LPSTR szName, LPDWORD pcchName)
{
    struct api_context *context;
    TEXT_OWNED char *own = NULL;
    int rc;

    EXPORT_BEGIN;
    if (!szReader || !pcchName || (!szName && memory_is_autoallocate(*pcchName)))
        return SCARD_E_INVALID_PARAMETER;
    context = object_context(hContext);
    if (!context)
        return SCARD_E_INVALID_HANDLE;
    rc = catalog_own_name(context, szReader, &own);
    if (!rc)
        rc = memory_give(context, own, strlen(own) + 1, 0, szName, pcchName);
    object_put_context(context);
    return codes_from_rc(rc);
}

static int join_problems(struct buffer *text)
{
    const struct database *database;
    int rc = catalog_get(&database);

    if (rc)
        return rc;
    for (size_t i = 0; i < database->problem_count && !rc; i++) {
        const struct database_problem *problem = &database->problems[i];
        char *line;
        int length = problem->line
                         ? asprintf(&line, "%s:%u: %s\n", problem->path, problem->line, problem->text)
                         : asprintf(&line, "%s: %s\n", problem->path, problem->text);

        if (length < 0) {
            rc = RC_NO_MEMORY;
            break;
        }
        rc = buffer_append(text, line, (size_t)length);
        free(line);
    }
    catalog_put(database);
    return rc ? rc : buffer_append(text, "", 1);
}

EXPORT LONG scard_database_problems(SCARDCONTEXT hContext, LPSTR szProblems, LPDWORD pcchProblems)
{
    struct api_context *context;
    struct buffer text = {0};
    int rc;

    EXPORT_BEGIN;
    if (!pcchProblems || (!szProblems && memory_is_autoallocate(*pcchProblems)))
        return SCARD_E_INVALID_PARAMETER;
    if (!card_type_enter(hContext, &context))
        return SCARD_E_INVALID_HANDLE;
    rc = join_problems(&text);
    if (!rc)
        rc = memory_give(context, text.data, text.length, 0, szProblems, pcchProblems);
    buffer_fini(&text);
    card_type_leave(context);
    return codes_from_rc(rc);
}
