/* SPDX-License-Identifier: MIT */
/*
 * The PC/SC API (WinSCard) with pcsc-lite's ABI, as libscard implements it.
 *
 * For every function:
 * - Returns SCARD_S_SUCCESS or a code of pcsclite.h. Bad pointers are refused before a bad handle is.
 * - Any thread may call any function with any context or handle. A call that waits holds nothing
 *   that another call needs; SCardCancel and SCardReleaseContext end it with SCARD_E_CANCELLED.
 * - A thread that is cancelled (pthread_cancel) in a call ends once the call has returned.
 * - A context or handle that is 0, closed, stale, foreign, of the other kind, or inherited over
 *   fork() is SCARD_E_INVALID_HANDLE and touches nothing.
 * - (buffer, &length) pairs: buffer NULL asks for the length; too short a buffer stores the needed
 *   length and gives SCARD_E_INSUFFICIENT_BUFFER; SCARD_AUTOALLOCATE as length makes the library
 *   allocate (buffer is then the address of a pointer). Such a block belongs to the context: free it
 *   with SCardFreeMemory, or SCardReleaseContext does (unless SCARD_KEEP_MEMORY=1 is in the environment).
 * - After a failure scard_error_detail() (scard.h) may tell more in words.
 */
#ifndef SCARD_PCSC_WINSCARD_H
#define SCARD_PCSC_WINSCARD_H

#include <pcsclite.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Opens a context. scope: SCARD_SCOPE_*, all alike for the core functions; the reserved pointers are ignored.
 * SCARD_E_NO_SERVICE: the service cannot be started or reached. */
LONG SCardEstablishContext(DWORD dwScope, LPCVOID pvReserved1, LPCVOID pvReserved2, LPSCARDCONTEXT phContext);

/* Closes the context and everything made under it: card handles (card left as it is, but reset if the handle
 * owns a transaction), waits in any thread, auto-allocated memory. Waits for nothing but an exchange that is
 * already on the card. */
LONG SCardReleaseContext(SCARDCONTEXT hContext);

/* SCARD_S_SUCCESS while the context can be used. Never blocks. */
LONG SCardIsValidContext(SCARDCONTEXT hContext);

/* Connects to a reader. dwShareMode: SCARD_SHARE_*; dwPreferredProtocols: mask of SCARD_PROTOCOL_* (T=1 is
 * taken when both it and T=0 are possible); may be 0 with SCARD_SHARE_DIRECT. Waits while another handle owns a
 * transaction on the reader. pdwActiveProtocol may be NULL. On failure *phCard and *pdwActiveProtocol are 0. */
LONG SCardConnect(SCARDCONTEXT hContext, LPCSTR szReader, DWORD dwShareMode, DWORD dwPreferredProtocols,
                  LPSCARDHANDLE phCard, LPDWORD pdwActiveProtocol);

/* Takes an existing handle through SCardConnect again; clears its pending SCARD_W_RESET_CARD or _REMOVED_CARD.
 * dwInitialization: SCARD_LEAVE_CARD, _RESET_CARD (warm), _UNPOWER_CARD (cold). A transaction that the handle
 * owns goes on. */
LONG SCardReconnect(SCARDHANDLE hCard, DWORD dwShareMode, DWORD dwPreferredProtocols, DWORD dwInitialization,
                    LPDWORD pdwActiveProtocol);

/* Closes a handle; dwDisposition: SCARD_LEAVE_CARD, _RESET_CARD, _UNPOWER_CARD, _EJECT_CARD. */
LONG SCardDisconnect(SCARDHANDLE hCard, DWORD dwDisposition);

/* Waits, in order of arrival, until this handle alone may use the card. Nests. */
LONG SCardBeginTransaction(SCARDHANDLE hCard);

/* Ends one level; the disposition acts at once. */
LONG SCardEndTransaction(SCARDHANDLE hCard, DWORD dwDisposition);

/* The name that was connected to, state (SCARD_PRESENT …), active protocol and ATR. Every output may be NULL.
 * Waits while another handle owns a transaction. */
LONG SCardStatus(SCARDHANDLE hCard, LPSTR szReaderName, LPDWORD pcchReaderLen, LPDWORD pdwState,
                 LPDWORD pdwProtocol, LPBYTE pbAtr, LPDWORD pcbAtrLen);

/* Waits until an entry differs from what the caller believes; dwTimeout in milliseconds, INFINITE, or 0 to look
 * once. The name "\\?PnP?\Notification" stands for the list of readers. */
LONG SCardGetStatusChange(SCARDCONTEXT hContext, DWORD dwTimeout, SCARD_READERSTATE *rgReaderStates,
                          DWORD cReaders);

/* A direct command to the reader. Works without a card. lpBytesReturned may be NULL. */
LONG SCardControl(SCARDHANDLE hCard, DWORD dwControlCode, LPCVOID pbSendBuffer, DWORD cbSendLength,
                  LPVOID pbRecvBuffer, DWORD cbRecvLength, LPDWORD lpBytesReturned);

/* Exchanges one APDU. *pcbRecvLength: room in, bytes received out, SW1 SW2 included. The response is lost, though
 * the command was executed, when the room is too small; SCARD_AUTOALLOCATE is SCARD_E_INVALID_PARAMETER here, as on
 * Windows. pioRecvPci may be NULL. */
LONG SCardTransmit(SCARDHANDLE hCard, const SCARD_IO_REQUEST *pioSendPci, LPCBYTE pbSendBuffer,
                   DWORD cbSendLength, SCARD_IO_REQUEST *pioRecvPci, LPBYTE pbRecvBuffer, LPDWORD pcbRecvLength);

/* The groups that have readers: SCard$DefaultReaders, which all are in by themselves, and those of the database, as a
 * multi-string. */
LONG SCardListReaderGroups(SCARDCONTEXT hContext, LPSTR mszGroups, LPDWORD pcchGroups);

/* The readers in the given groups (multi-string; NULL = all), as a multi-string: each name with a NUL, one more
 * NUL at the end. One consistent snapshot. */
LONG SCardListReaders(SCARDCONTEXT hContext, LPCSTR mszGroups, LPSTR mszReaders, LPDWORD pcchReaders);

/* Frees a block that SCARD_AUTOALLOCATE gave under this context (0: to a call that needs none). NULL is fine; any
 * other pointer is SCARD_E_INVALID_PARAMETER and is left alone. */
LONG SCardFreeMemory(SCARDCONTEXT hContext, LPCVOID pvMem);

/* Ends the waits of the context, in any thread: SCardGetStatusChange, and calls that wait behind a transaction.
 * An exchange on the card goes on. Not sticky. */
LONG SCardCancel(SCARDCONTEXT hContext);

/* An attribute, SCARD_ATTR_* of reader.h. Numbers are 4 bytes in host order. */
LONG SCardGetAttrib(SCARDHANDLE hCard, DWORD dwAttrId, LPBYTE pbAttr, LPDWORD pcbAttrLen);
LONG SCardSetAttrib(SCARDHANDLE hCard, DWORD dwAttrId, LPCBYTE pbAttr, DWORD cbAttrLen);

#ifdef __cplusplus
}
#endif

#ifndef SCARD_NO_WINDOWS
#include <winscard_windows.h>
#endif

#endif
