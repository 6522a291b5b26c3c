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

/* The structures of both forms have the same shape, texts and functions that take some being pointers: they
 * are read as those of A. */
struct dialog_request {
    SCARDCONTEXT context;
    enum text_form form;
    DWORD flags; /* SC_DLG_* */

    /* UTF-8, owned; NULL: none. groups and cards are multi-strings. */
    char *title, *description, *groups, *cards;

    /* The caller's, but for the texts; all 0 when there are none. lpfnCheck NULL: every card will do;
     * lpfnConnect NULL: SCardConnect by share mode and protocols; lpfnDisconnect NULL: SCardDisconnect. */
    OPENCARD_SEARCH_CRITERIAA criteria;
};

/* A reader, and whether its card is one that is looked for. */
struct dialog_seat {
    char *reader;
    char *own;  /* the same for all names of a reader */
    char *card; /* the first name of the card type; "" if it has none; NULL: no card in */
    bool fits;
    DWORD comings; /* counts insertions and removals */
};

struct dialog_seats {
    struct dialog_seat *seats;
    size_t count;
    size_t fitting; /* how many fit */
};

/* The multi-string that a function gives, in a new block: the blocks of a context go when somebody releases
 * it. No readers: "". */
typedef LONG dialog_names_fn(void *user, LPSTR names, LPDWORD length);
LONG dialog_take_names(dialog_names_fn *fn, void *user, char **ret_names);

/* Looks at each reader once, whatever names it has. A card that was there before (may be NULL) is not tried
 * again: to try it is seen by others, and by the dialog itself. No reader is no failure. SCARD_* codes. */
LONG dialog_look(const struct dialog_request *request, const struct dialog_seats *before,
                 struct dialog_seats *ret_seats);
void dialog_seats_fini(struct dialog_seats *seats);

/* Calls a connect function of the caller, in the request's form; 0 if it gives no handle. */
SCARDHANDLE dialog_call_connect(const struct dialog_request *request, LPOCNCONNPROCA connect, LPVOID user,
                                const char *reader);

/* The first seat that fits; there is one. */
size_t dialog_first_fit(const struct dialog_seats *seats);

/* Asks on the controlling terminal until somebody chooses a card that fits, or puts the one card in that
 * does; *seats is what was seen last, *ret_chosen an index. SCARD_W_CANCELLED_BY_USER;
 * SCARD_E_CANCELLED: the context was cancelled or released; SCARD_E_UNSUPPORTED_FEATURE: no terminal. */
LONG dialog_ask(const struct dialog_request *request, struct dialog_seats *seats, size_t *ret_chosen);

#endif
