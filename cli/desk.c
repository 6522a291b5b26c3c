/* SPDX-License-Identifier: MIT */
#include "cli/desk.h"

#include <stdlib.h>
#include <string.h>

#include "iso/apdu.h"

void desk_init(struct desk *desk, struct interrupt *interrupt)
{
    *desk = (struct desk){.interrupt = interrupt};
}

void desk_init_guest(struct desk *desk, const struct desk *host)
{
    *desk = (struct desk){.context = host->context, .guest = true};
}

/* After a reset nothing is selected, and only the basic channel is open. */
static void forget_state(struct desk *desk)
{
    desk->channel = 0;
    desk->selected = EXPLAIN_ISO;
}

static void forget_card(struct desk *desk)
{
    forget_state(desk);
    free(desk->reader);
    desk->reader = NULL;
    desk->card = 0;
    desk->share = 0;
    desk->protocol = 0;
    desk->depth = 0;
    desk->used_secret = false;
}

/* A reader that was plugged out counts its cards anew when it is back. */
static void note_loss(struct desk *desk, LONG code)
{
    if (code == SCARD_W_REMOVED_CARD || code == SCARD_E_READER_UNAVAILABLE || code == SCARD_E_UNKNOWN_READER)
        pin_refusals_fini(&desk->refusals);
}

void desk_fini(struct desk *desk)
{
    /* Whoever connects next must not find the card unlocked. */
    if (desk_is_connected(desk))
        desk_disconnect(desk, desk->used_secret ? SCARD_RESET_CARD : SCARD_LEAVE_CARD);
    pin_refusals_fini(&desk->refusals);
    if (desk->guest)
        desk->context = 0;
    else
        desk_release(desk);
}

LONG desk_establish(struct desk *desk, DWORD scope)
{
    SCARDCONTEXT context;
    LONG code;

    if (desk->context != 0)
        return SCARD_S_SUCCESS;
    code = SCardEstablishContext(scope, NULL, NULL, &context);
    if (code != SCARD_S_SUCCESS)
        return code;
    desk->context = context;
    if (desk->interrupt != NULL)
        interrupt_watch(desk->interrupt, context);
    return SCARD_S_SUCCESS;
}

LONG desk_release(struct desk *desk)
{
    SCARDCONTEXT context = desk->context;

    if (context == 0)
        return SCARD_S_SUCCESS;
    if (desk->interrupt != NULL)
        interrupt_watch(desk->interrupt, 0);
    forget_card(desk);
    desk->context = 0;
    return SCardReleaseContext(context);
}

LONG desk_connect(struct desk *desk, const char *reader, DWORD share, DWORD protocols)
{
    DWORD protocol = 0;
    SCARDHANDLE card;
    char *name = strdup(reader);
    LONG code;

    if (name == NULL)
        return SCARD_E_NO_MEMORY;
    code = SCardConnect(desk->context, reader, share, protocols, &card, &protocol);
    if (code != SCARD_S_SUCCESS) {
        free(name);
        return code;
    }
    forget_card(desk);
    desk->reader = name;
    desk->card = card;
    desk->share = share;
    desk->protocol = protocol;
    return SCARD_S_SUCCESS;
}

LONG desk_reconnect(struct desk *desk, DWORD share, DWORD protocols, DWORD initialization)
{
    /* A transaction does not outlive the card that it was on. */
    LONG before = SCardStatus(desk->card, NULL, NULL, NULL, NULL, NULL, NULL), code;
    bool removed = before == SCARD_W_REMOVED_CARD;
    DWORD protocol = 0;

    note_loss(desk, before);
    code = SCardReconnect(desk->card, share, protocols, initialization, &protocol);
    if (code == SCARD_S_SUCCESS) {
        if (removed)
            desk->depth = 0;
        desk->share = share;
        desk->protocol = protocol;
        if (initialization != SCARD_LEAVE_CARD)
            desk->used_secret = false;
        if (initialization != SCARD_LEAVE_CARD || removed)
            forget_state(desk);
    }
    return code;
}

LONG desk_disconnect(struct desk *desk, DWORD disposition)
{
    LONG code = SCardDisconnect(desk->card, disposition);

    /* A bad disposition leaves the handle as it was; after anything else there is no use in keeping it. */
    if (code != SCARD_E_INVALID_VALUE)
        forget_card(desk);
    return code;
}

LONG desk_begin(struct desk *desk)
{
    LONG code = SCardBeginTransaction(desk->card);

    note_loss(desk, code);
    if (code == SCARD_S_SUCCESS)
        desk->depth++;
    return code;
}

LONG desk_end(struct desk *desk, DWORD disposition)
{
    LONG code = SCardEndTransaction(desk->card, disposition);

    if (code == SCARD_S_SUCCESS && disposition != SCARD_LEAVE_CARD)
        forget_state(desk);
    if (code == SCARD_S_SUCCESS && desk->depth > 0)
        desk->depth--;
    else if (code == SCARD_E_NOT_TRANSACTED)
        desk->depth = 0;
    return code;
}

static const SCARD_IO_REQUEST *pci_of(DWORD protocol)
{
    switch (protocol) {
    case SCARD_PROTOCOL_T0:
        return SCARD_PCI_T0;
    case SCARD_PROTOCOL_RAW:
        return SCARD_PCI_RAW;
    default:
        return SCARD_PCI_T1;
    }
}

LONG desk_transmit(struct desk *desk, const uint8_t *command, size_t length, uint8_t *response,
                   size_t *ret_length)
{
    DWORD received = APDU_RESPONSE_MAX;
    LONG code = SCardTransmit(desk->card, pci_of(desk->protocol), command, length, NULL, response, &received);

    if (code == SCARD_S_SUCCESS)
        *ret_length = received;
    /* There was a card when this desk connected to it; who pulls it in the middle of a command is told so. */
    if (code == SCARD_E_NO_SMARTCARD && desk->share != SCARD_SHARE_DIRECT)
        code = SCARD_W_REMOVED_CARD;
    note_loss(desk, code);
    return code;
}
