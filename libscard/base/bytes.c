/* SPDX-License-Identifier: MIT */
#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

#include "base/rc.h"

const uint8_t *bytes_take(struct bytes *bytes, size_t count)
{
    const uint8_t *at = bytes->at;

    if (bytes->failed || count > bytes->left) {
        bytes->failed = true;
        return NULL;
    }
    bytes->at += count;
    bytes->left -= count;
    return at;
}

uint8_t bytes_u8(struct bytes *bytes)
{
    const uint8_t *at = bytes_take(bytes, 1);

    return at ? at[0] : 0;
}

uint16_t bytes_u16be(struct bytes *bytes)
{
    const uint8_t *at = bytes_take(bytes, 2);

    if (!at)
        return 0;
    return (uint16_t)((unsigned)at[0] << 8 | at[1]);
}

uint32_t bytes_u32be(struct bytes *bytes)
{
    uint32_t high = bytes_u16be(bytes);

    return high << 16 | bytes_u16be(bytes);
}

/* Behind length too: what was there before the buffer was emptied and filled anew. */
static void wipe(struct buffer *buffer)
{
    secret_wipe(buffer->data, buffer->capacity > buffer->length ? buffer->capacity : buffer->length);
}

int buffer_reserve(struct buffer *buffer, size_t count)
{
    size_t need, capacity = buffer->capacity ? buffer->capacity : 256;
    uint8_t *data;

    if (__builtin_add_overflow(buffer->length, count, &need))
        return RC_NO_MEMORY;
    if (need <= buffer->capacity)
        return RC_OK;
    while (capacity < need)
        if (__builtin_mul_overflow(capacity, 2, &capacity))
            return RC_NO_MEMORY;
    /* Not realloc: it would leave a copy of a secret behind. */
    data = malloc(capacity);
    if (!data)
        return RC_NO_MEMORY;
    if (buffer->length)
        memcpy(data, buffer->data, buffer->length);
    wipe(buffer);
    free(buffer->data);
    buffer->data = data;
    buffer->capacity = capacity;
    return RC_OK;
}

int buffer_append(struct buffer *buffer, const void *data, size_t count)
{
    int rc = buffer_reserve(buffer, count);

    if (rc || !count)
        return rc;
    memcpy(buffer->data + buffer->length, data, count);
    buffer->length += count;
    return RC_OK;
}

void buffer_fini(struct buffer *buffer)
{
    wipe(buffer);
    free(buffer->data);
    *buffer = (struct buffer){0};
}

void secret_wipe(void *data, size_t count)
{
    if (data && count)
        explicit_bzero(data, count);
}
