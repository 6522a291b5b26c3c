/* SPDX-License-Identifier: MIT */
/* Card handles: connect, reconnect, disconnect, transactions, status. The verbs of service_ops; without the
 * lock. */
#ifndef MANAGER_HANDLE_H
#define MANAGER_HANDLE_H

#include "manager/state.h"

int handle_connect(struct service_context *context, const char *reader, enum share_mode share,
                   uint32_t protocols, struct service_handle **ret_handle, uint32_t *ret_protocol);
int handle_reconnect(struct service_handle *handle, enum share_mode share, uint32_t protocols,
                     enum disposition initialization, uint32_t *ret_protocol);
int handle_disconnect(struct service_handle *handle, enum disposition disposition);
void handle_free(struct service_handle *handle);
int handle_begin(struct service_handle *handle);
int handle_end(struct service_handle *handle, enum disposition disposition);
int handle_status(struct service_handle *handle, struct handle_status *ret_status);

/* With the lock. Closes the handle without touching the card. May be called twice. */
void handle_close(struct handle *handle);

/* With the lock. Can the handle be used: RC_INVALID_HANDLE, RC_READER_UNAVAILABLE. */
int handle_usable(const struct handle *handle);

/* With the lock. handle_usable, and no event pending: RC_CARD_RESET, RC_CARD_REMOVED. */
int handle_clear(const struct handle *handle);

/* With the lock. The turn for a verb, with handle_clear (handle_usable for TURN_ANYWAY) before and after
 * waiting. On 0 the caller has the turn. */
int handle_take_turn(struct handle *handle, unsigned flags);

/* TURN_AT_ONCE for verbs that wait behind a transaction unless the program has asked not to. */
unsigned handle_patience(const struct handle *handle);

#endif
