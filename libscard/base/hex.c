/* SPDX-License-Identifier: MIT */
#include "base/hex.h"

#include <stdlib.h>
#include <string.h>

#include "base/rc.h"

int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int hex_parse(const char *text, size_t length, uint8_t *out, size_t *ret_count, size_t *ret_at)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++) {
        int high, low;

        if (text[i] && strchr(" \t:-,", text[i]))
            continue;
        high = hex_digit(text[i]);
        if (high < 0) {
            *ret_at = i;
            return RC_INVALID_VALUE;
        }
        low = i + 1 < length ? hex_digit(text[i + 1]) : -1;
        if (low < 0) {
            *ret_at = i + 1;
            return RC_INVALID_VALUE;
        }
        out[count++] = (uint8_t)(high << 4 | low);
        i++;
    }
    *ret_count = count;
    return RC_OK;
}

char *hex_format(const uint8_t *bytes, size_t count, char *out)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < count; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * count] = '\0';
    return out;
}

char *hex_new(const uint8_t *bytes, size_t count)
{
    char *out = malloc(2 * count + 1);

    return out ? hex_format(bytes, count, out) : NULL;
}

char *hex_new_masked(const uint8_t *bytes, size_t count, size_t secret_offset, size_t secret_length)
{
    size_t behind = secret_offset + secret_length;
    char *out;

    if (secret_length == 0)
        return hex_new(bytes, count);
    out = malloc(2 * (count - secret_length) + 3);
    if (!out)
        return NULL;
    hex_format(bytes, secret_offset, out);
    memcpy(out + 2 * secret_offset, "**", 2);
    hex_format(bytes + behind, count - behind, out + 2 * secret_offset + 2);
    return out;
}
