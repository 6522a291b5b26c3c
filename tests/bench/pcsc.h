/* SPDX-License-Identifier: MIT */
/* PC/SC of whatever library is named at run time: one binary for all of them. */
#ifndef BENCH_PCSC_H
#define BENCH_PCSC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <winscard.h>

#define PCSC_NEW_READER "\\\\?PnP?\\Notification"

struct pcsc {
    LONG (*establish)(DWORD scope, LPCVOID, LPCVOID, SCARDCONTEXT *);
    LONG (*release)(SCARDCONTEXT);
    LONG (*list)(SCARDCONTEXT, LPCSTR groups, LPSTR names, LPDWORD length);
    LONG (*wait)(SCARDCONTEXT, DWORD timeout_ms, SCARD_READERSTATE *, DWORD count);
    LONG (*cancel)(SCARDCONTEXT);
    LONG (*connect)(SCARDCONTEXT, LPCSTR, DWORD share, DWORD protocols, SCARDHANDLE *, DWORD *);
    LONG (*disconnect)(SCARDHANDLE, DWORD disposition);
    LONG (*begin)(SCARDHANDLE);
    LONG (*end)(SCARDHANDLE, DWORD disposition);
    LONG(*transmit)
    (SCARDHANDLE, const SCARD_IO_REQUEST *, LPCBYTE, DWORD, SCARD_IO_REQUEST *, LPBYTE, LPDWORD);
};

/* Set by pcsc_load, which ends the program if it cannot. */
extern struct pcsc pcsc;
void pcsc_load(const char *library);

/* Ends the program unless rv is SCARD_S_SUCCESS. */
void pcsc_need(LONG rv, const char *what);

SCARDCONTEXT pcsc_establish(void);

/* Shared, with that protocol. */
SCARDHANDLE pcsc_connect(SCARDCONTEXT context, const char *reader, DWORD protocol);

/* Until the reader is in one of the wanted states. */
void pcsc_await(SCARDCONTEXT context, SCARD_READERSTATE *state, DWORD wanted);

/* What threads of a process have done: all but the caller's own. */
struct pcsc_use {
    unsigned long wakes; /* voluntary context switches */
    double busy_us;
};
void pcsc_add_use(const char *pid, struct pcsc_use *use);

#endif
