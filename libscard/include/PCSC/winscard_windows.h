/* SPDX-License-Identifier: MIT */
/*
 * What Windows' winscard.h has beyond pcsc-lite's: the functions of the card and reader database, of the card cache
 * and of the dialog, and each function that takes text a second and third time, with A (8 bits, UTF-8, the same
 * function as without a letter) and W (UTF-16). Rules as in winscard.h, which includes this; in the W functions
 * lengths of text count code units, and text with half a surrogate pair is SCARD_E_INVALID_PARAMETER.
 *
 * Where Linux differs from Windows: DWORD and LONG have the width of long (64 bits on LP64), BOOL has 16 bits and
 * HANDLE is a pointer, so structs with a DWORD are larger. SCARD_AUTOALLOCATE is all ones of DWORD.
 *
 * The database: /etc/scard for SCARD_SCOPE_SYSTEM and _GLOBAL, $XDG_CONFIG_HOME/scard for a user's contexts; files
 * that people edit too, see scard-database(5). Looking for a name, the user's entries come first. A damaged file
 * hides no other entry and is never written to; scard_database_problems (scard.h) tells what is wrong. A change is
 * made in the scope that the context was established with, whole or not at all; SCARD_F_COMM_ERROR: the disk is full
 * or does not work. What another process writes is seen by the next call.
 */
#ifndef SCARD_PCSC_WINSCARD_WINDOWS_H
#define SCARD_PCSC_WINSCARD_WINDOWS_H

#include <pcsclite.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Groups that exist by themselves. Each text ends with two NULs, as a multi-string does. */
#define SCARD_ALL_READERS_A "SCard$AllReaders\000"
#define SCARD_DEFAULT_READERS_A "SCard$DefaultReaders\000"
#define SCARD_LOCAL_READERS_A "SCard$LocalReaders\000"
#define SCARD_SYSTEM_READERS_A "SCard$SystemReaders\000"
#define SCARD_ALL_READERS_W u"SCard$AllReaders\000"
#define SCARD_DEFAULT_READERS_W u"SCard$DefaultReaders\000"
#define SCARD_LOCAL_READERS_W u"SCard$LocalReaders\000"
#define SCARD_SYSTEM_READERS_W u"SCard$SystemReaders\000"

/* Providers of a card type. */
#define SCARD_PROVIDER_PRIMARY 1 /* a GUID as text */
#define SCARD_PROVIDER_CSP 2
#define SCARD_PROVIDER_KSP 3
#define SCARD_PROVIDER_CARD_MODULE 0x80000001

/* SCardGetDeviceTypeId */
#define SCARD_READER_TYPE_SERIAL 0x01
#define SCARD_READER_TYPE_PARALELL 0x02 /* Windows spells it so */
#define SCARD_READER_TYPE_PARALLEL SCARD_READER_TYPE_PARALELL
#define SCARD_READER_TYPE_KEYBOARD 0x04
#define SCARD_READER_TYPE_SCSI 0x08
#define SCARD_READER_TYPE_IDE 0x10
#define SCARD_READER_TYPE_USB 0x20
#define SCARD_READER_TYPE_PCMCIA 0x40
#define SCARD_READER_TYPE_TPM 0x80
#define SCARD_READER_TYPE_NFC 0x100
#define SCARD_READER_TYPE_UICC 0x200
#define SCARD_READER_TYPE_VENDOR 0xF0

/* Room that programs give SCardGetStatusChange on Windows; there is no such limit here. */
#define MAXIMUM_SMARTCARD_READERS 10

/* SCardAudit */
#define SCARD_AUDIT_CHV_FAILURE 0
#define SCARD_AUDIT_CHV_SUCCESS 1

typedef SCARD_READERSTATE SCARD_READERSTATEA, *PSCARD_READERSTATEA, *LPSCARD_READERSTATEA;

/* As SCARD_READERSTATE. */
typedef struct {
    LPCWSTR szReader;
    LPVOID pvUserData;
    DWORD dwCurrentState;
    DWORD dwEventState;
    DWORD cbAtr;
    BYTE rgbAtr[MAX_ATR_SIZE];
} SCARD_READERSTATEW, *PSCARD_READERSTATEW, *LPSCARD_READERSTATEW;

/* An ATR of cbAtr bytes, and which bits of it count. */
typedef struct {
    DWORD cbAtr;
    BYTE rgbAtr[36];
    BYTE rgbMask[36];
} SCARD_ATRMASK, *PSCARD_ATRMASK, *LPSCARD_ATRMASK;

/* Card types. */

