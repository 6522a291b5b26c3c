/* SPDX-License-Identifier: MIT */
/* dispatch_split: a line as words. */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "cli/dispatch.h"

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Copies one word from *at to *out with its quotes resolved. */
static int take_word(const char **at, char **out)
{
    const char *from = *at;
    char *to = *out, quote = 0;

    for (; *from != '\0' && (quote != 0 || !is_blank(*from)); from++) {
        if (quote != 0 && *from == quote)
            quote = 0;
        else if (quote == 0 && (*from == '\'' || *from == '"'))
            quote = *from;
        else if (*from == '\\' && quote != '\'' && from[1] != '\0')
            *to++ = *++from;
        else
            *to++ = *from;
    }
    if (quote != 0)
        return detail_set(RC_INVALID_VALUE, "a %c is not closed", quote);
    *to++ = '\0';
    *at = from;
    *out = to;
    return RC_OK;
}

int dispatch_split(const char *line, char ***ret_words, int *ret_count)
{
    size_t length = strlen(line), most = length / 2 + 1;
    /* The pointers, then the text: a word is never longer than what it was written as. */
    char **words = malloc((most + 1) * sizeof *words + length + most + 1);
    char *out = (char *)(words + most + 1);
    int count = 0, rc = RC_OK;

    if (words == NULL)
        return detail_set(RC_NO_MEMORY, "out of memory");
    for (;;) {
        while (is_blank(*line))
            line++;
        if (*line == '\0' || *line == '#')
            break;
        words[count++] = out;
        rc = take_word(&line, &out);
        if (rc < 0) {
            free(words);
            return rc;
        }
    }
    words[count] = NULL;
    *ret_words = words;
    *ret_count = count;
    return RC_OK;
}
