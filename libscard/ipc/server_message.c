/* SPDX-License-Identifier: MIT */
#include "ipc/server_message.h"

#include <string.h>

#include "base/log.h"
#include "base/rc.h"

static uint32_t number_at(const uint8_t *body, size_t offset)
{
    uint32_t number;

    memcpy(&number, body + offset, sizeof number);
    return number;
}

/* How many bytes of data follow the body. */
static int data_size(uint32_t command, const uint8_t *body, size_t *ret_size)
{
    uint32_t size = 0;

    if (command == WIRE_TRANSMIT)
        size = number_at(body, offsetof(struct wire_transmit, send_length));
    else if (command == WIRE_CONTROL)
        size = number_at(body, offsetof(struct wire_control, send_length));
    if (size > WIRE_DATA_MAX)
        return detail_set(RC_IO, "%u bytes announced, and at most %u are possible", size, WIRE_DATA_MAX);
    if ((command == WIRE_GET_ATTRIBUTE || command == WIRE_SET_ATTRIBUTE) &&
        number_at(body, offsetof(struct wire_attribute, length)) > WIRE_ATTRIBUTE_MAX)
        return detail_set(RC_IO, "an attribute longer than %u bytes", WIRE_ATTRIBUTE_MAX);
    *ret_size = size;
    return RC_OK;
}

int server_message_read(int32_t minor, const uint8_t *bytes, size_t length,
                        struct server_message *ret_message)
{
    struct server_message message = {.size = sizeof(struct wire_header)};
    struct wire_header header;
    int size, rc;

    if (length >= sizeof header) {
        memcpy(&header, bytes, sizeof header);
        size = wire_request_size(header.command, minor);
        if (size < 0)
            return detail_set(RC_IO, "command %08X is not known", header.command);
        if (header.size != (uint32_t)size)
            return detail_set(RC_IO, "command %02X with %u bytes instead of %d", header.command, header.size,
                              size);
        message.command = header.command;
        message.body_size = (size_t)size;
        message.size += message.body_size;
    }
    if (length >= sizeof header && length >= message.size) {
        message.body = bytes + sizeof header;
        rc = data_size(message.command, message.body, &message.data_size);
        if (rc)
            return rc;
        message.data = message.body + message.body_size;
        message.size += message.data_size;
    }
    *ret_message = message;
    return length < message.size || !message.body;
}