/* Adds a card type in the context's scope. A card is of the type when its ATR has the same length and, ANDed with
 * pbAtrMask (NULL: all ones), equals pbAtr. cbAtrLen 0: as long as pbAtr is by ISO 7816-3. The provider and the
 * interfaces may be NULL. SCARD_E_INVALID_VALUE: the name is there already; SCARD_E_INVALID_ATR: no length to be
 * found, or more than 36 bytes; SCARD_E_NO_ACCESS: the database may not be written; SCARD_E_INVALID_PARAMETER: an
 * empty name, or no ATR. */
LONG SCardIntroduceCardType(SCARDCONTEXT hContext, LPCSTR szCardName, LPCGUID pguidPrimaryProvider, LPCGUID rgguidInterfaces, DWORD dwInterfaceCount, LPCBYTE pbAtr, LPCBYTE pbAtrMask, DWORD cbAtrLen);
LONG SCardIntroduceCardTypeA(SCARDCONTEXT hContext, LPCSTR szCardName, LPCGUID pguidPrimaryProvider, LPCGUID rgguidInterfaces, DWORD dwInterfaceCount, LPCBYTE pbAtr, LPCBYTE pbAtrMask, DWORD cbAtrLen);
LONG SCardIntroduceCardTypeW(SCARDCONTEXT hContext, LPCWSTR szCardName, LPCGUID pguidPrimaryProvider, LPCGUID rgguidInterfaces, DWORD dwInterfaceCount, LPCBYTE pbAtr, LPCBYTE pbAtrMask, DWORD cbAtrLen);

/* Takes a card type out of the context's scope. SCARD_E_UNKNOWN_CARD, SCARD_E_NO_ACCESS. */
LONG SCardForgetCardType(SCARDCONTEXT hContext, LPCSTR szCardName);
LONG SCardForgetCardTypeA(SCARDCONTEXT hContext, LPCSTR szCardName);
LONG SCardForgetCardTypeW(SCARDCONTEXT hContext, LPCWSTR szCardName);

/* The card types that pbAtr belongs to (NULL: any; its length is found by ISO 7816-3) and that have all the
 * interfaces (NULL: any), as a multi-string. None: SCARD_S_SUCCESS and an empty multi-string. hContext may be 0. */
LONG SCardListCards(SCARDCONTEXT hContext, LPCBYTE pbAtr, LPCGUID rgguidInterfaces, DWORD cguidInterfaceCount, LPSTR mszCards, LPDWORD pcchCards);
LONG SCardListCardsA(SCARDCONTEXT hContext, LPCBYTE pbAtr, LPCGUID rgguidInterfaces, DWORD cguidInterfaceCount, LPSTR mszCards, LPDWORD pcchCards);
LONG SCardListCardsW(SCARDCONTEXT hContext, LPCBYTE pbAtr, LPCGUID rgguidInterfaces, DWORD cguidInterfaceCount, LPWSTR mszCards, LPDWORD pcchCards);

/* The interfaces of a card type; the length counts GUIDs. hContext may be 0. SCARD_E_UNKNOWN_CARD. */
LONG SCardListInterfaces(SCARDCONTEXT hContext, LPCSTR szCard, LPGUID pguidInterfaces, LPDWORD pcguidInterfaces);
LONG SCardListInterfacesA(SCARDCONTEXT hContext, LPCSTR szCard, LPGUID pguidInterfaces, LPDWORD pcguidInterfaces);
LONG SCardListInterfacesW(SCARDCONTEXT hContext, LPCWSTR szCard, LPGUID pguidInterfaces, LPDWORD pcguidInterfaces);

/* The primary provider of a card type. SCARD_E_UNKNOWN_CARD; SCARD_E_FILE_NOT_FOUND: it has none. */
LONG SCardGetProviderId(SCARDCONTEXT hContext, LPCSTR szCard, LPGUID pguidProviderId);
LONG SCardGetProviderIdA(SCARDCONTEXT hContext, LPCSTR szCard, LPGUID pguidProviderId);
LONG SCardGetProviderIdW(SCARDCONTEXT hContext, LPCWSTR szCard, LPGUID pguidProviderId);

/* A provider of a card type, SCARD_PROVIDER_*. hContext may be 0. SCARD_E_UNKNOWN_CARD; SCARD_E_FILE_NOT_FOUND:
 * not set; SCARD_E_INVALID_PARAMETER: no such kind of provider. */
LONG SCardGetCardTypeProviderName(SCARDCONTEXT hContext, LPCSTR szCardName, DWORD dwProviderId, LPSTR szProvider, LPDWORD pcchProvider);
LONG SCardGetCardTypeProviderNameA(SCARDCONTEXT hContext, LPCSTR szCardName, DWORD dwProviderId, LPSTR szProvider, LPDWORD pcchProvider);
LONG SCardGetCardTypeProviderNameW(SCARDCONTEXT hContext, LPCWSTR szCardName, DWORD dwProviderId, LPWSTR szProvider, LPDWORD pcchProvider);

