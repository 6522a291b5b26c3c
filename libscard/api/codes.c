/* SPDX-License-Identifier: MIT */
#include "api/codes.h"

#include <stdio.h>

#include "api/export.h"

LONG codes_from_rc(int rc)
{
    static const LONG codes[] = {
        [-RC_OK] = SCARD_S_SUCCESS,
        [-RC_INTERNAL] = SCARD_F_INTERNAL_ERROR,
        [-RC_NO_MEMORY] = SCARD_E_NO_MEMORY,
        [-RC_INVALID_HANDLE] = SCARD_E_INVALID_HANDLE,
        [-RC_INVALID_PARAMETER] = SCARD_E_INVALID_PARAMETER,
        [-RC_INVALID_VALUE] = SCARD_E_INVALID_VALUE,
        [-RC_INSUFFICIENT_BUFFER] = SCARD_E_INSUFFICIENT_BUFFER,
        [-RC_UNKNOWN_READER] = SCARD_E_UNKNOWN_READER,
        [-RC_NO_READERS] = SCARD_E_NO_READERS_AVAILABLE,
        [-RC_READER_UNAVAILABLE] = SCARD_E_READER_UNAVAILABLE,
        [-RC_SHARING] = SCARD_E_SHARING_VIOLATION,
        [-RC_NO_CARD] = SCARD_E_NO_SMARTCARD,
        [-RC_MUTE] = SCARD_W_UNPOWERED_CARD,
        [-RC_UNRESPONSIVE] = SCARD_W_UNRESPONSIVE_CARD,
        [-RC_PROTO_MISMATCH] = SCARD_E_PROTO_MISMATCH,
        [-RC_CARD_RESET] = SCARD_W_RESET_CARD,
        [-RC_CARD_REMOVED] = SCARD_W_REMOVED_CARD,
        [-RC_NOT_TRANSACTED] = SCARD_E_NOT_TRANSACTED,
        [-RC_UNSUPPORTED] = SCARD_E_UNSUPPORTED_FEATURE,
        [-RC_TIMEOUT] = SCARD_E_TIMEOUT,
        [-RC_CANCELLED] = SCARD_E_CANCELLED,
        [-RC_NO_SERVICE] = SCARD_E_NO_SERVICE,
        [-RC_SERVICE_STOPPED] = SCARD_E_SERVICE_STOPPED,
        [-RC_DENIED] = SCARD_W_SECURITY_VIOLATION,
        [-RC_IO] = SCARD_F_COMM_ERROR,
        [-RC_INVALID_ATR] = SCARD_E_INVALID_ATR,
        [-RC_NOT_FOUND] = SCARD_E_FILE_NOT_FOUND,
        [-RC_DUPLICATE] = SCARD_E_DUPLICATE_READER,
        [-RC_UNKNOWN_CARD] = SCARD_E_UNKNOWN_CARD,
        [-RC_STALE] = SCARD_W_CACHE_ITEM_STALE,
        [-RC_TOO_BIG] = SCARD_W_CACHE_ITEM_TOO_BIG,
        [-RC_NO_ACCESS] = SCARD_E_NO_ACCESS,
    };

    if (rc > 0 || (size_t)-rc >= sizeof codes / sizeof *codes)
        return SCARD_F_INTERNAL_ERROR;
    return codes[-rc];
}

