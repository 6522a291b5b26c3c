/* SPDX-License-Identifier: MIT */
/* The card cache (store/cache.h): what programs keep of cards for each other. */
#include "store/cache.h"

#include <stdlib.h>
#include <string.h>
#include <winscard.h>

#include "api/export.h"
#include "api/memory.h"
#include "api/object.h"
#include "api/text.h"

_Static_assert(sizeof(struct guid) == sizeof(UUID), "identifiers are copied as a whole");

static struct guid guid_of(const UUID *uuid)
{
    struct guid guid;

    memcpy(&guid, uuid, sizeof guid);
    return guid;
}

/* A call on the cache: the place, and the name in UTF-8. */
struct access {
    struct api_context *context;
    char *place, *copy;
    const char *name;
    struct guid card;
};

static void access_end(struct access *access)
{
    if (access->context)
        object_put_context(access->context);
    free(access->place);
    free(access->copy);
}

static int access_begin(struct access *access, SCARDCONTEXT handle, enum text_form form, const UUID *card,
                        const void *name)
{
    int rc = RC_OK;

    *access = (struct access){.card = guid_of(card), .name = name};
    if (form == TEXT_UTF16) {
        rc = text_from_wide(name, &access->copy);
        access->name = access->copy;
    }
    if (rc)
        return rc;
    access->context = object_context(handle);
    return access->context ? cache_place(&access->place) : RC_INVALID_HANDLE;
}

static LONG read_item(SCARDCONTEXT handle, enum text_form form, const UUID *card, DWORD freshness,
                      const void *name, PBYTE data, LPDWORD length)
{
    struct access access;
    uint8_t *value = NULL;
    size_t value_length = 0;
    int rc;

    if (!card || !name || !length || (!data && memory_is_autoallocate(*length)))
        return SCARD_E_INVALID_PARAMETER;
    rc = access_begin(&access, handle, form, card, name);
    if (!rc && freshness > UINT32_MAX)
        rc = detail_set(RC_INVALID_PARAMETER, "a freshness counter has 32 bits");
    if (!rc)
        rc = cache_read(access.place, &access.card, access.name, (uint32_t)freshness, &value, &value_length);
    if (!rc)
        rc = memory_give(access.context, value, value_length, 0, data, length);
    else if (rc == RC_NOT_FOUND || rc == RC_STALE)
        *length = 0;
    free(value);
    access_end(&access);
    return rc == RC_NOT_FOUND ? SCARD_W_CACHE_ITEM_NOT_FOUND : codes_from_rc(rc);
}

EXPORT LONG SCardReadCache(SCARDCONTEXT hContext, UUID *CardIdentifier, DWORD FreshnessCounter,
                           LPSTR LookupName, PBYTE Data, LPDWORD DataLen)
{
    EXPORT_BEGIN;
    return read_item(hContext, TEXT_UTF8, CardIdentifier, FreshnessCounter, LookupName, Data, DataLen);
}

EXPORT_A(SCardReadCache);

EXPORT LONG SCardReadCacheW(SCARDCONTEXT hContext, UUID *CardIdentifier, DWORD FreshnessCounter,
                            LPWSTR LookupName, PBYTE Data, LPDWORD DataLen)
{
    EXPORT_BEGIN;
    return read_item(hContext, TEXT_UTF16, CardIdentifier, FreshnessCounter, LookupName, Data, DataLen);
}

static LONG write_item(SCARDCONTEXT handle, enum text_form form, const UUID *card, DWORD freshness,
                       const void *name, const BYTE *data, DWORD length)
{
    struct access access;
    int rc;

    if (!card || !name || (!data && length))
        return SCARD_E_INVALID_PARAMETER;
    rc = access_begin(&access, handle, form, card, name);
    if (!rc && freshness > UINT32_MAX)
        rc = detail_set(RC_INVALID_PARAMETER, "a freshness counter has 32 bits");
    if (!rc)
        rc = cache_write(access.place, &access.card, access.name, (uint32_t)freshness, data, length);
    access_end(&access);
    return codes_from_rc(rc);
}

EXPORT LONG SCardWriteCache(SCARDCONTEXT hContext, UUID *CardIdentifier, DWORD FreshnessCounter,
                            LPSTR LookupName, PBYTE Data, DWORD DataLen)
{
    EXPORT_BEGIN;
    return write_item(hContext, TEXT_UTF8, CardIdentifier, FreshnessCounter, LookupName, Data, DataLen);
}

EXPORT_A(SCardWriteCache);

EXPORT LONG SCardWriteCacheW(SCARDCONTEXT hContext, UUID *CardIdentifier, DWORD FreshnessCounter,
                             LPWSTR LookupName, PBYTE Data, DWORD DataLen)
{
    EXPORT_BEGIN;
    return write_item(hContext, TEXT_UTF16, CardIdentifier, FreshnessCounter, LookupName, Data, DataLen);
}
