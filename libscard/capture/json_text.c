/* SPDX-License-Identifier: MIT */
#include "capture/json_text.h"

#include <locale.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/rc.h"
#include "base/utf8.h"

#define DEPTH_MAX 64 /* of what is skipped: brackets in a 64-bit word */

struct reading {
    const char *text;
    size_t length, at;
};

static char peek(const struct reading *reading)
{
    return reading->at < reading->length ? reading->text[reading->at] : '\0';
}

static void skip_blanks(struct reading *reading)
{
    while (reading->at < reading->length && strchr(" \t\r\n", reading->text[reading->at]) && peek(reading))
        reading->at++;
}

static bool take(struct reading *reading, char c)
{
    skip_blanks(reading);
    if (reading->at >= reading->length || reading->text[reading->at] != c)
        return false;
    reading->at++;
    return true;
}

static bool take_word(struct reading *reading, const char *word)
{
    size_t length = strlen(word);

    if (reading->length - reading->at < length || memcmp(reading->text + reading->at, word, length) != 0)
        return false;
    reading->at += length;
    return true;
}

/* Four digits behind \u. */
static bool take_unit(struct reading *reading, unsigned *ret_unit)
{
    *ret_unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(peek(reading));

        if (digit < 0)
            return false;
        *ret_unit = *ret_unit << 4 | (unsigned)digit;
        reading->at++;
    }
    return true;
}

/* A code point above FFFF is two units; half of one alone becomes U+FFFD. */
static int take_escaped_unit(struct reading *reading, struct buffer *out)
{
    unsigned unit, second;
    char text[UTF8_MAX];
    uint32_t code;

    if (!take_unit(reading, &unit))
        return RC_INVALID_VALUE;
    code = unit;
    if (unit >= 0xD800 && unit < 0xE000) {
        size_t before = reading->at;

        code = 0xFFFD;
        if (unit < 0xDC00 && take_word(reading, "\\u") && take_unit(reading, &second) && second >= 0xDC00 &&
            second < 0xE000)
            code = 0x10000 + ((unit - 0xD800U) << 10 | (second - 0xDC00U));
        else
            reading->at = before;
    }
    return buffer_append(out, text, utf8_put(code, text));
}

static int take_escape(struct reading *reading, struct buffer *out)
{
    static const char escapes[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char c = peek(reading);
    const char *found = c ? strchr(escapes, c) : NULL;

    if (!c)
        return RC_INVALID_VALUE;
    reading->at++;
    if (c == 'u')
        return take_escaped_unit(reading, out);
    return found ? buffer_append(out, &meant[found - escapes], 1) : RC_INVALID_VALUE;
}

/* Behind its first quote; out gets a NUL behind length. */
static int take_string(struct reading *reading, struct buffer *out)
{
    int rc = RC_OK;

    out->length = 0;
    while (!rc) {
        char c = peek(reading);

        if (reading->at >= reading->length || (unsigned char)c < ' ')
            return RC_INVALID_VALUE;
        reading->at++;
        if (c == '"')
            break;
        rc = c == '\\' ? take_escape(reading, out) : buffer_append(out, &c, 1);
    }
    if (!rc)
        rc = buffer_append(out, "", 1);
    if (!rc)
        out->length--;
    return rc;
}

double json_text_number(const char *digits, char **ret_end)
{
    /* This one is there from the start and needs no memory. */
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    double number = plain ? strtod_l(digits, ret_end, plain) : strtod(digits, ret_end);

    if (plain)
        freelocale(plain);
    return number;
}

static int take_number(struct reading *reading, double *ret_number)
{
    char digits[64], *end;
    size_t count = 0;

    while (reading->at < reading->length && count < sizeof digits - 1 && peek(reading) &&
           strchr("+-.0123456789eE", peek(reading)))
        digits[count++] = reading->text[reading->at++];
    digits[count] = '\0';
    *ret_number = json_text_number(digits, &end);
    return count && *end == '\0' ? RC_OK : RC_INVALID_VALUE;
}

/* An array or object, without a look at what is in it. */
static int skip_nested(struct reading *reading, struct buffer *scratch)
{
    uint64_t arrays = 0;
    unsigned depth = 0;

    do {
        char c = peek(reading);
        int rc;

        if (reading->at >= reading->length)
            return RC_INVALID_VALUE;
        reading->at++;
        if (c == '[' || c == '{') {
            if (depth++ == DEPTH_MAX)
                return RC_INVALID_VALUE;
            arrays = arrays << 1 | (c == '[');
        } else if (c == ']' || c == '}') {
            if ((arrays & 1) != (c == ']'))
                return RC_INVALID_VALUE;
            arrays >>= 1;
            depth--;
        } else if (c == '"') {
            rc = take_string(reading, scratch);
            if (rc)
                return rc;
        }
    } while (depth);
    return RC_OK;
}

static int take_value(struct reading *reading, struct buffer *room, struct json_value *ret_value)
{
    int rc = RC_OK;

    *ret_value = (struct json_value){.kind = JSON_NULL, .text = ""};
    skip_blanks(reading);
    switch (peek(reading)) {
    case '"':
        reading->at++;
        rc = take_string(reading, room);
        ret_value->kind = JSON_STRING;
        if (!rc) {
            ret_value->text = (const char *)room->data;
            ret_value->length = room->length;
        }
        return rc;
    case '{':
    case '[':
        ret_value->kind = JSON_OTHER;
        return skip_nested(reading, room);
    case 't':
    case 'f':
        ret_value->kind = JSON_BOOL;
        ret_value->truth = peek(reading) == 't';
        return take_word(reading, ret_value->truth ? "true" : "false") ? RC_OK : RC_INVALID_VALUE;
    case 'n':
        return take_word(reading, "null") ? RC_OK : RC_INVALID_VALUE;
    default:
        ret_value->kind = JSON_NUMBER;
        return take_number(reading, &ret_value->number);
    }
}

static int take_members(struct reading *reading, json_member_fn *fn, void *user)
{
    struct buffer key = {0}, room = {0};
    int rc = take(reading, '{') ? RC_OK : RC_INVALID_VALUE;
    bool more = !rc && !take(reading, '}');

    while (more && !rc) {
        struct json_value value;

        rc = take(reading, '"') ? take_string(reading, &key) : RC_INVALID_VALUE;
        if (!rc && !take(reading, ':'))
            rc = RC_INVALID_VALUE;
        if (!rc)
            rc = take_value(reading, &room, &value);
        if (!rc)
            rc = fn(user, (const char *)key.data, &value);
        if (!rc && !take(reading, ',')) {
            more = false;
            rc = take(reading, '}') ? RC_OK : RC_INVALID_VALUE;
        }
    }
    buffer_fini(&key);
    buffer_fini(&room);
    return rc;
}

int json_text_read(const char *text, size_t length, json_member_fn *fn, void *user, size_t *ret_at)
{
    struct reading reading = {.text = text, .length = length};
    int rc = take_members(&reading, fn, user);

    skip_blanks(&reading);
    if (!rc && reading.at < length)
        rc = RC_INVALID_VALUE;
    *ret_at = reading.at;
    return rc;
}
