/* SPDX-License-Identifier: MIT */
/* GlobalPlatformPro's -d: "A>> T=1 (4+0008) 80500000 08 …", "A<< (0028+2) (17ms) … 9000"; all else is
 * skipped. */
#include "capture/reading.h"

#include <string.h>

#include "base/rc.h"

static bool knows(const char *line, size_t length)
{
    return reading_behind(line, length, "A>> ") || reading_behind(line, length, "# Reader: ") == line + 10;
}

/* Behind the n-th ')', which ends what is told about the bytes. */
static const char *behind_notes(const char *text, const char *end, int count)
{
    for (; text && count > 0; count--) {
        text = memchr(text, ')', (size_t)(end - text));
        text = text ? text + 1 : NULL;
    }
    return text;
}

static int take_command(struct reading *reading, const char *text, const char *end)
{
    const char *blank = memchr(text, ' ', (size_t)(end - text)), *bytes = behind_notes(text, end, 1);
    int rc;

    if (!bytes)
        return reading_fault(reading, "A>> needs a protocol, lengths in brackets and a command");
    if (reading->command_line)
        return reading_fault(reading, "the command of line %u has no response", reading->command_line);
    if (blank)
        reading->protocol = reading_protocol(text, (size_t)(blank - text));
    rc = reading_command(reading, bytes, (size_t)(end - bytes));
    if (!rc && !reading->command.length)
        rc = reading_fault(reading, "the command is empty");
    reading->command_line = reading->line;
    return rc;
}

/* A day at most. */
static int64_t milliseconds(const char *text, const char *end)
{
    int64_t ms = 0;

    for (; text < end && *text >= '0' && *text <= '9' && ms < 86400000; text++)
        ms = 10 * ms + (*text - '0');
    return ms;
}

static int take_response(struct reading *reading, const char *text, const char *end)
{
    const char *bytes = behind_notes(text, end, 2), *time = behind_notes(text, end, 1);
    int rc;

    if (!bytes)
        return reading_fault(reading, "A<< needs lengths and a time in brackets and a response");
    if (!reading->command_line)
        return reading_fault(reading, "a response without a command");
    time = memchr(time, '(', (size_t)(end - time));
    reading->duration_ns = time ? milliseconds(time + 1, end) * 1000000 : 0;
    rc = reading_hex(reading, bytes, (size_t)(end - bytes), "the response", &reading->response);
    if (!rc && reading->response.length < 2)
        rc = reading_fault(reading, "a response has two bytes or more, its status word");
    return rc ? rc : reading_add_apdu(reading, RC_OK, 0);
}

static int take(struct reading *reading, const char *line, size_t length)
{
    const char *end = line + length, *found;
    int rc;

    if ((found = reading_behind(line, length, "A>> ")))
        return take_command(reading, found, end);
    if ((found = reading_behind(line, length, "A<< ")))
        return take_response(reading, found, end);
    if (reading_behind(line, length, "# no response") == line + 13) {
        reading->command_line = 0;
        return RC_OK;
    }
    if ((found = reading_behind(line, length, "# ATR: "))) {
        rc = reading_hex(reading, found, (size_t)(end - found), "the ATR", &reading->atr);
        return rc ? rc : reading_add_connection(reading);
    }
    return RC_OK;
}

const struct recording_format recording_gp = {.name = "gp", .knows = knows, .take = take};
