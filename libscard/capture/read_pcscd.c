/* SPDX-License-Identifier: MIT */
/* A log of pcscd with APDUs (-a): "00000012 APDU: 00 A4 …", "00004711 SW: … 90 00", and the ATR of a card
 * that came. The number is the time since the line before, in microseconds; other lines are skipped. */
#include "capture/reading.h"

#include <stdlib.h>

#include "base/rc.h"

static bool knows(const char *line, size_t length)
{
    return reading_behind(line, length, "APDU: ") || reading_behind(line, length, "Card ATR: ");
}

static int take_bytes(struct reading *reading, const char *text, const char *end, struct buffer *bytes)
{
    size_t count = reading_hex_length(text, (size_t)(end - text));

    return reading_hex(reading, text, count, "what was exchanged", bytes);
}

static int take_response(struct reading *reading, const char *text, const char *end)
{
    int rc;

    /* pcscd starts a new log now and then, in the middle of an exchange. */
    if (!reading->command_line)
        return RC_OK;
    rc = take_bytes(reading, text, end, &reading->response);
    if (!rc && reading->response.length < 2)
        rc = reading_fault(reading, "a response has two bytes or more, its status word");
    return rc ? rc : reading_add_apdu(reading, RC_OK, 0);
}

/* The log may be the terminal's, with its colours; the number still stands at the start or there is none. */
static int64_t time_since(const char *line, size_t length)
{
    int64_t microseconds = 0;

    for (size_t i = 0; i < length && i < 10 && line[i] >= '0' && line[i] <= '9'; i++)
        microseconds = 10 * microseconds + (line[i] - '0');
    return microseconds * 1000;
}

static int take(struct reading *reading, const char *line, size_t length)
{
    const char *end = line + length, *found;
    int rc;

    if (reading->command_line)
        reading->duration_ns += time_since(line, length);
    if ((found = reading_behind(line, length, "APDU: "))) {
        reading->duration_ns = 0;
        rc = take_bytes(reading, found, end, &reading->command);
        /* A command without an answer was cut off by the card's leaving: the next one takes its place. */
        reading->command_line = reading->command.length ? reading->line : 0;
        return rc;
    }
    if ((found = reading_behind(line, length, "SW: ")))
        return take_response(reading, found, end);
    if ((found = reading_behind(line, length, "Card ATR: "))) {
        rc = take_bytes(reading, found, end, &reading->atr);
        return rc ? rc : reading_add_connection(reading);
    }
    return RC_OK;
}

const struct recording_format recording_pcscd = {.name = "pcscd", .knows = knows, .take = take};
