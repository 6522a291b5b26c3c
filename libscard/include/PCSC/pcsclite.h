/* SPDX-License-Identifier: MIT */
/*
 * Types and constants of the PC/SC API, with the values that pcsc-lite compiled into its clients.
 * Where Windows has another value, a _WIN name gives it.
 */
#ifndef SCARD_PCSC_PCSCLITE_H
#define SCARD_PCSC_PCSCLITE_H

#include <wintypes.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef LONG SCARDCONTEXT;
typedef SCARDCONTEXT *PSCARDCONTEXT;
typedef SCARDCONTEXT *LPSCARDCONTEXT;
typedef LONG SCARDHANDLE;
typedef SCARDHANDLE *PSCARDHANDLE;
typedef SCARDHANDLE *LPSCARDHANDLE;

#define MAX_ATR_SIZE 33 /* ISO 7816-3, 8.1: TS and up to 32 bytes */

/* One reader in SCardGetStatusChange. The caller sets szReader and dwCurrentState; the call sets
 * dwEventState, cbAtr and rgbAtr; pvUserData is the caller's alone. */
typedef struct {
    const char *szReader;
    void *pvUserData;
    DWORD dwCurrentState; /* SCARD_STATE_*: what the caller believes */
    DWORD dwEventState;   /* SCARD_STATE_*: what is; bits 16…31 count insertions and removals */
    DWORD cbAtr;          /* 0 when no card is in */
    unsigned char rgbAtr[MAX_ATR_SIZE];
} SCARD_READERSTATE, *LPSCARD_READERSTATE;

/* Protocol control information: which protocol an APDU is sent with. */
typedef struct {
    unsigned long dwProtocol;  /* SCARD_PROTOCOL_T0, _T1 or _RAW */
    unsigned long cbPciLength; /* size of this structure */
} SCARD_IO_REQUEST, *PSCARD_IO_REQUEST, *LPSCARD_IO_REQUEST;

typedef const SCARD_IO_REQUEST *LPCSCARD_IO_REQUEST;

extern const SCARD_IO_REQUEST g_rgSCardT0Pci, g_rgSCardT1Pci, g_rgSCardRawPci;

#define SCARD_PCI_T0 (&g_rgSCardT0Pci)
#define SCARD_PCI_T1 (&g_rgSCardT1Pci)
#define SCARD_PCI_RAW (&g_rgSCardRawPci)

