/* SPDX-License-Identifier: MIT */
/* apdu_text_looks_like and apdu_text_masked: APDUs in lines that nobody has parsed. */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "cli/apdu_text.h"
#include "iso/apdu.h"

bool apdu_text_looks_like(const char *text)
{
    size_t digits;

    text += strspn(text, " \t");
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
        return hex_digit(text[2]) >= 0;
    digits = strspn(text, "0123456789abcdefABCDEF");
    return digits >= 2 && (text[digits] == '\0' || strchr(" \t\r\n:,/=\"@{-~>!", text[digits]) != NULL);
}

/* A run of bytes in hex with what may stand between them. */
struct run {
    uint8_t header[5];
    size_t count;     /* bytes */
    size_t behind_lc; /* where in the text the sixth begins */
    size_t end;
    char stop;
};

static size_t skip_between(const char *text, size_t at, bool colons)
{
    while (text[at] != '\0' && (strchr(" \t,", text[at]) != NULL || (colons && text[at] == ':')))
        at++;
    return at;
}

static size_t skip_prefix(const char *text, size_t at)
{
    return text[at] == '0' && (text[at + 1] == 'x' || text[at + 1] == 'X') ? at + 2 : at;
}

static struct run read_run(const char *text, size_t at, bool colons)
{
    struct run run = {0};

    for (;;) {
        size_t start = skip_between(text, at, colons);
        int high, low;

        at = skip_prefix(text, start);
        high = hex_digit(text[at]);
        low = high < 0 ? -1 : hex_digit(text[at + 1]);
        if (low < 0)
            break;
        if (run.count < sizeof run.header)
            run.header[run.count] = (uint8_t)(high << 4 | low);
        if (run.count == 5)
            run.behind_lc = start;
        run.count++;
        at += 2;
    }
    run.end = at;
    run.stop = text[at];
    return run;
}

static bool is_secret(uint8_t cla, uint8_t ins)
{
    const uint8_t header[] = {cla, ins, 0, 0, 1, 0};
    size_t offset, length;

    return apdu_secret_range(header, sizeof header, &offset, &length);
}

/* {pin} and the like are no secrets but the names of some. */
static bool is_placeholder(const char *text)
{
    size_t end = strcspn(text, "}");

    if (text[0] != '{' || text[end] != '}')
        return false;
    end++;
    return text[end] == '\0' || strchr(" \t\"'=/~>!", text[end]) != NULL;
}

/* Where the secret of an APDU that begins at the word begins, or 0; *ret_next: where to go on looking. */
static size_t secret_at(const char *line, size_t at, size_t *ret_next)
{
    struct run run = read_run(line, at, false);

    *ret_next = at + 1;
    if (run.count >= 1 && run.count <= 4 && run.stop == ':') {
        bool alone = run.count == 1 || run.count == 3;

        if (is_secret(alone ? 0 : run.header[0], run.header[alone ? 0 : 1]))
            return is_placeholder(line + run.end + 1) ? 0 : run.end + 1;
        /* "00:20:00:01:..." */
        run = read_run(line, at, true);
    }
    /* "200001 31323334": the ':' was forgotten. */
    if (run.count > 3 && strspn(line + at, "0123456789abcdefABCDEF") == 6 && is_secret(0, run.header[0]))
        return at + 6 + strspn(line + at + 6, " \t");
    if (run.count < 4 || !is_secret(run.header[0], run.header[1]))
        return 0;
    if (run.count == 4)
        return strchr("\"@{-", run.stop) != NULL && run.stop != '\0' && !is_placeholder(line + run.end)
                   ? run.end
                   : 0;
    if (run.count == 5)
        return is_placeholder(line + run.end) || run.stop == '\0' ? 0 : run.end;
    return run.behind_lc;
}

static bool is_word_start(const char *line, size_t at)
{
    return at == 0 || strchr(" \t'\"=;,(", line[at - 1]) != NULL;
}

/* Is what begins here a whole APDU that holds no secret: then its middle is not looked at. */
static size_t skip_harmless(const char *line, size_t at)
{
    struct run run = read_run(line, at, false);
    struct apdu apdu;
    uint8_t *bytes;
    size_t count = 0, end = at;
    const char *why;
    bool harmless;

    if (run.count < 4 || run.stop == ':' || is_secret(run.header[0], run.header[1]))
        return at;
    bytes = malloc(run.count);
    if (bytes == NULL)
        return at;
    while (count < run.count) {
        end = skip_prefix(line, skip_between(line, end, false));
        bytes[count++] = (uint8_t)(hex_digit(line[end]) << 4 | hex_digit(line[end + 1]));
        end += 2;
    }
    harmless = apdu_parse(bytes, count, &apdu, &why) == 0;
    free(bytes);
    return harmless ? end : at;
}

char *apdu_text_masked(const char *line)
{
    size_t length = strlen(line), at = 0;
    char *masked = malloc(length + 3);

    if (masked == NULL)
        return NULL;
    memcpy(masked, line, length + 1);
    while (at < length) {
        size_t secret, next, skipped;

        if (!is_word_start(line, at) || hex_digit(line[at]) < 0) {
            at++;
            continue;
        }
        skipped = skip_harmless(line, at);
        if (skipped > at) {
            at = skipped;
            continue;
        }
        secret = secret_at(line, at, &next);
        if (secret > 0) {
            /* All to the end: what follows may belong to the data. */
            memcpy(masked + secret, "**", 3);
            return masked;
        }
        at = next;
    }
    return masked;
}
