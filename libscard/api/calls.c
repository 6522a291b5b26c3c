/* SPDX-License-Identifier: MIT */
#include "api/calls.h"

#include "api/export.h"

EXPORT const struct scard_calls scard_calls = {
    .establish_context = SCardEstablishContext,
    .release_context = SCardReleaseContext,
    .is_valid_context = SCardIsValidContext,
    .connect = SCardConnect,
    .reconnect = SCardReconnect,
    .disconnect = SCardDisconnect,
    .begin_transaction = SCardBeginTransaction,
    .end_transaction = SCardEndTransaction,
    .status = SCardStatus,
    .get_status_change = SCardGetStatusChange,
    .control = SCardControl,
    .transmit = SCardTransmit,
    .list_reader_groups = SCardListReaderGroups,
    .list_readers = SCardListReaders,
    .free_memory = SCardFreeMemory,
    .cancel = SCardCancel,
    .get_attrib = SCardGetAttrib,
    .set_attrib = SCardSetAttrib,
    .stringify_error = pcsc_stringify_error,
};
