/* SPDX-License-Identifier: MIT */
/* A verb under way: its turn on a connection, its questions to the server, and how it is ended from outside.
 */
#ifndef IPC_REMOTE_CALL_H
#define IPC_REMOTE_CALL_H

#include "ipc/remote_state.h"

/* Which connection a call needs. */
enum need {
    NEED_ANY,  /* for a moment */
    NEED_BARE, /* for long: one without handles */
};

/* Begin, with the turn on a connection. RC_INVALID_HANDLE when context or handle is closed, RC_CANCELLED,
 * RC_NO_SERVICE when the server is known to be gone, RC_NO_MEMORY. Each that succeeds needs call_leave. */
int call_enter(struct remote_call *call, struct remote_context *context, enum need need);
int call_enter_handle(struct remote_call *call, struct remote_handle *handle);
void call_leave(struct remote_call *call);

/* Gives the turn back, sleeps *pause_ms, which grows, and takes the turn again. RC_CANCELLED. */
int call_pause(struct remote_call *call, struct remote_handle *handle, unsigned *pause_ms);

/* Sends the request and receives its body back, filled in; all without the lock. RC_SERVICE_STOPPED: the
 * context is lost. RC_CANCELLED: release or cancel has ended it, and the connection with it. */
int call_ask(struct remote_call *call, uint32_t command, void *body, const void *data, size_t data_length);
int call_send(struct remote_call *call, uint32_t command, const void *body);
int call_receive(struct remote_call *call, void *bytes, size_t length);

/* Waits for the first byte of a message that comes when it will. RC_OK, RC_TIMEOUT, RC_CANCELLED: the stream
 * is as it was. RC_NO_MEMORY. */
int call_await(struct remote_call *call, struct deadline deadline);

/* The stream cannot be used any more, nor can the context: returns rc. */
int call_broken(struct remote_call *call, int rc);

/* The stream cannot be used any more, the context can: the connection, without handles, ends with the call.
 */
void call_give_up(struct remote_call *call);

/* The RC_* of a code that the server gave, with words when it is not known. */
int call_rc(const struct remote_call *call, uint32_t code);

/* With the lock. Ends the calls that wait; aborted: and those on a card, if the server can. */
void call_cancel_all(struct remote_context *context, bool aborted);

#endif