/* Sets or replaces it, in the context's scope (hContext 0: the user's). SCARD_PROVIDER_PRIMARY takes a GUID as
 * text, SCARD_E_INVALID_VALUE for another. Codes as above, and SCARD_E_NO_ACCESS. */
LONG SCardSetCardTypeProviderName(SCARDCONTEXT hContext, LPCSTR szCardName, DWORD dwProviderId, LPCSTR szProvider);
LONG SCardSetCardTypeProviderNameA(SCARDCONTEXT hContext, LPCSTR szCardName, DWORD dwProviderId, LPCSTR szProvider);
LONG SCardSetCardTypeProviderNameW(SCARDCONTEXT hContext, LPCWSTR szCardName, DWORD dwProviderId, LPCWSTR szProvider);

/* Readers: other names, and groups. */

/* Gives a reader another name, in the context's scope; it works wherever a reader is named. szDeviceName: the
 * reader's own name, or its device instance id. SCARD_E_DUPLICATE_READER: the name is taken;
 * SCARD_E_UNKNOWN_READER: no such reader is there, and none can be named so, which needs the form of a device
 * ("usb:1-2.3:1.0") or of a reader's name ("Model (serial) 00 00"); SCARD_E_INVALID_PARAMETER: a name of 128 bytes or
 * more, for which programs have no room; SCARD_E_NO_ACCESS. A name that SCardForgetReader has hidden is shown again. */
LONG SCardIntroduceReader(SCARDCONTEXT hContext, LPCSTR szReaderName, LPCSTR szDeviceName);
LONG SCardIntroduceReaderA(SCARDCONTEXT hContext, LPCSTR szReaderName, LPCSTR szDeviceName);
LONG SCardIntroduceReaderW(SCARDCONTEXT hContext, LPCWSTR szReaderName, LPCWSTR szDeviceName);

/* Takes such a name away, out of the groups too. A reader's own name is hidden, if it has another.
 * SCARD_E_UNKNOWN_READER; SCARD_E_INVALID_PARAMETER: its only name; SCARD_E_NO_ACCESS. */
LONG SCardForgetReader(SCARDCONTEXT hContext, LPCSTR szReaderName);
LONG SCardForgetReaderA(SCARDCONTEXT hContext, LPCSTR szReaderName);
LONG SCardForgetReaderW(SCARDCONTEXT hContext, LPCWSTR szReaderName);

/* Checks the name: SCARD_E_INVALID_PARAMETER, also for SCard$.... A group exists while it has readers. hContext may be
 * 0. */
LONG SCardIntroduceReaderGroup(SCARDCONTEXT hContext, LPCSTR szGroupName);
LONG SCardIntroduceReaderGroupA(SCARDCONTEXT hContext, LPCSTR szGroupName);
LONG SCardIntroduceReaderGroupW(SCARDCONTEXT hContext, LPCWSTR szGroupName);

/* Takes a group away; its readers stay. SCARD_E_INVALID_PARAMETER: no such group, or one of the system's,
 * SCard$...; SCARD_E_NO_ACCESS. */
LONG SCardForgetReaderGroup(SCARDCONTEXT hContext, LPCSTR szGroupName);
LONG SCardForgetReaderGroupA(SCARDCONTEXT hContext, LPCSTR szGroupName);
LONG SCardForgetReaderGroupW(SCARDCONTEXT hContext, LPCWSTR szGroupName);

/* Puts a reader into a group, which is made if needed. Twice is fine. SCARD_E_UNKNOWN_READER;
 * SCARD_E_INVALID_PARAMETER: a group that every reader is in by itself; SCARD_E_NO_ACCESS. */
LONG SCardAddReaderToGroup(SCARDCONTEXT hContext, LPCSTR szReaderName, LPCSTR szGroupName);
LONG SCardAddReaderToGroupA(SCARDCONTEXT hContext, LPCSTR szReaderName, LPCSTR szGroupName);
LONG SCardAddReaderToGroupW(SCARDCONTEXT hContext, LPCWSTR szReaderName, LPCWSTR szGroupName);

/* Takes it out; the last one takes the group with it. SCARD_E_UNKNOWN_READER: not a member. */
LONG SCardRemoveReaderFromGroup(SCARDCONTEXT hContext, LPCSTR szReaderName, LPCSTR szGroupName);
LONG SCardRemoveReaderFromGroupA(SCARDCONTEXT hContext, LPCSTR szReaderName, LPCSTR szGroupName);
LONG SCardRemoveReaderFromGroupW(SCARDCONTEXT hContext, LPCWSTR szReaderName, LPCWSTR szGroupName);

