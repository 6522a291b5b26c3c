/* SPDX-License-Identifier: MIT */
#include "cli/status.h"

#define ROW(code, status, what, advice)                                                                      \
    {                                                                                                        \
        code, status, #code, what, advice                                                                    \
    }

static const struct status_words rows[] = {
    ROW(SCARD_S_SUCCESS, STATUS_DONE, "done", ""),
    ROW(SCARD_F_INTERNAL_ERROR, STATUS_SERVICE, "the smart-card service contradicts itself",
        "Run it again with --verbose and report what it prints."),
    ROW(SCARD_E_CANCELLED, STATUS_INTERRUPTED, "cancelled", ""),
    ROW(SCARD_E_INVALID_HANDLE, STATUS_SERVICE, "the context or card handle is no longer valid",
        "Connect again; a service that was restarted forgets its handles."),
    ROW(SCARD_E_INVALID_PARAMETER, STATUS_USAGE, "the service refused a parameter", ""),
    ROW(SCARD_E_INVALID_TARGET, STATUS_SERVICE, "the service's start-up data are wrong", ""),
    ROW(SCARD_E_NO_MEMORY, STATUS_SERVICE, "out of memory",
        "End other programs that hold contexts or card handles, then try again."),
    ROW(SCARD_F_WAITED_TOO_LONG, STATUS_TIMEOUT, "the service waited too long inside", "Try again."),
    ROW(SCARD_E_INSUFFICIENT_BUFFER, STATUS_TRANSPORT, "the answer is longer than any answer may be",
        "Run it again with --verbose and report what it prints."),
    ROW(SCARD_E_UNKNOWN_READER, STATUS_READER, "no reader of that name is there",
        "See \"scard list\" for the readers that are."),
    ROW(SCARD_E_TIMEOUT, STATUS_TIMEOUT, "the time ran out", "Give more with --timeout."),
    ROW(SCARD_E_SHARING_VIOLATION, STATUS_SHARING,
        "another program is using the reader in a way that excludes this",
        "\"scard who\" tells which; wait for it to finish, or end it. With --share exclusive nobody else may "
        "use it."),
    ROW(SCARD_E_NO_SMARTCARD, STATUS_NO_CARD, "no card is in the reader",
        "Insert one, or wait for it with \"scard wait --present\"."),
    ROW(SCARD_E_UNKNOWN_CARD, STATUS_ANSWER, "the card type is not known",
        "\"scard card list\" lists those that are, \"scard card introduce\" adds one."),
    ROW(SCARD_E_CANT_DISPOSE, STATUS_TRANSPORT, "the reader cannot do that with the card",
        "Choose another disposition; few readers can eject."),
    ROW(SCARD_E_PROTO_MISMATCH, STATUS_TRANSPORT,
        "card or reader does not speak that protocol, or another is in use",
        "\"scard atr\" tells what the card speaks, \"scard info\" what the reader; without --protocol, "
        "what both speak is used."),
    ROW(SCARD_E_NOT_READY, STATUS_TRANSPORT, "the reader or card is not ready", "Try again."),
    ROW(SCARD_E_INVALID_VALUE, STATUS_USAGE, "the service refused a value", ""),
    ROW(SCARD_E_SYSTEM_CANCELLED, STATUS_INTERRUPTED, "cancelled by the system", ""),
    ROW(SCARD_F_COMM_ERROR, STATUS_TRANSPORT, "communication failed",
        "Check the reader's cable, then try again."),
    ROW(SCARD_F_UNKNOWN_ERROR, STATUS_TRANSPORT, "the service failed and does not say why",
        "Run it again with --verbose."),
    ROW(SCARD_E_INVALID_ATR, STATUS_TRANSPORT, "the card's answer to reset is malformed",
        "Clean the contacts and insert the card again."),
    ROW(SCARD_E_NOT_TRANSACTED, STATUS_TRANSPORT,
        "no transaction is open, or the exchange with the card failed",
        "Reset the card with \"scard reset\", or take it out and insert it again."),
    ROW(SCARD_E_READER_UNAVAILABLE, STATUS_TRANSPORT, "the reader is gone or cannot be used",
        "Plug it in again; \"scard list\" says why a reader cannot be used."),
    ROW(SCARD_P_SHUTDOWN, STATUS_SERVICE, "the service is shutting down", "Start it again."),
    ROW(SCARD_E_PCI_TOO_SMALL, STATUS_TRANSPORT, "the protocol control buffer is too small", ""),
    ROW(SCARD_E_READER_UNSUPPORTED, STATUS_TRANSPORT, "the reader does less than is needed",
        "Use another reader."),
    ROW(SCARD_E_DUPLICATE_READER, STATUS_READER, "the reader's name is used already", ""),
    ROW(SCARD_E_CARD_UNSUPPORTED, STATUS_TRANSPORT, "the card does less than is needed", ""),
    ROW(SCARD_E_NO_SERVICE, STATUS_SERVICE, "the smart-card service cannot be started or reached",
        "Check SCARD_SERVICE; SCARD_SERVICE=local needs no other program."),
    ROW(SCARD_E_SERVICE_STOPPED, STATUS_SERVICE, "the smart-card service has stopped",
        "Start it again, then connect again."),
    ROW(SCARD_E_UNSUPPORTED_FEATURE, STATUS_TRANSPORT, "the reader or service does not offer that",
        "\"scard info\" and \"scard control features\" show what it offers."),
    ROW(SCARD_E_ICC_INSTALLATION, STATUS_TRANSPORT, "the card has no primary provider", ""),
    ROW(SCARD_E_ICC_CREATEORDER, STATUS_TRANSPORT, "objects cannot be created in that order", ""),
    ROW(SCARD_E_UNSUPPORTED_FEATURE_WIN, STATUS_TRANSPORT, "the reader or service does not offer that", ""),
    ROW(SCARD_E_DIR_NOT_FOUND, STATUS_TRANSPORT, "there is no such directory on the card", ""),
    ROW(SCARD_E_FILE_NOT_FOUND, STATUS_ANSWER, "there is no such entry", ""),
    ROW(SCARD_E_NO_DIR, STATUS_TRANSPORT, "the path leads to no directory", ""),
    ROW(SCARD_E_NO_FILE, STATUS_TRANSPORT, "the path leads to no file", ""),
    ROW(SCARD_E_NO_ACCESS, STATUS_PERMISSION, "access is refused", ""),
    ROW(SCARD_E_WRITE_TOO_MANY, STATUS_TRANSPORT, "the card cannot take so many bytes", ""),
    ROW(SCARD_E_BAD_SEEK, STATUS_TRANSPORT, "the position in the file is wrong", ""),
    ROW(SCARD_E_INVALID_CHV, STATUS_PERMISSION, "the PIN is not acceptable", ""),
    ROW(SCARD_E_UNKNOWN_RES_MNG, STATUS_TRANSPORT, "the driver gave an unknown code",
        "Run it again with --verbose."),
    ROW(SCARD_E_NO_SUCH_CERTIFICATE, STATUS_TRANSPORT, "the certificate is not there", ""),
    ROW(SCARD_E_CERTIFICATE_UNAVAILABLE, STATUS_TRANSPORT, "the certificate cannot be had", ""),
    ROW(SCARD_E_NO_READERS_AVAILABLE, STATUS_READER, "no reader is connected",
        "Plug one in, or name a virtual one: --readers sim:iso."),
    ROW(SCARD_E_COMM_DATA_LOST, STATUS_TRANSPORT, "data were lost on the way to the card", "Try again."),
    ROW(SCARD_E_NO_KEY_CONTAINER, STATUS_TRANSPORT, "the key container is not there", ""),
    ROW(SCARD_E_SERVER_TOO_BUSY, STATUS_SERVICE, "the service is too busy", "Try again later."),
    ROW(SCARD_E_PIN_CACHE_EXPIRED, STATUS_PERMISSION, "the PIN must be given again", ""),
    ROW(SCARD_E_NO_PIN_CACHE, STATUS_PERMISSION, "the PIN may not be remembered", ""),
    ROW(SCARD_E_READ_ONLY_CARD, STATUS_PERMISSION, "the card cannot be written", ""),
    ROW(SCARD_W_UNSUPPORTED_CARD, STATUS_TRANSPORT, "the card and the reader do not suit each other",
        "Try another reader."),
    ROW(SCARD_W_UNRESPONSIVE_CARD, STATUS_TRANSPORT, "the card does not answer",
        "Insert it the other way round, or clean its contacts."),
    ROW(SCARD_W_UNPOWERED_CARD, STATUS_TRANSPORT, "the card cannot be powered",
        "Insert it the other way round, or clean its contacts."),
    ROW(SCARD_W_RESET_CARD, STATUS_LOST, "another program has reset the card",
        "Its state is lost: \"scard reconnect\", then start over."),
    ROW(SCARD_W_REMOVED_CARD, STATUS_LOST, "the card was taken out",
        "Insert it, then \"scard reconnect\" and start over."),
    ROW(SCARD_W_SECURITY_VIOLATION, STATUS_PERMISSION, "access to the service or reader is refused",
        "Ask for access to the reader's device (udev), or to pcscd (polkit); remote logins often lack it."),
    ROW(SCARD_W_WRONG_CHV, STATUS_PERMISSION, "the PIN is wrong", ""),
    ROW(SCARD_W_CHV_BLOCKED, STATUS_PERMISSION, "the PIN is blocked", ""),
    ROW(SCARD_W_EOF, STATUS_TRANSPORT, "the end of the card's file is reached", ""),
    ROW(SCARD_W_CANCELLED_BY_USER, STATUS_INTERRUPTED, "cancelled by the user", ""),
    ROW(SCARD_W_CARD_NOT_AUTHENTICATED, STATUS_PERMISSION, "no PIN was presented to the card", ""),
    ROW(SCARD_W_CACHE_ITEM_NOT_FOUND, STATUS_ANSWER, "the item is not in the card cache", ""),
    ROW(SCARD_W_CACHE_ITEM_STALE, STATUS_ANSWER, "the item in the card cache is of another freshness", ""),
    ROW(SCARD_W_CACHE_ITEM_TOO_BIG, STATUS_USAGE, "the item is too big for the card cache", ""),
};

static const struct status_words unknown = {
    -1, STATUS_TRANSPORT, "unknown", "the service gave an unknown code", "Run it again with --verbose."};

const struct status_words *status_of_scard(LONG code)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].code == code)
            return &rows[i];
    return &unknown;
}

const struct status_words *status_table(size_t *ret_count)
{
    *ret_count = sizeof rows / sizeof rows[0];
    return rows;
}

const char *status_name(int status)
{
    switch (status) {
    case STATUS_DONE:
        return "done";
    case STATUS_ANSWER:
        return "answer";
    case STATUS_USAGE:
        return "usage";
    case STATUS_SERVICE:
        return "service";
    case STATUS_READER:
        return "reader";
    case STATUS_NO_CARD:
        return "no-card";
    case STATUS_SHARING:
        return "sharing";
    case STATUS_PERMISSION:
        return "permission";
    case STATUS_LOST:
        return "lost";
    case STATUS_TRANSPORT:
        return "transport";
    case STATUS_TIMEOUT:
        return "timeout";
    case STATUS_REFUSED:
        return "refused";
    case STATUS_INTERRUPTED:
        return "interrupted";
    case STATUS_PIPE:
        return "pipe";
    default:
        return "unknown";
    }
}