static const char *text_of(LONG code)
{
    static const struct {
        LONG code;
        const char *text;
    } texts[] = {
        {SCARD_S_SUCCESS, "Command successful."},
        {SCARD_F_INTERNAL_ERROR, "Internal error."},
        {SCARD_E_CANCELLED, "Command cancelled."},
        {SCARD_E_INVALID_HANDLE, "Invalid handle."},
        {SCARD_E_INVALID_PARAMETER, "Invalid parameter given."},
        {SCARD_E_INVALID_TARGET, "Invalid target given."},
        {SCARD_E_NO_MEMORY, "Not enough memory."},
        {SCARD_F_WAITED_TOO_LONG, "Waited too long."},
        {SCARD_E_INSUFFICIENT_BUFFER, "Insufficient buffer."},
        {SCARD_E_UNKNOWN_READER, "Unknown reader specified."},
        {SCARD_E_TIMEOUT, "Command timeout."},
        {SCARD_E_SHARING_VIOLATION, "Sharing violation."},
        {SCARD_E_NO_SMARTCARD, "No smart card inserted."},
        {SCARD_E_UNKNOWN_CARD, "Unknown card."},
        {SCARD_E_CANT_DISPOSE, "Cannot dispose handle."},
        {SCARD_E_PROTO_MISMATCH, "Card protocol mismatch."},
        {SCARD_E_NOT_READY, "Subsystem not ready."},
        {SCARD_E_INVALID_VALUE, "Invalid value given."},
        {SCARD_E_SYSTEM_CANCELLED, "System cancelled."},
        {SCARD_F_COMM_ERROR, "RPC transport error."},
        {SCARD_F_UNKNOWN_ERROR, "Unknown error."},
        {SCARD_E_INVALID_ATR, "Invalid ATR."},
        {SCARD_E_NOT_TRANSACTED, "Transaction failed."},
        {SCARD_E_READER_UNAVAILABLE, "Reader is unavailable."},
        {SCARD_P_SHUTDOWN, "Stopped so that the service can shut down."},
        {SCARD_E_PCI_TOO_SMALL, "PCI struct too small."},
        {SCARD_E_READER_UNSUPPORTED, "Reader is unsupported."},
        {SCARD_E_DUPLICATE_READER, "Reader already exists."},
        {SCARD_E_CARD_UNSUPPORTED, "Card is unsupported."},
        {SCARD_E_NO_SERVICE, "Service not available."},
        {SCARD_E_SERVICE_STOPPED, "Service was stopped."},
        {SCARD_E_UNSUPPORTED_FEATURE, "Feature not supported."},
        {SCARD_E_ICC_INSTALLATION, "No primary provider for the card."},
        {SCARD_E_ICC_CREATEORDER, "Order of object creation not supported."},
        {SCARD_E_UNSUPPORTED_FEATURE_WIN, "Feature not supported (Windows code)."},
        {SCARD_E_DIR_NOT_FOUND, "Directory not found on the card."},
        {SCARD_E_FILE_NOT_FOUND, "File not found on the card."},
        {SCARD_E_NO_DIR, "Not a directory on the card."},
        {SCARD_E_NO_FILE, "Not a file on the card."},
        {SCARD_E_NO_ACCESS, "Access to the file is refused."},
        {SCARD_E_WRITE_TOO_MANY, "Card cannot take that many bytes."},
        {SCARD_E_BAD_SEEK, "Bad position in a card file."},
        {SCARD_E_INVALID_CHV, "PIN is not acceptable."},
        {SCARD_E_UNKNOWN_RES_MNG, "Unknown code from a lower layer."},
        {SCARD_E_NO_SUCH_CERTIFICATE, "No such certificate."},
        {SCARD_E_CERTIFICATE_UNAVAILABLE, "Certificate is unavailable."},
        {SCARD_E_NO_READERS_AVAILABLE, "Cannot find a smart card reader."},
        {SCARD_E_COMM_DATA_LOST, "Data was lost on the way to the card."},
        {SCARD_E_NO_KEY_CONTAINER, "No such key container."},
        {SCARD_E_SERVER_TOO_BUSY, "Resource manager is too busy."},
        {SCARD_E_PIN_CACHE_EXPIRED, "PIN cache has expired."},
        {SCARD_E_NO_PIN_CACHE, "PIN cannot be cached."},
        {SCARD_E_READ_ONLY_CARD, "Card is read-only."},
        {SCARD_W_UNSUPPORTED_CARD, "Card is not supported."},
        {SCARD_W_UNRESPONSIVE_CARD, "Card is unresponsive."},
        {SCARD_W_UNPOWERED_CARD, "Card is unpowered."},
        {SCARD_W_RESET_CARD, "Card was reset."},
        {SCARD_W_REMOVED_CARD, "Card was removed."},
        {SCARD_W_SECURITY_VIOLATION, "Access denied."},
        {SCARD_W_WRONG_CHV, "Wrong PIN."},
        {SCARD_W_CHV_BLOCKED, "PIN is blocked."},
        {SCARD_W_EOF, "End of card file."},
        {SCARD_W_CANCELLED_BY_USER, "Cancelled by the user."},
        {SCARD_W_CARD_NOT_AUTHENTICATED, "No PIN was presented."},
        {SCARD_W_CACHE_ITEM_NOT_FOUND, "Not in the card cache."},
        {SCARD_W_CACHE_ITEM_STALE, "Item in the card cache is too old."},
        {SCARD_W_CACHE_ITEM_TOO_BIG, "Item is too big for the card cache."},
    };

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].code == code)
            return texts[i].text;
    return NULL;
}

EXPORT const char *pcsc_stringify_error(const LONG code)
{
    static _Thread_local char text[75];
    const char *known = text_of(code);

    if (known)
        snprintf(text, sizeof text, "%s", known);
    else
        snprintf(text, sizeof text, "Unknown error: 0x%08lX", (unsigned long)code);
    return text;
}

EXPORT const SCARD_IO_REQUEST g_rgSCardT0Pci = {SCARD_PROTOCOL_T0, sizeof(SCARD_IO_REQUEST)};
EXPORT const SCARD_IO_REQUEST g_rgSCardT1Pci = {SCARD_PROTOCOL_T1, sizeof(SCARD_IO_REQUEST)};
EXPORT const SCARD_IO_REQUEST g_rgSCardRawPci = {SCARD_PROTOCOL_RAW, sizeof(SCARD_IO_REQUEST)};
