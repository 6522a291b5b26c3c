/* SPDX-License-Identifier: MIT */
/* Card handles: connect to status. */
#include <string.h>
#include <winscard.h>

#include "api/export.h"
#include "api/memory.h"
#include "api/object.h"

_Static_assert(SHARE_EXCLUSIVE == SCARD_SHARE_EXCLUSIVE && SHARE_SHARED == SCARD_SHARE_SHARED &&
                   SHARE_DIRECT == SCARD_SHARE_DIRECT && CARD_LEAVE == SCARD_LEAVE_CARD &&
                   CARD_RESET == SCARD_RESET_CARD && CARD_UNPOWER == SCARD_UNPOWER_CARD &&
                   CARD_EJECT == SCARD_EJECT_CARD && PROTOCOL_T0 == SCARD_PROTOCOL_T0 &&
                   PROTOCOL_T1 == SCARD_PROTOCOL_T1 && PROTOCOL_RAW == SCARD_PROTOCOL_RAW,
               "the manager's share modes, dispositions and protocols are those of PC/SC");
_Static_assert(CARD_ABSENT == SCARD_ABSENT && CARD_PRESENT == SCARD_PRESENT &&
                   CARD_SWALLOWED == SCARD_SWALLOWED && CARD_POWERED == SCARD_POWERED &&
                   CARD_NEGOTIABLE == SCARD_NEGOTIABLE && READER_NAME_MAX == MAX_READERNAME,
               "the manager's card states and names are those of PC/SC");

#define PROTOCOLS (SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1 | SCARD_PROTOCOL_RAW)

/* Order as pcsc-lite has it: the protocols first. */
static int check_mode(DWORD share, DWORD protocols)
{
    if (!(protocols & PROTOCOLS) && share != SCARD_SHARE_DIRECT)
        return RC_PROTO_MISMATCH;
    if (share < SCARD_SHARE_EXCLUSIVE || share > SCARD_SHARE_DIRECT)
        return RC_INVALID_VALUE;
    return RC_OK;
}

static int connect_reader(struct api_context *context, LPCSTR reader, DWORD share, DWORD protocols,
                          LPSCARDHANDLE ret_card, LPDWORD ret_protocol)
{
    const struct service_ops *ops = context_ops(context);
    struct service_handle *handle;
    uint32_t protocol;
    int rc = check_mode(share, protocols);

    if (!rc)
        rc = ops->connect(context->service, reader, (enum share_mode)share, (uint32_t)(protocols & PROTOCOLS),
                          &handle, &protocol);
    if (rc)
        return rc;
    rc = object_add_card(context, handle, NULL, ret_card);
    if (rc) {
        ops->disconnect(handle, CARD_LEAVE);
        ops->handle_free(handle);
        return rc;
    }
    if (ret_protocol)
        *ret_protocol = protocol;
    return RC_OK;
}

EXPORT LONG SCardConnect(SCARDCONTEXT hContext, LPCSTR szReader, DWORD dwShareMode,
                         DWORD dwPreferredProtocols, LPSCARDHANDLE phCard, LPDWORD pdwActiveProtocol)
{
    struct api_context *context;
    int rc;

    EXPORT_BEGIN;
    if (!phCard)
        return SCARD_E_INVALID_PARAMETER;
    *phCard = 0;
    if (pdwActiveProtocol)
        *pdwActiveProtocol = 0;
    if (!szReader)
        return SCARD_E_UNKNOWN_READER;
    if (strnlen(szReader, MAX_READERNAME + 1) > MAX_READERNAME)
        return SCARD_E_INVALID_VALUE;
    context = object_context(hContext);
    if (!context)
        return SCARD_E_INVALID_HANDLE;
    rc = connect_reader(context, szReader, dwShareMode, dwPreferredProtocols, phCard, pdwActiveProtocol);
    object_put_context(context);
    return codes_from_rc(rc);
}

EXPORT LONG SCardReconnect(SCARDHANDLE hCard, DWORD dwShareMode, DWORD dwPreferredProtocols,
                           DWORD dwInitialization, LPDWORD pdwActiveProtocol)
{
    struct api_card *card;
    uint32_t protocol;
    int rc;

    EXPORT_BEGIN;
    card = object_card(hCard);
    if (!card)
        return SCARD_E_INVALID_HANDLE;
    rc = dwInitialization > SCARD_UNPOWER_CARD ? RC_INVALID_VALUE
                                               : check_mode(dwShareMode, dwPreferredProtocols);
    if (!rc)
        rc = card_ops(card)->reconnect(card->service, (enum share_mode)dwShareMode,
                                       (uint32_t)(dwPreferredProtocols & PROTOCOLS),
                                       (enum disposition)dwInitialization, &protocol);
    if (!rc && pdwActiveProtocol)
        *pdwActiveProtocol = protocol;
    object_put_card(card);
    return codes_from_rc(rc);
}

