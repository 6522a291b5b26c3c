/* SPDX-License-Identifier: MIT */
#include "cli/apdu_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/rc.h"
#include "iso/apdu.h"
#include "iso/sw.h"

struct parser {
    const char *text;
    size_t end; /* of the APDU part: before the expectation */
    size_t at;
    const struct apdu_source *source;
    struct buffer *out;
    size_t secret_start, secret_end; /* in out */
    struct apdu_fault *fault;
};

static int fault_at(struct parser *parser, size_t column, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fault_at(struct parser *parser, size_t column, const char *format, ...)
{
    va_list args;

    parser->fault->column = column;
    va_start(args, format);
    vsnprintf(parser->fault->words, sizeof parser->fault->words, format, args);
    va_end(args);
    return RC_INVALID_VALUE;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == ',';
}

static char peek(const struct parser *parser, size_t ahead)
{
    return parser->at + ahead < parser->end ? parser->text[parser->at + ahead] : '\0';
}

static void skip_blanks(struct parser *parser)
{
    while (parser->at < parser->end && is_blank(parser->text[parser->at]))
        parser->at++;
}

/* One byte in hex, perhaps with 0x before it. */
static int take_byte(struct parser *parser)
{
    uint8_t byte;
    int high, low;

    if (peek(parser, 0) == '0' && (peek(parser, 1) == 'x' || peek(parser, 1) == 'X'))
        parser->at += 2;
    high = hex_digit(peek(parser, 0));
    low = hex_digit(peek(parser, 1));
    if (high < 0) {
        char c = peek(parser, 0);

        if (c == '\0')
            return fault_at(parser, parser->at, "a byte is missing here");
        if ((unsigned char)c < 0x20 || (unsigned char)c > 0x7E)
            return fault_at(parser, parser->at, "this is no hexadecimal digit");
        return fault_at(parser, parser->at, "'%c' is no hexadecimal digit", c);
    }
    if (low < 0)
        return fault_at(parser, parser->at, "odd number of digits: this byte has only one");
    parser->at += 2;
    byte = (uint8_t)(high << 4 | low);
    return buffer_append(parser->out, &byte, 1);
}

static int take_text(struct parser *parser)
{
    const char *start = parser->text + parser->at + 1;
    const char *close = memchr(start, '"', parser->end - parser->at - 1);

    if (close == NULL)
        return fault_at(parser, parser->at, "the \" that begins here is not closed");
    parser->at += (size_t)(close - start) + 2;
    return buffer_append(parser->out, start, (size_t)(close - start));
}

static int take_from_source(struct parser *parser, enum apdu_source_kind kind, const char *start,
                            size_t length, size_t column)
{
    char *name;
    int rc;

    if (parser->source == NULL)
        return fault_at(parser, column, "data from outside cannot be used here");
    name = strndup(start, length);
    if (name == NULL)
        return RC_NO_MEMORY;
    rc = parser->source->read(parser->source->user, kind, name, parser->out);
    free(name);
    return rc;
}

/* @FILE, @"FILE" */
static int take_file(struct parser *parser)
{
    size_t column = parser->at++, start = parser->at;

    if (peek(parser, 0) == '"') {
        const char *close;

        start++;
        close = start < parser->end ? memchr(parser->text + start, '"', parser->end - start) : NULL;
        if (close == NULL)
            return fault_at(parser, column + 1, "the \" that begins here is not closed");
        parser->at = (size_t)(close - parser->text) + 1;
        return take_from_source(parser, APDU_FILE, parser->text + start,
                                (size_t)(close - parser->text) - start, column);
    }
    while (parser->at < parser->end && parser->text[parser->at] != ' ' && parser->text[parser->at] != '\t')
        parser->at++;
    if (parser->at == start)
        return fault_at(parser, column, "a file name must follow '@'");
    return take_from_source(parser, APDU_FILE, parser->text + start, parser->at - start, column);
}

/* The filling of {NAME:8}. */
static int fill_up(struct parser *parser, size_t from, size_t want, size_t column)
{
    static const uint8_t filler = 0xFF;

    if (want == 0)
        return RC_OK;
    if (parser->out->length - from > want)
        return fault_at(parser, column, "the secret is longer than %zu bytes", want);
    while (parser->out->length - from < want)
        if (buffer_append(parser->out, &filler, 1) < 0)
            return RC_NO_MEMORY;
    return RC_OK;
}

static int take_secret(struct parser *parser)
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
    if (length == 0 || i >= left || name[i] != '}' || want > 255)
        return fault_at(parser, column,
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

/* Elements of data until end, or '/' when slash ends them. */
static int take_elements(struct parser *parser, bool slash)
{
    int rc = RC_OK;

    for (;;) {
        skip_blanks(parser);
        if (rc != RC_OK || parser->at >= parser->end)
            return rc;
        switch (peek(parser, 0)) {
        case ':':
            parser->at++;
            break;
        case '/':
            if (slash)
                return RC_OK;
            return fault_at(
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
            rc = take_secret(parser);
            break;
        case '-':
            rc = take_from_source(parser, APDU_STDIN, "-", 1, parser->at);
            parser->at++;
            break;
        default:
            rc = take_byte(parser);
        }
    }
}

/* Four or more single bytes joined by colons and nothing else: 00:A4:04:00 */
static bool is_colon_list(const struct parser *parser)
{
    size_t at = 0, groups = 0;
    const char *text = parser->text;

    while (at < parser->end && is_blank(text[at]))
        at++;
    for (;;) {
        if (at + 2 > parser->end || hex_digit(text[at]) < 0 || hex_digit(text[at + 1]) < 0)
            return false;
        at += 2;
        groups++;
        if (at >= parser->end || is_blank(text[at]) || text[at] != ':')
            break;
        at++;
    }
    while (at < parser->end && is_blank(text[at]))
        at++;
    return at == parser->end && groups >= 4;
}

/* Hex bytes with blanks between, as far as they go. */
static int take_run(struct parser *parser)
{
    int rc = RC_OK;

    skip_blanks(parser);
    while (rc == RC_OK && hex_digit(peek(parser, 0)) >= 0) {
        rc = take_byte(parser);
        skip_blanks(parser);
    }
    return rc;
}

static int take_le(struct parser *parser, struct apdu *apdu)
{
    size_t column = parser->at++, from = parser->out->length, count;
    const uint8_t *le;
    int rc = take_run(parser);

    if (rc < 0)
        return rc;
    if (parser->at < parser->end)
        return fault_at(parser, parser->at, "only '=' and the expected status may follow Le");
    count = parser->out->length - from;
    le = parser->out->data + from;
    if (count > 2)
        return fault_at(parser, column, "Le has one byte, or two in an extended APDU");
    if (count == 2) {
        apdu->extended = true;
        apdu->le = (size_t)le[0] << 8 | le[1];
    } else {
        apdu->le = count == 1 ? le[0] : 0;
    }
    /* ISO 7816-4:2013, 5.2: zero stands for the most there can be. */
    if (apdu->le == 0)
        apdu->le = apdu->extended || apdu->lc > 255 ? 65536 : 256;
    parser->out->length = from;
    return RC_OK;
}

static void header_of(struct apdu *apdu, const uint8_t *header, size_t count)
{
    *apdu = (struct apdu){0};
    if (count == 1) {
        apdu->ins = header[0];
    } else if (count == 3) {
        apdu->ins = header[0];
        apdu->p1 = header[1];
        apdu->p2 = header[2];
    } else {
        apdu->cla = header[0];
        apdu->ins = header[1];
        apdu->p1 = count == 4 ? header[2] : 0;
        apdu->p2 = count == 4 ? header[3] : 0;
    }
}

/* parser->out holds the header and nothing else. */
static int parse_short(struct parser *parser, struct apdu_text *ret)
{
    size_t header = parser->out->length, length, data_offset;
    struct apdu apdu;
    int rc = RC_OK;

    header_of(&apdu, parser->out->data, header);
    if (peek(parser, 0) == ':') {
        parser->at++;
        rc = take_elements(parser, true);
    }
    if (rc < 0)
        return rc;
    apdu.lc = parser->out->length - header;
    if (apdu.lc > 65535)
        return fault_at(parser, 0, "%zu data bytes are more than an APDU can carry (65535)", apdu.lc);
    if (peek(parser, 0) == '/') {
        rc = take_le(parser, &apdu);
        if (rc < 0)
            return rc;
    }
    apdu.data = apdu.lc > 0 ? parser->out->data + header : NULL;
    rc = buffer_reserve(&ret->bytes, apdu.lc + 10);
    if (rc < 0)
        return rc;
    rc = apdu_build(&apdu, ret->bytes.data, ret->bytes.capacity, &length);
    if (rc < 0)
        return rc == RC_INVALID_VALUE ? fault_at(parser, 0, "this cannot be written as an APDU") : rc;
    ret->bytes.length = length;
    /* ISO 7816-4:2013, 5.2: Lc is one byte, or three in an extended APDU. */
    data_offset = apdu.extended || apdu.lc > 255 || apdu.le > 256 ? 7 : 5;
    if (parser->secret_end > 0) {
        ret->secret_offset = data_offset + parser->secret_start - header;
        ret->secret_length = parser->secret_end - parser->secret_start;
    }
    return RC_OK;
}

static int parse_plain(struct parser *parser, bool raw, struct apdu_text *ret)
{
    const char *why = "malformed";
    struct apdu apdu;
    int rc = take_elements(parser, false);

    if (rc < 0)
        return rc;
    if (!raw && apdu_parse(parser->out->data, parser->out->length, &apdu, &why) < 0)
        return fault_at(parser, 0, "%s (%zu bytes; --raw sends them as they are)", why, parser->out->length);
    if (parser->secret_end > 0) {
        ret->secret_offset = parser->secret_start;
        ret->secret_length = parser->secret_end - parser->secret_start;
    }
    return buffer_append(&ret->bytes, parser->out->data, parser->out->length);
}

static int parse_command(struct parser *parser, bool raw, struct apdu_text *ret)
{
    char stop;
    size_t count;
    int rc;

    if (is_colon_list(parser))
        return parse_plain(parser, raw, ret);
    rc = take_run(parser);
    if (rc < 0)
        return rc;
    count = parser->out->length;
    stop = peek(parser, 0);
    if (count == 0 && stop == '\0')
        return fault_at(parser, parser->at, "there is nothing to send");
    if (count == 0)
        return stop == ':' || stop == '/' || stop == '"' || stop == '@' || stop == '{' || stop == '-'
                   ? fault_at(parser, parser->at, "the header is missing: at least INS comes first")
                   : take_byte(parser); /* says what is wrong with the character */
    if (count <= 4 && (stop == ':' || stop == '/'))
        return parse_short(parser, ret);
    if (count < 4) {
        if (stop != '\0' && strchr("\"@{-", stop) == NULL)
            return take_byte(parser);
        if (stop != '\0')
            return fault_at(parser, parser->at,
                            "a header of %zu bytes is followed by ':' and data, or '/' and Le", count);
        return raw ? parse_plain(parser, raw, ret) : parse_short(parser, ret);
    }
    return parse_plain(parser, raw, ret);
}

/* Where the '=' of the expectation stands, or length: not in quotes, and not in a quoted file name. */
static size_t find_expectation(const char *text, size_t length)
{
    bool quoted = false;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"')
            quoted = !quoted;
        else if (text[i] == '=' && !quoted)
            return i;
    }
    return length;
}

/* One pattern of four digits, x for any. */
static int parse_pattern(struct parser *parser, const char *text, size_t at, size_t length,
                         struct apdu_expect *ret_expect)
{
    struct apdu_expect expect = {0};

    for (size_t i = at; i < at + 4; i++) {
        int digit = i < length ? hex_digit(text[i]) : -1;

        expect.value = (uint16_t)(expect.value << 4);
        expect.mask = (uint16_t)(expect.mask << 4);
        if (digit >= 0) {
            expect.value = (uint16_t)(expect.value | digit);
            expect.mask |= 0xF;
        } else if (i >= length || (text[i] != 'x' && text[i] != 'X')) {
            return fault_at(parser, i, "an expected status has four digits, x for any: 9000, 61xx");
        }
    }
    *ret_expect = expect;
    return RC_OK;
}

static int parse_expectation(struct parser *parser, const char *text, size_t at, size_t length,
                             struct apdu_text *ret)
{
    struct apdu_expect *expect = calloc((length - at) / 5 + 2, sizeof *expect);
    size_t count = 0;
    int rc;

    if (expect == NULL)
        return RC_NO_MEMORY;
    ret->expect = expect;
    while (at < length && is_blank(text[at]))
        at++;
    if (at == length) {
        expect[0] = (struct apdu_expect){.value = 0x9000, .mask = 0xFFFF};
        ret->expect_count = 1;
        return RC_OK;
    }
    for (;;) {
        rc = parse_pattern(parser, text, at, length, &expect[count]);
        if (rc < 0)
            return rc;
        count++;
        at += 4;
        if (at >= length || text[at] != '|')
            break;
        at++;
    }
    while (at < length && is_blank(text[at]))
        at++;
    ret->expect_count = count;
    if (at < length)
        return fault_at(parser, at, "nothing may follow the expected status; '|' joins several");
    return RC_OK;
}

/* The range of bytes to mask: what came from {NAME}, and what the instruction makes secret. */
static void join_secrets(struct apdu_text *apdu)
{
    size_t offset, length, end;

    if (!apdu_secret_range(apdu->bytes.data, apdu->bytes.length, &offset, &length) || length == 0)
        return;
    end = offset + length;
    if (apdu->secret_length > 0) {
        size_t other = apdu->secret_offset + apdu->secret_length;

        offset = offset < apdu->secret_offset ? offset : apdu->secret_offset;
        end = end > other ? end : other;
    }
    apdu->secret_offset = offset;
    apdu->secret_length = end - offset;
}

int apdu_text_parse(const char *text, size_t length, bool raw, const struct apdu_source *source,
                    struct apdu_text *ret_apdu, struct apdu_fault *ret_fault)
{
    struct apdu_text apdu = {0};
    struct buffer out = {0};
    struct apdu_fault fault = {0};
    struct parser parser = {.text = text, .source = source, .out = &out, .fault = &fault};
    int rc = RC_OK;

    parser.end = find_expectation(text, length);
    if (parser.end < length) /* before any secret is asked for */
        rc = parse_expectation(&parser, text, parser.end + 1, length, &apdu);
    if (rc == RC_OK)
        rc = parse_command(&parser, raw, &apdu);
    buffer_fini(&out);
    if (rc < 0) {
        apdu_text_fini(&apdu);
        if (rc == RC_INVALID_VALUE)
            *ret_fault = fault;
        return rc;
    }
    join_secrets(&apdu);
    *ret_apdu = apdu;
    return RC_OK;
}

void apdu_text_fini(struct apdu_text *apdu)
{
    buffer_fini(&apdu->bytes);
    free(apdu->expect);
    *apdu = (struct apdu_text){0};
}

bool apdu_text_accepts(const struct apdu_expect *expect, size_t count, uint16_t sw)
{
    if (count == 0)
        return sw_is_success(sw);
    for (size_t i = 0; i < count; i++)
        if ((sw & expect[i].mask) == expect[i].value)
            return true;
    return false;
}

char *apdu_text_expect_format(const struct apdu_expect *expect, size_t count, char *text, size_t capacity)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t at = 0;

    for (size_t i = 0; i < count && at + 6 <= capacity; i++) {
        if (i > 0)
            text[at++] = '|';
        for (unsigned shift = 16; shift > 0; shift -= 4)
            text[at++] =
                (expect[i].mask >> (shift - 4)) & 0xF ? digits[(expect[i].value >> (shift - 4)) & 0xF] : 'x';
    }
    if (capacity > 0)
        text[at] = '\0';
    return text;
}
