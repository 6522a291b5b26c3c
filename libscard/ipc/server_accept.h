/* SPDX-License-Identifier: MIT */
/* Who may connect, and how often. */
#ifndef IPC_SERVER_ACCEPT_H
#define IPC_SERVER_ACCEPT_H

#include "ipc/server_state.h"

/* Listens for new connections from now on. RC_NO_MEMORY with a detail. */
int server_accept_start(struct server *server);

/* Takes those that are there. */
void server_accept_event(struct server *server);

/* Tries again after a want of descriptors or memory, if there was one. */
void server_accept_again(struct server *server);

/* With the lock: one client more. RC_DENIED with a detail if its user has too many; RC_NO_MEMORY. */
int server_accept_count(struct server_client *client);
/* One less, if it was counted. */
void server_accept_uncount(struct server_client *client);

#endif
