/* SPDX-License-Identifier: MIT */
#include "store/name.h"

#include <stdint.h>
#include <string.h>

/* The length of the character that begins there, 0 if none does: RFC 3629, 4. */
static size_t character(const uint8_t *text, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t code = text[0];
    size_t length = 1;

    if (code < 0x80)
        return 1;
    while (length < 5 && text[0] & (0x80u >> length))
        length++;
    if (length == 1 || length == 5 || length > left)
        return 0;
    code &= 0x7Fu >> length;
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3Fu);
    }
    return code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF) ? 0 : length;
}

bool name_is_valid(const char *name)
{
    const uint8_t *at = (const uint8_t *)name;
    size_t left = strnlen(name, NAME_MAX_BYTES + 1), length;

    if (!left || left > NAME_MAX_BYTES)
        return false;
    for (; left > 0; at += length, left -= length) {
        length = character(at, left);
        if (!length || *at < 0x20 || *at == 0x7F)
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

    for (const char *at = name; left > 0; at += length, left -= length) {
        length = character((const uint8_t *)at, left);
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
