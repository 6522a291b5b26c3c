/* SPDX-License-Identifier: MIT */
/*
 * A desk: the live PC/SC state that a series of commands works on - one context, at most one connected card,
 * its transaction. A shell or session keeps one over many commands; a one-shot program has one for its only
 * command. One thread at a time.
 *
 * All functions return SCARD_* codes, words by scard_error_detail().
 */
#ifndef CLI_DESK_H
#define CLI_DESK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <winscard.h>

#include "cli/explain/context.h"
#include "cli/interrupt.h"
#include "cli/pin_refused.h"

struct desk {
    struct interrupt *interrupt;   /* borrowed, may be NULL; watches this desk's context */
    SCARDCONTEXT context;          /* 0 = none */
    bool guest;                    /* the context is borrowed from another desk */
    SCARDHANDLE card;              /* 0 = not connected */
    char *reader;                  /* name of the connected reader; owned; NULL = not connected */
    DWORD share;                   /* of the connection */
    DWORD protocol;                /* active: SCARD_PROTOCOL_* or 0 */
    unsigned depth;                /* transactions begun and not ended */
    uint8_t channel;               /* logical channel that commands go to */
    enum explain_context selected; /* the application, as far as the exchanges tell */
    struct pin_refusals refusals;  /* of all cards, while the desk lives */
    bool used_secret; /* a secret was sent over this connection: it is worth a reset at the end */
};

void desk_init(struct desk *desk, struct interrupt *interrupt);

/* A second desk on the context of the first, for one connection beside it. The first must outlive it. */
void desk_init_guest(struct desk *desk, const struct desk *host);

/* Ends connection (LEAVE, or RESET after a secret) and, if not a guest, context. The desk can be used again.
 */
void desk_fini(struct desk *desk);

static inline bool desk_is_connected(const struct desk *desk)
{
    return desk->card != 0;
}

/* Opens the context; SCARD_S_SUCCESS at once if there is one. */
LONG desk_establish(struct desk *desk, DWORD scope);

/* Closes the context and all under it. */
LONG desk_release(struct desk *desk);

/* Connects; the desk must not be connected. reader is copied. */
LONG desk_connect(struct desk *desk, const char *reader, DWORD share, DWORD protocols);
LONG desk_reconnect(struct desk *desk, DWORD share, DWORD protocols, DWORD initialization);
LONG desk_disconnect(struct desk *desk, DWORD disposition);
LONG desk_begin(struct desk *desk);
LONG desk_end(struct desk *desk, DWORD disposition);

/* One exchange with the PCI of the active protocol. response: APDU_RESPONSE_MAX bytes of room. */
LONG desk_transmit(struct desk *desk, const uint8_t *command, size_t length, uint8_t *response,
                   size_t *ret_length);

#endif
