/* SPDX-License-Identifier: MIT */
/* Card types: introduce, forget, list, interfaces. */
#include "api/card_type.h"

#include <stdlib.h>
#include <string.h>

#include "api/catalog.h"
#include "api/export.h"
#include "api/memory.h"
#include "api/text.h"
#include "base/bytes.h"
#include "iso/atr.h"
#include "store/name.h"

_Static_assert(sizeof(GUID) == sizeof(struct guid) && sizeof(GUID) == 16 &&
                   offsetof(GUID, Data4) == offsetof(struct guid, data4) &&
                   sizeof((SCARD_ATRMASK){0}.rgbAtr) == DATABASE_ATR_MAX,
               "GUIDs and ATRs of the database are those of the API");

int card_type_unknown(const char *name)
{
    return detail_set(RC_UNKNOWN_CARD, "no card type is called '%s'", name);
}

int card_type_unknown_in_scope(const struct api_context *context, const char *name)
{
    bool system = catalog_scope(context) == DATABASE_SYSTEM;
    const struct database *database;
    const struct database_card *card;
    int rc = catalog_get(&database);

    if (rc)
        return rc;
    card = database_card_find(database, name);
    rc = card ? detail_set(RC_UNKNOWN_CARD,
                           "'%s' is a card type of the %s (%s): use a context of SCARD_SCOPE_%s", name,
                           system ? "user" : "system", card->path, system ? "USER" : "SYSTEM")
              : card_type_unknown(name);
    catalog_put(database);
    return rc;
}

bool card_type_enter(SCARDCONTEXT handle, struct api_context **ret_context)
{
    *ret_context = handle ? object_context(handle) : NULL;
    return *ret_context || !handle;
}

void card_type_leave(struct api_context *context)
{
    if (context)
        object_put_context(context);
}

/* What the caller gave, as the store has it. The texts are borrowed. */
static int describe(const char *name, LPCGUID interfaces, DWORD interface_count, LPCBYTE atr, LPCBYTE mask,
                    DWORD atr_length, struct database_card *ret_card)
{
    struct database_card card = {.interface_count = interfaces ? interface_count : 0};
    size_t length = atr_length;
    int rc;

    if (!name_is_valid(name))
        return detail_set(RC_INVALID_PARAMETER,
                          "the name of a card type is 1 to %u bytes of UTF-8 without control characters",
                          NAME_MAX_BYTES);
    rc = length ? RC_OK : atr_measure(atr, &length);
    if (rc)
        return rc;
    if (length > DATABASE_ATR_MAX)
        return detail_set(RC_INVALID_ATR, "an ATR of %zu bytes: more than %d cannot be", length,
                          DATABASE_ATR_MAX);
    card.name = (char *)(uintptr_t)name;
    card.interfaces = (struct guid *)(uintptr_t)interfaces;
    card.atr_length = length;
    memcpy(card.atr, atr, length);
    memset(card.mask, 0xFF, sizeof card.mask);
    if (mask)
        memcpy(card.mask, mask, length);
    *ret_card = card;
    return RC_OK;
}

static int add_card(const struct api_context *context, LPCGUID provider, struct database_card *card)
{
    const struct database_place *place;
    char text[GUID_TEXT_MAX];
    int rc = catalog_place(&place);

    if (rc)
        return rc;
    if (provider) {
        struct guid guid;

        memcpy(&guid, provider, sizeof guid);
        guid_format(&guid, text);
        card->providers[PROVIDER_PRIMARY] = text;
    }
    card->scope = catalog_scope(context);
    return catalog_written(database_card_add(place, card), RC_INTERNAL);
}

static int introduce(SCARDCONTEXT handle, const char *name, LPCGUID provider, LPCGUID interfaces,
                     DWORD interface_count, LPCBYTE atr, LPCBYTE mask, DWORD atr_length)
{
    struct api_context *context;
    struct database_card card;
    int rc;

    if (!name || !atr)
        return RC_INVALID_PARAMETER;
    context = object_context(handle);
    if (!context)
        return RC_INVALID_HANDLE;
    rc = describe(name, interfaces, interface_count, atr, mask, atr_length, &card);
    if (!rc)
        rc = add_card(context, provider, &card);
    object_put_context(context);
    return rc;
}

