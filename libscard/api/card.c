/* SPDX-License-Identifier: MIT */
/* Card handles: connect to status. */
#include <stdlib.h>
#include <string.h>
#include <winscard.h>

#include "api/catalog.h"
#include "api/export.h"
#include "api/memory.h"
#include "api/object.h"
#include "api/text.h"
#include "base/bytes.h"

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

/* By the name as it is first; then by what the database means. */
static int connect_by_any_name(struct api_context *context, LPCSTR reader, enum share_mode share,
                               uint32_t protocols, struct service_handle **ret_handle, uint32_t *ret_protocol)
{
    const struct service_ops *ops = context_ops(context);
    int rc = ops->connect(context->service, reader, share, protocols, ret_handle, ret_protocol);
    TEXT_OWNED char *own = NULL;

    if (rc != RC_UNKNOWN_READER)
        return rc;
    rc = catalog_own_name(context, reader, &own);
    return rc ? rc : ops->connect(context->service, own, share, protocols, ret_handle, ret_protocol);
}

static int connect_reader(struct api_context *context, LPCSTR reader, DWORD share, DWORD protocols,
                          LPSCARDHANDLE ret_card, LPDWORD ret_protocol)
{
    const struct service_ops *ops = context_ops(context);
    struct service_handle *handle;
    uint32_t protocol;
    int rc = check_mode(share, protocols);

    if (!rc)
        rc = connect_by_any_name(context, reader, (enum share_mode)share, (uint32_t)(protocols & PROTOCOLS),
                                 &handle, &protocol);
    if (rc)
        return rc;
    rc = object_add_card(context, handle, reader, ret_card);
    if (rc) {
        ops->disconnect(handle, CARD_LEAVE);
        ops->handle_free(handle);
        return rc;
    }
    if (ret_protocol)
        *ret_protocol = protocol;
    return RC_OK;
}

/* reader NULL: none was given. */
static LONG connect_handle(SCARDCONTEXT handle, LPCSTR reader, DWORD share, DWORD protocols,
                           LPSCARDHANDLE ret_card, LPDWORD ret_protocol)
{
    struct api_context *context;
    int rc;

    if (!reader)
        return SCARD_E_UNKNOWN_READER;
    if (strnlen(reader, MAX_READERNAME + 1) > MAX_READERNAME)
        return SCARD_E_INVALID_VALUE;
    context = object_context(handle);
    if (!context)
        return SCARD_E_INVALID_HANDLE;
    rc = connect_reader(context, reader, share, protocols, ret_card, ret_protocol);
    object_put_context(context);
    return codes_from_rc(rc);
}

EXPORT LONG SCardConnect(SCARDCONTEXT hContext, LPCSTR szReader, DWORD dwShareMode,
                         DWORD dwPreferredProtocols, LPSCARDHANDLE phCard, LPDWORD pdwActiveProtocol)
{
    EXPORT_BEGIN;
    if (!phCard)
        return SCARD_E_INVALID_PARAMETER;
    *phCard = 0;
    if (pdwActiveProtocol)
        *pdwActiveProtocol = 0;
    return connect_handle(hContext, szReader, dwShareMode, dwPreferredProtocols, phCard, pdwActiveProtocol);
}

EXPORT_A(SCardConnect);

