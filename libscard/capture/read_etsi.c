/* SPDX-License-Identifier: MIT */
/*
 * The notation of ETSI's and 3GPP's test scripts:
 *
 *     RST                                  the card is reset
 *     CMD A0A4000002 3F00 [data] (9FXX)    a command, the data of its answer, its status words, any of which
 * will do REM, INI, OFF, ON                    nothing that a card would see
 *
 * A '\' at the end joins the next line. XX in an answer is any byte; here it is 00. A CMD may leave its
 * answer out: 9000.
 */
#include "capture/reading.h"

#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/rc.h"

static bool is_word(const char *line, size_t length, const char *word)
{
    return length >= 3 && !strncasecmp(line, word, 3) && (length == 3 || line[3] == ' ' || line[3] == '\t');
}

static bool knows(const char *line, size_t length)
{
    return is_word(line, length, "RST") || is_word(line, length, "CMD") || is_word(line, length, "INI") ||
           is_word(line, length, "REM");
}

/* Hex in which an X is a digit that does not matter, up to one of stop or the end. */
static int take_pattern(struct reading *reading, const char *text, size_t length, const char *stop,
                        struct buffer *bytes, size_t *ret_end)
{
    int high = -1, rc = RC_OK;
    size_t at = 0;

    for (; at < length && !strchr(stop, text[at]) && !rc; at++) {
        int digit = text[at] == 'X' || text[at] == 'x' ? 0 : hex_digit(text[at]);

        if (text[at] == ' ' || text[at] == '\t')
            continue;
        if (digit < 0)
            return reading_fault(reading, "'%c' is no digit of an answer", text[at]);
        if (high >= 0) {
            const uint8_t byte = (uint8_t)(high << 4 | digit);

            rc = buffer_append(bytes, &byte, 1);
            high = -1;
        } else {
            high = digit;
        }
    }
    if (!rc && high >= 0)
        rc = reading_fault(reading, "the last byte of an answer lacks a digit");
    *ret_end = at;
    return rc;
}

static int take_answer(struct reading *reading, const char *text, size_t length)
{
    static const uint8_t done[] = {0x90, 0x00};
    const char *open = memchr(text, '[', length), *status = memchr(text, '(', length);
    size_t end, before = 0;
    int rc = RC_OK;

    reading->response.length = 0;
    if (open && status && open > status)
        open = NULL;
    if (open)
        rc = take_pattern(reading, open + 1, (size_t)(text + length - open) - 1, "]", &reading->response,
                          &end);
    before = reading->response.length;
    if (!rc && !status)
        return buffer_append(&reading->response, done, sizeof done);
    if (!rc)
        rc = take_pattern(reading, status + 1, (size_t)(text + length - status) - 1, ",)", &reading->response,
                          &end);
    if (!rc && reading->response.length != before + 2)
        rc =
            reading_fault(reading, "a status word has two bytes, not %zu", reading->response.length - before);
    return rc;
}

static int take_command(struct reading *reading, const char *text, size_t length)
{
    size_t end = 0;
    int rc;

    while (end < length && text[end] != '[' && text[end] != '(')
        end++;
    rc = reading_hex(reading, text, end, "the command", &reading->command);
    if (!rc && !reading->command.length)
        rc = reading_fault(reading, "the command is empty");
    if (!rc)
        rc = take_answer(reading, text + end, length - end);
    return rc ? rc : reading_add_apdu(reading, RC_OK, 0);
}

static int take_joined(struct reading *reading, const char *line, size_t length)
{
    if (is_word(line, length, "RST"))
        return reading_add_reset(reading);
    if (is_word(line, length, "CMD"))
        return take_command(reading, line + 3, length - 3);
    if (is_word(line, length, "REM") || is_word(line, length, "INI") || is_word(line, length, "OFF") ||
        (length == 2 && !strncasecmp(line, "ON", 2)))
        return RC_OK;
    return reading_fault(reading, "a line begins with RST, CMD, REM, INI or OFF");
}

/* What is joined waits in atr, which this notation has no use for. */
static int take(struct reading *reading, const char *line, size_t length)
{
    struct buffer *joined = &reading->atr;
    bool goes_on = line[length - 1] == '\\';
    int rc;

    if (!goes_on && !joined->length)
        return take_joined(reading, line, length);
    rc = buffer_append(joined, line, length - goes_on);
    if (!rc)
        rc = buffer_append(joined, " ", 1);
    if (rc || goes_on)
        return rc;
    line = (const char *)joined->data;
    length = joined->length;
    reading_trim(&line, &length);
    rc = length ? take_joined(reading, line, length) : RC_OK;
    joined->length = 0;
    return rc;
}

const struct recording_format recording_etsi = {.name = "etsi", .knows = knows, .take = take};
