/* SPDX-License-Identifier: MIT */
/* The dialog's search: which readers hold a card that fits. */
#include <stdlib.h>
#include <string.h>

#include <scard.h>

#include "api/dialog.h"

/* In the caller's form; the functions' types let them write, so these are copies. */
static SCARDHANDLE call_wide(const struct dialog_request *request, LPOCNCONNPROCW connect, LPVOID user,
                             const char *reader, const char *cards, size_t cards_length)
{
    WCHAR *wide_reader = NULL, *wide_cards = NULL;
    SCARDHANDLE handle = 0;
    size_t count;

    if (!text_to_wide(reader, strlen(reader) + 1, &wide_reader, &count) &&
        !text_to_wide(cards, cards_length, &wide_cards, &count))
        handle = connect(request->context, wide_reader, wide_cards, user);
    free(wide_reader);
    free(wide_cards);
    return handle;
}

static SCARDHANDLE call_narrow(const struct dialog_request *request, LPOCNCONNPROCA connect, LPVOID user,
                               const char *reader, const char *cards, size_t cards_length)
{
    char *reader_copy = strdup(reader), *cards_copy = malloc(cards_length);
    SCARDHANDLE handle = 0;

    if (reader_copy && cards_copy) {
        memcpy(cards_copy, cards, cards_length);
        handle = connect(request->context, reader_copy, cards_copy, user);
    }
    free(reader_copy);
    free(cards_copy);
    return handle;
}

SCARDHANDLE dialog_call_connect(const struct dialog_request *request, LPOCNCONNPROCA connect, LPVOID user,
                                const char *reader)
{
    const char *cards = request->cards ? request->cards : "";
    size_t length = 0;

    while (cards[length])
        length += strlen(cards + length) + 1;
    if (request->form == TEXT_UTF8)
        return call_narrow(request, connect, user, reader, cards, length + 1);
    return call_wide(request, (LPOCNCONNPROCW)(void (*)(void))connect, user, reader, cards, length + 1);
}

/* Does the caller's own check take the card? */
static bool check(const struct dialog_request *request, const char *reader)
{
    const OPENCARD_SEARCH_CRITERIAA *by = &request->criteria;
    SCARDHANDLE handle = 0;
    DWORD protocol;
    bool good;

    if (!by->lpfnCheck)
        return true;
    if (by->lpfnConnect)
        handle = dialog_call_connect(request, by->lpfnConnect, by->pvUserData, reader);
    else if (SCardConnectA(request->context, reader, by->dwShareMode ? by->dwShareMode : SCARD_SHARE_SHARED,
                           by->dwPreferredProtocols ? by->dwPreferredProtocols : (DWORD)SCARD_PROTOCOL_ANY,
                           &handle, &protocol))
        handle = 0;
    if (!handle)
        return false;
    good = by->lpfnCheck(request->context, handle, by->pvUserData);
    if (by->lpfnDisconnect)
        by->lpfnDisconnect(request->context, handle, by->pvUserData);
    else
        SCardDisconnect(handle, SCARD_LEAVE_CARD);
    return good;
}

LONG dialog_take_names(dialog_names_fn *fn, void *user, char **ret_names)
{
    char *names = NULL, *grown;
    DWORD length = 0;
    LONG code;

    do {
        grown = realloc(names, length + !length);
        if (!grown) {
            free(names);
            return SCARD_E_NO_MEMORY;
        }
        names = grown;
        *names = '\0';
        code = fn(user, names, &length);
    } while (code == SCARD_E_INSUFFICIENT_BUFFER);
    if (code == SCARD_E_NO_READERS_AVAILABLE) {
        *names = '\0';
        code = SCARD_S_SUCCESS;
    }
    if (code == SCARD_S_SUCCESS)
        *ret_names = names;
    else
        free(names);
    return code;
}

/* What is asked about. */
struct question {
    const struct dialog_request *request;
    const BYTE *atr;
    const char *reader;
};

static LONG list_readers(void *user, LPSTR names, LPDWORD length)
{
    const struct question *question = user;

    return SCardListReadersA(question->request->context, question->request->groups, names, length);
}

static LONG list_types(void *user, LPSTR names, LPDWORD length)
{
    const struct question *question = user;
    const OPENCARD_SEARCH_CRITERIAA *by = &question->request->criteria;

    return SCardListCardsA(question->request->context, question->atr, by->rgguidInterfaces,
                           by->cguidInterfaces, names, length);
}

