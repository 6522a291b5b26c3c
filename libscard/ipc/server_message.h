/* SPDX-License-Identifier: MIT */
/* Requests in a stream of bytes. Pure. */
#ifndef IPC_SERVER_MESSAGE_H
#define IPC_SERVER_MESSAGE_H

#include "ipc/wire.h"

struct server_message {
    uint32_t command;
    size_t size;         /* header, body and data; of a message that is not whole: what is known of it */
    const uint8_t *body; /* borrowed; the size that the command has */
    size_t body_size;
    const uint8_t *data; /* of TRANSMIT and CONTROL */
    size_t data_size;
};

/* The message of a client of that minor at the beginning of the bytes. 0; 1: not whole yet, *ret_message has
 * only the size; RC_IO with a detail: not a request. */
int server_message_read(int32_t minor, const uint8_t *bytes, size_t length,
                        struct server_message *ret_message);

#endif
