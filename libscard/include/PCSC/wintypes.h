/* SPDX-License-Identifier: MIT */
/*
 * The Windows type names that the PC/SC API uses, with the widths of pcsc-lite's ABI:
 * DWORD, ULONG and LONG are C's long (64 bits on LP64), so return codes are positive numbers.
 */
#ifndef SCARD_PCSC_WINTYPES_H
#define SCARD_PCSC_WINTYPES_H

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
typedef char *LPTSTR;
typedef const char *LPCTSTR;

#endif
