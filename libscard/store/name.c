/* SPDX-License-Identifier: MIT */
#include "store/name.h"

#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

bool name_is_valid(const char *name)
{
    const uint8_t *at = (const uint8_t *)name;
    size_t left = strnlen(name, NAME_MAX_BYTES + 1), length;
    uint32_t code;

    if (!left || left > NAME_MAX_BYTES)
        return false;
    for (; left > 0; at += length, left -= length) {
        length = utf8_take(at, left, &code);
        if (!length || code < 0x20 || code == 0x7F)
            return false;
    }
    return true;
}

static bool is_plain(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '.' || c == '_' || (c & 0x80);
}

void name_to_file(const char *name, char file[NAME_FILE_MAX])
{
    size_t left = strlen(name), used = 0, length;
    uint32_t code;

    for (const char *at = name; left > 0; at += length, left -= length) {
        length = utf8_take((const uint8_t *)at, left, &code);
        if (!length || used + length >= NAME_FILE_MAX)
            break;
        if (length > 1 || is_plain(*at))
            memcpy(file + used, at, length);
        else
            file[used] = '_';
        used += length;
    }
    file[used] = '\0';
    /* A file that begins with a dot is none of the database. */
    if (file[0] == '.')
        file[0] = '_';
}
