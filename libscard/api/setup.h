/* SPDX-License-Identifier: MIT */
/*
 * Which service a context gets, and which readers the local one has. The only file that names concrete
 * drivers.
 *
 * Readers come from the environment variable SCARD_READERS (URIs separated by blanks or commas), else they
 * are all those on USB and what the configuration files say: SYSCONFDIR/scard/scard.conf, then
 * $XDG_CONFIG_HOME/scard/scard.conf, or the one file that SCARD_CONFIG names. Their syntax is libconfig's:
 *
 *     usb = false;  # only those on USB that a URI names
 *     readers = ( "vpcd:35963", "sim:iso?pin=1234", "usb:1-2.3" );
 *
 * The local service starts with the first context and stops a moment after the last one is released, so that
 * a program that makes one context after another does not open its readers each time.
 */
#ifndef API_SETUP_H
#define API_SETUP_H

#include "manager/service.h"

/* The service for a new context; each get needs a put. RC_INVALID_VALUE for a fault in SCARD_READERS,
 * RC_NO_SERVICE for one in a configuration file or SCARD_SERVICE, or without the USB that SCARD_READERS
 * names, with a detail; RC_NO_MEMORY, also without file descriptors or threads. A reader that cannot be
 * opened is no failure: it is listed, unusable. */
int setup_get_service(struct service **ret_service);
void setup_put_service(const struct service *service);

/* The one in this process, whatever SCARD_SERVICE says: for a server. */
int setup_get_local(struct service **ret_service);
void setup_put_local(void);

/* From the environment, read once: PCSCLITE_NO_BLOCKING and SCARD_KEEP_MEMORY. */
bool setup_no_blocking(void);
bool setup_keep_memory(void);

#endif
