/* SPDX-License-Identifier: MIT */
/* Card handles of the remote service. See service_ops. */
#ifndef IPC_REMOTE_HANDLE_H
#define IPC_REMOTE_HANDLE_H

#include "ipc/remote_state.h"

int remote_connect(struct service_context *context, const char *reader, enum share_mode share,
                   uint32_t protocols, struct service_handle **ret_handle, uint32_t *ret_protocol);
int remote_reconnect(struct service_handle *handle, enum share_mode share, uint32_t protocols,
                     enum disposition initialization, uint32_t *ret_protocol);
int remote_disconnect(struct service_handle *handle, enum disposition disposition);
void remote_handle_free(struct service_handle *handle);
int remote_begin(struct service_handle *handle);
int remote_end(struct service_handle *handle, enum disposition disposition);
int remote_status(struct service_handle *handle, struct handle_status *ret_status);

#endif
