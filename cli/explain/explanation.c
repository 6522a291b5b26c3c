/* SPDX-License-Identifier: MIT */
#include "cli/explain/explanation.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hex.h"

static void part_fini(struct explain_part *part)
{
    free(part->label);
    if (part->text)
        secret_wipe(part->text, strlen(part->text));
    free(part->text);
}

void explanation_fini(struct explanation *explanation)
{
    for (size_t i = 0; i < explanation->count; i++)
        part_fini(&explanation->parts[i]);
    free(explanation->parts);
    *explanation = (struct explanation){0};
}

/* Room doubles: a file of objects has many parts. */
static bool reserve(struct explanation *explanation)
{
    size_t count = explanation->count;
    struct explain_part *parts;

    if (count & (count - 1))
        return true;
    parts = reallocarray(explanation->parts, count ? 2 * count : 1, sizeof *parts);
    if (!parts)
        return false;
    explanation->parts = parts;
    return true;
}

void explanation_add(struct explanation *explanation, unsigned depth, size_t offset, size_t length,
                     const char *label, const char *format, ...)
{
    struct explain_part part = {.depth = depth, .offset = offset, .length = length};
    va_list arguments;

    if (explanation->failed)
        return;
    va_start(arguments, format);
    if (vasprintf(&part.text, format, arguments) < 0)
        part.text = NULL;
    va_end(arguments);
    part.label = strdup(label);
    if (!part.text || !part.label || !reserve(explanation)) {
        part_fini(&part);
        explanation->failed = true;
        return;
    }
    explanation->parts[explanation->count++] = part;
}

void explanation_more(struct explanation *explanation, const char *format, ...)
{
    struct explain_part *part;
    char *words, *joined;
    va_list arguments;
    int length;

    if (explanation->failed)
        return;
    part = &explanation->parts[explanation->count - 1];
    va_start(arguments, format);
    length = vasprintf(&words, format, arguments);
    va_end(arguments);
    if (length < 0) {
        explanation->failed = true;
        return;
    }
    if (asprintf(&joined, "%s%s", part->text, words) < 0) {
        explanation->failed = true;
    } else {
        secret_wipe(part->text, strlen(part->text));
        free(part->text);
        part->text = joined;
    }
    secret_wipe(words, (size_t)length);
    free(words);
}

void explanation_hide(struct explanation *explanation)
{
    if (!explanation->failed && !explanation->show_secrets)
        explanation->parts[explanation->count - 1].secret = true;
}

/* Where the hidden range that begins nearest at or behind from begins; length if there is none. */
static size_t next_hidden(const struct explanation *explanation, size_t from, size_t length, size_t *ret_end)
{
    size_t nearest = length;

    *ret_end = length;
    for (size_t i = 0; i < explanation->count; i++) {
        const struct explain_part *part = &explanation->parts[i];
        size_t begin = part->offset > from ? part->offset : from;

        if (!part->secret || part->offset + part->length <= from || begin >= nearest)
            continue;
        nearest = begin;
        *ret_end = part->offset + part->length;
    }
    return nearest;
}

char *explanation_hex(const struct explanation *explanation, const uint8_t *bytes, size_t length)
{
    char *hex = malloc(2 * length + 3 + 2 * explanation->count);
    size_t at = 0, end, begin;
    char *to = hex;

    if (!hex)
        return NULL;
    *to = '\0';
    while (at < length) {
        begin = next_hidden(explanation, at, length, &end);
        hex_format(bytes + at, begin - at, to);
        to += 2 * (begin - at);
        if (begin < length) {
            /* Neighbours are one secret. */
            if (to == hex || to[-1] != '*')
                to = stpcpy(to, "**");
        }
        at = begin < length ? end : length;
    }
    return hex;
}
