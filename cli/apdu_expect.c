/* SPDX-License-Identifier: MIT */
/* The "=SW" behind an APDU. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/rc.h"
#include "cli/apdu_parts.h"
#include "iso/sw.h"

/* One pattern of four digits, x for any. */
static int parse_pattern(struct apdu_parser *parser, const char *text, size_t at, size_t length,
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
            return apdu_fault_at(parser, i, "an expected status has four digits, x for any: 9000, 61xx");
        }
    }
    *ret_expect = expect;
    return RC_OK;
}

/* Nibbles behind '[', x for any, blanks between bytes, up to ']'. */
static int parse_data(struct apdu_parser *parser, const char *text, size_t *at, size_t length,
                      struct apdu_text *ret)
{
    uint8_t value = 0, mask = 0;
    unsigned digits = 0;
    int rc = RC_OK;

    for (++*at; *at < length && text[*at] != ']' && rc == RC_OK; ++*at) {
        int digit = hex_digit(text[*at]);

        if (apdu_is_blank(text[*at]) && digits % 2 == 0)
            continue;
        if (text[*at] == '.' && digits % 2 == 0 && *at + 2 < length && strncmp(text + *at, "..]", 3) == 0) {
            ret->expects_more = true;
            ++*at;
            continue;
        }
        if (digit < 0 && text[*at] != 'x' && text[*at] != 'X')
            return apdu_fault_at(parser, *at,
                                 "expected data is hex, x for any digit, '..' at its end for more");
        value = (uint8_t)(value << 4 | (digit < 0 ? 0 : digit));
        mask = (uint8_t)(mask << 4 | (digit < 0 ? 0 : 0xF));
        if (++digits % 2 == 0)
            rc = buffer_append(&ret->expect_value, &value, 1);
        if (digits % 2 == 0 && rc == RC_OK)
            rc = buffer_append(&ret->expect_mask, &mask, 1);
    }
    if (rc < 0)
        return rc;
    if (*at >= length)
        return apdu_fault_at(parser, length, "the expected data does not end: ']' is missing");
    if (digits % 2 != 0)
        return apdu_fault_at(parser, *at, "the last byte of the expected data lacks a digit");
    ret->expects_data = true;
    ++*at;
    return RC_OK;
}

int apdu_parse_expectation(struct apdu_parser *parser, const char *text, size_t at, size_t length,
                           struct apdu_text *ret)
{
    struct apdu_expect *expect = calloc((length - at) / 5 + 2, sizeof *expect);
    size_t count = 0;
    int rc;

    if (expect == NULL)
        return RC_NO_MEMORY;
    ret->expect = expect;
    while (at < length && apdu_is_blank(text[at]))
        at++;
    if (at < length && text[at] == '[') {
        rc = parse_data(parser, text, &at, length, ret);
        if (rc < 0)
            return rc;
    }
    while (at < length && apdu_is_blank(text[at]))
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
    while (at < length && apdu_is_blank(text[at]))
        at++;
    ret->expect_count = count;
    if (at < length)
        return apdu_fault_at(parser, at, "nothing may follow the expected status; '|' joins several");
    return RC_OK;
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

bool apdu_text_accepts_answer(const struct apdu_text *apdu, uint16_t sw, const struct buffer *data)
{
    const struct buffer *value = &apdu->expect_value, *mask = &apdu->expect_mask;

    if (!apdu_text_accepts(apdu->expect, apdu->expect_count, sw))
        return false;
    if (apdu->match != NULL && !apdu_matches(apdu->match, data))
        return false;
    if (!apdu->expects_data)
        return true;
    if (data->length < value->length || (data->length > value->length && !apdu->expects_more))
        return false;
    for (size_t i = 0; i < value->length; i++)
        if ((data->data[i] & mask->data[i]) != value->data[i])
            return false;
    return true;
}

static void put_pattern(char *text, uint8_t value, uint8_t mask)
{
    static const char digits[] = "0123456789ABCDEF";

    text[0] = mask >> 4 ? digits[value >> 4] : 'x';
    text[1] = mask & 0xF ? digits[value & 0xF] : 'x';
}

char *apdu_text_expected(const struct apdu_text *apdu)
{
    size_t count = apdu->expect_value.length, at = 0, room = 2 * count + 5 * apdu->expect_count + 8;
    char *text;

    room += apdu->match != NULL ? strlen(apdu->match) + sizeof " ~//" : 0;
    text = malloc(room);
    if (text == NULL)
        return NULL;
    if (apdu->expects_data)
        text[at++] = '[';
    for (size_t i = 0; i < count; i++, at += 2)
        put_pattern(text + at, apdu->expect_value.data[i], apdu->expect_mask.data[i]);
    if (apdu->expects_more) {
        memcpy(text + at, "..", 2);
        at += 2;
    }
    if (apdu->expects_data)
        text[at++] = ']';
    apdu_text_expect_format(apdu->expect, apdu->expect_count, text + at, room - at);
    if (apdu->match != NULL) {
        at = strlen(text);
        snprintf(text + at, room - at, "%s~/%s/", at > 0 ? " " : "", apdu->match);
    }
    return text;
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
