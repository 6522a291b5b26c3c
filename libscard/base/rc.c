/* SPDX-License-Identifier: MIT */
#include "base/rc.h"

const char *rc_name(int rc)
{
    switch (rc) {
    case RC_OK:
        return "done";
    case RC_NO_MEMORY:
        return "out of memory";
    case RC_INVALID_HANDLE:
        return "invalid handle";
    case RC_INVALID_PARAMETER:
        return "invalid parameter";
    case RC_INVALID_VALUE:
        return "invalid value";
    case RC_INSUFFICIENT_BUFFER:
        return "insufficient buffer";
    case RC_UNKNOWN_READER:
        return "unknown reader";
    case RC_NO_READERS:
        return "no readers";
    case RC_READER_UNAVAILABLE:
        return "reader unavailable";
    case RC_SHARING:
        return "sharing violation";
    case RC_NO_CARD:
        return "no card";
    case RC_MUTE:
        return "card mute";
    case RC_UNRESPONSIVE:
        return "card unresponsive";
    case RC_PROTO_MISMATCH:
        return "protocol mismatch";
    case RC_CARD_RESET:
        return "card was reset";
    case RC_CARD_REMOVED:
        return "card was removed";
    case RC_NOT_TRANSACTED:
        return "not transacted";
    case RC_UNSUPPORTED:
        return "unsupported";
    case RC_TIMEOUT:
        return "timeout";
    case RC_CANCELLED:
        return "cancelled";
    case RC_NO_SERVICE:
        return "no service";
    case RC_SERVICE_STOPPED:
        return "service stopped";
    case RC_DENIED:
        return "denied";
    case RC_IO:
        return "transport failure";
    case RC_INVALID_ATR:
        return "invalid ATR";
    case RC_NOT_FOUND:
        return "not found";
    case RC_DUPLICATE:
        return "duplicate reader";
    case RC_UNKNOWN_CARD:
        return "unknown card";
    case RC_STALE:
        return "stale";
    case RC_TOO_BIG:
        return "too big";
    case RC_NO_ACCESS:
        return "no access";
    default:
        return "internal error";
    }
}
