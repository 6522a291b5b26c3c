/* SPDX-License-Identifier: MIT */
/* Talking to card and reader: transmit, control, attributes. */
#include <stdlib.h>
#include <winscard.h>

#include "api/export.h"
#include "api/memory.h"
#include "api/object.h"
#include "base/bytes.h"

#define PROTOCOL_ANY_OLD 0x1000 /* pcsc-lite takes it as "the active one" */

/* CM_IOCTL_GET_FEATURE_REQUEST, and its number on Windows. */
#define FEATURE_REQUEST 0x42000D48
#define FEATURE_REQUEST_WINDOWS 0x00313520

static int transmit(struct api_card *card, const SCARD_IO_REQUEST *send_pci, LPCBYTE command,
                    DWORD command_length, LPBYTE response, LPDWORD response_length)
{
    size_t room = *response_length, received = 0;
    unsigned long protocol = send_pci->dwProtocol;
    int rc;

    if (command_length > MAX_BUFFER_SIZE_EXTENDED)
        return RC_INSUFFICIENT_BUFFER;
    *response_length = 0;
    if (!command_length)
        return RC_INVALID_PARAMETER;
    if (protocol == PROTOCOL_ANY_OLD)
        protocol = SCARD_PROTOCOL_RAW;
    if (protocol != SCARD_PROTOCOL_T0 && protocol != SCARD_PROTOCOL_T1 && protocol != SCARD_PROTOCOL_RAW)
        return RC_PROTO_MISMATCH;
    rc = card_ops(card)->transmit(card->service, (uint32_t)protocol, command, command_length, response, room,
                                  &received);
    if (rc == RC_OK || rc == RC_INSUFFICIENT_BUFFER)
        *response_length = received;
    return rc;
}

EXPORT LONG SCardTransmit(SCARDHANDLE hCard, const SCARD_IO_REQUEST *pioSendPci, LPCBYTE pbSendBuffer,
                          DWORD cbSendLength, SCARD_IO_REQUEST *pioRecvPci, LPBYTE pbRecvBuffer,
                          LPDWORD pcbRecvLength)
{
    struct api_card *card;
    int rc;

    EXPORT_BEGIN;
    if (!pioSendPci || !pbSendBuffer || !pbRecvBuffer || !pcbRecvLength ||
        memory_is_autoallocate(*pcbRecvLength))
        return SCARD_E_INVALID_PARAMETER;
    card = object_card(hCard);
    if (!card) {
        *pcbRecvLength = 0;
        return SCARD_E_INVALID_HANDLE;
    }
    rc = transmit(card, pioSendPci, pbSendBuffer, cbSendLength, pbRecvBuffer, pcbRecvLength);
    /* The caller's own numbering, not the driver's. */
    if (!rc && pioRecvPci)
        pioRecvPci->dwProtocol = pioSendPci->dwProtocol;
    object_put_card(card);
    return codes_from_rc(rc);
}

static int control(struct api_card *card, DWORD code, LPCVOID in, DWORD in_length, LPVOID out, DWORD room,
                   LPDWORD ret_length)
{
    size_t length = 0;
    int rc;

    if (in_length > MAX_BUFFER_SIZE_EXTENDED)
        return RC_INSUFFICIENT_BUFFER;
    if (code > UINT32_MAX)
        return RC_UNSUPPORTED;
    if (code == FEATURE_REQUEST_WINDOWS)
        code = FEATURE_REQUEST;
    rc = card_ops(card)->control(card->service, (uint32_t)code, in, in_length, out, room, &length);
    if (ret_length && (rc == RC_OK || rc == RC_INSUFFICIENT_BUFFER))
        *ret_length = length;
    return rc;
}

EXPORT LONG SCardControl(SCARDHANDLE hCard, DWORD dwControlCode, LPCVOID pbSendBuffer, DWORD cbSendLength,
                         LPVOID pbRecvBuffer, DWORD cbRecvLength, LPDWORD lpBytesReturned)
{
    struct api_card *card;
    int rc;

    EXPORT_BEGIN;
    if (lpBytesReturned)
        *lpBytesReturned = 0;
    if ((!pbSendBuffer && cbSendLength) || (!pbRecvBuffer && cbRecvLength))
        return SCARD_E_INVALID_PARAMETER;
    card = object_card(hCard);
    if (!card)
        return SCARD_E_INVALID_HANDLE;
    rc =
        control(card, dwControlCode, pbSendBuffer, cbSendLength, pbRecvBuffer, cbRecvLength, lpBytesReturned);
    object_put_card(card);
    return codes_from_rc(rc);
}

/* Reads the attribute into a new buffer, however long it is. */
static int read_attribute(struct api_card *card, DWORD tag, struct buffer *value)
{
    int rc = tag > UINT32_MAX ? RC_UNSUPPORTED : RC_INSUFFICIENT_BUFFER;
    size_t need = MAX_BUFFER_SIZE;

    /* The value may grow between two looks. */
    while (rc == RC_INSUFFICIENT_BUFFER) {
        if (buffer_reserve(value, need))
            return RC_NO_MEMORY;
        need = 0;
        rc = card_ops(card)->get_attribute(card->service, (uint32_t)tag, value->data, value->capacity, &need);
        if (rc == RC_INSUFFICIENT_BUFFER && need <= value->capacity)
            return RC_INTERNAL;
    }
    value->length = rc ? 0 : need;
    return rc;
}

EXPORT LONG SCardGetAttrib(SCARDHANDLE hCard, DWORD dwAttrId, LPBYTE pbAttr, LPDWORD pcbAttrLen)
{
    struct buffer value = {0};
    struct api_card *card;
    int rc;

    EXPORT_BEGIN;
    if (!pcbAttrLen || (!pbAttr && memory_is_autoallocate(*pcbAttrLen)))
        return SCARD_E_INVALID_PARAMETER;
    card = object_card(hCard);
    if (!card)
        return SCARD_E_INVALID_HANDLE;
    rc = read_attribute(card, dwAttrId, &value);
    if (!rc)
        rc = memory_give(card->context, value.data, value.length, 0, pbAttr, pcbAttrLen);
    buffer_fini(&value);
    object_put_card(card);
    return codes_from_rc(rc);
}

EXPORT LONG SCardSetAttrib(SCARDHANDLE hCard, DWORD dwAttrId, LPCBYTE pbAttr, DWORD cbAttrLen)
{
    struct api_card *card;
    int rc = RC_UNSUPPORTED;

    EXPORT_BEGIN;
    if (!pbAttr || !cbAttrLen)
        return SCARD_E_INVALID_PARAMETER;
    if (cbAttrLen > MAX_BUFFER_SIZE)
        return SCARD_E_INSUFFICIENT_BUFFER;
    card = object_card(hCard);
    if (!card)
        return SCARD_E_INVALID_HANDLE;
    if (dwAttrId <= UINT32_MAX)
        rc = card_ops(card)->set_attribute(card->service, (uint32_t)dwAttrId, pbAttr, cbAttrLen);
    object_put_card(card);
    return codes_from_rc(rc);
}
