/* SPDX-License-Identifier: MIT */
/* The verbs of service_ops that talk to the card or the reader through a handle. Without the lock. */
#ifndef MANAGER_EXCHANGE_H
#define MANAGER_EXCHANGE_H

#include "manager/state.h"

int exchange_transmit(struct service_handle *handle, uint32_t protocol, const uint8_t *command,
                      size_t command_length, uint8_t *response, size_t capacity, size_t *ret_length);
int exchange_control(struct service_handle *handle, uint32_t code, const uint8_t *in, size_t in_length,
                     uint8_t *out, size_t capacity, size_t *ret_length);
int exchange_get_attribute(struct service_handle *handle, uint32_t tag, uint8_t *out, size_t capacity,
                           size_t *ret_length);
int exchange_set_attribute(struct service_handle *handle, uint32_t tag, const uint8_t *value, size_t length);

#endif
