/* SPDX-License-Identifier: MIT */
/*
 * The remote service: the PC/SC verbs by the socket of a server, pcscd or `scard serve`. A context is a
 * connection.
 *
 * As the local service it keeps the seam's promises, whatever the server is: release and cancel end what
 * waits in other threads at once (the server of pcscd 1.9.9 knows no cancel of a wait for a transaction, so
 * that one is ended here), no call ever waits behind another call's wait, an unknown code or a length that
 * cannot be is RC_SERVICE_STOPPED and closes the connection. A transaction that another process holds is
 * waited for by asking again, as pcscd has no other way; a server of ours hands it over (it says so in
 * ESTABLISH's unused reply field).
 */
#ifndef IPC_REMOTE_H
#define IPC_REMOTE_H

#include "manager/service.h"

/* The service behind a Unix socket; nothing is sent yet. RC_NO_SERVICE with a detail if nobody listens there,
 * RC_DENIED; RC_NO_MEMORY. */
int remote_new(const char *socket_path, struct service **ret_service);

/* Its contexts must be released and freed. */
void remote_free(struct service *service);

#endif
