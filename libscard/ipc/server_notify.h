/* SPDX-License-Identifier: MIT */
/*
 * The table of readers, and those who wait for it to change.
 *
 * Each WAIT has exactly one end, an 8-byte message: an event, a cancel or the answer to STOP_WAITING. It
 * never comes before the table that belongs to the WAIT, so the client can tell them apart.
 */
#ifndef IPC_SERVER_NOTIFY_H
#define IPC_SERVER_NOTIFY_H

#include "ipc/server_state.h"

/* RC_NO_MEMORY and what the service's establish says. */
int server_notify_start(struct server *server);
/* No thread uses the rest of this file any more. */
void server_notify_stop(struct server *server);

/* The service says that something has changed. */
void server_notify_event(struct server *server);

/* The requests, answered. RC_IO with a detail: that was one too many. */
int server_notify_wait(struct server_client *client);
void server_notify_stop_waiting(struct server_client *client);
void server_notify_send_legacy_table(struct server_client *client);
void server_notify_send_count(struct server_client *client);
void server_notify_send_table(struct server_client *client);
void server_notify_send_list_events(struct server_client *client);

/* Ends the waits of a client as cancelled. */
void server_notify_cancel(struct server_client *client);

/* The client goes. */
void server_notify_forget(struct server_client *client);

#endif
