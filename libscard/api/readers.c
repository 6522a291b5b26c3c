/* SPDX-License-Identifier: MIT */
/* Readers: lists, groups, facts. */
#include <scard.h>
#include <stdlib.h>
#include <string.h>

#include "api/card_type.h"
#include "api/catalog.h"
#include "api/export.h"
#include "api/facts.h"
#include "api/memory.h"
#include "api/text.h"

/* home is where an auto-allocated block goes. */
static int list_readers(struct api_context *context, struct api_context *home, const char *groups,
                        enum text_form form, void *readers, LPDWORD length)
{
    char *names = NULL;
    size_t names_length = 0;
    int rc = catalog_list(context, groups, &names, &names_length);

    if (!rc)
        rc = text_give(home, form, names, names_length, readers, length);
    else if (rc == RC_NO_READERS)
        *length = 1; /* as pcsc-lite says: the NUL that ends an empty list */
    free(names);
    return rc;
}

EXPORT LONG SCardListReaders(SCARDCONTEXT hContext, LPCSTR mszGroups, LPSTR mszReaders, LPDWORD pcchReaders)
{
    struct api_context *context;
    int rc;

    EXPORT_BEGIN;
    if (!pcchReaders || (!mszReaders && memory_is_autoallocate(*pcchReaders)))
        return SCARD_E_INVALID_PARAMETER;
    context = object_context(hContext);
    if (!context)
        return SCARD_E_INVALID_HANDLE;
    rc = list_readers(context, context, mszGroups, TEXT_UTF8, mszReaders, pcchReaders);
    object_put_context(context);
    return codes_from_rc(rc);
}

EXPORT_A(SCardListReaders);

/* Windows lists for a caller without a context, too: in one of the moment. */
static LONG list_without_context(const char *groups, void *readers, LPDWORD length)
{
    struct api_context *context;
    SCARDCONTEXT handle;
    LONG code = SCardEstablishContext(SCARD_SCOPE_USER, NULL, NULL, &handle);
    int rc = RC_INVALID_HANDLE;

    if (code)
        return code;
    context = object_context(handle);
    if (context) {
        rc = list_readers(context, NULL, groups, TEXT_UTF16, readers, length);
        object_put_context(context);
    }
    SCardReleaseContext(handle);
    return codes_from_rc(rc);
}

EXPORT LONG SCardListReadersW(SCARDCONTEXT hContext, LPCWSTR mszGroups, LPWSTR mszReaders,
                              LPDWORD pcchReaders)
{
    TEXT_OWNED char *groups = NULL;
    struct api_context *context;
    int rc;

    EXPORT_BEGIN;
    if (!pcchReaders || (!mszReaders && memory_is_autoallocate(*pcchReaders)))
        return SCARD_E_INVALID_PARAMETER;
    rc = text_from_wide_list(mszGroups, &groups);
    if (rc)
        return codes_from_rc(rc);
    if (!hContext)
        return list_without_context(groups, mszReaders, pcchReaders);
    context = object_context(hContext);
    if (!context)
        return SCARD_E_INVALID_HANDLE;
    rc = list_readers(context, context, groups, TEXT_UTF16, mszReaders, pcchReaders);
    object_put_context(context);
    return codes_from_rc(rc);
}

/* context NULL: W has no need of one. */
static int list_groups(struct api_context *context, enum text_form form, void *groups, LPDWORD length)
{
    char *names = NULL;
    size_t names_length = 0;
    int rc = catalog_groups(&names, &names_length);

    if (!rc)
        rc = text_give(context, form, names, names_length, groups, length);
    free(names);
    return rc;
}

EXPORT LONG SCardListReaderGroups(SCARDCONTEXT hContext, LPSTR mszGroups, LPDWORD pcchGroups)
{
    struct api_context *context;
    int rc;

    EXPORT_BEGIN;
    if (!pcchGroups || (!mszGroups && memory_is_autoallocate(*pcchGroups)))
        return SCARD_E_INVALID_PARAMETER;
    context = object_context(hContext);
    if (!context)
        return SCARD_E_INVALID_HANDLE;
    rc = list_groups(context, TEXT_UTF8, mszGroups, pcchGroups);
    object_put_context(context);
    return codes_from_rc(rc);
}

EXPORT_A(SCardListReaderGroups);

EXPORT LONG SCardListReaderGroupsW(SCARDCONTEXT hContext, LPWSTR mszGroups, LPDWORD pcchGroups)
{
    struct api_context *context;
    int rc;

    EXPORT_BEGIN;
    if (!pcchGroups || (!mszGroups && memory_is_autoallocate(*pcchGroups)))
        return SCARD_E_INVALID_PARAMETER;
    if (!card_type_enter(hContext, &context))
        return SCARD_E_INVALID_HANDLE;
    rc = list_groups(context, TEXT_UTF16, mszGroups, pcchGroups);
    card_type_leave(context);
    return codes_from_rc(rc);
}

EXPORT LONG scard_reader_fact(SCARDCONTEXT hContext, LPCSTR szReader, LPCSTR szKey, LPSTR szValue,
                              LPDWORD pcchValue)
{
    struct api_context *context;
    char *value = NULL;
    int rc;

    EXPORT_BEGIN;
    if (!szReader || !szKey || !pcchValue || (!szValue && memory_is_autoallocate(*pcchValue)))
        return SCARD_E_INVALID_PARAMETER;
    context = object_context(hContext);
    if (!context)
        return SCARD_E_INVALID_HANDLE;
    rc = facts_get(context, szReader, szKey, &value);
    if (!rc)
        rc = memory_give(context, value, strlen(value) + 1, 0, szValue, pcchValue);
    free(value);
    object_put_context(context);
    return codes_from_rc(rc);
}