EXPORT LONG SCardDisconnect(SCARDHANDLE hCard, DWORD dwDisposition)
{
    struct api_card *card;
    int rc = RC_INVALID_VALUE;

    EXPORT_BEGIN;
    card = object_card(hCard);
    if (!card)
        return SCARD_E_INVALID_HANDLE;
    if (dwDisposition <= SCARD_EJECT_CARD)
        rc = card_ops(card)->disconnect(card->service, (enum disposition)dwDisposition);
    if (!rc)
        object_close_card(card);
    object_put_card(card);
    return codes_from_rc(rc);
}

EXPORT LONG SCardBeginTransaction(SCARDHANDLE hCard)
{
    struct api_card *card;
    int rc;

    EXPORT_BEGIN;
    card = object_card(hCard);
    if (!card)
        return SCARD_E_INVALID_HANDLE;
    rc = card_ops(card)->begin(card->service);
    object_put_card(card);
    return codes_from_rc(rc);
}

EXPORT LONG SCardEndTransaction(SCARDHANDLE hCard, DWORD dwDisposition)
{
    struct api_card *card;
    int rc = RC_INVALID_VALUE;

    EXPORT_BEGIN;
    card = object_card(hCard);
    if (!card)
        return SCARD_E_INVALID_HANDLE;
    if (dwDisposition <= SCARD_EJECT_CARD)
        rc = card_ops(card)->end(card->service, (enum disposition)dwDisposition);
    object_put_card(card);
    return codes_from_rc(rc);
}

/* Hands out name and ATR; both lengths are stored even if one buffer is too short. A call that fails leaves
 * no block with the caller. */
static int give_status(struct api_card *card, const struct handle_status *status, LPSTR name,
                       LPDWORD name_length, LPBYTE atr, LPDWORD atr_length)
{
    bool name_is_block = name_length && memory_is_autoallocate(*name_length);
    bool atr_is_block = atr_length && memory_is_autoallocate(*atr_length);
    void *block;
    /* Windows gives a multi-string here: a second NUL follows where there is room, outside the length. */
    int rc = memory_give(card->context, status->reader, strlen(status->reader) + 1, 1, name, name_length);
    int atr_rc;

    if (rc && atr_is_block) {
        *atr_length = status->atr_length;
        return rc;
    }
    atr_rc = memory_give(card->context, status->atr, status->atr_length, 0, atr, atr_length);
    if (!rc && atr_rc && name_is_block) {
        memcpy(&block, name, sizeof block);
        memset(name, 0, sizeof block);
        memory_free(card->context, block);
    }
    return rc ? rc : atr_rc;
}

EXPORT LONG SCardStatus(SCARDHANDLE hCard, LPSTR szReaderName, LPDWORD pcchReaderLen, LPDWORD pdwState,
                        LPDWORD pdwProtocol, LPBYTE pbAtr, LPDWORD pcbAtrLen)
{
    DWORD name_room = pcchReaderLen ? *pcchReaderLen : 0, atr_room = pcbAtrLen ? *pcbAtrLen : 0;
    struct handle_status status;
    struct api_card *card;
    int rc;

    EXPORT_BEGIN;
    if ((!szReaderName && memory_is_autoallocate(name_room)) || (!pbAtr && memory_is_autoallocate(atr_room)))
        return SCARD_E_INVALID_PARAMETER;
    for (size_t i = 0; i < 4; i++) {
        LPDWORD outputs[] = {pdwState, pdwProtocol, pcchReaderLen, pcbAtrLen};

        if (outputs[i])
            *outputs[i] = 0;
    }
    card = object_card(hCard);
    if (!card)
        return SCARD_E_INVALID_HANDLE;
    rc = card_ops(card)->status(card->service, &status);
    if (!rc) {
        if (pdwState)
            *pdwState = status.state;
        if (pdwProtocol)
            *pdwProtocol = status.protocol;
        if (pcchReaderLen)
            *pcchReaderLen = name_room;
        if (pcbAtrLen)
            *pcbAtrLen = atr_room;
        rc = give_status(card, &status, szReaderName, pcchReaderLen, pbAtr, pcbAtrLen);
    }
    object_put_card(card);
    return codes_from_rc(rc);
}