static LONG own_name(void *user, LPSTR name, LPDWORD length)
{
    const struct question *question = user;

    return scard_reader_own_name(question->request->context, question->reader, name, length);
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
    const OPENCARD_SEARCH_CRITERIAA *by = &request->criteria;
    bool any = !request->cards && !by->cguidInterfaces;
    const char *named = NULL;
    char *types = NULL;
    LONG code = dialog_take_names(list_types, &(struct question){request, .atr = state->rgbAtr}, &types);

    /* An ATR that cannot be parsed belongs to no type. */
    if (code != SCARD_S_SUCCESS && code != SCARD_E_INVALID_ATR)
        return code;
    for (const char *type = types; type && *type && !named; type += strlen(type) + 1)
        if (!request->cards || is_in(request->cards, type))
            named = type;
    seat->card = strdup(named ? named : "");
    seat->fits = seat->card && (any || named) && check(request, seat->reader);
    free(types);
    return seat->card ? SCARD_S_SUCCESS : SCARD_E_NO_MEMORY;
}

static const struct dialog_seat *same_card(const struct dialog_seats *before, const struct dialog_seat *seat)
{
    for (size_t i = 0; before && i < before->count; i++)
        if (!strcmp(before->seats[i].reader, seat->reader) && before->seats[i].comings == seat->comings &&
            before->seats[i].card)
            return &before->seats[i];
    return NULL;
}

static LONG look_at(const struct dialog_request *request, const struct dialog_seats *before,
                    struct dialog_seat *seat)
{
    SCARD_READERSTATE state = {.szReader = seat->reader};
    LONG code = SCardGetStatusChangeA(request->context, 0, &state, 1);
    const struct dialog_seat *same;

    if (code != SCARD_S_SUCCESS) /* gone meanwhile */
        return code == SCARD_E_UNKNOWN_READER || code == SCARD_E_TIMEOUT ? SCARD_S_SUCCESS : code;
    seat->comings = state.dwEventState >> 16;
    if (!(state.dwEventState & SCARD_STATE_PRESENT))
        return SCARD_S_SUCCESS;
    same = same_card(before, seat);
    if (!same && !(state.dwEventState & SCARD_STATE_MUTE))
        return judge(request, &state, seat);
    seat->card = strdup(same ? same->card : "");
    seat->fits = same && same->fits;
    return seat->card ? SCARD_S_SUCCESS : SCARD_E_NO_MEMORY;
}

/* Adds a seat for the reader, unless there is one by another name. */
static LONG add_seat(const struct dialog_request *request, const char *reader, struct dialog_seats *seats)
{
    struct dialog_seat *seat = &seats->seats[seats->count];
    char *own = NULL;
    LONG code = dialog_take_names(own_name, &(struct question){request, .reader = reader}, &own);

    if (code != SCARD_S_SUCCESS)
        return code == SCARD_E_UNKNOWN_READER ? SCARD_S_SUCCESS : code;
    for (size_t i = 0; i < seats->count; i++)
        if (!strcmp(seats->seats[i].own, own))
            goto out;
    seat->reader = strdup(reader);
    seat->own = strdup(own);
    seats->count++;
    if (!seat->reader || !seat->own)
        code = SCARD_E_NO_MEMORY;
out:
    free(own);
    return code;
}

static LONG look_at_all(const struct dialog_request *request, const char *readers,
                        const struct dialog_seats *before, struct dialog_seats *seats)
{
    LONG code = SCARD_S_SUCCESS;
    size_t count = 0;

    for (const char *reader = readers; *reader; reader += strlen(reader) + 1)
        count++;
    seats->seats = calloc(count + !count, sizeof *seats->seats);
    if (!seats->seats)
        return SCARD_E_NO_MEMORY;
    for (const char *reader = readers; *reader && !code; reader += strlen(reader) + 1)
        code = add_seat(request, reader, seats);
    for (size_t i = 0; i < seats->count && !code; i++) {
        code = look_at(request, before, &seats->seats[i]);
        seats->fitting += seats->seats[i].fits;
    }
    return code;
}

LONG dialog_look(const struct dialog_request *request, const struct dialog_seats *before,
                 struct dialog_seats *ret_seats)
{
    struct dialog_seats seats = {0};
    char *readers = NULL;
    LONG code = dialog_take_names(list_readers, &(struct question){.request = request}, &readers);

    if (code == SCARD_S_SUCCESS)
        code = look_at_all(request, readers, before, &seats);
    free(readers);
    if (code == SCARD_S_SUCCESS)
        *ret_seats = seats;
    else
        dialog_seats_fini(&seats);
    return code;
}

size_t dialog_first_fit(const struct dialog_seats *seats)
{
    size_t first = 0;

    while (!seats->seats[first].fits)
        first++;
    return first;
}

void dialog_seats_fini(struct dialog_seats *seats)
{
    for (size_t i = 0; i < seats->count; i++) {
        free(seats->seats[i].reader);
        free(seats->seats[i].own);
        free(seats->seats[i].card);
    }
    free(seats->seats);
    *seats = (struct dialog_seats){0};
}
