/* SPDX-License-Identifier: MIT */
/*
 * Result codes of everything inside libscard.
 *
 * A function that can fail returns int: 0 on success, a negative RC_* on failure, passed up unchanged.
 * A positive result is a documented condition of that one function. SCARD_* codes are made from these
 * in api/ (and on the wire) only; errno and library codes are translated where they are born.
 */
#ifndef BASE_RC_H
#define BASE_RC_H

enum rc {
    RC_OK = 0,
    RC_INTERNAL = -1,            /* the library contradicts itself */
    RC_NO_MEMORY = -2,           /* an allocation failed */
    RC_INVALID_HANDLE = -3,      /* context or card handle closed, stale or foreign */
    RC_INVALID_PARAMETER = -4,   /* a pointer or buffer cannot be used */
    RC_INVALID_VALUE = -5,       /* a scalar or a text makes no sense */
    RC_INSUFFICIENT_BUFFER = -6, /* result does not fit; the needed length is reported */
    RC_UNKNOWN_READER = -7,      /* no reader of that name */
    RC_NO_READERS = -8,          /* no reader at all */
    RC_READER_UNAVAILABLE = -9,  /* reader gone or unusable */
    RC_SHARING = -10,            /* another user of the reader stands in the way */
    RC_NO_CARD = -11,            /* slot empty, or the card left during the call */
    RC_MUTE = -12,               /* card did not answer the power-up */
    RC_UNRESPONSIVE = -13,       /* card present, but protocol set-up failed */
    RC_PROTO_MISMATCH = -14,     /* no common protocol, or not the active one */
    RC_CARD_RESET = -15,         /* pending: another user reset the card */
    RC_CARD_REMOVED = -16,       /* pending: the card was taken out */
    RC_NOT_TRANSACTED = -17,     /* no transaction to end, or the exchange failed in card or reader */
    RC_UNSUPPORTED = -18,        /* feature, control code or attribute not available */
    RC_TIMEOUT = -19,            /* the caller's time ran out */
    RC_CANCELLED = -20,          /* ended by a cancel or by the release of its context */
    RC_NO_SERVICE = -21,         /* service cannot be started or reached */
    RC_SERVICE_STOPPED = -22,    /* service was lost during the call */
    RC_DENIED = -23,             /* permission refused */
    RC_IO = -24,                 /* transport to reader or card failed, or broke its protocol */
    RC_INVALID_ATR = -25,        /* malformed ATR */
    RC_NOT_FOUND = -26,          /* no such entry, value or item */
    RC_DUPLICATE = -27,          /* the name of a reader is taken */
    RC_UNKNOWN_CARD = -28,       /* no card type of that name */
    RC_STALE = -29,              /* the cached item is of another freshness */
    RC_TOO_BIG = -30,            /* more than the cache takes */
    RC_NO_ACCESS = -31,          /* a file or folder may not be written */
};

/* Short English name of a code ("no card"), never NULL. For logs and tests. */
const char *rc_name(int rc);

#endif
