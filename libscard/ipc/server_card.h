/* SPDX-License-Identifier: MIT */
/* The requests that name a card handle, and those that make one. */
#ifndef IPC_SERVER_CARD_H
#define IPC_SERVER_CARD_H

#include "ipc/server_message.h"
#include "ipc/server_state.h"

/* What a request is answered with, and by whom. */
struct server_request {
    struct server_client *client;
    struct server_worker *worker;
    const struct server_message *message;
};

typedef void server_answer(const struct server_request *request);

server_answer server_card_connect, server_card_reconnect, server_card_disconnect, server_card_begin,
    server_card_end, server_card_status, server_card_transmit, server_card_control, server_card_get_attribute,
    server_card_set_attribute;

/* The client's context if that is its id, else NULL. */
struct server_context *server_card_context(const struct server_client *client, uint32_t id);

/* Sends the first size bytes of the worker's room, and wipes them. */
void server_card_reply(const struct server_request *request, size_t size);

#endif
