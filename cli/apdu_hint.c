/* SPDX-License-Identifier: MIT */
#include "cli/apdu_hint.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "cli/apdu_parts.h"
#include "cli/explain/ins.h"

/* Header, Lc and Le at the most. */
#define SHOWN 9

struct typed {
    uint8_t first[SHOWN]; /* the bytes that the shape hangs on */
    size_t count;
    bool half;     /* a digit without its second */
    size_t header; /* short form: bytes of the header; 0: plain */
    bool le;       /* short form: a '/' */
    bool unknown;  /* data from elsewhere, or no APDU */
    bool ends;     /* a suffix has begun */
};

static void take_byte(struct typed *typed, uint8_t byte)
{
    if (typed->count < SHOWN)
        typed->first[typed->count] = byte;
    typed->count++;
}

/* One element at text; returns how many characters it has. */
static size_t take(struct typed *typed, const char *text)
{
    int high, low;
    size_t length = 1;

    switch (text[0]) {
    case ' ':
    case '\t':
    case ',':
        return 1;
    case ':':
        /* Behind one byte it may join single bytes, or begin the data: nobody knows yet. */
        if (typed->header == 0 && typed->count >= 2 && typed->count <= 4)
            typed->header = typed->count;
        else
            typed->unknown = true;
        return 1;
    case '/':
        typed->header = typed->header > 0 ? typed->header : typed->count;
        typed->le = true;
        return 1;
    case '=':
    case '~':
    case '>':
    case '!':
    case '#':
        typed->ends = true;
        return 1;
    case '"':
        while (text[length] != '\0' && text[length] != '"') {
            take_byte(typed, (uint8_t)text[length]);
            length++;
        }
        return length + (text[length] == '"');
    case '@':
        typed->ends = apdu_is_deadline(text, 0, strlen(text));
        typed->unknown = !typed->ends;
        return 1;
    default:
        break;
    }
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return 2;
    high = hex_digit(text[0]);
    low = high >= 0 ? hex_digit(text[1]) : -1;
    if (high < 0) {
        typed->unknown = true;
    } else if (low < 0) {
        typed->half = true;
    } else {
        take_byte(typed, (uint8_t)(high << 4 | low));
        length = 2;
    }
    return length;
}

static const char *plural(size_t count)
{
    return count == 1 ? "" : "s";
}

/* Lc and what is behind it, with the data beginning at from. */
static void describe_data(size_t count, size_t from, size_t lc, bool extended, char *text, size_t room)
{
    const char *form = extended ? " extended" : "";
    size_t le = extended ? 2 : 1, behind;

    if (count < from + lc) {
        snprintf(text, room, "case 3%s: Lc=%zu, %zu byte%s to come", form, lc, from + lc - count,
                 plural(from + lc - count));
        return;
    }
    behind = count - from - lc;
    if (behind == 0)
        snprintf(text, room, "case 3%s: Lc=%zu, complete", form, lc);
    else if (behind < le)
        snprintf(text, room, "case 4%s: one byte of Le to come", form);
    else if (behind == le)
        snprintf(text, room, "case 4%s: Lc=%zu and Le, complete", form, lc);
    else
        snprintf(text, room, "%zu byte%s too many behind Lc=%zu", behind - le, plural(behind - le), lc);
}

static void describe_extended(const struct typed *typed, char *text, size_t room)
{
    size_t length = (size_t)typed->first[5] << 8 | typed->first[6];

    if (typed->count == 6)
        snprintf(text, room, "extended: one byte of the length to come");
    else if (typed->count == 7 && length == 0)
        snprintf(text, room, "case 2 extended: Le=65536");
    else if (typed->count == 7)
        snprintf(text, room, "case 2 extended: Le=%zu, or Lc=%zu with its data to come", length, length);
    else if (length == 0)
        snprintf(text, room, "Lc=0: %zu byte%s too many", typed->count - 7, plural(typed->count - 7));
    else
        describe_data(typed->count, 7, length, true, text, room);
}

/* A plain APDU of four bytes or more. */
static void describe_plain(const struct typed *typed, char *text, size_t room)
{
    size_t p3 = typed->first[4];

    if (typed->count == 4)
        snprintf(text, room, "case 1: complete");
    else if (typed->count == 5 && p3 == 0)
        snprintf(text, room, "case 2: Le=256");
    else if (typed->count == 5)
        snprintf(text, room, "case 2: Le=%zu, or Lc=%zu with its data to come", p3, p3);
    else if (p3 == 0)
        describe_extended(typed, text, room);
    else
        describe_data(typed->count, 5, p3, false, text, room);
}

static void describe_short(const struct typed *typed, char *text, size_t room)
{
    size_t data = typed->count - typed->header;

    if (typed->le)
        snprintf(text, room, "Lc and Le are put in");
    else
        snprintf(text, room, "%zu data byte%s, Lc is put in", data, plural(data));
}

/* What is there of a header. Three bytes may also be INS P1 P2 of the short form (cli/apdu_text.h). */
static void describe_header(const struct typed *typed, enum explain_context context, char *text, size_t room)
{
    const uint8_t header[4] = {0, typed->first[0], typed->first[1], typed->first[2]};
    const char *name = typed->count == 3 && !typed->half
                           ? explain_ins_of(header, sizeof header, explain_context_for(0, context))
                           : NULL;
    size_t missing = 4 - typed->count;

    snprintf(text, room, "%s%s%zu byte%s of the header to come", name != NULL ? name : "",
             name != NULL ? " as it stands, or " : "", missing, plural(missing));
}

bool apdu_hint(const char *line, enum explain_context context, char text[APDU_HINT_MAX])
{
    struct typed typed = {0};
    char shape[96] = "";
    const char *name;
    uint8_t header[4] = {0};
    size_t known;

    text[0] = '\0';
    for (const char *at = line; *at != '\0' && !typed.ends && !typed.unknown;)
        at += take(&typed, at);
    if (typed.unknown || typed.count < 2)
        return false;
    if (typed.header > 0) {
        /* [CLA]INS[P1P2]: one or three bytes begin with INS. */
        known = typed.header % 2 == 1 ? typed.header + 1 : typed.header;
        memcpy(header + (typed.header % 2), typed.first, typed.header < 4 ? typed.header : 4);
        describe_short(&typed, shape, sizeof shape);
    } else {
        known = typed.count < 4 ? typed.count : 4;
        memcpy(header, typed.first, known);
        if (typed.count >= 4)
            describe_plain(&typed, shape, sizeof shape);
        else
            describe_header(&typed, context, shape, sizeof shape);
    }
    name = explain_ins_of(header, known, explain_context_for(header[0], context));
    snprintf(text, APDU_HINT_MAX, "%s%s%s%s", name != NULL ? name : "", name != NULL ? ", " : "", shape,
             typed.half ? ", half a byte" : "");
    return true;
}
