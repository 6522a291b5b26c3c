/* SPDX-License-Identifier: MIT */
/*
 * What libscard offers beyond PC/SC. Same rules as winscard.h.
 */
#ifndef SCARD_PCSC_SCARD_H
#define SCARD_PCSC_SCARD_H

#include <winscard.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the library, "0.1.0". */
const char *scard_version(void);

/* The last failure on this thread in one sentence that says what, where and what to do next; "" if there is
 * nothing to add to the code. Valid until the next call of the library on this thread. */
const char *scard_error_detail(void);

/* Receives one line of debug log without newline, from any thread. Do not call the library from it. */
typedef void scard_log_fn(void *user, const char *line);

/* Sets the receiver of the debug log; NULL switches it off (the default). user is borrowed until the next call. */
void scard_set_log(scard_log_fn *fn, void *user);

/* Like SCardCancel, and also ends exchanges of this context that are on the card: they return SCARD_E_CANCELLED.
 * What the card made of the command is then unknown; its state may be lost. Not sticky: a call that is only on its
 * way to the card goes on, so repeat it until the call has come back. */
LONG scard_abort(SCARDCONTEXT hContext);

/* Facts about a reader that need no connection, as text:
 *   "device"   stable identity, such as "vpcd:35963" or, by the port that it is plugged in, "usb:1-2.3:1.0"
 *   "problem"  why the reader is listed but cannot be used; "" = no problem
 *   "facts"    all that the driver knows of the device, its limits and what is special about it, in lines
 *              "key=value", each with a newline; "" = nothing. A reader on USB has them also when it cannot be
 *              used
 * Usual length rules, SCARD_AUTOALLOCATE included. SCARD_E_UNSUPPORTED_FEATURE for another key. */
LONG scard_reader_fact(SCARDCONTEXT hContext, LPCSTR szReader, LPCSTR szKey, LPSTR szValue, LPDWORD pcchValue);

/* Control codes of the built-in simulated readers (sim:NAME), through SCardControl without data. */
#define SCARD_CTL_SIM_INSERT 0x42002580 /* puts the card in */
#define SCARD_CTL_SIM_REMOVE 0x42002581 /* takes it out */

#ifdef __cplusplus
}
#endif

#endif
