/* SPDX-License-Identifier: MIT */
/* The likely cause of a failure, at the end of its error: the checks of doctor, as far as they are quick. */
#ifndef CLI_DOCTOR_LIKELY_H
#define CLI_DOCTOR_LIKELY_H

#include <stdbool.h>

#include <winscard.h>

/* How long it may take on a machine that is busy; otherwise it is a matter of milliseconds. */
#define LIKELY_MS 1000

/* Does looking help with that code: no reader, no service, no permission. */
bool likely_applies(LONG code);

/* What to do next, in sentences, in a new block; NULL: nothing is found out. device: of the reader that the
 * failure is about ("usb:1-2:1.0"), "" none. With brief the cause is left out, because it was told. Sends
 * nothing to a reader, asks no name service, starts nothing. */
char *likely_find(LONG code, const char *device, bool brief);

#endif