/* Return codes. Positive numbers on LP64. */
#define SCARD_S_SUCCESS ((LONG)0x00000000)
#define SCARD_F_INTERNAL_ERROR ((LONG)0x80100001)          /* the library contradicts itself */
#define SCARD_E_CANCELLED ((LONG)0x80100002)               /* ended by SCardCancel or SCardReleaseContext */
#define SCARD_E_INVALID_HANDLE ((LONG)0x80100003)          /* context or card handle closed, stale, foreign */
#define SCARD_E_INVALID_PARAMETER ((LONG)0x80100004)       /* a pointer or buffer cannot be used */
#define SCARD_E_INVALID_TARGET ((LONG)0x80100005)          /* start-up data missing or wrong */
#define SCARD_E_NO_MEMORY ((LONG)0x80100006)               /* out of memory */
#define SCARD_F_WAITED_TOO_LONG ((LONG)0x80100007)         /* an internal timer ran out */
#define SCARD_E_INSUFFICIENT_BUFFER ((LONG)0x80100008)     /* buffer too small; needed length stored */
#define SCARD_E_UNKNOWN_READER ((LONG)0x80100009)          /* no reader of that name */
#define SCARD_E_TIMEOUT ((LONG)0x8010000A)                 /* the given time ran out */
#define SCARD_E_SHARING_VIOLATION ((LONG)0x8010000B)       /* another user of the reader stands in the way */
#define SCARD_E_NO_SMARTCARD ((LONG)0x8010000C)            /* a card is needed and none is in */
#define SCARD_E_UNKNOWN_CARD ((LONG)0x8010000D)            /* card type not known */
#define SCARD_E_CANT_DISPOSE ((LONG)0x8010000E)            /* requested end action impossible */
#define SCARD_E_PROTO_MISMATCH ((LONG)0x8010000F)          /* protocol not offered, or not the active one */
#define SCARD_E_NOT_READY ((LONG)0x80100010)               /* reader or card not ready */
#define SCARD_E_INVALID_VALUE ((LONG)0x80100011)           /* a value makes no sense */
#define SCARD_E_SYSTEM_CANCELLED ((LONG)0x80100012)        /* cancelled by the system */
#define SCARD_F_COMM_ERROR ((LONG)0x80100013)              /* internal transport failed */
#define SCARD_F_UNKNOWN_ERROR ((LONG)0x80100014)           /* internal, source unknown */
#define SCARD_E_INVALID_ATR ((LONG)0x80100015)             /* malformed ATR */
#define SCARD_E_NOT_TRANSACTED ((LONG)0x80100016)          /* no transaction to end, or the exchange failed */
#define SCARD_E_READER_UNAVAILABLE ((LONG)0x80100017)      /* reader gone or unusable */
#define SCARD_P_SHUTDOWN ((LONG)0x80100018)                /* stopped so that the service can end */
#define SCARD_E_PCI_TOO_SMALL ((LONG)0x80100019)           /* receive PCI buffer too small */
#define SCARD_E_READER_UNSUPPORTED ((LONG)0x8010001A)      /* driver below requirements */
#define SCARD_E_DUPLICATE_READER ((LONG)0x8010001B)        /* reader name not unique */
#define SCARD_E_CARD_UNSUPPORTED ((LONG)0x8010001C)        /* card below requirements */
#define SCARD_E_NO_SERVICE ((LONG)0x8010001D)              /* resource manager cannot be reached */
#define SCARD_E_SERVICE_STOPPED ((LONG)0x8010001E)         /* resource manager has stopped */
#define SCARD_E_UNEXPECTED ((LONG)0x8010001F)              /* unexpected card error; never returned here */
#define SCARD_E_UNSUPPORTED_FEATURE ((LONG)0x8010001F)     /* not available; same number as above */
#define SCARD_E_UNSUPPORTED_FEATURE_WIN ((LONG)0x80100022) /* the number that Windows uses for it */
#define SCARD_E_ICC_INSTALLATION ((LONG)0x80100020)        /* no primary provider for the card */
#define SCARD_E_ICC_CREATEORDER ((LONG)0x80100021)         /* order of creation not supported */
#define SCARD_E_DIR_NOT_FOUND ((LONG)0x80100023)           /* card directory missing */
#define SCARD_E_FILE_NOT_FOUND ((LONG)0x80100024)          /* card file missing */
#define SCARD_E_NO_DIR ((LONG)0x80100025)                  /* path is no directory */
#define SCARD_E_NO_FILE ((LONG)0x80100026)                 /* path is no file */
#define SCARD_E_NO_ACCESS ((LONG)0x80100027)               /* access refused */
#define SCARD_E_WRITE_TOO_MANY ((LONG)0x80100028)          /* card cannot take so many bytes */
#define SCARD_E_BAD_SEEK ((LONG)0x80100029)                /* bad position in a file */
#define SCARD_E_INVALID_CHV ((LONG)0x8010002A)             /* PIN not acceptable */
#define SCARD_E_UNKNOWN_RES_MNG ((LONG)0x8010002B)         /* unknown code from a lower layer */
#define SCARD_E_UNKNOWN_RES_MSG SCARD_E_UNKNOWN_RES_MNG
#define SCARD_E_NO_SUCH_CERTIFICATE ((LONG)0x8010002C)     /* certificate absent */
#define SCARD_E_CERTIFICATE_UNAVAILABLE ((LONG)0x8010002D) /* certificate cannot be had */
#define SCARD_E_NO_READERS_AVAILABLE ((LONG)0x8010002E)    /* no reader at all */
#define SCARD_E_COMM_DATA_LOST ((LONG)0x8010002F)          /* data lost on the way to the card */
#define SCARD_E_NO_KEY_CONTAINER ((LONG)0x80100030)        /* key container absent */
#define SCARD_E_SERVER_TOO_BUSY ((LONG)0x80100031)         /* resource manager overloaded */
#define SCARD_E_PIN_CACHE_EXPIRED ((LONG)0x80100032)       /* PIN cache ran out */
#define SCARD_E_NO_PIN_CACHE ((LONG)0x80100033)            /* PIN may not be cached */
#define SCARD_E_READ_ONLY_CARD ((LONG)0x80100034)          /* card cannot be written */
#define SCARD_W_UNSUPPORTED_CARD ((LONG)0x80100065)        /* ATR does not suit the reader */
#define SCARD_W_UNRESPONSIVE_CARD ((LONG)0x80100066)       /* card does not answer */
#define SCARD_W_UNPOWERED_CARD ((LONG)0x80100067)          /* card cannot be powered */
#define SCARD_W_RESET_CARD ((LONG)0x80100068)              /* card was reset by another user */
#define SCARD_W_REMOVED_CARD ((LONG)0x80100069)            /* card was taken out */
#define SCARD_W_SECURITY_VIOLATION ((LONG)0x8010006A)      /* access denied */
#define SCARD_W_WRONG_CHV ((LONG)0x8010006B)               /* wrong PIN */
#define SCARD_W_CHV_BLOCKED ((LONG)0x8010006C)             /* PIN blocked */
#define SCARD_W_EOF ((LONG)0x8010006D)                     /* end of card file */
#define SCARD_W_CANCELLED_BY_USER ((LONG)0x8010006E)       /* the user cancelled */
#define SCARD_W_CARD_NOT_AUTHENTICATED ((LONG)0x8010006F)  /* no PIN was presented */
#define SCARD_W_CACHE_ITEM_NOT_FOUND ((LONG)0x80100070)    /* not in the card cache */
#define SCARD_W_CACHE_ITEM_STALE ((LONG)0x80100071)        /* cached item too old */
#define SCARD_W_CACHE_ITEM_TOO_BIG ((LONG)0x80100072)      /* item exceeds the cache's limit */

