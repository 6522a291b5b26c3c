/* SPDX-License-Identifier: MIT */
#include "cli/apdu_text.h"

#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/rc.h"
#include "cli/apdu_parts.h"
#include "iso/apdu.h"

/* Four or more single bytes joined by colons and nothing else: 00:A4:04:00 */
static bool is_colon_list(const struct apdu_parser *parser)
{
    size_t at = 0, groups = 0;
    const char *text = parser->text;

    while (at < parser->end && apdu_is_blank(text[at]))
        at++;
    for (;;) {
        if (at + 2 > parser->end || hex_digit(text[at]) < 0 || hex_digit(text[at + 1]) < 0)
            return false;
        at += 2;
        groups++;
        if (at >= parser->end || apdu_is_blank(text[at]) || text[at] != ':')
            break;
        at++;
    }
    while (at < parser->end && apdu_is_blank(text[at]))
        at++;
    return at == parser->end && groups >= 4;
}

static int take_le(struct apdu_parser *parser, struct apdu *apdu)
{
    size_t column = parser->at++, from = parser->out->length, count;
    const uint8_t *le;
    int rc = apdu_take_run(parser);

    if (rc < 0)
        return rc;
    if (parser->at < parser->end)
        return apdu_fault_at(parser, parser->at, "only what is expected and its like (=9000) may follow Le");
    count = parser->out->length - from;
    le = parser->out->data + from;
    if (count > 2)
        return apdu_fault_at(parser, column, "Le has one byte, or two in an extended APDU");
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
static int parse_short(struct apdu_parser *parser, struct apdu_text *ret)
{
    size_t header = parser->out->length, length, data_offset;
    struct apdu apdu;
    int rc = RC_OK;

    header_of(&apdu, parser->out->data, header);
    if (apdu_peek(parser, 0) == ':') {
        parser->at++;
        rc = apdu_take_elements(parser, true);
    }
    if (rc < 0)
        return rc;
    apdu.lc = parser->out->length - header;
    if (apdu.lc > 65535)
        return apdu_fault_at(parser, 0, "%zu data bytes are more than an APDU can carry (65535)", apdu.lc);
    if (apdu_peek(parser, 0) == '/') {
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
        return rc == RC_INVALID_VALUE ? apdu_fault_at(parser, 0, "this cannot be written as an APDU") : rc;
    ret->bytes.length = length;
    /* ISO 7816-4:2013, 5.2: Lc is one byte, or three in an extended APDU. */
    data_offset = apdu.extended || apdu.lc > 255 || apdu.le > 256 ? 7 : 5;
    if (parser->secret_end > 0) {
        ret->secret_offset = data_offset + parser->secret_start - header;
        ret->secret_length = parser->secret_end - parser->secret_start;
    }
    return RC_OK;
}

static int parse_plain(struct apdu_parser *parser, bool raw, struct apdu_text *ret)
{
    const char *why = "malformed";
    struct apdu apdu;
    int rc = apdu_take_elements(parser, false);

    if (rc < 0)
        return rc;
    if (!raw && apdu_parse(parser->out->data, parser->out->length, &apdu, &why) < 0)
        return apdu_fault_at(parser, 0, "%s (%zu bytes in all; --raw sends them as they are)", why,
                             parser->out->length);
    if (parser->secret_end > 0) {
        ret->secret_offset = parser->secret_start;
        ret->secret_length = parser->secret_end - parser->secret_start;
    }
    return buffer_append(&ret->bytes, parser->out->data, parser->out->length);
}

static int parse_command(struct apdu_parser *parser, bool raw, struct apdu_text *ret)
{
    char stop;
    size_t count;
    int rc;

    if (is_colon_list(parser))
        return parse_plain(parser, raw, ret);
    rc = apdu_take_run(parser);
    if (rc < 0)
        return rc;
    count = parser->out->length;
    stop = apdu_peek(parser, 0);
    if (count == 0 && stop == '\0')
        return apdu_fault_at(parser, parser->at, "there is nothing to send");
    if (count == 0)
        return stop == ':' || stop == '/' || stop == '"' || stop == '@' || stop == '{' || stop == '-'
                   ? apdu_fault_at(parser, parser->at, "the header is missing: at least INS comes first")
                   : apdu_take_byte(parser); /* says what is wrong with the character */
    if (count <= 4 && (stop == ':' || stop == '/'))
        return parse_short(parser, ret);
    if (count < 4) {
        if (stop != '\0' && strchr("\"@{-", stop) == NULL)
            return apdu_take_byte(parser);
        if (stop != '\0')
            return apdu_fault_at(parser, parser->at,
                                 "a header of %zu bytes is followed by ':' and data, or '/' and Le", count);
        return raw ? parse_plain(parser, raw, ret) : parse_short(parser, ret);
    }
    return parse_plain(parser, raw, ret);
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
    struct apdu_text apdu = {.deadline_ms = -1};
    struct buffer out = {0};
    struct apdu_fault fault = {0};
    struct apdu_parser parser = {.text = text, .source = source, .out = &out, .fault = &fault};
    int rc = RC_OK;

    parser.end = apdu_find_suffix(text, length);
    if (parser.end < length) /* before any secret is asked for */
        rc = apdu_parse_suffixes(&parser, text, parser.end, length, &apdu);
    if (rc == RC_OK)
        rc = parse_command(&parser, raw || apdu.raw, &apdu);
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
    free(apdu->match);
    free(apdu->file);
    buffer_fini(&apdu->expect_value);
    buffer_fini(&apdu->expect_mask);
    *apdu = (struct apdu_text){0};
}