/* Which reader has the card. */

/* Looks at the readers as SCardGetStatusChange with time-out 0 does, and adds SCARD_STATE_ATRMATCH where a card of
 * one of the types is in. Never waits. Unknown types are passed over; SCARD_E_UNKNOWN_CARD: all are unknown,
 * or none is named. */
LONG SCardLocateCards(SCARDCONTEXT hContext, LPCSTR mszCards, SCARD_READERSTATE *rgReaderStates, DWORD cReaders);
LONG SCardLocateCardsA(SCARDCONTEXT hContext, LPCSTR mszCards, SCARD_READERSTATEA *rgReaderStates, DWORD cReaders);
LONG SCardLocateCardsW(SCARDCONTEXT hContext, LPCWSTR mszCards, SCARD_READERSTATEW *rgReaderStates, DWORD cReaders);

/* The same with ATRs and masks in place of types. SCARD_E_INVALID_PARAMETER: none given; SCARD_E_INVALID_VALUE:
 * cbAtr above 36. */
LONG SCardLocateCardsByATR(SCARDCONTEXT hContext, SCARD_ATRMASK *rgAtrMasks, DWORD cAtrs, SCARD_READERSTATE *rgReaderStates, DWORD cReaders);
LONG SCardLocateCardsByATRA(SCARDCONTEXT hContext, SCARD_ATRMASK *rgAtrMasks, DWORD cAtrs, SCARD_READERSTATEA *rgReaderStates, DWORD cReaders);
LONG SCardLocateCardsByATRW(SCARDCONTEXT hContext, SCARD_ATRMASK *rgAtrMasks, DWORD cAtrs, SCARD_READERSTATEW *rgReaderStates, DWORD cReaders);

/* The card cache: shared by the processes of one user, gone with the machine's next start. */

/* What was stored for the card under the name. SCARD_W_CACHE_ITEM_NOT_FOUND; SCARD_W_CACHE_ITEM_STALE: stored with
 * another freshness; when that is the lower one, the item goes. LookupName is only read. Usual length rules,
 * SCARD_AUTOALLOCATE too. */
LONG SCardReadCache(SCARDCONTEXT hContext, UUID *CardIdentifier, DWORD FreshnessCounter, LPSTR LookupName, PBYTE Data, LPDWORD DataLen);
LONG SCardReadCacheA(SCARDCONTEXT hContext, UUID *CardIdentifier, DWORD FreshnessCounter, LPSTR LookupName, PBYTE Data, LPDWORD DataLen);
LONG SCardReadCacheW(SCARDCONTEXT hContext, UUID *CardIdentifier, DWORD FreshnessCounter, LPWSTR LookupName, PBYTE Data, LPDWORD DataLen);

/* Stores or replaces. SCARD_W_CACHE_ITEM_TOO_BIG: more than 65,536 bytes. What is least used makes room. */
LONG SCardWriteCache(SCARDCONTEXT hContext, UUID *CardIdentifier, DWORD FreshnessCounter, LPSTR LookupName, PBYTE Data, DWORD DataLen);
LONG SCardWriteCacheA(SCARDCONTEXT hContext, UUID *CardIdentifier, DWORD FreshnessCounter, LPSTR LookupName, PBYTE Data, DWORD DataLen);
LONG SCardWriteCacheW(SCARDCONTEXT hContext, UUID *CardIdentifier, DWORD FreshnessCounter, LPWSTR LookupName, PBYTE Data, DWORD DataLen);

/* Facts about a reader. */

/* A picture of the reader: the content of an .ico file, 256 x 256. SCARD_E_UNKNOWN_READER. */
LONG SCardGetReaderIcon(SCARDCONTEXT hContext, LPCSTR szReaderName, LPBYTE pbIcon, LPDWORD pcbIcon);
LONG SCardGetReaderIconA(SCARDCONTEXT hContext, LPCSTR szReaderName, LPBYTE pbIcon, LPDWORD pcbIcon);
LONG SCardGetReaderIconW(SCARDCONTEXT hContext, LPCWSTR szReaderName, LPBYTE pbIcon, LPDWORD pcbIcon);

/* SCARD_READER_TYPE_*. SCARD_E_UNKNOWN_READER. */
LONG SCardGetDeviceTypeId(SCARDCONTEXT hContext, LPCSTR szReaderName, LPDWORD pdwDeviceTypeId);
LONG SCardGetDeviceTypeIdA(SCARDCONTEXT hContext, LPCSTR szReaderName, LPDWORD pdwDeviceTypeId);
LONG SCardGetDeviceTypeIdW(SCARDCONTEXT hContext, LPCWSTR szReaderName, LPDWORD pdwDeviceTypeId);