/* As a length: the library allocates; the buffer argument is the address of a pointer. All ones in
 * 32 bits are taken as well. */
#define SCARD_AUTOALLOCATE ((DWORD)(-1))

#define SCARD_SCOPE_USER 0x0000
#define SCARD_SCOPE_TERMINAL 0x0001
#define SCARD_SCOPE_SYSTEM 0x0002
#define SCARD_SCOPE_GLOBAL 0x0003

#define SCARD_PROTOCOL_UNDEFINED 0x0000
#define SCARD_PROTOCOL_UNSET SCARD_PROTOCOL_UNDEFINED
#define SCARD_PROTOCOL_T0 0x0001
#define SCARD_PROTOCOL_T1 0x0002
#define SCARD_PROTOCOL_RAW 0x0004
#define SCARD_PROTOCOL_T15 0x0008
#define SCARD_PROTOCOL_ANY (SCARD_PROTOCOL_T0 | SCARD_PROTOCOL_T1)
#define SCARD_PROTOCOL_Tx SCARD_PROTOCOL_ANY

#define SCARD_SHARE_EXCLUSIVE 0x0001 /* nobody else may be connected */
#define SCARD_SHARE_SHARED 0x0002    /* others may be connected */
#define SCARD_SHARE_DIRECT 0x0003    /* to the reader; no card needed */

#define SCARD_LEAVE_CARD 0x0000
#define SCARD_RESET_CARD 0x0001   /* warm reset */
#define SCARD_UNPOWER_CARD 0x0002 /* power off; in Reconnect a cold reset */
#define SCARD_EJECT_CARD 0x0003

/* SCardStatus: bits in the low word; the high word is the event counter. */
#define SCARD_UNKNOWN 0x0001
#define SCARD_ABSENT 0x0002
#define SCARD_PRESENT 0x0004
#define SCARD_SWALLOWED 0x0008 /* in, but mute */
#define SCARD_POWERED 0x0010
#define SCARD_NEGOTIABLE 0x0020
#define SCARD_SPECIFIC 0x0040

/* SCardGetStatusChange */
#define SCARD_STATE_UNAWARE 0x0000     /* in: tell me */
#define SCARD_STATE_IGNORE 0x0001      /* in: leave this entry alone */
#define SCARD_STATE_CHANGED 0x0002     /* out: differs from dwCurrentState */
#define SCARD_STATE_UNKNOWN 0x0004     /* out: no such reader (any more) */
#define SCARD_STATE_UNAVAILABLE 0x0008 /* out: reader cannot be used */
#define SCARD_STATE_EMPTY 0x0010
#define SCARD_STATE_PRESENT 0x0020
#define SCARD_STATE_ATRMATCH 0x0040
#define SCARD_STATE_EXCLUSIVE 0x0080 /* connected exclusively */
#define SCARD_STATE_INUSE 0x0100     /* connected by one or more */
#define SCARD_STATE_MUTE 0x0200      /* card does not answer the power-up */
#define SCARD_STATE_UNPOWERED 0x0400

#ifndef INFINITE
#define INFINITE 0xFFFFFFFF /* no time limit, milliseconds */
#endif

#define PCSCLITE_VERSION_NUMBER "2.5.1" /* the API level that these headers match */
#define PCSCLITE_MAX_READERS_CONTEXTS 16 /* kept for programs that size arrays with it; no limit here */
#define MAX_READERNAME 128               /* longest reader name with its NUL */
#define SCARD_ATR_LENGTH MAX_ATR_SIZE

#define MAX_BUFFER_SIZE 264            /* longest short APDU exchange */
#define MAX_BUFFER_SIZE_EXTENDED 65548 /* 4 header, 3 Lc, 65536 data, 3 Le, 2 SW1 SW2 */

/* English text of a code; valid until the next call on the same thread; never NULL. */
extern const char *pcsc_stringify_error(const LONG code);

#ifdef __cplusplus
}
#endif

#endif
