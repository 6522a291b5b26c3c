/* SPDX-License-Identifier: MIT */
#include "api/dialog.h"

#include <stdlib.h>
#include <string.h>

#include "api/export.h"

_Static_assert(sizeof(OPENCARDNAME_EXA) == sizeof(OPENCARDNAME_EXW) &&
                   sizeof(OPENCARD_SEARCH_CRITERIAA) == sizeof(OPENCARD_SEARCH_CRITERIAW) &&
                   sizeof(OPENCARDNAMEA) == sizeof(OPENCARDNAMEW),
               "one function reads both forms");

/* Why the last dialog of this thread failed. */
static __thread LONG extended_error;

static size_t list_length(const char *list)
{
    size_t length = 0;

    while (list[length])
        length += strlen(list + length) + 1;
    return length + 1;
}

/* A copy of a text or multi-string in UTF-8; an empty list is none. */
static int take(enum text_form form, const void *text, bool list, char **ret_copy)
{
    int rc = RC_OK;
    size_t length;

    *ret_copy = NULL;
    if (!text)
        return RC_OK;
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
    return rc;
}

static void request_fini(struct dialog_request *request)
{
    free(request->title);
    free(request->description);
    free(request->groups);
    free(request->cards);
}

static LONG request_init(struct dialog_request *request, enum text_form form, const OPENCARDNAME_EXA *dialog)
{
    const OPENCARD_SEARCH_CRITERIAA *criteria = dialog->pOpenCardSearchCriteria;
    int rc;

    *request =
        (struct dialog_request){.context = dialog->hSCardContext, .form = form, .flags = dialog->dwFlags};
    if (criteria && (criteria->dwStructSize != sizeof *criteria ||
                     (criteria->cguidInterfaces && !criteria->rgguidInterfaces)))
        return SCARD_E_INVALID_PARAMETER;
    if (criteria)
        request->criteria = *criteria;
    rc = take(form, dialog->lpstrTitle, false, &request->title);
    if (!rc)
        rc = take(form, dialog->lpstrSearchDesc, false, &request->description);
    if (!rc)
        rc = take(form, request->criteria.lpstrGroupNames, true, &request->groups);
    if (!rc)
        rc = take(form, request->criteria.lpstrCardNames, true, &request->cards);
    return codes_from_rc(rc);
}

/* Names that no card type has can never be found. */
static LONG look_for_names(const struct dialog_request *request)
{
    LONG code = SCARD_S_SUCCESS;

    for (const char *card = request->cards; card && *card; card += strlen(card) + 1) {
        DWORD count = 0;

        code = SCardListInterfacesA(request->context, card, NULL, &count);
        if (code != SCARD_E_UNKNOWN_CARD)
            return code;
    }
    if (code == SCARD_S_SUCCESS)
        return code;
    extended_error = SCERR_NOCARDNAME;
    detail_set(0, "none of the card types that are looked for is in the database; 'scard card introduce' "
                  "puts one in");
    return code;
}

static LONG look_for_interfaces(const struct dialog_request *request)
{
    const OPENCARD_SEARCH_CRITERIAA *criteria = &request->criteria;
    DWORD length = 0;
    LONG code;

    if (!criteria->cguidInterfaces)
        return SCARD_S_SUCCESS;
    code = SCardListCardsA(request->context, NULL, criteria->rgguidInterfaces, criteria->cguidInterfaces,
                           NULL, &length);
    if (code != SCARD_S_SUCCESS || length > 2)
        return code;
    extended_error = SCERR_NOGUIDS;
    detail_set(0, "no card type of the database has the interfaces that are looked for; 'scard card "
                  "introduce' puts one in");
    return SCARD_E_UNKNOWN_CARD;
}

static LONG choose(const struct dialog_request *request, struct dialog_seats *seats, size_t *ret_chosen)
{
    bool silent = request->flags & SC_DLG_NO_UI;

    if (!silent && (seats->fitting != 1 || request->flags & SC_DLG_FORCE_UI))
        return dialog_ask(request, seats, ret_chosen);
    if (!seats->fitting)
        return SCARD_E_NO_SMARTCARD;
    *ret_chosen = dialog_first_fit(seats);
    return SCARD_S_SUCCESS;
}

/* Puts a name into the caller's buffer (NULL: not wanted) of *room units; *room becomes what it takes. */
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

