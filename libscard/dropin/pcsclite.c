/* SPDX-License-Identifier: MIT */
/*
 * The names of libpcsclite.so.1; the work is done in libscard.so.1, of which a process has one, however many
 * of its parts ask for libpcsclite and for libscard. libpcsclite_real.so.1 is made of this file as well: the
 * libpcsclite.so.1 of pcsc-lite 2.x hands its calls on to a library of that name, or to the one that
 * LIBPCSCLITE_DELEGATE names.
 */
#include <winscard.h>

#include "api/calls.h"

#define EXPORT __attribute__((visibility("default")))

/* Programs that are not position independent have copies of these, of this size. */
EXPORT const SCARD_IO_REQUEST g_rgSCardT0Pci = {SCARD_PROTOCOL_T0, sizeof(SCARD_IO_REQUEST)};
EXPORT const SCARD_IO_REQUEST g_rgSCardT1Pci = {SCARD_PROTOCOL_T1, sizeof(SCARD_IO_REQUEST)};
EXPORT const SCARD_IO_REQUEST g_rgSCardRawPci = {SCARD_PROTOCOL_RAW, sizeof(SCARD_IO_REQUEST)};

EXPORT LONG SCardEstablishContext(DWORD dwScope, LPCVOID pvReserved1, LPCVOID pvReserved2,
                                  LPSCARDCONTEXT phContext)
{
    return scard_calls.establish_context(dwScope, pvReserved1, pvReserved2, phContext);
}

EXPORT LONG SCardReleaseContext(SCARDCONTEXT hContext)
{
    return scard_calls.release_context(hContext);
}

EXPORT LONG SCardIsValidContext(SCARDCONTEXT hContext)
{
    return scard_calls.is_valid_context(hContext);
}

EXPORT LONG SCardConnect(SCARDCONTEXT hContext, LPCSTR szReader, DWORD dwShareMode,
                         DWORD dwPreferredProtocols, LPSCARDHANDLE phCard, LPDWORD pdwActiveProtocol)
{
    return scard_calls.connect(hContext, szReader, dwShareMode, dwPreferredProtocols, phCard,
                               pdwActiveProtocol);
}

EXPORT LONG SCardReconnect(SCARDHANDLE hCard, DWORD dwShareMode, DWORD dwPreferredProtocols,
                           DWORD dwInitialization, LPDWORD pdwActiveProtocol)
{
    return scard_calls.reconnect(hCard, dwShareMode, dwPreferredProtocols, dwInitialization,
                                 pdwActiveProtocol);
}

EXPORT LONG SCardDisconnect(SCARDHANDLE hCard, DWORD dwDisposition)
{
    return scard_calls.disconnect(hCard, dwDisposition);
}

EXPORT LONG SCardBeginTransaction(SCARDHANDLE hCard)
{
    return scard_calls.begin_transaction(hCard);
}

EXPORT LONG SCardEndTransaction(SCARDHANDLE hCard, DWORD dwDisposition)
{
    return scard_calls.end_transaction(hCard, dwDisposition);
}

EXPORT LONG SCardStatus(SCARDHANDLE hCard, LPSTR szReaderName, LPDWORD pcchReaderLen, LPDWORD pdwState,
                        LPDWORD pdwProtocol, LPBYTE pbAtr, LPDWORD pcbAtrLen)
{
    return scard_calls.status(hCard, szReaderName, pcchReaderLen, pdwState, pdwProtocol, pbAtr, pcbAtrLen);
}

EXPORT LONG SCardGetStatusChange(SCARDCONTEXT hContext, DWORD dwTimeout, SCARD_READERSTATE *rgReaderStates,
                                 DWORD cReaders)
{
    return scard_calls.get_status_change(hContext, dwTimeout, rgReaderStates, cReaders);
}

EXPORT LONG SCardControl(SCARDHANDLE hCard, DWORD dwControlCode, LPCVOID pbSendBuffer, DWORD cbSendLength,
                         LPVOID pbRecvBuffer, DWORD cbRecvLength, LPDWORD lpBytesReturned)
{
    return scard_calls.control(hCard, dwControlCode, pbSendBuffer, cbSendLength, pbRecvBuffer, cbRecvLength,
                               lpBytesReturned);
}

EXPORT LONG SCardTransmit(SCARDHANDLE hCard, const SCARD_IO_REQUEST *pioSendPci, LPCBYTE pbSendBuffer,
                          DWORD cbSendLength, SCARD_IO_REQUEST *pioRecvPci, LPBYTE pbRecvBuffer,
                          LPDWORD pcbRecvLength)
{
    return scard_calls.transmit(hCard, pioSendPci, pbSendBuffer, cbSendLength, pioRecvPci, pbRecvBuffer,
                                pcbRecvLength);
}

EXPORT LONG SCardListReaderGroups(SCARDCONTEXT hContext, LPSTR mszGroups, LPDWORD pcchGroups)
{
    return scard_calls.list_reader_groups(hContext, mszGroups, pcchGroups);
}

EXPORT LONG SCardListReaders(SCARDCONTEXT hContext, LPCSTR mszGroups, LPSTR mszReaders, LPDWORD pcchReaders)
{
    return scard_calls.list_readers(hContext, mszGroups, mszReaders, pcchReaders);
}

EXPORT LONG SCardFreeMemory(SCARDCONTEXT hContext, LPCVOID pvMem)
{
    return scard_calls.free_memory(hContext, pvMem);
}

EXPORT LONG SCardCancel(SCARDCONTEXT hContext)
{
    return scard_calls.cancel(hContext);
}

EXPORT LONG SCardGetAttrib(SCARDHANDLE hCard, DWORD dwAttrId, LPBYTE pbAttr, LPDWORD pcbAttrLen)
{
    return scard_calls.get_attrib(hCard, dwAttrId, pbAttr, pcbAttrLen);
}

EXPORT LONG SCardSetAttrib(SCARDHANDLE hCard, DWORD dwAttrId, LPCBYTE pbAttr, DWORD cbAttrLen)
{
    return scard_calls.set_attrib(hCard, dwAttrId, pbAttr, cbAttrLen);
}

EXPORT const char *pcsc_stringify_error(const LONG pcscError)
{
    return scard_calls.stringify_error(pcscError);
}