EXPORT LONG SCardConnectW(SCARDCONTEXT hContext, LPCWSTR szReader, DWORD dwShareMode,
                          DWORD dwPreferredProtocols, LPSCARDHANDLE phCard, LPDWORD pdwActiveProtocol)
{
    TEXT_OWNED char *reader = NULL;
    int rc;

    EXPORT_BEGIN;
    if (!phCard)
        return SCARD_E_INVALID_PARAMETER;
    *phCard = 0;
    if (pdwActiveProtocol)
        *pdwActiveProtocol = 0;
    rc = text_from_wide(szReader, &reader);
    if (rc)
        return codes_from_rc(rc);
    return connect_handle(hContext, reader, dwShareMode, dwPreferredProtocols, phCard, pdwActiveProtocol);
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

/* All names of the handle's reader, the one that it was connected by first, as a multi-string. */
static int join_names(struct api_card *card, const char *own, struct buffer *names)
{
    TEXT_OWNED char *all = NULL;
    size_t length;
    int rc = catalog_names_of(card->context, own, &all, &length);

    if (rc && rc != RC_NO_READERS) /* it may have gone just now */
        return rc;
    rc = buffer_append(names, card->name, strlen(card->name) + 1);
    for (const char *name = all; name && *name && !rc; name += strlen(name) + 1)
        if (strcmp(name, card->name) != 0)
            rc = buffer_append(names, name, strlen(name) + 1);
    return rc ? rc : buffer_append(names, "", 1);
}

/* One name for UTF-8, as pcsc-lite has it; all for UTF-16, as Windows has it. */
static int give_name(struct api_card *card, const char *own, enum text_form form, void *name,
                     LPDWORD name_length)
{
    struct buffer names = {0};
    int rc;

    /* A second NUL follows where there is room, outside the length: whoever expects a multi-string has one.
     */
    if (form == TEXT_UTF8 || !(name || name_length))
        return memory_give(card->context, card->name, strlen(card->name) + 1, 1, name, name_length);
    rc = join_names(card, own, &names);
    if (!rc)
        rc = text_give(card->context, form, (const char *)names.data, names.length, name, name_length);
    buffer_fini(&names);
    if (rc && rc != RC_INSUFFICIENT_BUFFER && name_length)
        *name_length = 0;
    return rc;
}

/* Hands out name and ATR; both lengths are stored even if one buffer is too short. A call that fails leaves
 * no block with the caller. */
static int give_status(struct api_card *card, const struct handle_status *status, enum text_form form,
                       void *name, LPDWORD name_length, LPBYTE atr, LPDWORD atr_length)
{
    bool name_is_block = name_length && memory_is_autoallocate(*name_length);
    bool atr_is_block = atr_length && memory_is_autoallocate(*atr_length);
    void *block;
    int rc = give_name(card, status->reader, form, name, name_length);
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

static LONG get_status(SCARDHANDLE handle, enum text_form form, void *name, LPDWORD name_length,
                       LPDWORD state, LPDWORD protocol, LPBYTE atr, LPDWORD atr_length)
{
    DWORD name_room = name_length ? *name_length : 0, atr_room = atr_length ? *atr_length : 0;
    struct handle_status status;
    struct api_card *card;
    int rc;

    if ((!name && memory_is_autoallocate(name_room)) || (!atr && memory_is_autoallocate(atr_room)))
        return SCARD_E_INVALID_PARAMETER;
    for (size_t i = 0; i < 4; i++) {
        LPDWORD outputs[] = {state, protocol, name_length, atr_length};

        if (outputs[i])
            *outputs[i] = 0;
    }
    card = object_card(handle);
    if (!card)
        return SCARD_E_INVALID_HANDLE;
    rc = card_ops(card)->status(card->service, &status);
    if (!rc) {
        if (state)
            *state = status.state;
        if (protocol)
            *protocol = status.protocol;
        if (name_length)
            *name_length = name_room;
        if (atr_length)
            *atr_length = atr_room;
        rc = give_status(card, &status, form, name, name_length, atr, atr_length);
    }
    object_put_card(card);
    return codes_from_rc(rc);
}

EXPORT LONG SCardStatus(SCARDHANDLE hCard, LPSTR szReaderName, LPDWORD pcchReaderLen, LPDWORD pdwState,
                        LPDWORD pdwProtocol, LPBYTE pbAtr, LPDWORD pcbAtrLen)
{
    EXPORT_BEGIN;
    return get_status(hCard, TEXT_UTF8, szReaderName, pcchReaderLen, pdwState, pdwProtocol, pbAtr, pcbAtrLen);
}

EXPORT_A(SCardStatus);

EXPORT LONG SCardStatusW(SCARDHANDLE hCard, LPWSTR mszReaderNames, LPDWORD pcchReaderLen, LPDWORD pdwState,
                         LPDWORD pdwProtocol, LPBYTE pbAtr, LPDWORD pcbAtrLen)
{
    EXPORT_BEGIN;
    return get_status(hCard, TEXT_UTF16, mszReaderNames, pcchReaderLen, pdwState, pdwProtocol, pbAtr,
                      pcbAtrLen);
}
