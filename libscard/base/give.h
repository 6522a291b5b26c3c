/* SPDX-License-Identifier: MIT */
/* Handing an answer of known length to a caller. */
#ifndef BASE_GIVE_H
#define BASE_GIVE_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/rc.h"

/* RC_INSUFFICIENT_BUFFER: nothing is written to out; *ret_length is the room needed. */
static inline int give(const void *value, size_t length, uint8_t *out, size_t capacity, size_t *ret_length)
{
    *ret_length = length;
    if (length > capacity)
        return RC_INSUFFICIENT_BUFFER;
    if (length)
        memcpy(out, value, length);
    return RC_OK;
}

#endif
