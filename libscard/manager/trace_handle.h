/* SPDX-License-Identifier: MIT */
/* The card handles of a traced context: service_ops (service.h) on them. */
#ifndef MANAGER_TRACE_HANDLE_H
#define MANAGER_TRACE_HANDLE_H

#include "manager/trace_state.h"

int trace_handle_connect(struct service_context *context, const char *reader, enum share_mode share,
                         uint32_t protocols, struct service_handle **ret_handle, uint32_t *ret_protocol);
int trace_handle_reconnect(struct service_handle *handle, enum share_mode share, uint32_t protocols,
                           enum disposition initialization, uint32_t *ret_protocol);
int trace_handle_disconnect(struct service_handle *handle, enum disposition disposition);
void trace_handle_free(struct service_handle *handle);
int trace_handle_begin(struct service_handle *handle);
int trace_handle_end(struct service_handle *handle, enum disposition disposition);
int trace_handle_status(struct service_handle *handle, struct handle_status *ret_status);
int trace_handle_transmit(struct service_handle *handle, uint32_t protocol, const uint8_t *command,
                          size_t command_length, uint8_t *response, size_t capacity, size_t *ret_length);
int trace_handle_control(struct service_handle *handle, uint32_t code, const uint8_t *in, size_t in_length,
                         uint8_t *out, size_t capacity, size_t *ret_length);
int trace_handle_get_attribute(struct service_handle *handle, uint32_t tag, uint8_t *out, size_t capacity,
                               size_t *ret_length);
int trace_handle_set_attribute(struct service_handle *handle, uint32_t tag, const uint8_t *value,
                               size_t length);

#endif
