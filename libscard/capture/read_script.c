/* SPDX-License-Identifier: MIT */
/*
 * A script that write_script.c wrote: "# ATR: hex", "APDU =[data]SW", "APDU:{pin:8} =SW" and "reset". What it
 * expects is what the card answers; a digit that does not matter (x) is 0. It begins with "# scard script",
 * which tells it from others.
 */
#include "capture/reading.h"

#include <string.h>

#include "base/hex.h"
#include "base/rc.h"

static bool starts(const char *line, size_t length, const char *word)
{
    return length >= strlen(word) && !memcmp(line, word, strlen(word));
}

static bool knows(const char *line, size_t length)
{
    return starts(line, length, "# scard script");
}

/* Digits up to stop or the end, x for any; blanks between. */
static int take_digits(struct reading *reading, const char **at, const char *end, char stop)
{
    int high = -1, rc = RC_OK;

    for (; *at < end && **at != stop && !rc; ++*at) {
        int digit = **at == 'x' || **at == 'X' ? 0 : hex_digit(**at);

        if (**at == ' ' || **at == '\t')
            continue;
        if (digit < 0)
            return reading_fault(reading, "'%c' is no digit of an expected answer", **at);
        if (high >= 0) {
            const uint8_t byte = (uint8_t)(high << 4 | digit);

            rc = buffer_append(&reading->response, &byte, 1);
            high = -1;
        } else {
            high = digit;
        }
    }
    return !rc && high >= 0 ? reading_fault(reading, "the last byte of an expected answer lacks a digit")
                            : rc;
}

static int take_answer(struct reading *reading, const char *at, const char *end)
{
    size_t before = 0;
    int rc = RC_OK;

    reading->response.length = 0;
    if (at < end && *at == '[') {
        at++;
        rc = take_digits(reading, &at, end, ']');
        if (!rc && at == end)
            rc = reading_fault(reading, "the expected data does not end: ']' is missing");
        at += at < end;
        before = reading->response.length;
    }
    /* Of several status words the first. */
    if (!rc)
        rc = take_digits(reading, &at, end, '|');
    if (!rc && reading->response.length != before + 2)
        rc =
            reading_fault(reading, "a status word has two bytes, not %zu", reading->response.length - before);
    return rc;
}

/* In place of a PIN that was not recorded: "{pin:8}", Lc and the PIN. */
static int take_asked(struct reading *reading)
{
    static const uint8_t unknown[] = {CAPTURED_STAR};

    if (reading->command.length != 4)
        return reading_fault(reading, "a {pin} stands behind a header of four bytes");
    reading->secret_offset = 4;
    reading->secret_length = 1;
    return buffer_append(&reading->command, unknown, sizeof unknown);
}

static int take_exchange(struct reading *reading, const char *line, const char *equals, const char *end)
{
    const char *asked = memchr(line, ':', (size_t)(equals - line));
    size_t length = (size_t)((asked ? asked : equals) - line);
    int rc = reading_hex(reading, line, length, "the command", &reading->command);

    if (!rc && !reading->command.length)
        rc = reading_fault(reading, "the command is empty");
    if (!rc && asked)
        rc = take_asked(reading);
    if (!rc)
        rc = take_answer(reading, equals + 1, end);
    return rc ? rc : reading_add_apdu(reading, RC_OK, 0);
}

static int take(struct reading *reading, const char *line, size_t length)
{
    const char *equals = memchr(line, '=', length);

    if (line[0] == '#')
        return starts(line, length, "# ATR:") ? reading_comment(reading, line, length) : RC_OK;
    if (length == 5 && !memcmp(line, "reset", 5))
        return reading_add_reset(reading);
    if (!equals)
        return reading_fault(reading, "what the card answers is not there: an APDU needs =SW behind it");
    return take_exchange(reading, line, equals, line + length);
}

const struct recording_format recording_script = {.name = "scard", .knows = knows, .take = take};
