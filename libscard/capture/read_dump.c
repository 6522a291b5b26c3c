/* SPDX-License-Identifier: MIT */
/* apdu4j's dump: comments with ATR and protocol, then lines of hex, command and response in turn. */
#include "capture/reading.h"

#include <stdlib.h>
#include <string.h>

#include "base/rc.h"
#include "capture/json_text.h"

static bool starts(const char *line, size_t length, const char *word)
{
    return length >= strlen(word) && !memcmp(line, word, strlen(word));
}

static bool knows(const char *line, size_t length)
{
    return starts(line, length, "# ATR:") || starts(line, length, "# PROTOCOL:") ||
           (length >= 8 && reading_hex_length(line, length) == length);
}

/* "# SECRET: offset length": write_sessions.c's word for stars in the next command. */
static int take_secret(struct reading *reading, const char *text, size_t length)
{
    char digits[64], *end;
    unsigned long offset, count;

    if (reading->command_line)
        return reading_fault(reading, "the command of line %u has no response", reading->command_line);
    if (length >= sizeof digits)
        return reading_fault(reading, "this says not which bytes are secret");
    memcpy(digits, text, length);
    digits[length] = '\0';
    offset = strtoul(digits, &end, 10);
    count = strtoul(end, &end, 10);
    if (*end || !count)
        return reading_fault(reading, "this says not which bytes are secret");
    reading->secret_offset = offset;
    reading->secret_length = count;
    return RC_OK;
}

static int take_duration(struct reading *reading, const char *text, size_t length)
{
    char digits[32], *end;
    double ms;

    if (length >= sizeof digits)
        return RC_OK;
    memcpy(digits, text, length);
    digits[length] = '\0';
    ms = json_text_number(digits, &end);
    if (end != digits && !strcmp(end, "ms") && ms > 0 && ms < 1e9)
        reading->duration_ns = (int64_t)(ms * 1e6);
    return RC_OK;
}

/* A comment of ours or theirs that means something; others are skipped. Shared with cardpeek's. */
int reading_comment(struct reading *reading, const char *line, size_t length)
{
    const char *value;
    size_t count;
    int rc;

    if ((value = reading_behind(line, length, "# ATR:"))) {
        count = (size_t)(line + length - value);
        rc = reading_hex(reading, value, count, "the ATR", &reading->atr);
        return rc ? rc : reading_add_connection(reading);
    }
    line++;
    length--;
    reading_trim(&line, &length);
    if (starts(line, length, "PROTOCOL:")) {
        value = line + strlen("PROTOCOL:");
        count = (size_t)(line + length - value);
        reading_trim(&value, &count);
        reading->protocol = reading_protocol(value, count);
        /* It is that of the connection above. */
        if (reading->recording.count &&
            reading->recording.items[reading->recording.count - 1].exchange.kind == CAPTURED_CONNECT)
            reading->recording.items[reading->recording.count - 1].exchange.protocol = reading->protocol;
        return RC_OK;
    }
    if (starts(line, length, "SECRET:"))
        return take_secret(reading, line + strlen("SECRET:"), length - strlen("SECRET:"));
    return take_duration(reading, line, length);
}

/* The stars that a comment told of lie within the command. */
int reading_check_secret(const struct reading *reading)
{
    if (reading->secret_length && (reading->secret_offset >= reading->command.length ||
                                   reading->secret_length > reading->command.length - reading->secret_offset))
        return reading_fault(reading, "the secret bytes that were told of are not in the command");
    return RC_OK;
}

static int take(struct reading *reading, const char *line, size_t length)
{
    int rc;

    if (line[0] == '#')
        return reading_comment(reading, line, length);
    if (!reading->command_line) {
        rc = reading_hex(reading, line, length, "the command", &reading->command);
        reading->command_line = reading->line;
        return rc ? rc : reading_check_secret(reading);
    }
    rc = reading_hex(reading, line, length, "the response", &reading->response);
    if (!rc && reading->response.length < 2)
        rc = reading_fault(reading, "a response has two bytes or more, its status word");
    return rc ? rc : reading_add_apdu(reading, RC_OK, 0);
}

const struct recording_format recording_apdu4j = {.name = "apdu4j", .knows = knows, .take = take};
