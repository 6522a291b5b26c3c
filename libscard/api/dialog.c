/* SPDX-License-Identifier: MIT */
#include "api/dialog.h"

#include <stdlib.h>
#include <string.h>

#include "api/export.h"

/* Why the last dialog of this thread failed. */
static __thread LONG extended_error;

/* What a dialog found, until it is in the caller's structure. */
struct result {
    char *reader, *card;
    SCARDHANDLE handle;
    DWORD protocol;
};

/* How the caller wants to be connected. */
struct connecting {
    union dialog_connect connect; /* NULL: by share and protocols; share 0: not at all */
    LPVOID user;
    DWORD share, protocols;
};

static void request_fini(struct dialog_request *request)
{
    free(request->title);
    free(request->description);
    free(request->groups);
    free(request->cards);
}

static size_t list_length(const char *list)
{
    size_t length = 0;

    while (list[length])
        length += strlen(list + length) + 1;
    return length + 1;
}

/* A copy of a text or multi-string in UTF-8; an empty list is none. */
static LONG take(enum text_form form, const void *text, bool list, char **ret_copy)
{
    int rc = RC_OK;
    size_t length;

    *ret_copy = NULL;
    if (!text)
        return SCARD_S_SUCCESS;
    if (form == TEXT_UTF16) {
        rc = list ? text_from_wide_list(text, ret_copy) : text_from_wide(text, ret_copy);
    } else {
        length = list ? list_length(text) : strlen(text) + 1;
        *ret_copy = malloc(length);
        rc = *ret_copy ? RC_OK : RC_NO_MEMORY;
        if (!rc)
            memcpy(*ret_copy, text, length);
    }
    if (!rc && list && !**ret_copy) {
        free(*ret_copy);
        *ret_copy = NULL;
    }
    return codes_from_rc(rc);
}

/* Puts a name into the caller's buffer of *room units; *room becomes what it takes. */
static LONG put(enum text_form form, const char *name, void *buffer, DWORD *room)
{
    size_t length = strlen(name) + 1, unit = 1;
    const void *units = name;
    WCHAR *wide = NULL;
    LONG code = SCARD_S_SUCCESS;

    if (!buffer)
        return SCARD_S_SUCCESS;
    if (form == TEXT_UTF16) {
        int rc = text_to_wide(name, length, &wide, &length);

        if (rc)
            return codes_from_rc(rc);
        units = wide;
        unit = sizeof *wide;
    }
    if (*room < length)
        code = SCARD_E_NO_MEMORY;
    else
        memcpy(buffer, units, length * unit);
    *room = length;
    free(wide);
    return code;
}

static LONG pick(const struct dialog_request *request, struct dialog_seats *seats, size_t *ret_chosen)
{
    bool silent = request->flags & SC_DLG_NO_UI;

    if (silent || (seats->fitting == 1 && !(request->flags & SC_DLG_FORCE_UI))) {
        for (*ret_chosen = 0; *ret_chosen < seats->count; (*ret_chosen)++)
            if (seats->seats[*ret_chosen].fits)
                return SCARD_S_SUCCESS;
        return SCARD_E_NO_SMARTCARD;
    }
    return dialog_ask(request, seats, ret_chosen);
}

/* Names that no card type has can never be found. */
static LONG look_for_names(const struct dialog_request *request)
{
    for (const char *card = request->cards; card && *card; card += strlen(card) + 1) {
        DWORD count = 0;

        if (SCardListInterfacesA(request->context, card, NULL, &count) == SCARD_S_SUCCESS)
            return SCARD_S_SUCCESS;
    }
    if (!request->cards)
        return SCARD_S_SUCCESS;
    extended_error = SCERR_NOCARDNAME;
    detail_set(0, "none of the card types that are looked for is in the database");
    return SCARD_E_UNKNOWN_CARD;
}

