/* SPDX-License-Identifier: MIT */
/*
 * Which service a context gets: SCARD_SERVICE says "local" (in this process), "pcscd", "unix:PATH", or
 * "auto", as when it is not set. auto is the first of these that answers, else local:
 *
 *     our server of this user, or of the machine (ipc/place.h)
 *     pcscd, at PCSCLITE_CSOCK_NAME or its usual path
 *
 * Who names readers wants those: with SCARD_READERS set, auto is local; with readers in a configuration file
 * it passes pcscd over, which does not know them, but not our server, which reads the same file.
 */
#ifndef API_ROUTE_H
#define API_ROUTE_H

#include "manager/service.h"

/* *ret_service is NULL for the local one; each other get needs a put. As long as the server of the last one
 * is there it is given again, also if the environment says something else by now. RC_NO_SERVICE or RC_DENIED with a detail when
 * a service that SCARD_SERVICE names does not answer. RC_NO_MEMORY. */
int route_get(struct service **ret_service);
void route_put(const struct service *service);

/* The socket of the service that a context would get now, a new string (free it); "" for the local one. Fails
 * as route_get. */
int route_socket(char **ret_path);

/* The socket that SCARD_SERVICE names, whether anybody listens there or not, a new string (free it); NULL
 * when a context can be had in any case (auto, local, and nonsense, which no event will mend), or without
 * memory. */
char *route_named_socket(void);

/* As local_before_fork; of all that this gave out. */
void route_before_fork(void);
void route_after_fork(bool in_child);

#endif