EXPORT LONG SCardIntroduceCardType(SCARDCONTEXT hContext, LPCSTR szCardName, LPCGUID pguidPrimaryProvider,
                                   LPCGUID rgguidInterfaces, DWORD dwInterfaceCount, LPCBYTE pbAtr,
                                   LPCBYTE pbAtrMask, DWORD cbAtrLen)
{
    EXPORT_BEGIN;
    return codes_from_rc(introduce(hContext, szCardName, pguidPrimaryProvider, rgguidInterfaces,
                                   dwInterfaceCount, pbAtr, pbAtrMask, cbAtrLen));
}

EXPORT_A(SCardIntroduceCardType);

EXPORT LONG SCardIntroduceCardTypeW(SCARDCONTEXT hContext, LPCWSTR szCardName, LPCGUID pguidPrimaryProvider,
                                    LPCGUID rgguidInterfaces, DWORD dwInterfaceCount, LPCBYTE pbAtr,
                                    LPCBYTE pbAtrMask, DWORD cbAtrLen)
{
    TEXT_OWNED char *name = NULL;
    int rc;

    EXPORT_BEGIN;
    rc = text_from_wide(szCardName, &name);
    if (!rc)
        rc = introduce(hContext, name, pguidPrimaryProvider, rgguidInterfaces, dwInterfaceCount, pbAtr,
                       pbAtrMask, cbAtrLen);
    return codes_from_rc(rc);
}

static int forget(SCARDCONTEXT handle, const char *name)
{
    const struct database_place *place;
    struct api_context *context;
    int rc;

    if (!name)
        return RC_INVALID_PARAMETER;
    context = object_context(handle);
    if (!context)
        return RC_INVALID_HANDLE;
    rc = catalog_place(&place);
    if (!rc)
        rc = catalog_written(database_card_remove(place, catalog_scope(context), name), RC_UNKNOWN_CARD);
    if (rc == RC_UNKNOWN_CARD)
        rc = card_type_unknown_in_scope(context, name);
    object_put_context(context);
    return rc;
}

EXPORT LONG SCardForgetCardType(SCARDCONTEXT hContext, LPCSTR szCardName)
{
    EXPORT_BEGIN;
    return codes_from_rc(forget(hContext, szCardName));
}

EXPORT_A(SCardForgetCardType);

EXPORT LONG SCardForgetCardTypeW(SCARDCONTEXT hContext, LPCWSTR szCardName)
{
    TEXT_OWNED char *name = NULL;
    int rc;

    EXPORT_BEGIN;
    rc = text_from_wide(szCardName, &name);
    return codes_from_rc(rc ? rc : forget(hContext, name));
}

static bool has_interface(const struct database_card *card, const GUID *wanted)
{
    for (size_t i = 0; i < card->interface_count; i++)
        if (!memcmp(&card->interfaces[i], wanted, sizeof *wanted))
            return true;
    return false;
}

static bool has_interfaces(const struct database_card *card, LPCGUID wanted, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!has_interface(card, &wanted[i]))
            return false;
    return true;
}

/* Does an entry of the user's stand in front of this one of the system's? The user's are the first. */
static bool is_covered(const struct database *database, const struct database_card *card)
{
    for (const struct database_card *own = database->cards;
         own < card && own->scope == DATABASE_USER && card->scope == DATABASE_SYSTEM; own++)
        if (!strcmp(own->name, card->name))
            return true;
    return false;
}

/* atr NULL: of any card. */
static int find_cards(const uint8_t *atr, size_t atr_length, LPCGUID interfaces, size_t count,
                      struct buffer *names)
{
    const struct database *database;
    int rc = catalog_get(&database);

