/* SPDX-License-Identifier: MIT */
/* One connection: whole requests out of what comes in parts. */
#ifndef IPC_SERVER_CLIENT_H
#define IPC_SERVER_CLIENT_H

#include "ipc/server_state.h"

/* Takes over a connection. RC_NO_MEMORY with a detail. Without locks, as all of these but one. */
int server_client_new(struct server *server, int fd, uid_t uid, pid_t pid);

/* What epoll says of the client with this number. With the lock, which is let go of meanwhile. */
void server_client_event(struct server_worker *worker, uint32_t id, uint32_t events);

/* What the clients that are watched have done beside sending. */
void server_client_watch_event(struct server *server);

/* The client has broken the rules: says so, and disconnects it. */
void server_client_expel(struct server_client *client, const char *why);

/* Disconnects those who have not completed a message in time. */
void server_client_expire(struct server *server);

#endif
