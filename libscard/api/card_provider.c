/* SPDX-License-Identifier: MIT */
/* The providers of card types. */
#include <stdlib.h>
#include <string.h>

#include "api/card_type.h"
#include "api/catalog.h"
#include "api/export.h"
#include "api/memory.h"
#include "api/text.h"
#include "store/name.h"

/* Which of the store's a number is; PROVIDER_COUNT: none. */
static enum database_provider provider_of(DWORD id)
{
    /* Programs that keep the number in an int have it with the sign in front. */
    switch ((uint32_t)id) {
    case SCARD_PROVIDER_PRIMARY:
        return PROVIDER_PRIMARY;
    case SCARD_PROVIDER_CSP:
        return PROVIDER_CSP;
    case SCARD_PROVIDER_KSP:
        return PROVIDER_KSP;
    case SCARD_PROVIDER_CARD_MODULE:
        return PROVIDER_MODULE;
    default:
        return PROVIDER_COUNT;
    }
}

/* The text, borrowed from the database. RC_UNKNOWN_CARD; RC_NOT_FOUND: it has none. */
static int find_provider(const struct database *database, const char *name, enum database_provider provider,
                         const char **ret_text)
{
    const struct database_card *card = database_card_find(database, name);

    if (!card)
        return card_type_unknown(name);
    if (!card->providers[provider])
        return detail_set(RC_NOT_FOUND,
                          "the card type '%s' has no such provider: SCardSetCardTypeProviderName sets it",
                          name);
    *ret_text = card->providers[provider];
    return RC_OK;
}

static int get_id(SCARDCONTEXT handle, const char *name, LPGUID id)
{
    const struct database *database;
    struct api_context *context;
    const char *text = NULL;
    struct guid guid;
    int rc;

    if (!name || !id)
        return RC_INVALID_PARAMETER;
    context = object_context(handle);
    if (!context)
        return RC_INVALID_HANDLE;
    rc = catalog_get(&database);
    if (!rc) {
        rc = find_provider(database, name, PROVIDER_PRIMARY, &text);
        if (!rc)
            rc = guid_parse(text, &guid);
        if (!rc)
            memcpy(id, &guid, sizeof *id);
        catalog_put(database);
    }
    object_put_context(context);
    return rc;
}

EXPORT LONG SCardGetProviderId(SCARDCONTEXT hContext, LPCSTR szCard, LPGUID pguidProviderId)
{
    EXPORT_BEGIN;
    return codes_from_rc(get_id(hContext, szCard, pguidProviderId));
}

EXPORT_A(SCardGetProviderId);

EXPORT LONG SCardGetProviderIdW(SCARDCONTEXT hContext, LPCWSTR szCard, LPGUID pguidProviderId)
{
    TEXT_OWNED char *name = NULL;
    int rc;

    EXPORT_BEGIN;
    rc = text_from_wide(szCard, &name);
    return codes_from_rc(rc ? rc : get_id(hContext, name, pguidProviderId));
}

static int get_name(SCARDCONTEXT handle, const char *name, DWORD id, enum text_form form, void *value,
                    LPDWORD length)
{
    enum database_provider provider = provider_of(id);
    const struct database *database;
    struct api_context *context;
    const char *text = NULL;
    int rc;

    if (!name || !length || (!value && memory_is_autoallocate(*length)) || provider == PROVIDER_COUNT)
        return RC_INVALID_PARAMETER;
    if (!card_type_enter(handle, &context))
        return RC_INVALID_HANDLE;
    rc = catalog_get(&database);
    if (!rc) {
        rc = find_provider(database, name, provider, &text);
        if (!rc)
            rc = text_give(context, form, text, strlen(text) + 1, value, length);
        catalog_put(database);
    }
    card_type_leave(context);
    return rc;
}

EXPORT LONG SCardGetCardTypeProviderName(SCARDCONTEXT hContext, LPCSTR szCardName, DWORD dwProviderId,
                                         LPSTR szProvider, LPDWORD pcchProvider)
{
    EXPORT_BEGIN;
    return codes_from_rc(get_name(hContext, szCardName, dwProviderId, TEXT_UTF8, szProvider, pcchProvider));
}

EXPORT_A(SCardGetCardTypeProviderName);

EXPORT LONG SCardGetCardTypeProviderNameW(SCARDCONTEXT hContext, LPCWSTR szCardName, DWORD dwProviderId,
                                          LPWSTR szProvider, LPDWORD pcchProvider)
{
    TEXT_OWNED char *name = NULL;
    int rc;

    EXPORT_BEGIN;
    rc = text_from_wide(szCardName, &name);
    if (!rc)
        rc = get_name(hContext, name, dwProviderId, TEXT_UTF16, szProvider, pcchProvider);
    return codes_from_rc(rc);
}

static int write_name(const struct api_context *context, const char *name, enum database_provider provider,
                      const char *value)
{
    const struct database_place *place;
    char text[GUID_TEXT_MAX];
    struct guid guid;
    int rc;

    if (!name_is_valid(value))
        return detail_set(RC_INVALID_PARAMETER,
                          "a provider is 1 to %u bytes of UTF-8 without control characters", NAME_MAX_BYTES);
    if (provider == PROVIDER_PRIMARY) {
        rc = guid_parse(value, &guid);
        if (rc)
            return detail_set(rc, "the primary provider is a GUID as text, such as "
                                  "{01234567-89AB-CDEF-0123-456789ABCDEF}");
        guid_format(&guid, text);
        value = text;
    }
    rc = catalog_place(&place);
    if (rc)
        return rc;
    rc = catalog_written(database_card_set_provider(place, catalog_scope(context), name, provider, value),
                         RC_UNKNOWN_CARD);
    return rc == RC_UNKNOWN_CARD ? card_type_unknown_in_scope(context, name) : rc;
}

static int set_name(SCARDCONTEXT handle, const char *name, DWORD id, const char *value)
{
    enum database_provider provider = provider_of(id);
    struct api_context *context;
    int rc;

    if (!name || !value || provider == PROVIDER_COUNT)
        return RC_INVALID_PARAMETER;
    if (!card_type_enter(handle, &context))
        return RC_INVALID_HANDLE;
    rc = write_name(context, name, provider, value);
    card_type_leave(context);
    return rc;
}

EXPORT LONG SCardSetCardTypeProviderName(SCARDCONTEXT hContext, LPCSTR szCardName, DWORD dwProviderId,
                                         LPCSTR szProvider)
{
    EXPORT_BEGIN;
    return codes_from_rc(set_name(hContext, szCardName, dwProviderId, szProvider));
}

EXPORT_A(SCardSetCardTypeProviderName);

EXPORT LONG SCardSetCardTypeProviderNameW(SCARDCONTEXT hContext, LPCWSTR szCardName, DWORD dwProviderId,
                                          LPCWSTR szProvider)
{
    TEXT_OWNED char *name = NULL, *provider = NULL;
    int rc;

    EXPORT_BEGIN;
    rc = text_from_wide(szCardName, &name);
    if (!rc)
        rc = text_from_wide(szProvider, &provider);
    return codes_from_rc(rc ? rc : set_name(hContext, name, dwProviderId, provider));
}
