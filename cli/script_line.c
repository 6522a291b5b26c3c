/* SPDX-License-Identifier: MIT */
#include "cli/script_line.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/rc.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f' || c == '\n';
}

static bool holds_word(const char *line, size_t length, const char *word)
{
    size_t count = strlen(word);

    for (size_t i = 0; i + count <= length; i++)
        if (strncasecmp(line + i, word, count) == 0)
            return true;
    return false;
}

/* Appends the line to those before it, with one blank between, and a NUL behind length. */
static int join(struct script_lines *lines, const char *line, size_t length)
{
    int rc = RC_OK;

    if (!lines->joining) {
        lines->text.length = 0;
        lines->first = lines->line;
    }
    while (length > 0 && is_blank(line[0])) {
        line++;
        length--;
    }
    while (length > 0 && is_blank(line[length - 1]))
        length--;
    if (lines->text.length > 0 && length > 0)
        rc = buffer_append(&lines->text, " ", 1);
    if (rc == RC_OK)
        rc = buffer_append(&lines->text, line, length);
    if (rc == RC_OK)
        rc = buffer_append(&lines->text, "", 1);
    if (rc == RC_OK)
        lines->text.length--;
    return rc;
}

/* A comment or nothing at all. */
static bool is_skipped(const struct script_lines *lines, const char *line, size_t length)
{
    size_t at = 0;

    if (lines->scriptor && length > 0 && line[0] == '#')
        return true;
    while (at < length && is_blank(line[at]))
        at++;
    if (at == length)
        return lines->scriptor || !lines->joining;
    return !lines->scriptor && line[at] == '#' && !lines->joining;
}

int script_lines_take(struct script_lines *lines, const char *line, size_t length, enum script_step *ret_step)
{
    bool goes_on;
    int rc;

    lines->line++;
    if (memchr(line, '\0', length) != NULL)
        return detail_set(RC_INVALID_VALUE, "the line holds a NUL byte: this is no text");
    if (length > 0 && line[length - 1] == '\r')
        length--;
    *ret_step = SCRIPT_NOTHING;
    if (lines->scriptor && holds_word(line, length, "exit")) {
        lines->first = lines->line;
        *ret_step = SCRIPT_EXIT;
        return RC_OK;
    }
    if (is_skipped(lines, line, length))
        return RC_OK;
    if (lines->scriptor && holds_word(line, length, "reset")) {
        /* What was joined so far waits for its next line. */
        *ret_step = SCRIPT_RESET;
        return RC_OK;
    }
    goes_on = length > 0 && line[length - 1] == '\\';
    rc = join(lines, line, length - goes_on);
    if (rc < 0)
        return rc;
    lines->joining = goes_on;
    if (!goes_on && lines->text.length > 0)
        *ret_step = SCRIPT_LINE;
    return RC_OK;
}

int script_lines_end(struct script_lines *lines, enum script_step *ret_step)
{
    /* scriptor never sends what it was still joining. */
    *ret_step = lines->joining && !lines->scriptor && lines->text.length > 0 ? SCRIPT_LINE : SCRIPT_NOTHING;
    lines->joining = false;
    return RC_OK;
}

void script_lines_fini(struct script_lines *lines)
{
    buffer_fini(&lines->text);
    lines->joining = false;
}