/* The stable identity of the reader's device: "usb:1-2.3:1.0" by the port that it is plugged in, "vpcd:35963".
 * SCARD_E_UNKNOWN_READER; SCARD_E_UNSUPPORTED_FEATURE: the service does not tell (pcscd). */
LONG SCardGetReaderDeviceInstanceId(SCARDCONTEXT hContext, LPCSTR szReaderName, LPSTR szDeviceInstanceId, LPDWORD pcchDeviceInstanceId);
LONG SCardGetReaderDeviceInstanceIdA(SCARDCONTEXT hContext, LPCSTR szReaderName, LPSTR szDeviceInstanceId, LPDWORD pcchDeviceInstanceId);
LONG SCardGetReaderDeviceInstanceIdW(SCARDCONTEXT hContext, LPCWSTR szReaderName, LPWSTR szDeviceInstanceId, LPDWORD pcchDeviceInstanceId);

/* The readers of that device, by all their names, as a multi-string. SCARD_E_NO_READERS_AVAILABLE: none;
 * SCARD_E_UNSUPPORTED_FEATURE as above. */
LONG SCardListReadersWithDeviceInstanceId(SCARDCONTEXT hContext, LPCSTR szDeviceInstanceId, LPSTR mszReaders, LPDWORD pcchReaders);
LONG SCardListReadersWithDeviceInstanceIdA(SCARDCONTEXT hContext, LPCSTR szDeviceInstanceId, LPSTR mszReaders, LPDWORD pcchReaders);
LONG SCardListReadersWithDeviceInstanceIdW(SCARDCONTEXT hContext, LPCWSTR szDeviceInstanceId, LPWSTR mszReaders, LPDWORD pcchReaders);

/* How many exchanges SCardTransmit has completed on the handle's reader since it was attached, by all programs.
 * SCARD_E_UNSUPPORTED_FEATURE: the service does not count (pcscd). */
LONG SCardGetTransmitCount(SCARDHANDLE hCard, LPDWORD pcTransmitCount);

/* Writes to the system's log (facility authpriv) that a PIN was right or wrong, SCARD_AUDIT_*, with the user, and the
 * readers and cards (ATR) that the context is connected to. SCARD_E_INVALID_PARAMETER: another event. */
LONG SCardAudit(SCARDCONTEXT hContext, DWORD dwEvent);

/* An event that is signalled while a context can be established: the same for all callers, each of which releases it
 * once. scard_event_fd (scard.h) gives a descriptor to poll. NULL without memory or descriptors. It follows the service
 * that SCARD_SERVICE named at the first of them; a forked child has none of them. */
HANDLE SCardAccessStartedEvent(void);
void SCardReleaseStartedEvent(void);

/* The dialog: finds a card, asking on the controlling terminal (/dev/tty) for one to be inserted or chosen. */
#define SC_DLG_MINIMAL_UI 0x01 /* asks only when not exactly one card fits; so do no flags */
#define SC_DLG_NO_UI 0x02      /* never asks: SCARD_E_NO_SMARTCARD when none fits, else the first one */
#define SC_DLG_FORCE_UI 0x04   /* asks even if one card fits */

/* SCardDlgExtendedError */
#define SCERR_NOCARDNAME 0x4000 /* no card type has one of the names */
#define SCERR_NOGUIDS 0x8000    /* no card type has the interfaces */

/* Connect returns a card handle or 0; check says whether the card is one that is looked for; then disconnect. A card
 * is checked when it is first seen, and again when somebody chooses it although it did not pass. */
typedef SCARDHANDLE(WINAPI *LPOCNCONNPROCA)(SCARDCONTEXT, LPSTR szReader, LPSTR mszCards, PVOID pvUserData);
typedef SCARDHANDLE(WINAPI *LPOCNCONNPROCW)(SCARDCONTEXT, LPWSTR szReader, LPWSTR mszCards, PVOID pvUserData);
typedef BOOL(WINAPI *LPOCNCHKPROC)(SCARDCONTEXT, SCARDHANDLE, PVOID pvUserData);
typedef void(WINAPI *LPOCNDSCPROC)(SCARDCONTEXT, SCARDHANDLE, PVOID pvUserData);

/* Which cards: those of the named types (multi-string) with the interfaces, in readers of the groups (multi-string;
 * NULL: all), for which the check says yes. NULL leaves a condition out. */
