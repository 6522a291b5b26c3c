/* SPDX-License-Identifier: MIT */
/*
 * The Windows type names that the PC/SC API uses, with the widths of pcsc-lite's ABI:
 * DWORD, ULONG and LONG are C's long (64 bits on LP64), so return codes are positive numbers.
 */
#ifndef SCARD_PCSC_WINTYPES_H
#define SCARD_PCSC_WINTYPES_H

#include <stdint.h>

typedef unsigned char BYTE;
typedef unsigned char UCHAR;
typedef short BOOL;
typedef unsigned short WORD;
typedef unsigned short USHORT;
typedef unsigned long DWORD;
typedef unsigned long ULONG;
typedef long LONG;

typedef BYTE *LPBYTE;
typedef const BYTE *LPCBYTE;
typedef UCHAR *PUCHAR;
typedef USHORT *PUSHORT;
typedef ULONG *PULONG;
typedef DWORD *PDWORD;
typedef DWORD *LPDWORD;

typedef void *LPVOID;
typedef const void *LPCVOID;

typedef char *LPSTR;
typedef const char *LPCSTR;
/* Text in UTF-16: 16-bit code units whatever wchar_t has; u"..." in C11 and C++11. */
#if defined(__cplusplus) && __cplusplus >= 201103L
typedef char16_t WCHAR;
#else
typedef uint_least16_t WCHAR; /* as char16_t */
#endif
typedef WCHAR *LPWSTR;
typedef const WCHAR *LPCWSTR;

/* With UNICODE defined, text without A or W in its name is UTF-16, as on Windows; else 8 bits, UTF-8. */
#ifdef UNICODE
typedef WCHAR TCHAR;
typedef LPWSTR LPTSTR;
typedef LPCWSTR LPCTSTR;
#define SCARD_TEXT_UNICODE(quote) u##quote
#else
typedef char TCHAR;
typedef char *LPTSTR;
typedef const char *LPCTSTR;
#define SCARD_TEXT_UNICODE(quote) quote
#endif

/* The rest of the names of Windows that the PC/SC API and its callers use. */
#ifndef SCARD_NO_WINDOWS
#ifndef TEXT
#define TEXT(quote) SCARD_TEXT_UNICODE(quote)
#endif
#ifndef _T
#define _T(quote) SCARD_TEXT_UNICODE(quote)
#endif
#ifndef WINAPI
#define WINAPI
#endif
#ifndef CONST
#define CONST const
#endif
#ifndef VOID
#define VOID void
#endif
#ifndef TRUE
#define TRUE 1
#endif
#ifndef FALSE
#define FALSE 0
#endif

typedef void *HANDLE;
typedef void *PVOID;
typedef void *HWND;  /* no windows here: NULL */
typedef void *HICON; /* as well */
typedef BYTE *PBYTE;

/* 16 bytes: the fields are as wide as on Windows, which DWORD is not. */
typedef struct {
    uint32_t Data1;
    uint16_t Data2;
    uint16_t Data3;
    uint8_t Data4[8];
} GUID, UUID;
typedef GUID *LPGUID;
typedef const GUID *LPCGUID;
#endif

#endif
