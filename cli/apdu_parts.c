/* SPDX-License-Identifier: MIT */
#include "cli/apdu_parts.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/rc.h"

int apdu_fault_at(struct apdu_parser *parser, size_t column, const char *format, ...)
{
    va_list args;

    parser->fault->column = column;
    va_start(args, format);
    vsnprintf(parser->fault->words, sizeof parser->fault->words, format, args);
    va_end(args);
    return RC_INVALID_VALUE;
}

bool apdu_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
}

char apdu_peek(const struct apdu_parser *parser, size_t ahead)
{
    return parser->at + ahead < parser->end ? parser->text[parser->at + ahead] : '\0';
}

static void skip_blanks(struct apdu_parser *parser)
{
    while (parser->at < parser->end && apdu_is_blank(parser->text[parser->at]))
        parser->at++;
}

int apdu_take_byte(struct apdu_parser *parser)
{
    uint8_t byte;
    int high, low;

    if (apdu_peek(parser, 0) == '0' && (apdu_peek(parser, 1) == 'x' || apdu_peek(parser, 1) == 'X'))
        parser->at += 2;
    high = hex_digit(apdu_peek(parser, 0));
    low = hex_digit(apdu_peek(parser, 1));
    if (high < 0 || (low < 0 && isalnum((unsigned char)apdu_peek(parser, 1)))) {
        size_t at = parser->at + (high >= 0);
        char c = apdu_peek(parser, high >= 0);

        if (c == '\0')
            return apdu_fault_at(parser, at, "a byte is missing here");
        if ((unsigned char)c < 0x20 || (unsigned char)c > 0x7E)
            return apdu_fault_at(parser, at, "this is no hexadecimal digit");
        return apdu_fault_at(parser, at, "'%c' is no hexadecimal digit", c);
    }
    if (low < 0)
        return apdu_fault_at(parser, parser->at, "odd number of digits: this byte has only one");
    parser->at += 2;
    byte = (uint8_t)(high << 4 | low);
    return buffer_append(parser->out, &byte, 1);
}

static int take_text(struct apdu_parser *parser)
{
    const char *start = parser->text + parser->at + 1;
    const char *close = memchr(start, '"', parser->end - parser->at - 1);

    if (close == NULL)
        return apdu_fault_at(parser, parser->at, "the \" that begins here is not closed");
    parser->at += (size_t)(close - start) + 2;
    return buffer_append(parser->out, start, (size_t)(close - start));
}

static int take_from_source(struct apdu_parser *parser, enum apdu_source_kind kind, const char *start,
                            size_t length, size_t column)
{
    char *name;
    int rc;

    if (parser->source == NULL)
        return apdu_fault_at(parser, column, "data from outside cannot be used here");
    name = strndup(start, length);
    if (name == NULL)
        return RC_NO_MEMORY;
    rc = parser->source->read(parser->source->user, kind, name, parser->out);
    free(name);
    return rc;
}

/* @FILE, @"FILE" */
static int take_file(struct apdu_parser *parser)
{
    size_t column = parser->at++, start = parser->at;

    if (apdu_peek(parser, 0) == '"') {
        const char *close;

        start++;
        close = start < parser->end ? memchr(parser->text + start, '"', parser->end - start) : NULL;
        if (close == NULL)
            return apdu_fault_at(parser, column + 1, "the \" that begins here is not closed");
        parser->at = (size_t)(close - parser->text) + 1;
        return take_from_source(parser, APDU_FILE, parser->text + start,
                                (size_t)(close - parser->text) - start, column);
    }
    while (parser->at < parser->end && parser->text[parser->at] != ' ' && parser->text[parser->at] != '\t')
        parser->at++;
    if (parser->at == start)
        return apdu_fault_at(parser, column, "a file name must follow '@'");
    return take_from_source(parser, APDU_FILE, parser->text + start, parser->at - start, column);
}

/* The filling of {NAME:8}. */
static int fill_up(struct apdu_parser *parser, size_t from, size_t want, size_t column)
{
    static const uint8_t filler = 0xFF;

    if (want == 0)
        return RC_OK;
    if (parser->out->length - from > want)
        return apdu_fault_at(parser, column, "the secret is longer than %zu bytes", want);
    while (parser->out->length - from < want)
        if (buffer_append(parser->out, &filler, 1) < 0)
            return RC_NO_MEMORY;
    return RC_OK;
}

/* Are the bytes so far all that says how long the data are? What comes next is data then, and no fault in a
 * length can tell what was in it (ISO 7816-4:2013, 5.2: an extended Lc is zero and two bytes). */
static bool has_length(const struct buffer *bytes)
{
    return bytes->length >= 7 || (bytes->length >= 5 && bytes->data[4] != 0);
}

static int take_secret(struct apdu_parser *parser, bool is_short)
{
    size_t column = parser->at, from = parser->out->length, length = 0, want = 0;
    const char *name = parser->text + parser->at + 1;
    size_t left = parser->end - parser->at - 1, i;
    int rc;

    while (length < left && ((name[length] >= 'a' && name[length] <= 'z') ||
                             (length > 0 && name[length] >= '0' && name[length] <= '9')))
        length++;
    i = length;
    if (i < left && name[i] == ':')
        for (i++; i < left && name[i] >= '0' && name[i] <= '9' && want < 1000; i++)
            want = want * 10 + (size_t)(name[i] - '0');
    if (!is_short && !has_length(parser->out))
        return apdu_fault_at(parser, column,
                             "a secret is data: its length stands before it, or ':' behind the header makes"
                             " one, as in 200080:{pin}");
    if (length == 0 || i >= left || name[i] != '}' || want > 255)
        return apdu_fault_at(parser, column,
                             "a secret is written {pin} or {pin:8}: a name in lower case letters and digits,"
                             " and the bytes to fill up to");
    rc = take_from_source(parser, APDU_SECRET, name, length, column);
    if (rc == RC_OK)
        rc = fill_up(parser, from, want, column);
    if (parser->secret_end == 0)
        parser->secret_start = from;
    parser->secret_end = parser->out->length;
    parser->at += i + 2;
    return rc;
}

int apdu_take_elements(struct apdu_parser *parser, bool slash)
{
    int rc = RC_OK;

    for (;;) {
        skip_blanks(parser);
        if (rc != RC_OK || parser->at >= parser->end)
            return rc;
        switch (apdu_peek(parser, 0)) {
        case ':':
            parser->at++;
            break;
        case '/':
            if (slash)
                return RC_OK;
            return apdu_fault_at(
                parser, parser->at,
                "'/' and Le belong to the short form, CLAINSP1P2:DATA/LE; here the bytes are the whole"
                " APDU");
        case '"':
            rc = take_text(parser);
            break;
        case '@':
            rc = take_file(parser);
            break;
        case '{':
            rc = take_secret(parser, slash);
            break;
        case '-':
            rc = take_from_source(parser, APDU_STDIN, "-", 1, parser->at);
            parser->at++;
            break;
        default:
            rc = apdu_take_byte(parser);
        }
    }
}

int apdu_take_run(struct apdu_parser *parser)
{
    int rc = RC_OK;

    skip_blanks(parser);
    while (rc == RC_OK && hex_digit(apdu_peek(parser, 0)) >= 0) {
        rc = apdu_take_byte(parser);
        skip_blanks(parser);
    }
    return rc;
}
