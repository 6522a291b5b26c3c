/* SPDX-License-Identifier: MIT */
/* Which reader has the card. */
#include <stdlib.h>
#include <string.h>

#include "api/catalog.h"
#include "api/export.h"
#include "api/status_change.h"
#include "api/text.h"

_Static_assert(sizeof((SCARD_ATRMASK){0}.rgbAtr) == DATABASE_ATR_MAX &&
                   sizeof((SCARD_ATRMASK){0}.rgbMask) == DATABASE_ATR_MAX,
               "a mask of the API is one of the database");

/* Does the card belong to what is looked for? */
typedef bool match_fn(const void *wanted, const uint8_t *atr, size_t atr_length);

/* As SCardGetStatusChange sees the readers now; time that has run out is no failure here. */
static int look(struct api_context *context, SCARD_READERSTATE *states, size_t count, match_fn *match,
                const void *wanted)
{
    int rc = status_change_wait(context, deadline_in_ms(0), states, count);

    if (rc && rc != RC_TIMEOUT)
        return rc;
    for (size_t i = 0; i < count; i++)
        if (!(states[i].dwCurrentState & SCARD_STATE_IGNORE) &&
            states[i].dwEventState & SCARD_STATE_PRESENT && states[i].cbAtr &&
            match(wanted, states[i].rgbAtr, states[i].cbAtr))
            states[i].dwEventState |= SCARD_STATE_ATRMATCH;
    return RC_OK;
}

/* Card types that are looked for, those of the names that are known. */
struct types {
    const struct database_card **cards;
    size_t count;
};

static bool matches_type(const void *wanted, const uint8_t *atr, size_t atr_length)
{
    const struct types *types = wanted;

    for (size_t i = 0; i < types->count; i++)
        if (database_card_matches(types->cards[i], atr, atr_length))
            return true;
    return false;
}

static int find_types(const struct database *database, const char *names, struct types *ret_types)
{
    struct types types = {0};
    size_t named = 0;

    for (const char *name = names; *name; name += strlen(name) + 1)
        named++;
    types.cards = calloc(named + !named, sizeof(struct database_card *));
    if (!types.cards)
        return RC_NO_MEMORY;
    for (const char *name = names; *name; name += strlen(name) + 1) {
        const struct database_card *card = database_card_find(database, name);

        if (card)
            types.cards[types.count++] = card;
    }
    if (!types.count) {
        free(types.cards);
        return detail_set(RC_UNKNOWN_CARD, "no card type is called '%s'%s", names,
                          named > 1 ? ", and none as the others that were given" : "");
    }
    *ret_types = types;
    return RC_OK;
}

static int locate(SCARDCONTEXT handle, const char *cards, SCARD_READERSTATE *states, size_t count)
{
    const struct database *database;
    struct api_context *context;
    struct types types;
    int rc = cards ? status_change_check(states, count) : RC_INVALID_PARAMETER;

    if (rc)
        return rc;
    context = object_context(handle);
    if (!context)
        return RC_INVALID_HANDLE;
    rc = catalog_get(&database);
    if (!rc) {
        rc = find_types(database, cards, &types);
        if (!rc) {
            rc = look(context, states, count, matches_type, &types);
            free(types.cards);
        }
        catalog_put(database);
    }
    object_put_context(context);
    return rc;
}

EXPORT LONG SCardLocateCards(SCARDCONTEXT hContext, LPCSTR mszCards, SCARD_READERSTATE *rgReaderStates,
                             DWORD cReaders)
{
    EXPORT_BEGIN;
    return codes_from_rc(locate(hContext, mszCards, rgReaderStates, cReaders));
}

EXPORT_A(SCardLocateCards);

EXPORT LONG SCardLocateCardsW(SCARDCONTEXT hContext, LPCWSTR mszCards, SCARD_READERSTATEW *rgReaderStates,
                              DWORD cReaders)
{
    TEXT_OWNED char *cards = NULL;
    SCARD_READERSTATE *states;
    int rc;

    EXPORT_BEGIN;
    rc = text_from_wide_list(mszCards, &cards);
    if (!rc)
        rc = status_change_from_wide(rgReaderStates, cReaders, &states);
    if (rc)
        return codes_from_rc(rc);
    rc = locate(hContext, cards, states, cReaders);
    status_change_to_wide(states, cReaders, rgReaderStates);
    return codes_from_rc(rc);
}

struct masks {
    const SCARD_ATRMASK *masks;
    size_t count;
};

static bool matches_mask(const void *wanted, const uint8_t *atr, size_t atr_length)
{
    const struct masks *masks = wanted;

    for (size_t i = 0; i < masks->count; i++) {
        struct database_card card = {.atr_length = masks->masks[i].cbAtr};

        memcpy(card.atr, masks->masks[i].rgbAtr, sizeof card.atr);
        memcpy(card.mask, masks->masks[i].rgbMask, sizeof card.mask);
        if (database_card_matches(&card, atr, atr_length))
            return true;
    }
    return false;
}

static int check_masks(const struct masks *masks)
{
    if (!masks->masks || !masks->count)
        return RC_INVALID_PARAMETER;
    for (size_t i = 0; i < masks->count; i++)
        if (masks->masks[i].cbAtr > DATABASE_ATR_MAX)
            return detail_set(RC_INVALID_VALUE, "mask %zu has an ATR of %lu bytes: more than %d cannot be", i,
                              (unsigned long)masks->masks[i].cbAtr, DATABASE_ATR_MAX);
    return RC_OK;
}

static int locate_by_atr(SCARDCONTEXT handle, const SCARD_ATRMASK *atr_masks, size_t mask_count,
                         SCARD_READERSTATE *states, size_t count)
{
    struct masks masks = {atr_masks, mask_count};
    struct api_context *context;
    int rc = check_masks(&masks);

    if (!rc)
        rc = status_change_check(states, count);
    if (rc)
        return rc;
    context = object_context(handle);
    if (!context)
        return RC_INVALID_HANDLE;
    rc = look(context, states, count, matches_mask, &masks);
    object_put_context(context);
    return rc;
}

EXPORT LONG SCardLocateCardsByATR(SCARDCONTEXT hContext, SCARD_ATRMASK *rgAtrMasks, DWORD cAtrs,
                                  SCARD_READERSTATE *rgReaderStates, DWORD cReaders)
{
    EXPORT_BEGIN;
    return codes_from_rc(locate_by_atr(hContext, rgAtrMasks, cAtrs, rgReaderStates, cReaders));
}

EXPORT_A(SCardLocateCardsByATR);

EXPORT LONG SCardLocateCardsByATRW(SCARDCONTEXT hContext, SCARD_ATRMASK *rgAtrMasks, DWORD cAtrs,
                                   SCARD_READERSTATEW *rgReaderStates, DWORD cReaders)
{
    SCARD_READERSTATE *states;
    int rc;

    EXPORT_BEGIN;
    rc = status_change_from_wide(rgReaderStates, cReaders, &states);
    if (rc)
        return codes_from_rc(rc);
    rc = locate_by_atr(hContext, rgAtrMasks, cAtrs, states, cReaders);
    status_change_to_wide(states, cReaders, rgReaderStates);
    return codes_from_rc(rc);
}
