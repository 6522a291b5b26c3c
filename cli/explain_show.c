/* SPDX-License-Identifier: MIT */
#include "cli/explain_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hex.h"

/* Bytes in a line; of more the first ones. */
#define SHOWN 16
#define BRIEF_PARTS 40
#define BRIEF_COLUMNS 100 /* of a terminal that does not say */
#define BRIEF_COLUMNS_LEAST 20
#define COLUMN 24 /* where the words begin, if the bytes leave it free */

/* Bytes with blanks between. */
static void add_bytes(struct record *record, const struct explain_part *part, const uint8_t *bytes)
{
    size_t count = part->length < SHOWN ? part->length : SHOWN;
    char text[3 * SHOWN + 4], *to = text;

    if (part->secret)
        to = stpcpy(to, "** ");
    for (size_t i = 0; i < count && !part->secret; i++) {
        hex_format(bytes + part->offset + i, 1, to);
        to[2] = ' ';
        to += 3;
    }
    if (to > text)
        to--;
    *to = '\0';
    record_people(record, "%s%s", text, !part->secret && part->length > SHOWN ? " ..." : "");
    secret_wipe(text, sizeof text);
}

static size_t shown_width(const struct explain_part *part)
{
    if (part->secret)
        return 2;
    return part->length > SHOWN ? 3 * SHOWN + 3 : part->length ? 3 * part->length - 1 : 0;
}

void explain_people(const struct output *output, struct record *record, const struct explanation *explanation,
                    const uint8_t *bytes)
{
    for (size_t i = 0; i < explanation->count; i++) {
        const struct explain_part *part = &explanation->parts[i];
        size_t used = 2U * part->depth + strlen(part->label) + 2 + shown_width(part);
        int pad = used < COLUMN ? (int)(COLUMN - used) : 2;

        record_people(record, "%*s%s%s%s", (int)(2 * part->depth), "", output_paint(output, PAINT_BOLD),
                      part->label, output_paint(output, PAINT_END));
        if (part->length || part->secret) {
            record_people(record, "  ");
            add_bytes(record, part, bytes);
        } else {
            pad += 2;
        }
        if (*part->text)
            record_people(record, "%*s%s", pad, "", part->text);
        record_people(record, "\n");
    }
    if (explanation->failed)
        record->failed = true;
}

/* Label, words, bytes; a new string, NULL when out of memory. */
static char *brief_line(const struct explain_part *part, const uint8_t *bytes, size_t columns)
{
    bool quoted = *part->text != '\0' && part->text[strlen(part->text) - 1] == '"';
    size_t room = quoted ? 0 : columns / 3 < part->length ? columns / 3 : part->length;
    char *hex = part->secret ? strdup("**") : malloc(3 * room + 1), *line = NULL;

    if (hex == NULL)
        return NULL;
    for (size_t i = 0; i < room && !part->secret; i++) {
        hex_format(bytes + part->offset + i, 1, hex + 3 * i);
        hex[3 * i + 2] = ' ';
        hex[3 * i + 3] = '\0';
    }
    if (room == 0 && !part->secret)
        *hex = '\0';
    if (asprintf(&line, "%*s%-2s  %s%s%s", (int)(2 * part->depth), "", part->label, part->text,
                 *part->text != '\0' && *hex != '\0' ? "  " : "", hex) < 0)
        line = NULL;
    secret_wipe(hex, strlen(hex));
    free(hex);
    return line;
}

/* Takes what is beyond the columns off a line of ASCII, and blanks at its end. */
static void cut(char *line, size_t columns)
{
    size_t length = strlen(line);

    if (length > columns)
        strcpy(line + columns - 3, "...");
    for (length = strlen(line); length > 0 && line[length - 1] == ' '; length--)
        line[length - 1] = '\0';
}

void explain_brief(const struct output *output, struct record *record, const struct explanation *explanation,
                   const uint8_t *bytes)
{
    size_t columns = output_columns(output), count = explanation->count;

    if (columns < BRIEF_COLUMNS_LEAST)
        columns = columns == 0 ? BRIEF_COLUMNS : BRIEF_COLUMNS_LEAST;
    count = count > BRIEF_PARTS ? BRIEF_PARTS : count;
    for (size_t i = 0; i < count; i++) {
        char *line = brief_line(&explanation->parts[i], bytes, columns);

        if (line == NULL) {
            record->failed = true;
            return;
        }
        cut(line, columns - 1); /* a line that fills the last column is two on some terminals */
        record_people(record, "%s%s%s\n", output_paint(output, PAINT_DIM), line,
                      output_paint(output, PAINT_END));
        secret_wipe(line, strlen(line));
        free(line);
    }
    if (count < explanation->count)
        record_people(record, "%s  and %zu parts more; \"decode\" shows all%s\n",
                      output_paint(output, PAINT_DIM), explanation->count - count,
                      output_paint(output, PAINT_END));
    if (explanation->failed)
        record->failed = true;
}

static int show_part(struct output *output, const struct explain_part *part, const uint8_t *bytes)
{
    struct record record;
    int status;

    record_init(&record, "part", RECORD_ROW);
    record_text(&record, SHOW_BARE, "part", "part");
    record_number(&record, SHOW_ALL, "depth", part->depth);
    record_text(&record, SHOW_ALL, "label", part->label);
    record_number(&record, SHOW_JSON, "offset", (int64_t)part->offset);
    record_number(&record, SHOW_JSON, "length", (int64_t)part->length);
    if (part->secret)
        record_text(&record, SHOW_ALL, "hex", "**");
    else
        record_hex(&record, SHOW_ALL, "hex", bytes + part->offset, part->length);
    record_text(&record, SHOW_ALL, "text", part->text);
    status = output_record(output, &record);
    record_fini(&record);
    return status;
}

int explain_parts(struct output *output, const struct explanation *explanation, const uint8_t *bytes)
{
    int status = STATUS_DONE;

    for (size_t i = 0; output->mode != OUTPUT_PEOPLE && i < explanation->count && status == STATUS_DONE; i++)
        status = show_part(output, &explanation->parts[i], bytes);
    return status;
}