typedef struct {
    DWORD dwStructSize;
    LPSTR lpstrGroupNames;
    DWORD nMaxGroupNames;
    LPCGUID rgguidInterfaces;
    DWORD cguidInterfaces;
    LPSTR lpstrCardNames;
    DWORD nMaxCardNames;
    LPOCNCHKPROC lpfnCheck;
    LPOCNCONNPROCA lpfnConnect;
    LPOCNDSCPROC lpfnDisconnect;
    LPVOID pvUserData;
    DWORD dwShareMode;
    DWORD dwPreferredProtocols;
} OPENCARD_SEARCH_CRITERIAA, *POPENCARD_SEARCH_CRITERIAA, *LPOPENCARD_SEARCH_CRITERIAA;

typedef struct {
    DWORD dwStructSize;
    LPWSTR lpstrGroupNames;
    DWORD nMaxGroupNames;
    LPCGUID rgguidInterfaces;
    DWORD cguidInterfaces;
    LPWSTR lpstrCardNames;
    DWORD nMaxCardNames;
    LPOCNCHKPROC lpfnCheck;
    LPOCNCONNPROCW lpfnConnect;
    LPOCNDSCPROC lpfnDisconnect;
    LPVOID pvUserData;
    DWORD dwShareMode;
    DWORD dwPreferredProtocols;
} OPENCARD_SEARCH_CRITERIAW, *POPENCARD_SEARCH_CRITERIAW, *LPOPENCARD_SEARCH_CRITERIAW;

/* In: context, flags, texts, criteria (NULL: any card), how to connect (a function, or by share mode; 0: not at all).
 * Out: the names of the reader and the card type ("": it has none) in the caller's buffers (NULL: not wanted), and
 * their lengths with NUL; protocol and handle, which are 0 where nothing is known of them. */
typedef struct {
    DWORD dwStructSize;
    SCARDCONTEXT hSCardContext;
    HWND hwndOwner;
    DWORD dwFlags;
    LPCSTR lpstrTitle;
    LPCSTR lpstrSearchDesc;
    HICON hIcon;
    POPENCARD_SEARCH_CRITERIAA pOpenCardSearchCriteria;
    LPOCNCONNPROCA lpfnConnect;
    LPVOID pvUserData;
    DWORD dwShareMode;
    DWORD dwPreferredProtocols;
    LPSTR lpstrRdr;
    DWORD nMaxRdr;
    LPSTR lpstrCard;
    DWORD nMaxCard;
    DWORD dwActiveProtocol;
    SCARDHANDLE hCardHandle;
} OPENCARDNAME_EXA, *POPENCARDNAME_EXA, *LPOPENCARDNAME_EXA;

typedef struct {
    DWORD dwStructSize;
    SCARDCONTEXT hSCardContext;
    HWND hwndOwner;
    DWORD dwFlags;
    LPCWSTR lpstrTitle;
    LPCWSTR lpstrSearchDesc;
    HICON hIcon;
    POPENCARD_SEARCH_CRITERIAW pOpenCardSearchCriteria;
    LPOCNCONNPROCW lpfnConnect;
    LPVOID pvUserData;
    DWORD dwShareMode;
    DWORD dwPreferredProtocols;
    LPWSTR lpstrRdr;
    DWORD nMaxRdr;
    LPWSTR lpstrCard;
    DWORD nMaxCard;
    DWORD dwActiveProtocol;
    SCARDHANDLE hCardHandle;
} OPENCARDNAME_EXW, *POPENCARDNAME_EXW, *LPOPENCARDNAME_EXW;

/* The older form. */
typedef struct {
    DWORD dwStructSize;
    HWND hwndOwner;
    SCARDCONTEXT hSCardContext;
    LPSTR lpstrGroupNames;
    DWORD nMaxGroupNames;
    LPSTR lpstrCardNames;
    DWORD nMaxCardNames;
    LPCGUID rgguidInterfaces;
    DWORD cguidInterfaces;
    LPSTR lpstrRdr;
    DWORD nMaxRdr;
    LPSTR lpstrCard;
    DWORD nMaxCard;
    LPCSTR lpstrTitle;
    DWORD dwFlags;
    LPVOID pvUserData;
    DWORD dwShareMode;
    DWORD dwPreferredProtocols;
    DWORD dwActiveProtocol;
    LPOCNCONNPROCA lpfnConnect;
    LPOCNCHKPROC lpfnCheck;
    LPOCNDSCPROC lpfnDisconnect;
    SCARDHANDLE hCardHandle;
} OPENCARDNAMEA, *POPENCARDNAMEA, *LPOPENCARDNAMEA;