static LONG look_for_interfaces(const struct dialog_request *request)
{
    DWORD length = 0;
    LONG code;

    if (!request->interface_count)
        return SCARD_S_SUCCESS;
    code =
        SCardListCardsA(request->context, NULL, request->interfaces, request->interface_count, NULL, &length);
    if (code != SCARD_S_SUCCESS || length > 2)
        return code;
    extended_error = SCERR_NOGUIDS;
    detail_set(0, "no card type of the database has the interfaces that are looked for");
    return SCARD_E_UNKNOWN_CARD;
}

static LONG connect_chosen(const struct dialog_request *request, const struct connecting *connecting,
                           struct result *result)
{
    if (connecting->connect.utf8) {
        result->handle = dialog_call_connect(request, connecting->connect, connecting->user, result->reader);
        return SCARD_S_SUCCESS;
    }
    if (!connecting->share)
        return SCARD_S_SUCCESS;
    return SCardConnectA(request->context, result->reader, connecting->share,
                         connecting->protocols ? connecting->protocols : SCARD_PROTOCOL_ANY, &result->handle,
                         &result->protocol);
}

static LONG run(const struct dialog_request *request, const struct connecting *connecting,
                struct result *result)
{
    struct dialog_seats seats;
    size_t chosen = 0;
    LONG code = look_for_names(request);

    if (code == SCARD_S_SUCCESS)
        code = look_for_interfaces(request);
    if (code == SCARD_S_SUCCESS)
        code = dialog_look(request, &seats);
    if (code != SCARD_S_SUCCESS)
        return code;
    code = pick(request, &seats, &chosen);
    if (code == SCARD_S_SUCCESS) {
        result->reader = strdup(seats.seats[chosen].reader);
        result->card = strdup(seats.seats[chosen].card);
        code =
            result->reader && result->card ? connect_chosen(request, connecting, result) : SCARD_E_NO_MEMORY;
    }
    dialog_seats_fini(&seats);
    return code;
}

/* Where the caller's structure has its answers. */
struct answer {
    void *reader, *card;
    DWORD *reader_room, *card_room, *protocol;
    SCARDHANDLE *handle;
};

static LONG answer(const struct dialog_request *request, const struct connecting *connecting,
                   const struct answer *into)
{
    struct result result = {0};
    LONG code = run(request, connecting, &result), second;

    if (code == SCARD_S_SUCCESS) {
        code = put(request->form, result.reader, into->reader, into->reader_room);
        second = put(request->form, result.card, into->card, into->card_room);
        code = code == SCARD_S_SUCCESS ? second : code;
        if (code == SCARD_S_SUCCESS) {
            *into->handle = result.handle;
            *into->protocol = result.protocol;
        } else if (result.handle && !connecting->connect.utf8) {
            SCardDisconnect(result.handle, SCARD_LEAVE_CARD);
        }
    }
    free(result.reader);
    free(result.card);
    return code;
}

/* The structures of both forms have the same shape: texts are pointers, whatever to. */
_Static_assert(sizeof(OPENCARDNAME_EXA) == sizeof(OPENCARDNAME_EXW) &&
                   sizeof(OPENCARD_SEARCH_CRITERIAA) == sizeof(OPENCARD_SEARCH_CRITERIAW) &&
                   sizeof(OPENCARDNAMEA) == sizeof(OPENCARDNAMEW),
               "one function reads both forms");

static LONG take_criteria(struct dialog_request *request, const OPENCARD_SEARCH_CRITERIAA *criteria)
{
    LONG code;

    if (criteria->dwStructSize != sizeof *criteria ||
        (criteria->cguidInterfaces && !criteria->rgguidInterfaces))
        return SCARD_E_INVALID_PARAMETER;
    request->interfaces = criteria->rgguidInterfaces;
    request->interface_count = criteria->cguidInterfaces;
    request->check = criteria->lpfnCheck;
    request->check_connect.utf8 = criteria->lpfnConnect;
    request->check_disconnect = criteria->lpfnDisconnect;
    request->check_user = criteria->pvUserData;
    request->check_share = criteria->dwShareMode;
    request->check_protocols = criteria->dwPreferredProtocols;
    code = take(request->form, criteria->lpstrGroupNames, true, &request->groups);
    return code ? code : take(request->form, criteria->lpstrCardNames, true, &request->cards);
}

