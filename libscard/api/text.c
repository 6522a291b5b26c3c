/* SPDX-License-Identifier: MIT */
#include "api/text.h"

#include <stdlib.h>
#include <string.h>

#include "api/memory.h"
#include "base/log.h"
#include "base/rc.h"

#define REPLACEMENT 0xFFFD

static bool is_high_surrogate(WCHAR unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low_surrogate(WCHAR unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* Writes the UTF-8 of one code point, at most 4 bytes; returns how many (RFC 3629, 3). */
static size_t encode(uint32_t code, char *out)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* count code units, NULs among them, and a NUL behind. */
static int from_units(const WCHAR *wide, size_t count, char **ret_text)
{
    /* A unit is at most 3 bytes; a pair, which is 4 bytes, two units. */
    char *text = count < SIZE_MAX / 4 ? malloc(count * 3 + 1) : NULL;
    size_t length = 0;

    if (!text)
        return RC_NO_MEMORY;
    for (size_t i = 0; i < count; i++) {
        uint32_t code = wide[i];

        if (is_high_surrogate(wide[i]) && i + 1 < count && is_low_surrogate(wide[i + 1])) {
            code = 0x10000 + ((code - 0xD800) << 10) + (wide[i + 1] - UINT32_C(0xDC00));
            i++;
        } else if (is_high_surrogate(wide[i]) || is_low_surrogate(wide[i])) {
            free(text);
            return detail_set(
                RC_INVALID_PARAMETER,
                "code unit %zu of a UTF-16 text is %04X, half a surrogate pair: give the text whole", i,
                (unsigned)code);
        }
        length += encode(code, text + length);
    }
    text[length] = '\0';
    *ret_text = text;
    return RC_OK;
}

static size_t wide_length(const WCHAR *wide)
{
    size_t count = 0;

    while (wide[count])
        count++;
    return count;
}

int text_from_wide(const WCHAR *wide, char **ret_text)
{
    if (!wide) {
        *ret_text = NULL;
        return RC_OK;
    }
    return from_units(wide, wide_length(wide), ret_text);
}

int text_from_wide_list(const WCHAR *wide, char **ret_list)
{
    size_t count = 0;

    if (!wide) {
        *ret_list = NULL;
        return RC_OK;
    }
    while (wide[count])
        count += wide_length(wide + count) + 1;
    return from_units(wide, count, ret_list);
}

/* The code point at text[0..left), and how many bytes it takes; U+FFFD and 1 for a byte that begins none
 * (RFC 3629, 4). */
static size_t decode(const uint8_t *text, size_t left, uint32_t *ret_code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t length = text[0] < 0x80   ? 1
                    : text[0] < 0xC0 ? 0
                    : text[0] < 0xE0 ? 2
                    : text[0] < 0xF0 ? 3
                    : text[0] < 0xF8 ? 4
                                     : 0;
    uint32_t code = length < 2 ? text[0] : text[0] & (0x7Fu >> length);

    *ret_code = REPLACEMENT;
    if (!length || length > left)
        return 1;
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80)
            return 1;
        code = code << 6 | (text[i] & 0x3F);
    }
    if (code < least[length] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
        return 1;
    *ret_code = code;
    return length;
}

int text_to_wide(const char *text, size_t length, WCHAR **ret_wide, size_t *ret_count)
{
    /* No byte becomes more than one unit. */
    WCHAR *wide = calloc(length + !length, sizeof *wide);
    const uint8_t *at = (const uint8_t *)text;
    size_t count = 0;
    uint32_t code;

    if (!wide)
        return RC_NO_MEMORY;
    while (length > 0) {
        size_t step = decode(at, length, &code);

        at += step;
        length -= step;
        if (code < 0x10000) {
            wide[count++] = (WCHAR)code;
            continue;
        }
        wide[count++] = (WCHAR)(0xD800 + ((code - 0x10000) >> 10));
        wide[count++] = (WCHAR)(0xDC00 + ((code - 0x10000) & 0x3FF));
    }
    *ret_wide = wide;
    *ret_count = count;
    return RC_OK;
}

size_t text_control(const char *text)
{
    uint8_t first = (uint8_t)text[0], second = first ? (uint8_t)text[1] : 0;

    if (first == 0xC2 && second >= 0x80 && second < 0xA0)
        return 2;
    return first && (first < 0x20 || first == 0x7F);
}

int text_give(struct api_context *context, enum text_form form, const char *text, size_t length, void *buffer,
              DWORD *length_pointer)
{
    WCHAR *wide;
    size_t count;
    int rc;

    if (form == TEXT_UTF8)
        return memory_give(context, text, length, 0, buffer, length_pointer);
    rc = text_to_wide(text, length, &wide, &count);
    if (rc)
        return rc;
    rc = memory_give_items(context, wide, count, sizeof *wide, buffer, length_pointer);
    free(wide);
    return rc;
}
