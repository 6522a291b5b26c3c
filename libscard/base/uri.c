/* SPDX-License-Identifier: MIT */
#include "base/uri.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"

/* Decodes %XX of text[0..length) into a new string. */
static int decode(const struct uri *uri, const char *text, size_t length, char **ret)
{
    char *out = malloc(length + 1);
    size_t used = 0;

    if (!out)
        return RC_NO_MEMORY;
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '%') {
            out[used++] = text[i];
            continue;
        }
        int high = i + 2 < length ? hex_digit(text[i + 1]) : -1;
        int low = i + 2 < length ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0 || !(high | low)) {
            free(out);
            return detail_set(RC_INVALID_VALUE, "%s: '%%' must be followed by two hexadecimal digits, not 00",
                              uri->text);
        }
        out[used++] = (char)(high << 4 | low);
        i += 2;
    }
    out[used] = '\0';
    *ret = out;
    return RC_OK;
}

static int parse_option(struct uri *uri, const char *text, size_t length)
{
    const char *equals = memchr(text, '=', length);
    size_t key_length = equals ? (size_t)(equals - text) : length;
    struct uri_option *grown, *option;
    int rc;

    if (!key_length)
        return detail_set(RC_INVALID_VALUE, "%s: an option has no name before '='", uri->text);
    grown = realloc(uri->options, (uri->option_count + 1) * sizeof *grown);
    if (!grown)
        return RC_NO_MEMORY;
    uri->options = grown;
    option = &grown[uri->option_count];
    *option = (struct uri_option){0};
    uri->option_count++;
    rc = decode(uri, text, key_length, &option->key);
    if (rc)
        return rc;
    if (!equals)
        return decode(uri, "", 0, &option->value);
    return decode(uri, equals + 1, length - key_length - 1, &option->value);
}

/* options: what follows the '?', or NULL. */
static int parse(struct uri *uri, const char *options)
{
    const char *text = uri->text;
    const char *colon = strchr(text, ':');
    int rc;

    if (!colon || colon == text)
        return detail_set(RC_INVALID_VALUE, "%s: not of the form type:name, such as sim:iso or vpcd:35963", text);
    rc = decode(uri, text, (size_t)(colon - text), &uri->scheme);
    if (rc)
        return rc;
    rc = decode(uri, colon + 1, strlen(colon + 1), &uri->path);
    if (rc || !options)
        return rc;
    for (const char *at = options; *at;) {
        size_t length = strcspn(at, "&");

        rc = parse_option(uri, at, length);
        if (rc)
            return rc;
        at += length + (at[length] == '&');
    }
    return RC_OK;
}

int uri_parse(const char *text, size_t length, struct uri *ret_uri)
{
    struct uri uri = {.text = strndup(text, length)};
    char *question;
    int rc;

    if (!uri.text)
        return RC_NO_MEMORY;
    question = strchr(uri.text, '?');
    if (question)
        *question++ = '\0';
    rc = parse(&uri, question);
    if (rc) {
        uri_fini(&uri);
        return rc;
    }
    *ret_uri = uri;
    return RC_OK;
}

void uri_fini(struct uri *uri)
{
    for (size_t i = 0; i < uri->option_count; i++) {
        free(uri->options[i].key);
        free(uri->options[i].value);
    }
    free(uri->options);
    free(uri->path);
    free(uri->scheme);
    free(uri->text);
    *uri = (struct uri){0};
}

const char *uri_get(const struct uri *uri, const char *key)
{
    for (size_t i = uri->option_count; i-- > 0;)
        if (!strcmp(uri->options[i].key, key))
            return uri->options[i].value;
    return NULL;
}

int uri_get_bool(const struct uri *uri, const char *key, bool *ret)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"yes", true}, {"no", false},  {"true", true}, {"false", false},
                 {"on", true},  {"off", false}, {"1", true},    {"0", false}};
    const char *value = uri_get(uri, key);

    if (!value)
        return RC_OK;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (!strcasecmp(value, words[i].word)) {
            *ret = words[i].value;
            return RC_OK;
        }
    }
    return detail_set(RC_INVALID_VALUE, "%s: %s=%s: say yes or no", uri->text, key, value);
}

int uri_get_number(const struct uri *uri, const char *key, uint64_t min, uint64_t max, uint64_t *ret)
{
    const char *value = uri_get(uri, key);
    unsigned long long number;
    char *end;

    if (!value)
        return RC_OK;
    errno = 0;
    number = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end || errno || number < min || number > max)
        return detail_set(RC_INVALID_VALUE, "%s: %s=%s: give a number from %llu to %llu", uri->text, key, value,
                          (unsigned long long)min, (unsigned long long)max);
    *ret = number;
    return RC_OK;
}

int uri_check_keys(const struct uri *uri, const char *const *known)
{
    for (size_t i = 0; i < uri->option_count; i++) {
        const char *const *name = known;

        while (*name && strcmp(*name, uri->options[i].key) != 0)
            name++;
        if (!*name) {
            char list[256] = "";

            for (name = known; *name && strlen(list) + strlen(*name) + 3 < sizeof list; name++) {
                strcat(list, list[0] ? ", " : "");
                strcat(list, *name);
            }
            return detail_set(RC_INVALID_VALUE, "%s: unknown option '%s'; known are: %s", uri->text,
                              uri->options[i].key, list[0] ? list : "none");
        }
    }
    return RC_OK;
}