    if (rc)
        return rc;
    for (size_t i = 0; i < database->card_count && !rc; i++) {
        const struct database_card *card = &database->cards[i];

        if ((atr && !database_card_matches(card, atr, atr_length)) ||
            !has_interfaces(card, interfaces, count))
            continue;
        if (is_covered(database, card))
            continue;
        rc = buffer_append(names, card->name, strlen(card->name) + 1);
    }
    catalog_put(database);
    if (!rc)
        rc = buffer_append(names, "", 1);
    return rc;
}

static int list_cards(SCARDCONTEXT handle, LPCBYTE atr, LPCGUID interfaces, DWORD count, enum text_form form,
                      void *cards, LPDWORD length)
{
    struct api_context *context;
    struct buffer names = {0};
    size_t atr_length = 0;
    int rc;

    if (!length || (!cards && memory_is_autoallocate(*length)))
        return RC_INVALID_PARAMETER;
    if (!card_type_enter(handle, &context))
        return RC_INVALID_HANDLE;
    rc = atr ? atr_measure(atr, &atr_length) : RC_OK;
    if (!rc)
        rc = find_cards(atr, atr_length, interfaces, interfaces ? count : 0, &names);
    if (!rc)
        rc = text_give(context, form, (const char *)names.data, names.length, cards, length);
    buffer_fini(&names);
    card_type_leave(context);
    return rc;
}

EXPORT LONG SCardListCards(SCARDCONTEXT hContext, LPCBYTE pbAtr, LPCGUID rgguidInterfaces,
                           DWORD cguidInterfaceCount, LPSTR mszCards, LPDWORD pcchCards)
{
    EXPORT_BEGIN;
    return codes_from_rc(
        list_cards(hContext, pbAtr, rgguidInterfaces, cguidInterfaceCount, TEXT_UTF8, mszCards, pcchCards));
}

EXPORT_A(SCardListCards);

EXPORT LONG SCardListCardsW(SCARDCONTEXT hContext, LPCBYTE pbAtr, LPCGUID rgguidInterfaces,
                            DWORD cguidInterfaceCount, LPWSTR mszCards, LPDWORD pcchCards)
{
    EXPORT_BEGIN;
    return codes_from_rc(
        list_cards(hContext, pbAtr, rgguidInterfaces, cguidInterfaceCount, TEXT_UTF16, mszCards, pcchCards));
}

static int list_interfaces(SCARDCONTEXT handle, const char *name, LPGUID interfaces, LPDWORD count)
{
    const struct database *database;
    const struct database_card *card;
    struct api_context *context;
    int rc;

    if (!name || !count || (!interfaces && memory_is_autoallocate(*count)))
        return RC_INVALID_PARAMETER;
    if (!card_type_enter(handle, &context))
        return RC_INVALID_HANDLE;
    rc = catalog_get(&database);
    if (!rc) {
        card = database_card_find(database, name);
        rc = card ? memory_give_items(context, card->interfaces, card->interface_count, sizeof *interfaces,
                                      interfaces, count)
                  : card_type_unknown(name);
        catalog_put(database);
    }
    card_type_leave(context);
    return rc;
}

EXPORT LONG SCardListInterfaces(SCARDCONTEXT hContext, LPCSTR szCard, LPGUID pguidInterfaces,
                                LPDWORD pcguidInterfaces)
{
    EXPORT_BEGIN;
    return codes_from_rc(list_interfaces(hContext, szCard, pguidInterfaces, pcguidInterfaces));
}

EXPORT_A(SCardListInterfaces);

EXPORT LONG SCardListInterfacesW(SCARDCONTEXT hContext, LPCWSTR szCard, LPGUID pguidInterfaces,
                                 LPDWORD pcguidInterfaces)
{
    TEXT_OWNED char *name = NULL;
    int rc;

    EXPORT_BEGIN;
    rc = text_from_wide(szCard, &name);
    return codes_from_rc(rc ? rc : list_interfaces(hContext, name, pguidInterfaces, pcguidInterfaces));
}
