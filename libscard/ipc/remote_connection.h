/* SPDX-License-Identifier: MIT */
/* A connection to the server, and the bytes on it. Nothing here takes a turn. */
#ifndef IPC_REMOTE_CONNECTION_H
#define IPC_REMOTE_CONNECTION_H

#include "ipc/remote_state.h"

/* How long an answer may take before it is waited for in a way that can be ended. */
#define CONNECTION_QUICK_MS 10

/* Connects, agrees on the version and establishes the server's context, as service_ops.establish.
 * RC_NO_SERVICE, RC_DENIED, RC_NO_MEMORY, with a detail. */
int connection_open(struct remote *remote, bool no_wait, struct connection **ret_connection);

/* The same without a context, for a request that stands for itself. */
int connection_open_bare(struct remote *remote, struct connection **ret_connection);

/* Takes it out of its lists, closes and frees it. Without the lock. */
void connection_close(struct connection *connection);

/* A request; body has the size of one of the connection's minor. RC_SERVICE_STOPPED. */
int connection_send(struct connection *connection, uint32_t command, const void *body, const void *data,
                    size_t data_length);

/* The next bytes of the answer. Blocks; *done is how many are there. RC_TIMEOUT when none came for
 * CONNECTION_QUICK_MS: call it again. RC_SERVICE_STOPPED. */
int connection_receive(struct connection *connection, void *bytes, size_t length, size_t *done);

/* A request without data and the whole answer, for those who have the connection for themselves.
 * RC_SERVICE_STOPPED. */
int connection_ask(struct connection *connection, uint32_t command, void *body);

/* Sends CANCEL or ABORT for the context of another connection, and waits until the server has heard. */
void connection_interrupt(struct connection *connection, uint32_t command);

/* The server broke its protocol: a detail, RC_SERVICE_STOPPED. */
int connection_nonsense(const struct connection *connection, const char *what);

#endif
