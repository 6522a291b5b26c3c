/* SPDX-License-Identifier: MIT */
#include "cli/suggest.h"

#include <stdint.h>
#include <string.h>

#include "cli/globals.h"

#define LONGEST 32

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t suggest_distance(const char *a, const char *b)
{
    size_t la = strlen(a), lb = strlen(b);
    size_t rows[3][LONGEST + 1]; /* the last three rows of the matrix, in turn */

    if (la > LONGEST || lb > LONGEST)
        return SIZE_MAX;
    for (size_t j = 0; j <= lb; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= la; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3], *two_above = rows[(i + 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= lb; j++) {
            size_t exchange = above[j - 1] + (a[i - 1] != b[j - 1]);

            row[j] = least(exchange, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], two_above[j - 2] + 1);
        }
    }
    return rows[la % 3][lb];
}

/* One slip in a short word, two in a long one. */
static size_t tolerance(const char *word)
{
    return strlen(word) < 5 ? 1 : 2;
}

const char *command_word(const struct command *command)
{
    const char *blank = strrchr(command->name, ' ');

    return blank != NULL ? blank + 1 : command->name;
}

const struct command *command_find(const struct command *const *commands, const char *name)
{
    for (; *commands != NULL; commands++)
        if (strcmp(command_word(*commands), name) == 0 ||
            ((*commands)->alias != NULL && strcmp((*commands)->alias, name) == 0))
            return *commands;
    return NULL;
}

const struct command *command_suggest(const struct command *const *commands, const char *name)
{
    const struct command *best = NULL;
    size_t best_distance = tolerance(name) + 1, length = strlen(name);

    for (; *commands != NULL; commands++) {
        const char *word = command_word(*commands);
        size_t distance = suggest_distance(word, name);

        if ((*commands)->flags & COMMAND_HIDDEN)
            continue;
        if (length >= 3 && strncmp(word, name, length) == 0)
            distance = 1;
        if (distance < best_distance) {
            best = *commands;
            best_distance = distance;
        }
    }
    return best;
}

static void nearest(const struct option_spec *specs, const char *name, size_t *best_distance,
                    const char **best)
{
    for (; specs != NULL && specs->name != NULL; specs++) {
        size_t distance = suggest_distance(specs->name, name);

        if (distance < *best_distance) {
            *best_distance = distance;
            *best = specs->name;
        }
    }
}

const char *suggest_option(const struct option_spec *specs, const char *word)
{
    char name[LONGEST + 1];
    const char *best = NULL;
    size_t length, distance;

    word += strspn(word, "-");
    length = strcspn(word, "=");
    if (length == 0 || length > LONGEST)
        return NULL;
    memcpy(name, word, length);
    name[length] = '\0';
    distance = tolerance(name) + 1;
    nearest(specs, name, &distance, &best);
    nearest(globals_options, name, &distance, &best);
    return best;
}
