/* SPDX-License-Identifier: MIT */
#include "base/utf8.h"

/* RFC 3629, 3. */
size_t utf8_put(uint32_t code, char *out)
{
    size_t count = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

    out[0] = (char)(count == 1 ? code : (0xF00u >> count & 0xF0) | code >> 6 * (count - 1));
    for (size_t i = 1; i < count; i++)
        out[i] = (char)(0x80 | (code >> 6 * (count - 1 - i) & 0x3F));
    return count;
}

/* RFC 3629, 4. */
size_t utf8_take(const uint8_t *text, size_t left, uint32_t *ret_code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = 1;
    uint32_t code;

    if (!left)
        return 0;
    code = text[0];
    if (code >= 0x80) {
        while (length < UTF8_MAX + 1 && text[0] & (0x80u >> length))
            length++;
        if (length == 1 || length > UTF8_MAX || length > left)
            return 0;
        code &= 0x7Fu >> length;
    }
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3Fu);
    }
    if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return 0;
    *ret_code = code;
    return length;
}