/* By share mode, unless the caller has a function for it; share mode 0: not at all. */
static LONG connect_to(const struct dialog_request *request, OPENCARDNAME_EXA *dialog, const char *reader)
{
    DWORD protocols = dialog->dwPreferredProtocols ? dialog->dwPreferredProtocols : (DWORD)SCARD_PROTOCOL_ANY;

    dialog->hCardHandle = 0;
    dialog->dwActiveProtocol = 0;
    if (dialog->lpfnConnect)
        dialog->hCardHandle = dialog_call_connect(request, dialog->lpfnConnect, dialog->pvUserData, reader);
    else if (dialog->dwShareMode)
        return SCardConnectA(request->context, reader, dialog->dwShareMode, protocols, &dialog->hCardHandle,
                             &dialog->dwActiveProtocol);
    return SCARD_S_SUCCESS;
}

/* The names first: where they do not fit, nothing is connected. */
static LONG answer(const struct dialog_request *request, OPENCARDNAME_EXA *dialog,
                   const struct dialog_seat *seat)
{
    LONG reader = put(request->form, seat->reader, dialog->lpstrRdr, &dialog->nMaxRdr);
    LONG card = put(request->form, seat->card, dialog->lpstrCard, &dialog->nMaxCard);

    if (reader != SCARD_S_SUCCESS || card != SCARD_S_SUCCESS)
        return reader != SCARD_S_SUCCESS ? reader : card;
    return connect_to(request, dialog, seat->reader);
}

static LONG select_card(enum text_form form, OPENCARDNAME_EXA *dialog)
{
    struct dialog_request request;
    struct dialog_seats seats = {0};
    size_t chosen = 0;
    LONG code;

    extended_error = 0;
    if (!dialog || dialog->dwStructSize != sizeof *dialog)
        return SCARD_E_INVALID_PARAMETER;
    code = request_init(&request, form, dialog);
    if (code == SCARD_S_SUCCESS)
        code = SCardIsValidContext(request.context);
    if (code == SCARD_S_SUCCESS)
        code = look_for_names(&request);
    if (code == SCARD_S_SUCCESS)
        code = look_for_interfaces(&request);
    if (code == SCARD_S_SUCCESS)
        code = dialog_look(&request, NULL, &seats);
    if (code == SCARD_S_SUCCESS)
        code = choose(&request, &seats, &chosen);
    if (code == SCARD_S_SUCCESS)
        code = answer(&request, dialog, &seats.seats[chosen]);
    dialog_seats_fini(&seats);
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

/* The older form is the newer one with the criteria in it, and one connect function for trying a card and for
 * the end. */
static LONG open_card(enum text_form form, OPENCARDNAMEA *dialog)
{
    OPENCARD_SEARCH_CRITERIAA criteria;
    OPENCARDNAME_EXA newer;
    LONG code;

    extended_error = 0;
    if (!dialog || dialog->dwStructSize != sizeof *dialog)
        return SCARD_E_INVALID_PARAMETER;
    criteria = (OPENCARD_SEARCH_CRITERIAA){.dwStructSize = sizeof criteria,
                                           .lpstrGroupNames = dialog->lpstrGroupNames,
                                           .rgguidInterfaces = dialog->rgguidInterfaces,
                                           .cguidInterfaces = dialog->cguidInterfaces,
                                           .lpstrCardNames = dialog->lpstrCardNames,
                                           .lpfnCheck = dialog->lpfnCheck,
                                           .lpfnConnect = dialog->lpfnConnect,
                                           .lpfnDisconnect = dialog->lpfnDisconnect,
                                           .pvUserData = dialog->pvUserData,
                                           .dwShareMode = dialog->dwShareMode,
                                           .dwPreferredProtocols = dialog->dwPreferredProtocols};
    newer = (OPENCARDNAME_EXA){.dwStructSize = sizeof newer,
                               .hSCardContext = dialog->hSCardContext,
                               .dwFlags = dialog->dwFlags,
                               .lpstrTitle = dialog->lpstrTitle,
                               .pOpenCardSearchCriteria = &criteria,
                               .lpfnConnect = dialog->lpfnConnect,
                               .pvUserData = dialog->pvUserData,
                               .dwShareMode = dialog->dwShareMode,
                               .dwPreferredProtocols = dialog->dwPreferredProtocols,
                               .lpstrRdr = dialog->lpstrRdr,
                               .nMaxRdr = dialog->nMaxRdr,
                               .lpstrCard = dialog->lpstrCard,
                               .nMaxCard = dialog->nMaxCard,
                               .dwActiveProtocol = dialog->dwActiveProtocol,
                               .hCardHandle = dialog->hCardHandle};
    code = select_card(form, &newer);
    dialog->nMaxRdr = newer.nMaxRdr;
    dialog->nMaxCard = newer.nMaxCard;
    dialog->dwActiveProtocol = newer.dwActiveProtocol;
    dialog->hCardHandle = newer.hCardHandle;
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
