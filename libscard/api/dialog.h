/* SPDX-License-Identifier: MIT */
/*
 * The dialog that finds a card: SCardUIDlgSelectCard and GetOpenCardName, in either form of text, made one
 * request. It works by the public functions, on the caller's context.
 */
#ifndef API_DIALOG_H
#define API_DIALOG_H

#include <stdbool.h>
#include <winscard.h>

#include "api/text.h"

/* A connect function in the form of its caller. */
union dialog_connect {
    LPOCNCONNPROCA utf8;
    LPOCNCONNPROCW utf16;
};

struct dialog_request {
    SCARDCONTEXT context;
    enum text_form form;
    DWORD flags; /* SC_DLG_* */

    /* UTF-8, owned; NULL: none. groups and cards are multi-strings. */
    char *title, *description, *groups, *cards;
    LPCGUID interfaces;
    DWORD interface_count;

    /* Trying a card that fits so far. check NULL: every one will do. */
    LPOCNCHKPROC check;
    union dialog_connect check_connect; /* NULL: SCardConnect by share and protocols */
    LPOCNDSCPROC check_disconnect;      /* NULL: SCardDisconnect */
    LPVOID check_user;
    DWORD check_share, check_protocols;
};

/* A reader, and whether its card is one that is looked for. */
struct dialog_seat {
    char *reader;
    char *card; /* the first name of the card type; "" if it has none; NULL: no card in */
    bool fits;
    DWORD known; /* dwEventState, for waiting */
};

struct dialog_seats {
    struct dialog_seat *seats;
    size_t count;
    size_t fitting; /* how many fit */
};

/* Looks at all readers once. No reader is no failure. SCARD_* codes. */
LONG dialog_look(const struct dialog_request *request, struct dialog_seats *ret_seats);
void dialog_seats_fini(struct dialog_seats *seats);

/* Calls a connect function of the caller; 0 if it gives no handle. */
SCARDHANDLE dialog_call_connect(const struct dialog_request *request, union dialog_connect connect,
                                LPVOID user, const char *reader);

/* Asks on the controlling terminal until somebody chooses a card that fits, or puts the one card in that
 * does; *seats is what was seen last, *ret_chosen an index. SCARD_W_CANCELLED_BY_USER;
 * SCARD_E_UNSUPPORTED_FEATURE: no terminal. */
LONG dialog_ask(const struct dialog_request *request, struct dialog_seats *seats, size_t *ret_chosen);

#endif
