/* SPDX-License-Identifier: MIT */
#include "api/text.h"

#include <stdlib.h>
#include <string.h>

#include "api/memory.h"
#include "base/log.h"
#include "base/rc.h"
#include "base/utf8.h"

#define REPLACEMENT 0xFFFD

static bool is_high_surrogate(WCHAR unit)
{
    return unit >= 0xD800 && unit <= 0xDBFF;
}

static bool is_low_surrogate(WCHAR unit)
{
    return unit >= 0xDC00 && unit <= 0xDFFF;
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
        length += utf8_put(code, text + length);
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
        size_t step = utf8_take(at, length, &code);

        if (!step) {
            step = 1;
            code = REPLACEMENT;
        }
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
