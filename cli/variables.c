/* SPDX-License-Identifier: MIT */
#include "cli/variables.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"

static void forget(struct variable *variable)
{
    secret_wipe(variable->value, strlen(variable->value));
    free(variable->value);
    free(variable->name);
}

void variables_fini(struct variables *variables)
{
    for (size_t i = 0; i < variables->count; i++)
        forget(&variables->entries[i]);
    free(variables->entries);
    *variables = (struct variables){0};
}

static bool is_name_character(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static size_t name_length(const char *text)
{
    size_t length = 0;

    if (isdigit((unsigned char)text[0]))
        return 0;
    while (is_name_character(text[length]))
        length++;
    return length;
}

bool variables_name_is_good(const char *name, size_t length)
{
    return length > 0 && name_length(name) >= length;
}

static struct variable *find(const struct variables *variables, const char *name, size_t length)
{
    for (size_t i = 0; i < variables->count; i++)
        if (strncmp(variables->entries[i].name, name, length) == 0 &&
            variables->entries[i].name[length] == '\0')
            return &variables->entries[i];
    return NULL;
}

static int add(struct variables *variables, const char *name, char *value)
{
    struct variable *grown = reallocarray(variables->entries, variables->count + 1, sizeof *grown);
    char *copy = strdup(name);

    if (grown != NULL)
        variables->entries = grown;
    if (grown == NULL || copy == NULL) {
        free(copy);
        return RC_NO_MEMORY;
    }
    grown[variables->count++] = (struct variable){copy, value};
    return RC_OK;
}

int variables_set(struct variables *variables, const char *name, const char *value)
{
    struct variable *variable = find(variables, name, strlen(name));
    char *copy;
    int rc;

    if (!variables_name_is_good(name, strlen(name)))
        return detail_set(RC_INVALID_VALUE, "\"%s\" is no name: letters, digits and _, no digit first", name);
    copy = strdup(value);
    if (copy == NULL)
        return RC_NO_MEMORY;
    if (variable != NULL) {
        secret_wipe(variable->value, strlen(variable->value));
        free(variable->value);
        variable->value = copy;
        return RC_OK;
    }
    rc = add(variables, name, copy);
    if (rc < 0)
        free(copy);
    return rc;
}

void variables_unset(struct variables *variables, const char *name)
{
    struct variable *variable = find(variables, name, strlen(name));

    if (variable == NULL)
        return;
    forget(variable);
    *variable = variables->entries[--variables->count];
}

const char *variables_get(const struct variables *variables, const char *name)
{
    const struct variable *variable = find(variables, name, strlen(name));

    return variable != NULL ? variable->value : NULL;
}

/* The variable at line[at], which is a '$': appends its value. *ret_length is what it takes of the line, 0 if
 * it is none. */
static int expand_one(const struct variables *variables, const char *line, size_t at, bool in_word,
                      struct buffer *out, size_t *ret_length)
{
    bool braces = line[at + 1] == '{';
    const char *name = line + at + 1 + braces;
    size_t length = name_length(name);
    const struct variable *variable;

    *ret_length = 0;
    if (!braces && (length == 0 || in_word))
        return RC_OK;
    if (braces && (length == 0 || name[length] != '}'))
        return detail_set(RC_INVALID_VALUE, "\"${\" needs a name and \"}\"");
    variable = find(variables, name, length);
    if (variable == NULL)
        return detail_set(RC_INVALID_VALUE,
                          "the variable %.*s is not set; \"let\" lists those that are, \\$ is a "
                          "dollar sign",
                          (int)length, name);
    *ret_length = 1 + length + 2U * braces;
    return buffer_append(out, variable->value, strlen(variable->value));
}

int variables_expand(const struct variables *variables, const char *line, char **ret_line)
{
    struct buffer out = {0};
    bool single = false, in_word = false;
    int rc = RC_OK;

    for (size_t i = 0; line[i] != '\0' && rc == RC_OK;) {
        size_t taken = 0;

        if (line[i] == '\'')
            single = !single;
        if (!single && line[i] == '\\' && line[i + 1] == '$')
            i++;
        else if (!single && line[i] == '$')
            rc = expand_one(variables, line, i, in_word, &out, &taken);
        in_word = taken == 0 && is_name_character(line[i]);
        if (rc == RC_OK && taken == 0)
            rc = buffer_append(&out, line + i, taken = 1);
        i += taken;
    }
    if (rc == RC_OK)
        rc = buffer_append(&out, "", 1);
    if (rc < 0) {
        buffer_fini(&out);
        return rc;
    }
    *ret_line = (char *)out.data;
    return RC_OK;
}