typedef struct {
    DWORD dwStructSize;
    HWND hwndOwner;
    SCARDCONTEXT hSCardContext;
    LPWSTR lpstrGroupNames;
    DWORD nMaxGroupNames;
    LPWSTR lpstrCardNames;
    DWORD nMaxCardNames;
    LPCGUID rgguidInterfaces;
    DWORD cguidInterfaces;
    LPWSTR lpstrRdr;
    DWORD nMaxRdr;
    LPWSTR lpstrCard;
    DWORD nMaxCard;
    LPCWSTR lpstrTitle;
    DWORD dwFlags;
    LPVOID pvUserData;
    DWORD dwShareMode;
    DWORD dwPreferredProtocols;
    DWORD dwActiveProtocol;
    LPOCNCONNPROCW lpfnConnect;
    LPOCNCHKPROC lpfnCheck;
    LPOCNDSCPROC lpfnDisconnect;
    SCARDHANDLE hCardHandle;
} OPENCARDNAMEW, *POPENCARDNAMEW, *LPOPENCARDNAMEW;

/* SCARD_W_CANCELLED_BY_USER; SCARD_E_CANCELLED, also when the context is released; SCARD_E_NO_MEMORY: a name does not fit, nMaxRdr and nMaxCard say what is needed, and
 * nothing was connected; SCARD_E_INVALID_PARAMETER: dwStructSize; SCARD_E_UNSUPPORTED_FEATURE: there is no terminal to
 * ask on; SCARD_E_UNKNOWN_CARD: see SCardDlgExtendedError; SCARD_E_NO_SMARTCARD: SC_DLG_NO_UI; what SCardConnect says.
 */
LONG SCardUIDlgSelectCardA(LPOPENCARDNAME_EXA pDlgStruc);
LONG SCardUIDlgSelectCardW(LPOPENCARDNAME_EXW pDlgStruc);
LONG GetOpenCardNameA(LPOPENCARDNAMEA pOpenCardName);
LONG GetOpenCardNameW(LPOPENCARDNAMEW pOpenCardName);

/* Why the last dialog of this thread failed: SCERR_*, or 0. */
LONG SCardDlgExtendedError(void);

/* The functions of winscard.h under their Windows names. The lists of W take 0 as hContext, as on Windows; the others
 * are as with pcsc-lite. */
LONG SCardListReaderGroupsA(SCARDCONTEXT hContext, LPSTR mszGroups, LPDWORD pcchGroups);
LONG SCardListReaderGroupsW(SCARDCONTEXT hContext, LPWSTR mszGroups, LPDWORD pcchGroups);
LONG SCardListReadersA(SCARDCONTEXT hContext, LPCSTR mszGroups, LPSTR mszReaders, LPDWORD pcchReaders);
LONG SCardListReadersW(SCARDCONTEXT hContext, LPCWSTR mszGroups, LPWSTR mszReaders, LPDWORD pcchReaders);
LONG SCardConnectA(SCARDCONTEXT hContext, LPCSTR szReader, DWORD dwShareMode, DWORD dwPreferredProtocols,
                   LPSCARDHANDLE phCard, LPDWORD pdwActiveProtocol);
LONG SCardConnectW(SCARDCONTEXT hContext, LPCWSTR szReader, DWORD dwShareMode, DWORD dwPreferredProtocols,
                   LPSCARDHANDLE phCard, LPDWORD pdwActiveProtocol);
LONG SCardStatusA(SCARDHANDLE hCard, LPSTR szReaderName, LPDWORD pcchReaderLen, LPDWORD pdwState, LPDWORD pdwProtocol,
                  LPBYTE pbAtr, LPDWORD pcbAtrLen);
/* As on Windows: all names of the reader, as a multi-string, the one that was connected to first. */
LONG SCardStatusW(SCARDHANDLE hCard, LPWSTR mszReaderNames, LPDWORD pcchReaderLen, LPDWORD pdwState,
                  LPDWORD pdwProtocol, LPBYTE pbAtr, LPDWORD pcbAtrLen);
LONG SCardGetStatusChangeA(SCARDCONTEXT hContext, DWORD dwTimeout, SCARD_READERSTATEA *rgReaderStates, DWORD cReaders);
LONG SCardGetStatusChangeW(SCARDCONTEXT hContext, DWORD dwTimeout, SCARD_READERSTATEW *rgReaderStates, DWORD cReaders);

/* Older names. */
#define SCardListCardTypes SCardListCards
#define SCardListCardTypesA SCardListCardsA
#define SCardListCardTypesW SCardListCardsW
#define PCSCardIntroduceCardType(context, name, atr, mask, length, primary, interfaces, count)                         \
    SCardIntroduceCardType(context, name, primary, interfaces, count, atr, mask, length)
