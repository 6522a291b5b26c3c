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

static bool is_name(const char *text)
{
    return *text && text[name_length(text)] == '\0';
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

    if (!is_name(name))
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

struct expansion {
    const struct variables *variables;
    enum variables_line kind;
    const char *line;
    size_t at;
    char quote;   /* that is open, or 0 */
    bool in_word; /* a name has come just before */
    struct buffer out;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Is the variable, up to behind, all that this word has? */
static bool is_alone(const struct expansion *expansion, size_t behind)
{
    const char *line = expansion->line;

    return expansion->quote == 0 && (expansion->at == 0 || is_blank(line[expansion->at - 1])) &&
           (line[behind] == '\0' || is_blank(line[behind]));
}

static int append_value(struct expansion *expansion, const char *value, size_t behind)
{
    const char *special = expansion->quote == '"' ? "\"\\" : "\"'\\#";
    int rc = RC_OK;

    if (expansion->kind == VARIABLES_APDU)
        return buffer_append(&expansion->out, value, strlen(value));
    if (value[0] == '\0' && is_alone(expansion, behind))
        return buffer_append(&expansion->out, "\"\"", 2);
    for (; *value != '\0' && rc == RC_OK; value++) {
        if (strchr(special, *value) != NULL)
            rc = buffer_append(&expansion->out, "\\", 1);
        if (rc == RC_OK)
            rc = buffer_append(&expansion->out, value, 1);
    }
    return rc;
}

/* A '$': appends the value of its variable. *ret_length is what it takes of the line, 0 if it is none. */
static int expand_one(struct expansion *expansion, size_t *ret_length)
{
    const char *line = expansion->line + expansion->at;
    bool braces = line[1] == '{';
    const char *name = line + 1 + braces;
    size_t length = name_length(name);
    const struct variable *variable;

    *ret_length = 0;
    if (!braces && (length == 0 || expansion->in_word))
        return RC_OK;
    if (braces && (length == 0 || name[length] != '}'))
        return detail_set(RC_INVALID_VALUE, "\"${\" needs a name and \"}\"");
    variable = find(expansion->variables, name, length);
    if (variable == NULL)
        return detail_set(RC_INVALID_VALUE,
                          "the variable %.*s is not set; \"let\" lists those that are, \\$ is a "
                          "dollar sign",
                          (int)length, name);
    *ret_length = 1 + length + 2U * braces;
    return append_value(expansion, variable->value, expansion->at + *ret_length);
}

/* A character that begins no variable, or two: a backslash keeps what is behind it from meaning anything. */
static int copy(struct expansion *expansion)
{
    const char *at = expansion->line + expansion->at;
    bool escape = at[0] == '\\' && at[1] != '\0' && expansion->quote != '\'';
    size_t skipped = escape && at[1] == '$', length = escape && !skipped ? 2 : 1;

    if (!escape && expansion->quote != 0 && at[0] == expansion->quote)
        expansion->quote = 0;
    else if (!escape && expansion->quote == 0 && (at[0] == '\'' || at[0] == '"'))
        expansion->quote = at[0];
    expansion->in_word = is_name_character(at[skipped + length - 1]);
    expansion->at += skipped + length;
    return buffer_append(&expansion->out, at + skipped, length);
}

static int expand(struct expansion *expansion)
{
    const char *line = expansion->line;
    int rc = RC_OK;

    while (line[expansion->at] != '\0' && rc == RC_OK) {
        size_t taken = 0;

        if (expansion->quote != '\'' && line[expansion->at] == '$')
            rc = expand_one(expansion, &taken);
        if (rc == RC_OK && taken == 0)
            rc = copy(expansion);
        if (taken > 0)
            expansion->in_word = false;
        expansion->at += taken;
    }
    return rc == RC_OK ? buffer_append(&expansion->out, "", 1) : rc;
}

int variables_expand(const struct variables *variables, const char *line, enum variables_line kind,
                     char **ret_line)
{
    struct expansion expansion = {.variables = variables, .kind = kind, .line = line};
    int rc = expand(&expansion);

    if (rc < 0) {
        buffer_fini(&expansion.out);
        return rc;
    }
    *ret_line = (char *)expansion.out.data;
    return RC_OK;
}
