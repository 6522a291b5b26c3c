/* SPDX-License-Identifier: MIT */
/* What each request does. By the thread that has the client busy. */
#ifndef IPC_SERVER_REQUEST_H
#define IPC_SERVER_REQUEST_H

#include "ipc/server_message.h"
#include "ipc/server_state.h"

/* Does what the message asks for and sends the reply; waits as long as that takes. RC_IO with a detail: the
 * client cannot go on. */
int server_request_answer(struct server_client *client, struct server_worker *worker,
                          const struct server_message *message);

/* Releases the client's context, if it has one, and all its handles. */
void server_request_end_context(struct server_client *client);

#endif
