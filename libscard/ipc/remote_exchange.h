/* SPDX-License-Identifier: MIT */
/* Exchanges with card and reader by the remote service. See service_ops. */
#ifndef IPC_REMOTE_EXCHANGE_H
#define IPC_REMOTE_EXCHANGE_H

#include "ipc/remote_call.h"

int remote_transmit(struct service_handle *handle, uint32_t protocol, const uint8_t *command,
                    size_t command_length, uint8_t *response, size_t capacity, size_t *ret_length);
int remote_control(struct service_handle *handle, uint32_t code, const uint8_t *in, size_t in_length,
                   uint8_t *out, size_t capacity, size_t *ret_length);
int remote_get_attribute(struct service_handle *handle, uint32_t tag, uint8_t *out, size_t capacity,
                         size_t *ret_length);
int remote_set_attribute(struct service_handle *handle, uint32_t tag, const uint8_t *value, size_t length);

/* The result of a verb on a handle for the code that the server gave: a reader that is gone is unavailable, a
 * swapped card is removed. */
int remote_handle_rc(struct remote_call *call, const struct remote_handle *handle, uint32_t code);

#endif
