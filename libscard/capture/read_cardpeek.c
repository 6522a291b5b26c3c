/* SPDX-License-Identifier: MIT */
/* cardpeek's trace: "R:ATR", "C:command:status word:data"; comments begin with '#'. */
#include "capture/reading.h"

#include <string.h>

#include "base/rc.h"

static bool knows(const char *line, size_t length)
{
    return reading_behind(line, length, "# cardpeek trace") == line + strlen("# cardpeek trace") ||
           (length > 2 && (line[0] == 'R' || line[0] == 'C') && line[1] == ':');
}

static int take_exchange(struct reading *reading, const char *line, size_t length)
{
    const char *end = line + length, *sw, *data;
    struct buffer status = {0};
    int rc;

    sw = memchr(line, ':', length);
    data = sw ? memchr(sw + 1, ':', (size_t)(end - sw) - 1) : NULL;
    if (!data)
        return reading_fault(reading, "C: needs a command, a status word and data, with ':' between them");
    rc = reading_hex(reading, line, (size_t)(sw - line), "the command", &reading->command);
    if (!rc && !reading->command.length)
        rc = reading_fault(reading, "the command is empty");
    if (!rc)
        rc = reading_check_secret(reading);
    if (!rc)
        rc = reading_hex(reading, sw + 1, (size_t)(data - sw) - 1, "the status word", &status);
    if (!rc && status.length != 2)
        rc = reading_fault(reading, "a status word has two bytes, not %zu", status.length);
    if (!rc)
        rc = reading_hex(reading, data + 1, (size_t)(end - data) - 1, "the data", &reading->response);
    if (!rc)
        rc = buffer_append(&reading->response, status.data, status.length);
    buffer_fini(&status);
    return rc ? rc : reading_add_apdu(reading, RC_OK, 0);
}

static int take(struct reading *reading, const char *line, size_t length)
{
    int rc;

    if (line[0] == '#')
        return reading_comment(reading, line, length);
    if (length < 2 || line[1] != ':' || (line[0] != 'R' && line[0] != 'C'))
        return reading_fault(reading, "a line begins with R: or C:, or with # for a comment");
    if (line[0] == 'C')
        return take_exchange(reading, line + 2, length - 2);
    rc = reading_hex(reading, line + 2, length - 2, "the ATR", &reading->atr);
    return rc ? rc : reading_add_connection(reading);
}

const struct recording_format recording_cardpeek = {.name = "cardpeek", .knows = knows, .take = take};
