/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/rc.h"
#include "cli/builtin.h"
#include "iso/tlv.h"

/* Both are of no use without memory: then they are as if never set. */
static void remember(struct series *series, const struct exchange *exchange)
{
    char *data = hex_new(series->data.data, series->data.length), sw[5];

    variables_unset(series->variables, "_");
    if (data != NULL)
        (void)variables_set(series->variables, "_", data);
    free(data);
    snprintf(sw, sizeof sw, "%04X", exchange->sw);
    (void)variables_set(series->variables, "SW", sw);
}

/* Keeps a name for completion, once. */
static void see(struct series *series, const uint8_t *bytes, size_t length)
{
    char *hex = length > 0 ? hex_new(bytes, length) : NULL;

    for (size_t at = 0; hex != NULL && at < series->seen.length;
         at += strlen((const char *)series->seen.data + at) + 1)
        if (strcmp((const char *)series->seen.data + at, hex) == 0) {
            free(hex);
            return;
        }
    if (hex != NULL)
        (void)buffer_append(&series->seen, hex, strlen(hex) + 1);
    free(hex);
}

/* What can be selected: the file of a SELECT that went well; in the answer the file identifiers (83) and DF
 * names (84) of control information, and the applications (4F) of EF.DIR (ISO 7816-4:2013, 7.4.3, 12.2.3). */
static void look(struct series *series, const struct exchange *exchange)
{
    const struct buffer *command = exchange->given;
    struct bytes in = bytes_of(series->data.data, series->data.length);
    struct tlv outer, inner;

    if (exchange->sw != 0x9000 || command == NULL || exchange->secret_length > 0)
        return;
    if (command->length >= 7 && command->data[1] == 0xA4 && command->data[4] == 2)
        see(series, command->data + 5, 2);
    while (tlv_next(&in, &outer) == 1) {
        struct bytes within = bytes_of(outer.value, outer.length);

        if (outer.tag != 0x6F && outer.tag != 0x62 && outer.tag != 0x61)
            continue;
        while (tlv_next(&within, &inner) == 1)
            if ((outer.tag == 0x61 && inner.tag == 0x4F && inner.length <= 16) ||
                (outer.tag != 0x61 && inner.tag == 0x83 && inner.length == 2) ||
                (outer.tag != 0x61 && inner.tag == 0x84 && inner.length <= 16))
                see(series, inner.value, inner.length);
    }
}

/* The data of all parts joined, as the command gives it. */
static void exchanged(void *user, const struct exchange *exchange)
{
    struct series *series = user;
    bool corrected = exchange->sw >> 8 == 0x6C && !exchange->last;

    if (!exchange->automatic)
        series->data.length = 0;
    if (exchange->response_length > 2 && !corrected)
        (void)buffer_append(&series->data, exchange->response, exchange->response_length - 2);
    if (exchange->last) {
        remember(series, exchange);
        look(series, exchange);
    }
}

void series_begin(struct series *series, struct front *front, struct series *outer)
{
    *series = (struct series){.front = front};
    series->variables = outer != NULL ? outer->variables : &series->own;
    front->user = series;
    front->exchanged = exchanged;
}

void series_end(struct series *series)
{
    variables_fini(&series->own);
    buffer_fini(&series->data);
    buffer_fini(&series->seen);
    free(series->reader);
    free(series->reader_before);
}

static void offer(const char *candidate, const char *prefix, complete_fn *fn, void *user)
{
    if (strncmp(candidate, prefix, strlen(prefix)) == 0)
        fn(user, candidate, "");
}

/* mark: what stands before the names, "$", "${" or nothing. */
static void offer_variables(const struct variables *variables, const char *mark, const char *prefix,
                            complete_fn *fn, void *user)
{
    for (size_t i = 0; i < variables->count; i++) {
        char *text;

        if (asprintf(&text, "%s%s%s", mark, variables->entries[i].name,
                     mark[0] != '\0' && mark[1] == '{' ? "}" : "") < 0)
            return;
        offer(text, prefix, fn, user);
        free(text);
    }
}

static void offer_choices(const char *choices, const char *prefix, complete_fn *fn, void *user)
{
    char *copy = strdup(choices);

    for (char *choice, *rest = copy; (choice = strsep(&rest, "|")) != NULL;)
        offer(choice, prefix, fn, user);
    free(copy);
}

/* File identifiers have two bytes, applications more. */
static void offer_seen(const struct series *series, bool files, const char *prefix, complete_fn *fn,
                       void *user)
{
    for (size_t at = 0; at < series->seen.length;) {
        const char *hex = (const char *)series->seen.data + at;
        size_t length = strlen(hex);

        if ((length == 4) == files && strncasecmp(hex, prefix, strlen(prefix)) == 0)
            fn(user, hex, "");
        at += length + 1;
    }
}

static bool names_files(int count, const char *const *words)
{
    for (int i = 1; i < count; i++)
        if (strcmp(words[i], "--file") == 0 || strcmp(words[i], "-f") == 0)
            return true;
    return false;
}

/* How many words stand before the line that an if or for runs; 0 for none. */
static int line_within(int count, const char *const *words)
{
    bool flow = count > 1 && (strcmp(words[0], "if") == 0 || strcmp(words[0], "for") == 0);

    for (int i = 1; flow && i < count; i++)
        if (strcmp(words[i], "then") == 0 || strcmp(words[i], "else") == 0 || strcmp(words[i], "do") == 0)
            return i + 1;
    return 0;
}

enum complete_kind series_complete(const struct front *front, int count, const char *const *words,
                                   const char *prefix, complete_fn *fn, void *user)
{
    const struct series *series = front->user;
    const char *choices;
    int inner = line_within(count, words);

    if (inner > 0)
        return series_complete(front, count - inner, words + inner, prefix, fn, user);
    if (prefix[0] == '$') {
        offer_variables(series->variables, prefix[1] == '{' ? "${" : "$", prefix, fn, user);
        return COMPLETE_WORDS;
    }
    if (count > 0 && strcmp(words[0], "select") == 0 && prefix[0] != '-') {
        offer_seen(series, names_files(count, words), prefix, fn, user);
        if (names_files(count, words))
            return COMPLETE_WORDS;
    }
    /* 00A4000C 02 and then a file. */
    if (count > 0 && strncasecmp(words[0], "00A4", 4) == 0) {
        offer_seen(series, true, prefix, fn, user);
        return COMPLETE_WORDS;
    }
    if (count == 1 && strcmp(words[0], "let") == 0) {
        offer_variables(series->variables, "", prefix, fn, user);
        return COMPLETE_WORDS;
    }
    if (count == 2 && strcmp(words[0], "set") == 0) {
        choices = builtin_setting_choices(words[1]);
        if (choices != NULL)
            offer_choices(choices, prefix, fn, user);
        else if (strcmp(words[1], "trace") == 0)
            return COMPLETE_FILES;
        return COMPLETE_WORDS;
    }
    return complete_word(front, count, words, prefix, fn, user);
}

int series_expand(const struct front *front, const char *line, enum variables_line kind, char **ret_line)
{
    const struct series *series = front->user;

    if ((front->kind == FRONT_SHELL || front->kind == FRONT_SCRIPT) && strchr(line, '$') != NULL)
        return variables_expand(series->variables, line, kind, ret_line);
    *ret_line = strdup(line);
    return *ret_line != NULL ? RC_OK : RC_NO_MEMORY;
}
