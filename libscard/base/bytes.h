/* SPDX-License-Identifier: MIT */
/*
 * Bounded access to bytes that somebody else made, and a growing buffer to make some.
 *
 * The cursor fails stickily: read all fields, then ask once with bytes_ok(). After a failure every read
 * gives 0 or NULL.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *at;
    size_t left;
    bool failed;
};

static inline struct bytes bytes_of(const void *data, size_t count)
{
    return (struct bytes){.at = data, .left = count};
}

static inline bool bytes_ok(const struct bytes *bytes)
{
    return !bytes->failed;
}

/* The next count bytes, borrowed from the source; NULL on failure. */
const uint8_t *bytes_take(struct bytes *bytes, size_t count);
uint8_t bytes_u8(struct bytes *bytes);
uint16_t bytes_u16be(struct bytes *bytes);
uint32_t bytes_u32be(struct bytes *bytes);

/* A growing buffer. {0} is an empty one. */
struct buffer {
    uint8_t *data;
    size_t length, capacity;
};

/* Appends; RC_NO_MEMORY leaves the buffer as it was. */
int buffer_append(struct buffer *buffer, const void *data, size_t count);

/* Makes room for count more bytes behind length. */
int buffer_reserve(struct buffer *buffer, size_t count);

/* Wipes the content, then frees it. */
void buffer_fini(struct buffer *buffer);

/* Overwrites memory that held a secret; the compiler does not drop it. */
void secret_wipe(void *data, size_t count);

#endif
