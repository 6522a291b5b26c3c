/* SPDX-License-Identifier: MIT */
#include "ipc/wire.h"

#include "base/rc.h"

int wire_body_size(uint32_t command)
{
    switch (command) {
    case WIRE_ESTABLISH:
        return sizeof(struct wire_establish);
    case WIRE_RELEASE:
    case WIRE_CANCEL:
    case WIRE_ABORT:
    case WIRE_NO_WAIT:
        return sizeof(struct wire_release);
    case WIRE_CONNECT:
        return sizeof(struct wire_connect);
    case WIRE_RECONNECT:
        return sizeof(struct wire_reconnect);
    case WIRE_DISCONNECT:
    case WIRE_END:
        return sizeof(struct wire_disconnect);
    case WIRE_BEGIN:
    case WIRE_STATUS:
        return sizeof(struct wire_begin);
    case WIRE_TRANSMIT:
        return sizeof(struct wire_transmit);
    case WIRE_CONTROL:
        return sizeof(struct wire_control);
    case WIRE_GET_ATTRIBUTE:
    case WIRE_SET_ATTRIBUTE:
        return sizeof(struct wire_attribute);
    case WIRE_VERSION:
        return sizeof(struct wire_version);
    case WIRE_FACT:
        return sizeof(struct wire_fact);
    case WIRE_GET_LEGACY_TABLE:
    case WIRE_WAIT:
    case WIRE_STOP_WAITING:
    case WIRE_GET_EVENTS:
    case WIRE_GET_TABLE_SIZE:
    case WIRE_GET_TABLE:
        return 0;
    default:
        return -1;
    }
}

int wire_request_size(uint32_t command, int32_t minor)
{
    if (minor < WIRE_MINOR_TABLE && (command == WIRE_WAIT || command == WIRE_STOP_WAITING))
        return sizeof(struct wire_wait);
    return wire_body_size(command);
}

/* The first code of an RC_* is the one that it becomes; several codes may mean the same RC_*. */
static const struct {
    uint32_t code;
    int rc;
} codes[] = {
    {0, RC_OK},
    {0x80100001, RC_INTERNAL},
    {0x80100002, RC_CANCELLED},
    {0x80100003, RC_INVALID_HANDLE},
    {0x80100004, RC_INVALID_PARAMETER},
    {0x80100006, RC_NO_MEMORY},
    {0x80100008, RC_INSUFFICIENT_BUFFER},
    {0x80100009, RC_UNKNOWN_READER},
    {0x8010000A, RC_TIMEOUT},
    {0x8010000B, RC_SHARING},
    {0x8010000C, RC_NO_CARD},
    {0x8010000F, RC_PROTO_MISMATCH},
    {0x80100011, RC_INVALID_VALUE},
    {0x80100012, RC_CANCELLED}, /* by the system */
    {0x80100013, RC_IO},
    {0x8010000D, RC_UNKNOWN_CARD},
    {0x80100015, RC_INVALID_ATR},
    {0x8010001B, RC_DUPLICATE},
    {0x80100024, RC_NOT_FOUND},
    {0x80100027, RC_NO_ACCESS},
    {0x80100071, RC_STALE},
    {0x80100072, RC_TOO_BIG},
    {0x80100016, RC_NOT_TRANSACTED},
    {0x80100017, RC_READER_UNAVAILABLE},
    {0x8010001D, RC_NO_SERVICE},
    {0x8010001E, RC_SERVICE_STOPPED},
    {0x8010001F, RC_UNSUPPORTED},
    {0x80100022, RC_UNSUPPORTED}, /* as Windows has it */
    {0x8010002E, RC_NO_READERS},
    {0x80100066, RC_UNRESPONSIVE},
    {0x80100067, RC_MUTE}, /* an unpowered card */
    {0x80100068, RC_CARD_RESET},
    {0x80100069, RC_CARD_REMOVED},
    {0x8010006A, RC_DENIED},
};

uint32_t wire_code(int rc)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].rc == rc)
            return codes[i].code;
    return wire_code(RC_INTERNAL);
}

int wire_rc(uint32_t code)
{
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i].code == code)
            return codes[i].rc;
    return RC_INTERNAL;
}