static LONG select_card(enum text_form form, OPENCARDNAME_EXA *dialog)
{
    struct dialog_request request = {.form = form};
    struct connecting connecting;
    LONG code;

    extended_error = 0;
    if (!dialog || dialog->dwStructSize != sizeof *dialog)
        return SCARD_E_INVALID_PARAMETER;
    request.context = dialog->hSCardContext;
    request.flags = dialog->dwFlags;
    connecting = (struct connecting){
        {dialog->lpfnConnect}, dialog->pvUserData, dialog->dwShareMode, dialog->dwPreferredProtocols};
    code = take(form, dialog->lpstrTitle, false, &request.title);
    if (code == SCARD_S_SUCCESS)
        code = take(form, dialog->lpstrSearchDesc, false, &request.description);
    if (code == SCARD_S_SUCCESS && dialog->pOpenCardSearchCriteria)
        code = take_criteria(&request, dialog->pOpenCardSearchCriteria);
    if (code == SCARD_S_SUCCESS)
        code = answer(&request, &connecting,
                      &(struct answer){dialog->lpstrRdr, dialog->lpstrCard, &dialog->nMaxRdr,
                                       &dialog->nMaxCard, &dialog->dwActiveProtocol, &dialog->hCardHandle});
    request_fini(&request);
    return code;
}

EXPORT LONG SCardUIDlgSelectCardA(LPOPENCARDNAME_EXA pDlgStruc)
{
    EXPORT_BEGIN;
    return select_card(TEXT_UTF8, pDlgStruc);
}

EXPORT LONG SCardUIDlgSelectCardW(LPOPENCARDNAME_EXW pDlgStruc)
{
    EXPORT_BEGIN;
    return select_card(TEXT_UTF16, (void *)pDlgStruc);
}

/* The older form: one connect function for trying and for the end. */
static LONG open_card(enum text_form form, OPENCARDNAMEA *dialog)
{
    struct dialog_request request = {.form = form};
    struct connecting connecting;
    LONG code;

    extended_error = 0;
    if (!dialog || dialog->dwStructSize != sizeof *dialog ||
        (dialog->cguidInterfaces && !dialog->rgguidInterfaces))
        return SCARD_E_INVALID_PARAMETER;
    request.context = dialog->hSCardContext;
    request.flags = dialog->dwFlags;
    request.interfaces = dialog->rgguidInterfaces;
    request.interface_count = dialog->cguidInterfaces;
    request.check = dialog->lpfnCheck;
    request.check_connect.utf8 = dialog->lpfnConnect;
    request.check_disconnect = dialog->lpfnDisconnect;
    request.check_user = dialog->pvUserData;
    request.check_share = dialog->dwShareMode;
    request.check_protocols = dialog->dwPreferredProtocols;
    connecting = (struct connecting){
        {dialog->lpfnConnect}, dialog->pvUserData, dialog->dwShareMode, dialog->dwPreferredProtocols};
    code = take(form, dialog->lpstrTitle, false, &request.title);
    if (code == SCARD_S_SUCCESS)
        code = take(form, dialog->lpstrGroupNames, true, &request.groups);
    if (code == SCARD_S_SUCCESS)
        code = take(form, dialog->lpstrCardNames, true, &request.cards);
    if (code == SCARD_S_SUCCESS)
        code = answer(&request, &connecting,
                      &(struct answer){dialog->lpstrRdr, dialog->lpstrCard, &dialog->nMaxRdr,
                                       &dialog->nMaxCard, &dialog->dwActiveProtocol, &dialog->hCardHandle});
    request_fini(&request);
    return code;
}

EXPORT LONG GetOpenCardNameA(LPOPENCARDNAMEA pOpenCardName)
{
    EXPORT_BEGIN;
    return open_card(TEXT_UTF8, pOpenCardName);
}

EXPORT LONG GetOpenCardNameW(LPOPENCARDNAMEW pOpenCardName)
{
    EXPORT_BEGIN;
    return open_card(TEXT_UTF16, (void *)pOpenCardName);
}

EXPORT LONG SCardDlgExtendedError(void)
{
    return extended_error;
}
