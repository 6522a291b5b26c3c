/* SPDX-License-Identifier: MIT */
/* Messages to a client, which a slow one takes in parts. Without locks. */
#ifndef IPC_SERVER_OUTPUT_H
#define IPC_SERVER_OUTPUT_H

#include "ipc/server_state.h"

/* From now on it is noticed at once when the client goes away. */
void server_output_watch(struct server_client *client);

/* Sends, or queues what does not fit; never blocks. A client that lets too much queue up is disconnected.
 * Messages of one client are sent in the order of these calls. */
void server_output_send(struct server_client *client, const void *data, size_t length);

/* The client takes more: sends of what is queued what fits. */
void server_output_rest(struct server_client *client);

#endif
