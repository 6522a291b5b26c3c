/* SPDX-License-Identifier: MIT */
/* The dialog's search: which readers hold a card that fits. */
#include "api/dialog.h"

#include <stdlib.h>
#include <string.h>

SCARDHANDLE dialog_call_connect(const struct dialog_request *request, union dialog_connect connect,
                                LPVOID user, const char *reader)
{
    const char *cards = request->cards ? request->cards : "\0";
    size_t cards_length = 1;
    WCHAR *wide_reader = NULL, *wide_cards = NULL;
    char *reader_copy = NULL, *cards_copy = NULL;
    SCARDHANDLE handle = 0;
    size_t count;

    for (const char *card = cards; *card; card += strlen(card) + 1)
        cards_length += strlen(card) + 1;
    if (request->form == TEXT_UTF16) {
        if (!text_to_wide(reader, strlen(reader) + 1, &wide_reader, &count) &&
            !text_to_wide(cards, cards_length, &wide_cards, &count))
            handle = connect.utf16(request->context, wide_reader, wide_cards, user);
    } else {
        /* The function's type lets it write. */
        reader_copy = strdup(reader);
        cards_copy = malloc(cards_length);
        if (reader_copy && cards_copy) {
            memcpy(cards_copy, cards, cards_length);
            handle = connect.utf8(request->context, reader_copy, cards_copy, user);
        }
    }
    free(wide_reader);
    free(wide_cards);
    free(reader_copy);
    free(cards_copy);
    return handle;
}

/* Does the caller's own check take the card? */
static bool check(const struct dialog_request *request, const char *reader)
{
    SCARDHANDLE handle = 0;
    DWORD protocol;
    bool good;

    if (!request->check)
        return true;
    if (request->check_connect.utf8)
        handle = dialog_call_connect(request, request->check_connect, request->check_user, reader);
    else if (SCardConnectA(request->context, reader,
                           request->check_share ? request->check_share : SCARD_SHARE_SHARED,
                           request->check_protocols ? request->check_protocols : SCARD_PROTOCOL_ANY, &handle,
                           &protocol))
        handle = 0;
    if (!handle)
        return false;
    good = request->check(request->context, handle, request->check_user);
    if (request->check_disconnect)
        request->check_disconnect(request->context, handle, request->check_user);
    else
        SCardDisconnect(handle, SCARD_LEAVE_CARD);
    return good;
}

static bool is_in(const char *list, const char *name)
{
    for (; *list; list += strlen(list) + 1)
        if (!strcmp(list, name))
            return true;
    return false;
}

/* What a card is called, and whether it is one of those that are looked for. */
static LONG judge(const struct dialog_request *request, const SCARD_READERSTATE *state,
                  struct dialog_seat *seat)
{
    bool any = !request->cards && !request->interface_count;
    DWORD length = SCARD_AUTOALLOCATE;
    const char *named = NULL;
    LPSTR types = NULL;
    LONG code = SCardListCardsA(request->context, state->rgbAtr, any ? NULL : request->interfaces,
                                any ? 0 : request->interface_count, (LPSTR)&types, &length);

    /* An ATR that cannot be parsed belongs to no type. */
    if (code != SCARD_S_SUCCESS && code != SCARD_E_INVALID_ATR)
        return code;
    for (const char *type = types; type && *type && !named; type += strlen(type) + 1)
        if (!request->cards || is_in(request->cards, type))
            named = type;
    seat->card = strdup(named ? named : "");
    seat->fits = (any || named) && check(request, seat->reader);
    if (types)
        SCardFreeMemory(request->context, types);
    return seat->card ? SCARD_S_SUCCESS : SCARD_E_NO_MEMORY;
}

static LONG look_at(const struct dialog_request *request, const char *reader, struct dialog_seat *seat)
{
    SCARD_READERSTATE state = {.szReader = reader};
    LONG code = SCardGetStatusChangeA(request->context, 0, &state, 1);

    *seat = (struct dialog_seat){.reader = strdup(reader)};
    if (!seat->reader)
        return SCARD_E_NO_MEMORY;
    if (code != SCARD_S_SUCCESS) /* gone meanwhile */
        return code == SCARD_E_UNKNOWN_READER || code == SCARD_E_TIMEOUT ? SCARD_S_SUCCESS : code;
    seat->known = state.dwEventState & ~(DWORD)SCARD_STATE_CHANGED;
    if (!(state.dwEventState & SCARD_STATE_PRESENT) || state.dwEventState & SCARD_STATE_MUTE)
        return SCARD_S_SUCCESS;
    return judge(request, &state, seat);
}

static LONG look_at_all(const struct dialog_request *request, const char *readers, struct dialog_seats *seats)
{
    size_t count = 0;

    for (const char *reader = readers; *reader; reader += strlen(reader) + 1)
        count++;
    seats->seats = calloc(count ? count : 1, sizeof *seats->seats);
    if (!seats->seats)
        return SCARD_E_NO_MEMORY;
    for (const char *reader = readers; *reader; reader += strlen(reader) + 1) {
        struct dialog_seat *seat = &seats->seats[seats->count++];
        LONG code = look_at(request, reader, seat);

        if (code != SCARD_S_SUCCESS)
            return code;
        seats->fitting += seat->fits;
    }
    return SCARD_S_SUCCESS;
}

LONG dialog_look(const struct dialog_request *request, struct dialog_seats *ret_seats)
{
    struct dialog_seats seats = {0};
    DWORD length = SCARD_AUTOALLOCATE;
    LPSTR readers = NULL;
    LONG code = SCardListReadersA(request->context, request->groups, (LPSTR)&readers, &length);

    if (code == SCARD_E_NO_READERS_AVAILABLE)
        code = SCARD_S_SUCCESS;
    if (code == SCARD_S_SUCCESS && readers)
        code = look_at_all(request, readers, &seats);
    if (readers)
        SCardFreeMemory(request->context, readers);
    if (code == SCARD_S_SUCCESS)
        *ret_seats = seats;
    else
        dialog_seats_fini(&seats);
    return code;
}

void dialog_seats_fini(struct dialog_seats *seats)
{
    for (size_t i = 0; i < seats->count; i++) {
        free(seats->seats[i].reader);
        free(seats->seats[i].card);
    }
    free(seats->seats);
    *seats = (struct dialog_seats){0};
}
