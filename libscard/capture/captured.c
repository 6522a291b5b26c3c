/* SPDX-License-Identifier: MIT */
#include "capture/captured.h"

#include "base/hex.h"
#include "base/rc.h"

struct captured captured_none(void)
{
    return (struct captured){.call = "", .words = "", .reader = "", .device = ""};
}

int captured_mask(struct captured *exchange, struct buffer *room)
{
    static const uint8_t star = CAPTURED_STAR;
    size_t offset = exchange->secret_offset, length = exchange->secret_length;
    size_t behind = exchange->command_length - offset - length;
    int rc = RC_OK;

    if (!length || exchange->flags & CAPTURED_MASKED)
        return RC_OK;
    /* Directly behind the header the secret is all there is, and Lc does not tell its length. */
    if (exchange->kind != CAPTURED_APDU || offset <= 4)
        length = 1;
    room->length = 0;
    if (offset)
        rc = buffer_append(room, exchange->command, offset);
    for (size_t i = 0; i < length && !rc; i++)
        rc = buffer_append(room, &star, 1);
    if (!rc && behind)
        rc = buffer_append(room, exchange->command + offset + exchange->secret_length, behind);
    exchange->flags |= CAPTURED_MASKED;
    exchange->command = rc ? NULL : room->data;
    exchange->command_length = rc ? 0 : room->length;
    exchange->secret_offset = rc ? 0 : offset;
    exchange->secret_length = rc ? 0 : length;
    return rc;
}

char *captured_command_hex(const struct captured *exchange)
{
    bool masked = exchange->flags & CAPTURED_MASKED;

    return hex_new_masked(exchange->command, exchange->command_length, exchange->secret_offset,
                          masked ? exchange->secret_length : 0);
}

bool captured_status(const struct captured *exchange, uint16_t *ret_sw, size_t *ret_data)
{
    const uint8_t *sw;

    if (exchange->rc || exchange->response_length < 2)
        return false;
    *ret_data = exchange->response_length - 2;
    sw = exchange->response + *ret_data;
    *ret_sw = (uint16_t)(sw[0] << 8 | sw[1]);
    return true;
}

const char *captured_protocol(const struct captured *exchange)
{
    switch (exchange->protocol) {
    case 1:
        return "T=0";
    case 2:
        return "T=1";
    case 4:
        return "raw";
    default:
        return NULL;
    }
}
