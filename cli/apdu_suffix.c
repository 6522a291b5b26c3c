/* SPDX-License-Identifier: MIT */
/* What may stand behind an APDU: "=SW", "~/…/", ">FILE", "@5s", "!". */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"
#include "cli/apdu_parts.h"
#include "cli/names.h"

#define DURATION_MAX 32

static bool is_suffix(const char *text, size_t at, size_t length)
{
    return text[at] == '=' || text[at] == '~' || text[at] == '>' || text[at] == '!' ||
           apdu_is_deadline(text, at, length);
}

bool apdu_is_deadline(const char *text, size_t at, size_t length)
{
    char word[DURATION_MAX];
    size_t count = 0;
    int64_t ms;

    if (at >= length || text[at] != '@' || (at > 0 && !apdu_is_blank(text[at - 1])))
        return false;
    while (at + 1 + count < length && count < sizeof word - 1 &&
           memchr("0123456789.ms", text[at + 1 + count], 13) != NULL) {
        word[count] = text[at + 1 + count];
        count++;
    }
    word[count] = '\0';
    at += 1 + count;
    return count > 0 && (word[count - 1] == 's' || word[count - 1] == 'm') &&
           (at == length || apdu_is_blank(text[at]) || memchr("=~>!", text[at], 4) != NULL) &&
           names_duration_parse(word, &ms);
}

size_t apdu_find_suffix(const char *text, size_t length)
{
    bool quoted = false;

    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"')
            quoted = !quoted;
        if (quoted)
            continue;
        if (is_suffix(text, i, length))
            return i;
        /* The name of a file ends at a blank or '=' only. */
        if (text[i] == '@' && i + 1 < length && text[i + 1] != '"')
            while (i + 1 < length && text[i + 1] != '=' && !apdu_is_blank(text[i + 1]))
                i++;
    }
    return length;
}

static int take_expectation(struct apdu_parser *parser, const char *text, size_t *at, size_t length,
                            struct apdu_text *ret)
{
    size_t end = *at + 1;

    if (ret->expect != NULL)
        return apdu_fault_at(parser, *at, "there is an expected status already; '|' joins several");
    while (end < length && (text[end] == '=' || !is_suffix(text, end, length)))
        end++;
    parser->at = *at + 1;
    *at = end;
    return apdu_parse_expectation(parser, text, parser->at, end, ret);
}

/* ~/…/ with \/ for a slash. */
static int take_match(struct apdu_parser *parser, const char *text, size_t *at, size_t length,
                      struct apdu_text *ret)
{
    size_t from = *at + 2, end = from, count = 0;

    if (ret->match != NULL)
        return apdu_fault_at(parser, *at, "there is an expression for the data already");
    if (*at + 1 >= length || text[*at + 1] != '/')
        return apdu_fault_at(parser, *at, "an expression for the data stands between slashes: ~/^6F/");
    while (end < length && text[end] != '/')
        end += text[end] == '\\' && end + 1 < length ? 2 : 1;
    if (end >= length)
        return apdu_fault_at(parser, length, "the expression does not end: '/' is missing");
    ret->match = malloc(end - from + 1);
    if (ret->match == NULL)
        return RC_NO_MEMORY;
    for (size_t i = from; i < end; i++) {
        if (text[i] == '\\' && text[i + 1] == '/')
            continue;
        ret->match[count++] = text[i];
    }
    ret->match[count] = '\0';
    *at = end + 1;
    return RC_OK;
}

static int take_file(struct apdu_parser *parser, const char *text, size_t *at, size_t length,
                     struct apdu_text *ret)
{
    size_t from = *at + 1, end;
    bool quoted;

    if (ret->file != NULL)
        return apdu_fault_at(parser, *at, "there is a file for the data already");
    ret->append = from < length && text[from] == '>';
    from += ret->append;
    while (from < length && apdu_is_blank(text[from]))
        from++;
    quoted = from < length && text[from] == '"';
    from += quoted;
    for (end = from; end < length && (quoted ? text[end] != '"' : !apdu_is_blank(text[end]));)
        end++;
    if (quoted && end == length)
        return apdu_fault_at(parser, end, "the name of the file does not end: '\"' is missing");
    if (end == from)
        return apdu_fault_at(parser, *at, "the file for the data has no name");
    ret->file = strndup(text + from, end - from);
    *at = end + quoted;
    return ret->file != NULL ? RC_OK : RC_NO_MEMORY;
}

static int take_deadline(struct apdu_parser *parser, const char *text, size_t *at, struct apdu_text *ret)
{
    size_t count = strspn(text + *at + 1, "0123456789.ms");
    char word[DURATION_MAX] = "";

    if (ret->deadline_ms >= 0)
        return apdu_fault_at(parser, *at, "there is a deadline already");
    memcpy(word, text + *at + 1, count < sizeof word ? count : sizeof word - 1);
    (void)names_duration_parse(word, &ret->deadline_ms);
    *at += 1 + count;
    return RC_OK;
}

int apdu_parse_suffixes(struct apdu_parser *parser, const char *text, size_t at, size_t length,
                        struct apdu_text *ret)
{
    int rc = RC_OK;

    while (rc == RC_OK) {
        while (at < length && apdu_is_blank(text[at]))
            at++;
        if (at >= length)
            break;
        if (text[at] == '=')
            rc = take_expectation(parser, text, &at, length, ret);
        else if (text[at] == '~')
            rc = take_match(parser, text, &at, length, ret);
        else if (text[at] == '>')
            rc = take_file(parser, text, &at, length, ret);
        else if (apdu_is_deadline(text, at, length))
            rc = take_deadline(parser, text, &at, ret);
        else if (text[at] == '!') {
            ret->raw = true;
            at++;
        } else
            rc = apdu_fault_at(parser, at, "behind an APDU stand =9000, ~/^6F/, >FILE, >>FILE, @5s or !");
    }
    parser->at = 0;
    return rc;
}

int apdu_text_check_match(const char *match)
{
    char words[128];
    regex_t regex;
    int error = regcomp(&regex, match, REG_EXTENDED | REG_ICASE | REG_NOSUB);

    if (error == 0) {
        regfree(&regex);
        return RC_OK;
    }
    regerror(error, &regex, words, sizeof words);
    return detail_set(RC_INVALID_VALUE, "\"%s\" is no regular expression: %s", match, words);
}

bool apdu_matches(const char *match, const struct buffer *data)
{
    char *hex = hex_new(data->data, data->length);
    regex_t regex;
    bool matches;

    if (hex == NULL || regcomp(&regex, match, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0) {
        free(hex);
        return false;
    }
    matches = regexec(&regex, hex, 0, NULL, 0) == 0;
    regfree(&regex);
    free(hex);
    return matches;
}
