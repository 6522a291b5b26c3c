/* SPDX-License-Identifier: MIT */
/* The card's side of T=0, character by character (ISO 7816-3:2006, 10.3). */
#include <string.h>

#include "base/rc.h"
#include "tests/usbemu/emu_line_state.h"

#define HEADER 5
#define PROCEDURE_NULL 0x60

void line_t0_reset(struct line_t0 *t0)
{
    t0->have = t0->want = 0;
    t0_forget(&t0->rest);
}

static enum emu_said put(struct buffer *out, const uint8_t *bytes, size_t length)
{
    return buffer_append(out, bytes, length) ? LINE_MUTE : LINE_SAID;
}

static enum emu_said put_nulls(struct emu_line *line, struct buffer *out)
{
    static const uint8_t null = PROCEDURE_NULL;
    enum emu_said said = LINE_SAID;

    for (unsigned i = 0; i < line->options.nulls && said == LINE_SAID; i++)
        said = put(out, &null, 1);
    return said;
}

static enum emu_said put_procedure(struct emu_line *line, uint8_t byte, struct buffer *out)
{
    enum emu_said said = put_nulls(line, out);

    return said == LINE_SAID ? put(out, &byte, 1) : said;
}

/* Instructions whose data, if there is P3, come from the card. */
static bool is_outgoing(uint8_t ins)
{
    static const uint8_t outgoing[] = {0x70, 0x84, 0xB0, 0xB2, 0xC0, 0xCA};

    return memchr(outgoing, ins, sizeof outgoing) != NULL;
}

/* Data and status, with procedure bytes; acknowledged: the first of them was sent. */
static enum emu_said give(struct emu_line *line, const struct buffer *response, bool acknowledged,
                          struct buffer *out)
{
    size_t data = response->length >= 2 ? response->length - 2 : 0;
    uint8_t ins = line->t0.command[1];
    enum emu_said said = LINE_SAID;

    if (data && line->options.single) {
        for (size_t i = 0; i < data && said == LINE_SAID; i++) {
            if (!acknowledged)
                said = put_procedure(line, ins ^ 0xFF, out);
            acknowledged = false;
            if (said == LINE_SAID)
                said = put(out, response->data + i, 1);
        }
    } else if (data) {
        if (!acknowledged)
            said = put_procedure(line, ins, out);
        if (said == LINE_SAID)
            said = put(out, response->data, data);
    }
    if (said == LINE_SAID)
        said = put_nulls(line, out);
    return said == LINE_SAID ? put(out, response->data + data, response->length - data) : said;
}

static enum emu_said run(struct emu_line *line, size_t length, bool acknowledged, struct buffer *out)
{
    struct buffer response = {0};
    enum emu_said said = line_run(line, true, line->t0.command, length, &response);

    line->t0.have = line->t0.want = 0;
    if (said == LINE_SAID)
        said = response.length ? give(line, &response, acknowledged, out) : LINE_MUTE;
    buffer_fini(&response);
    return said;
}

static enum emu_said begin_command(struct emu_line *line, enum emu_way way, struct buffer *out)
{
    struct line_t0 *t0 = &line->t0;
    uint8_t p3 = t0->command[4];

    t0->guessed = way == EMU_UNKNOWN;
    if (way == EMU_UNKNOWN)
        way = is_outgoing(t0->command[1]) ? EMU_FROM_CARD : p3 ? EMU_TO_CARD : EMU_NO_DATA;
    if (way == EMU_TO_CARD && p3) {
        t0->want = (size_t)HEADER + p3;
        return put_procedure(line, line->options.single ? t0->command[1] ^ 0xFF : t0->command[1], out);
    }
    return run(line, way == EMU_FROM_CARD ? HEADER : 4, false, out);
}

enum emu_said line_t0_send(struct emu_line *line, enum emu_way way, const uint8_t *bytes, size_t length,
                           struct buffer *out)
{
    struct line_t0 *t0 = &line->t0;
    enum emu_said said = LINE_SAID;

    /* The reader waits for data where data were waited for: it knew better than the table. */
    if (!length && t0->want && t0->have == HEADER && t0->guessed)
        return run(line, HEADER, true, out);
    for (size_t i = 0; i < length && said == LINE_SAID; i++) {
        if (t0->have == sizeof t0->command)
            return LINE_MUTE;
        t0->command[t0->have++] = bytes[i];
        if (!t0->want && t0->have == HEADER)
            said = begin_command(line, way, out);
        else if (t0->want && t0->have == t0->want)
            said = run(line, t0->want, false, out);
        else if (t0->want && line->options.single)
            said = put_procedure(line, t0->command[1] ^ 0xFF, out);
    }
    return said;
}
