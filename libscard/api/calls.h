/* SPDX-License-Identifier: MIT */
/*
 * The functions of libpcsclite.so.1 as a table, for the drop-in libraries (dropin/): they export the same
 * names, so by name they would find themselves, or another libpcsclite that the program has loaded. Exported
 * by libscard.so.1 for them alone; members are only ever added, at the end.
 */
#ifndef API_CALLS_H
#define API_CALLS_H

#include <winscard.h>

struct scard_calls {
    __typeof__(SCardEstablishContext) *establish_context;
    __typeof__(SCardReleaseContext) *release_context;
    __typeof__(SCardIsValidContext) *is_valid_context;
    __typeof__(SCardConnect) *connect;
    __typeof__(SCardReconnect) *reconnect;
    __typeof__(SCardDisconnect) *disconnect;
    __typeof__(SCardBeginTransaction) *begin_transaction;
    __typeof__(SCardEndTransaction) *end_transaction;
    __typeof__(SCardStatus) *status;
    __typeof__(SCardGetStatusChange) *get_status_change;
    __typeof__(SCardControl) *control;
    __typeof__(SCardTransmit) *transmit;
    __typeof__(SCardListReaderGroups) *list_reader_groups;
    __typeof__(SCardListReaders) *list_readers;
    __typeof__(SCardFreeMemory) *free_memory;
    __typeof__(SCardCancel) *cancel;
    __typeof__(SCardGetAttrib) *get_attrib;
    __typeof__(SCardSetAttrib) *set_attrib;
    __typeof__(pcsc_stringify_error) *stringify_error;
};

extern const struct scard_calls scard_calls;

#endif
