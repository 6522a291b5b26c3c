/* SPDX-License-Identifier: MIT */
#include "cli/atr_list.h"

#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/file.h"
#include "base/rc.h"

/* A list of all cards has half a megabyte; what is much longer is something else. */
#define LIST_MAX (64u << 20)
/* An expression for 33 bytes, with room for alternatives. */
#define EXPRESSION_MAX 512

static char *path_in(const char *folder, const char *name)
{
    char *path;

    if (folder == NULL || folder[0] == '\0')
        return NULL;
    if (asprintf(&path, "%s/%s", folder, name) < 0)
        return NULL;
    if (access(path, R_OK) == 0)
        return path;
    free(path);
    return NULL;
}

/* The list that is there, a new string: $SMARTCARD_LIST, else the first that can be read of
 * $XDG_CACHE_HOME/smartcard_list.txt (or ~/.cache), ~/.smartcard_list.txt,
 * /usr/share/pcsc/smartcard_list.txt. NULL if there is none, or out of memory. */
static char *find_list(void)
{
    const char *list = getenv("SMARTCARD_LIST"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char *path;

    if (list != NULL && list[0] != '\0')
        return strdup(list);
    path = cache != NULL && cache[0] != '\0' ? path_in(cache, "smartcard_list.txt")
                                             : path_in(home, ".cache/smartcard_list.txt");
    if (path == NULL)
        path = path_in(home, ".smartcard_list.txt");
    return path != NULL ? path : path_in("/usr/share/pcsc", "smartcard_list.txt");
}

static int add_name(struct atr_names *names, const char *text, size_t length)
{
    char **grown = reallocarray(names->names, names->count + 1, sizeof *grown);

    if (grown == NULL)
        return RC_NO_MEMORY;
    names->names = grown;
    grown[names->count] = strndup(text, length);
    if (grown[names->count] == NULL)
        return RC_NO_MEMORY;
    names->count++;
    return RC_OK;
}

static size_t span_without(const char *text, size_t length, const char *stops)
{
    size_t span = 0;

    while (span < length && strchr(stops, text[span]) == NULL)
        span++;
    return span;
}

/* Repetitions of repetitions, and counted ones, take memory without end to be compiled; no ATR needs them. */
static bool is_tame(const char *entry, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (strchr("{}\\$", entry[i]) != NULL)
            return false;
        if (strchr("*+?", entry[i]) != NULL && (i == 0 || strchr("*+?()|^", entry[i - 1]) != NULL))
            return false;
    }
    return true;
}

/* The expression of an entry against "3B 02 14 50". */
static bool matches(const char *entry, size_t length, const char *atr, size_t atr_length)
{
    size_t literal = span_without(entry, length, ".[]()*+?|^$");
    char expression[EXPRESSION_MAX + 5];
    regex_t compiled;
    bool found;

    if (literal == length)
        return length == atr_length && strncasecmp(entry, atr, length) == 0;
    /* Most entries are refused by their first bytes, and need no expression to be compiled. An alternative or
     * a repetition could reach back to them. */
    if (span_without(entry, length, "|?*+(") == length &&
        (literal > atr_length || strncasecmp(entry, atr, literal) != 0))
        return false;
    if (length > EXPRESSION_MAX || !is_tame(entry, length))
        return false;
    snprintf(expression, sizeof expression, "^(%.*s)$", (int)length, entry);
    if (regcomp(&compiled, expression, REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0)
        return false;
    found = regexec(&compiled, atr, 0, NULL, 0) == 0;
    regfree(&compiled);
    return found;
}

/* With blanks between the bytes, as entries are written. */
static char *spaced(const uint8_t *atr, size_t length)
{
    static const char digits[] = "0123456789ABCDEF";
    char *text = malloc(3 * length + 1), *to = text;

    if (text == NULL)
        return NULL;
    for (size_t i = 0; i < length; i++) {
        *to++ = digits[atr[i] >> 4];
        *to++ = digits[atr[i] & 15];
        *to++ = ' ';
    }
    if (to > text)
        to--;
    *to = '\0';
    return text;
}

int atr_list_find(const char *text, size_t length, const uint8_t *atr, size_t atr_length,
                  struct atr_names *names)
{
    const char *at = text, *end = text + length;
    char *wanted = spaced(atr, atr_length);
    size_t wanted_length;
    bool matching = false;
    int rc = wanted != NULL ? RC_OK : RC_NO_MEMORY;

    wanted_length = wanted != NULL ? strlen(wanted) : 0;
    while (rc == RC_OK && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at)), *stop = newline != NULL ? newline : end;
        const char *next = newline != NULL ? newline + 1 : end;

        while (stop > at && strchr(" \r", stop[-1]) != NULL)
            stop--;
        if (stop > at && at[0] == '\t') {
            if (matching && stop > at + 1)
                rc = add_name(names, at + 1, (size_t)(stop - at - 1));
        } else {
            matching = stop > at && at[0] != '#' && memchr(at, '\0', (size_t)(stop - at)) == NULL &&
                       matches(at, (size_t)(stop - at), wanted, wanted_length);
        }
        at = next;
    }
    free(wanted);
    return rc;
}

int atr_list_names(const uint8_t *atr, size_t atr_length, struct atr_names *names)
{
    char *path = find_list();
    struct buffer text = {0};
    int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1, rc = RC_OK;

    free(path);
    if (fd < 0)
        return RC_OK;
    /* What is no file has no end. */
    rc = file_read(fd, LIST_MAX, &text);
    close(fd);
    if (rc == RC_IO)
        rc = RC_OK;
    if (rc == RC_OK && text.length > 0)
        rc = atr_list_find((const char *)text.data, text.length, atr, atr_length, names);
    buffer_fini(&text);
    return rc;
}

void atr_names_fini(struct atr_names *names)
{
    for (size_t i = 0; i < names->count; i++)
        free(names->names[i]);
    free(names->names);
    *names = (struct atr_names){0};
}
