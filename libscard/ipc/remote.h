/* SPDX-License-Identifier: MIT */
/*
 * The remote service: the PC/SC verbs by the socket of a server, pcscd or `scard serve`. A context has a
 * connection for each card handle, and one more while a call waits for something else or another is busy.
 *
 * As the local service it keeps the seam's promises, whatever the server is: release and cancel end what
 * waits in other threads at once (within 100 ms when pcscd is refusing a transaction: it does so slowly), no
 * call ever waits behind another call's wait. A length that cannot be ends the connection. A transaction that
 * another process holds is waited for by asking again, as pcscd has no other way; a server with features
 * (wire.h) hands it over. When the server is lost, calls under way answer RC_SERVICE_STOPPED, those after
 * them RC_NO_SERVICE.
 */
#ifndef IPC_REMOTE_H
#define IPC_REMOTE_H

#include "manager/service.h"

/* The service behind a Unix socket; it is connected to, and nothing is sent yet. RC_NO_SERVICE with a detail
 * if nobody listens there, RC_DENIED; RC_NO_MEMORY. */
int remote_new(const char *socket_path, struct service **ret_service);

/* Its contexts must be released and freed. */
void remote_free(struct service *service);

/* Whether the server was there a moment ago: something is connected to it. */
bool remote_is_there(struct service *service);

/* Whether a server with features has given a context; or has done so before, to another remote service of
 * this process. Contexts of such a server are asked for when they are needed, and a refusal is the failure of
 * the first call. */
bool remote_is_ours(struct service *service);
void remote_set_ours(struct service *service);

/* As local_before_fork and local_after_fork. */
void remote_before_fork(struct service *service);
void remote_after_fork(struct service *service, bool in_child);

#endif
