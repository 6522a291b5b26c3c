/* SPDX-License-Identifier: MIT */
#include "cli/explain_show.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/hex.h"

/* Bytes in a line; of more the first ones. */
#define SHOWN 16
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