#define SCardGetReaderCapabilities SCardGetAttrib
#define SCardSetReaderCapabilities SCardSetAttrib

#ifdef UNICODE
#define SCardListReaderGroups SCardListReaderGroupsW
#define SCardListReaders SCardListReadersW
#define SCardConnect SCardConnectW
#define SCardStatus SCardStatusW
#define SCardGetStatusChange SCardGetStatusChangeW
#define SCardIntroduceCardType SCardIntroduceCardTypeW
#define SCardForgetCardType SCardForgetCardTypeW
#define SCardListCards SCardListCardsW
#define SCardListInterfaces SCardListInterfacesW
#define SCardGetProviderId SCardGetProviderIdW
#define SCardGetCardTypeProviderName SCardGetCardTypeProviderNameW
#define SCardSetCardTypeProviderName SCardSetCardTypeProviderNameW
#define SCardIntroduceReader SCardIntroduceReaderW
#define SCardForgetReader SCardForgetReaderW
#define SCardIntroduceReaderGroup SCardIntroduceReaderGroupW
#define SCardForgetReaderGroup SCardForgetReaderGroupW
#define SCardAddReaderToGroup SCardAddReaderToGroupW
#define SCardRemoveReaderFromGroup SCardRemoveReaderFromGroupW
#define SCardLocateCards SCardLocateCardsW
#define SCardLocateCardsByATR SCardLocateCardsByATRW
#define SCardReadCache SCardReadCacheW
#define SCardWriteCache SCardWriteCacheW
#define SCardGetReaderIcon SCardGetReaderIconW
#define SCardGetDeviceTypeId SCardGetDeviceTypeIdW
#define SCardGetReaderDeviceInstanceId SCardGetReaderDeviceInstanceIdW
#define SCardListReadersWithDeviceInstanceId SCardListReadersWithDeviceInstanceIdW
#define SCARD_READERSTATE SCARD_READERSTATEW
#define LPSCARD_READERSTATE LPSCARD_READERSTATEW
#define OPENCARD_SEARCH_CRITERIA OPENCARD_SEARCH_CRITERIAW
#define LPOPENCARD_SEARCH_CRITERIA LPOPENCARD_SEARCH_CRITERIAW
#define POPENCARD_SEARCH_CRITERIA POPENCARD_SEARCH_CRITERIAW
#define OPENCARDNAME_EX OPENCARDNAME_EXW
#define LPOPENCARDNAME_EX LPOPENCARDNAME_EXW
#define POPENCARDNAME_EX POPENCARDNAME_EXW
#define OPENCARDNAME OPENCARDNAMEW
#define LPOPENCARDNAME LPOPENCARDNAMEW
#define POPENCARDNAME POPENCARDNAMEW
#define LPOCNCONNPROC LPOCNCONNPROCW
#define SCardUIDlgSelectCard SCardUIDlgSelectCardW
#define GetOpenCardName GetOpenCardNameW
#define SCARD_ALL_READERS SCARD_ALL_READERS_W
#define SCARD_DEFAULT_READERS SCARD_DEFAULT_READERS_W
#define SCARD_LOCAL_READERS SCARD_LOCAL_READERS_W
#define SCARD_SYSTEM_READERS SCARD_SYSTEM_READERS_W
#else
#define OPENCARD_SEARCH_CRITERIA OPENCARD_SEARCH_CRITERIAA
#define LPOPENCARD_SEARCH_CRITERIA LPOPENCARD_SEARCH_CRITERIAA
#define POPENCARD_SEARCH_CRITERIA POPENCARD_SEARCH_CRITERIAA
#define OPENCARDNAME_EX OPENCARDNAME_EXA
#define LPOPENCARDNAME_EX LPOPENCARDNAME_EXA
#define POPENCARDNAME_EX POPENCARDNAME_EXA
#define OPENCARDNAME OPENCARDNAMEA
#define LPOPENCARDNAME LPOPENCARDNAMEA
#define POPENCARDNAME POPENCARDNAMEA
#define LPOCNCONNPROC LPOCNCONNPROCA
#define SCardUIDlgSelectCard SCardUIDlgSelectCardA
#define GetOpenCardName GetOpenCardNameA
#define SCARD_ALL_READERS SCARD_ALL_READERS_A
#define SCARD_DEFAULT_READERS SCARD_DEFAULT_READERS_A
#define SCARD_LOCAL_READERS SCARD_LOCAL_READERS_A
#define SCARD_SYSTEM_READERS SCARD_SYSTEM_READERS_A
#endif

#ifdef __cplusplus
}
#endif

#endif
