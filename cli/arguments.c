/* SPDX-License-Identifier: MIT */
#include "cli/arguments.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/apdu_text.h"
#include "cli/globals.h"
#include "cli/names.h"
#include "cli/suggest.h"

#define SHOWN_MAX 80

struct cursor {
    int argc;
    const char *const *argv;
    int next;
};

static const struct option_spec *find_long(const struct option_spec *specs, const char *name, size_t length)
{
    for (; specs != NULL && specs->name != NULL; specs++)
        if (strlen(specs->name) == length && strncmp(specs->name, name, length) == 0)
            return specs;
    return NULL;
}

static const struct option_spec *find_letter(const struct command *command, char letter)
{
    const struct option_spec *const tables[] = {command != NULL ? command->options : NULL, globals_options};

    for (size_t i = 0; i < 2; i++)
        for (const struct option_spec *spec = tables[i]; spec != NULL && spec->name != NULL; spec++)
            if (spec->letter == letter && letter != 0)
                return spec;
    return NULL;
}

const struct option_spec *arguments_find_option(const struct command *command, const char *word,
                                                const char **ret_value)
{
    const struct option_spec *spec;
    const char *equals;
    size_t length;

    *ret_value = NULL;
    if (word[0] != '-' || word[1] == '\0')
        return NULL;
    if (word[1] != '-')
        return word[2] == '\0' ? find_letter(command, word[1]) : NULL;
    equals = strchr(word, '=');
    length = equals != NULL ? (size_t)(equals - word) - 2 : strlen(word) - 2;
    spec = command != NULL ? find_long(command->options, word + 2, length) : NULL;
    if (spec == NULL)
        spec = find_long(globals_options, word + 2, length);
    if (spec != NULL && equals != NULL)
        *ret_value = equals + 1;
    return spec;
}

static bool is_choice(const char *choices, const char *value)
{
    size_t length = strlen(value);

    for (const char *at = choices; at != NULL && length > 0; at = strchr(at, '|')) {
        at += *at == '|';
        if (strncasecmp(at, value, length) == 0 && (at[length] == '|' || at[length] == '\0'))
            return true;
    }
    return false;
}

/* what: "--timeout" or "APDU". */
static int check_value(struct call *call, const char *what, enum value_kind kind, const char *choices,
                       const char *value)
{
    uint64_t number;
    int64_t ms;

    switch (kind) {
    case VALUE_CHOICE:
        if (is_choice(choices, value))
            return STATUS_DONE;
        return call_fail(call, STATUS_USAGE, "", "%s cannot be \"%s\": it is one of %s", what, value,
                         choices);
    case VALUE_NUMBER:
    case VALUE_DESCRIPTOR:
        if (names_number_parse(value, &number))
            return STATUS_DONE;
        return call_fail(call, STATUS_USAGE, "Give it like 12 or 0x0C.", "%s needs a number, not \"%s\"",
                         what, value);
    case VALUE_SECONDS:
        if (names_duration_parse(value, &ms))
            return STATUS_DONE;
        return call_fail(call, STATUS_USAGE, "Give it like 5, 0.5, 250ms or 2m (at most 24 days).",
                         "%s needs a time, not \"%s\"", what, value);
    default:
        if (value[0] != '\0' || kind == VALUE_APDU || kind == VALUE_ANY)
            return STATUS_DONE;
        return call_fail(call, STATUS_USAGE, "", "%s is empty", what);
    }
}

static int take_option(struct call *call, const struct option_spec *spec, const char *shown,
                       const char *value)
{
    struct call_option *options;
    int status;

    if (value != NULL) {
        status = check_value(call, shown, spec->value, spec->choices, value);
        if (status != STATUS_DONE)
            return status;
    } else {
        value = "";
    }
    if (call->command == NULL || find_long(call->command->options, spec->name, strlen(spec->name)) != spec) {
        globals_set(&call->globals, spec, value);
        return STATUS_DONE;
    }
    options = reallocarray(call->options, call->option_count + 1, sizeof *options);
    if (options == NULL)
        return call_no_memory(call);
    call->options = options;
    options[call->option_count++] = (struct call_option){.spec = spec, .value = value};
    return STATUS_DONE;
}

/* "help NAME" for the command at hand. */
static const char *help_hint(const struct call *call, char *text, size_t capacity)
{
    if (call->command == NULL)
        return "Options of a command stand behind its name; see \"scard help\".";
    snprintf(text, capacity, "\"scard help %s\" shows how it is used.", call->command->name);
    return text;
}

static bool is_secret(const struct call *call)
{
    return call->command != NULL && (call->command->flags & COMMAND_SECRET);
}

/* What follows '=' is not repeated: a PIN may be in it. */
static int unknown_option(struct call *call, const char *word)
{
    const char *near = suggest_option(call->command != NULL ? call->command->options : NULL, word);
    int length = (int)strcspn(word, "=");
    char hint[64];

    if (near != NULL)
        return call_fail(call, STATUS_USAGE, "", "there is no option %.*s here: did you mean --%s?", length,
                         word, near);
    return call_fail(call, STATUS_USAGE, help_hint(call, hint, sizeof hint), "there is no option %.*s%s%s",
                     length, word, call->command != NULL ? " for " : "",
                     call->command != NULL ? call->command->name : "");
}

static int parse_long(struct call *call, struct cursor *cursor, const char *word)
{
    const char *value;
    const struct option_spec *spec = arguments_find_option(call->command, word, &value);
    char shown[64];

    if (spec == NULL)
        return unknown_option(call, word);
    snprintf(shown, sizeof shown, "--%s", spec->name);
    if (spec->value == VALUE_NONE)
        return value == NULL ? take_option(call, spec, shown, NULL)
                             : call_fail(call, STATUS_USAGE, "", "%s takes no value", shown);
    if (value == NULL && cursor->next < cursor->argc)
        value = cursor->argv[cursor->next++];
    if (value == NULL)
        return call_fail(call, STATUS_USAGE, "", "%s needs a value: %s %s", shown, shown, spec->placeholder);
    return take_option(call, spec, shown, value);
}

/* -q, -qv, -r READER, -rREADER */
static int parse_letters(struct call *call, struct cursor *cursor, const char *word)
{
    int status = STATUS_DONE;

    for (const char *letter = word + 1; *letter != '\0' && status == STATUS_DONE; letter++) {
        const struct option_spec *spec = find_letter(call->command, *letter);
        const char shown[] = {'-', *letter, '\0'}, *value;

        if (spec == NULL)
            return unknown_option(call, letter == word + 1 && !is_secret(call) ? word : shown);
        if (spec->value == VALUE_NONE) {
            status = take_option(call, spec, shown, NULL);
            continue;
        }
        value = letter[1] != '\0'             ? letter + 1
                : cursor->next < cursor->argc ? cursor->argv[cursor->next++]
                                              : NULL;
        if (value == NULL)
            return call_fail(call, STATUS_USAGE, "", "%s needs a value: %s %s", shown, shown,
                             spec->placeholder);
        return take_option(call, spec, shown, value);
    }
    return status;
}

/* How much of a word a sentence can hold: whole characters. */
static int shown_length(const char *word)
{
    size_t length = strnlen(word, SHOWN_MAX);

    if (length == SHOWN_MAX)
        while (length > 0 && ((unsigned char)word[length] & 0xC0) == 0x80)
            length--;
    return (int)length;
}

/* A command of that name in a family: "verify" is "pin verify". */
static const struct command *in_a_family(const struct command *const *commands, const char *word)
{
    const struct command *found = NULL;

    for (; *commands != NULL && found == NULL; commands++)
        if ((*commands)->children != NULL)
            found = command_find((*commands)->children, word);
    return found;
}

static int unknown_command(struct call *call, const char *word)
{
    const struct command *near = command_suggest(call->front->commands, word);
    int shown = shown_length(word);

    if (near == NULL)
        near = in_a_family(call->front->commands, word);
    if (call->front->kind != FRONT_ONE_SHOT && strcmp(word, "scard") == 0)
        return call_fail(call, STATUS_USAGE, "Write the command alone, as in: list.",
                         "commands stand without \"scard\" here");
    if (near != NULL)
        return call_fail(call, STATUS_USAGE, "\"scard help\" lists all commands.",
                         "there is no command \"%s\": did you mean \"%s\"?", word, near->name);
    /* Not repeated: a PIN may be in it. */
    if (word[0] != '\0' && strspn(word, "0123456789abcdefABCDEF:/= ") == strlen(word))
        return call_fail(call, STATUS_USAGE,
                         call->front->kind == FRONT_ONE_SHOT
                             ? "To send an APDU, write \"scard apdu APDU\"."
                             : "\"scard help apdu\" shows how APDUs are written.",
                         call->front->kind == FRONT_ONE_SHOT ? "there is no command of that name"
                                                             : "this is neither a command nor an APDU");
    return call_fail(call, STATUS_USAGE, "\"scard help\" lists all commands.",
                     "there is no command \"%.*s%s\"", shown, word, word[shown] != '\0' ? "..." : "");
}

static int unknown_child(struct call *call, const char *word)
{
    const struct command *near = command_suggest(call->command->children, word);
    bool told = !is_secret(call) && strspn(word, "0123456789abcdefABCDEF:/= ") < strlen(word);
    int shown = shown_length(word);
    char hint[64];

    if (near != NULL)
        return call_fail(call, STATUS_USAGE, help_hint(call, hint, sizeof hint),
                         "there is no command \"%s %s\": did you mean \"%s\"?", call->command->name, word,
                         near->name);
    if (!told)
        return call_fail(call, STATUS_USAGE, help_hint(call, hint, sizeof hint),
                         "%s has no command of that name", call->command->name);
    return call_fail(call, STATUS_USAGE, help_hint(call, hint, sizeof hint),
                     "there is no command \"%s %.*s%s\"", call->command->name, shown, word,
                     word[shown] != '\0' ? "..." : "");
}

static int take_word(struct call *call, const char *word)
{
    if (call->command != NULL && call->command->children != NULL) {
        const struct command *child = command_find(call->command->children, word);

        if (child == NULL)
            return unknown_child(call, word);
        call->command = child;
        return STATUS_DONE;
    }
    if (call->command == NULL) {
        call->command = command_find(call->front->commands, word);
        return call->command != NULL ? STATUS_DONE : unknown_command(call, word);
    }
    call->arguments[call->argument_count++] = word;
    return STATUS_DONE;
}

static int refuse_argument(struct call *call, const char *word)
{
    /* "status 0": whoever tries that means a reader. */
    bool reader = call->command->arguments == NULL && call->command->needs != NEED_NOTHING;
    char *masked; /* a PIN may be in it */
    char hint[64];
    int status;

    if (is_secret(call))
        return call_fail(call, STATUS_USAGE, help_hint(call, hint, sizeof hint),
                         "%s takes no secret from the command line, where others can read it",
                         call->command->name);
    masked = apdu_text_masked(word);
    if (masked == NULL)
        return call_no_memory(call);
    status = call_fail(call, STATUS_USAGE,
                       reader ? "A reader is named with -r." : help_hint(call, hint, sizeof hint),
                       "%s does not take \"%s\"", call->command->name, masked);
    free(masked);
    return status;
}

static int check_arguments(struct call *call)
{
    const struct argument_spec *spec = call->command->arguments;
    char hint[64];
    size_t taken = 0;

    for (; spec != NULL && spec->name != NULL; spec++) {
        if (taken == call->argument_count && !spec->optional)
            return call_fail(call, STATUS_USAGE, help_hint(call, hint, sizeof hint), "%s needs %s: %s",
                             call->command->name, spec->name, spec->help);
        do {
            int status;

            if (taken == call->argument_count)
                break;
            /* The words of another program may be empty. */
            if (taken > 0 && (call->command->flags & COMMAND_PASSES)) {
                taken++;
                continue;
            }
            status = check_value(call, spec->name, spec->value, spec->choices, call->arguments[taken++]);
            if (status != STATUS_DONE)
                return status;
        } while (spec->many);
    }
    return taken == call->argument_count ? STATUS_DONE : refuse_argument(call, call->arguments[taken]);
}

int arguments_parse(struct call *call, int argc, const char *const *argv)
{
    struct cursor cursor = {.argc = argc, .argv = argv};
    bool options = true;
    int status = STATUS_DONE;

    /* At most all words. */
    call->arguments = calloc((size_t)argc + 1, sizeof(const char *));
    if (call->arguments == NULL)
        return call_no_memory(call);
    while (cursor.next < argc && status == STATUS_DONE) {
        const char *word = argv[cursor.next++];

        if (call->argument_count > 0 && (call->command->flags & COMMAND_PASSES))
            options = false;
        if (!options || word[0] != '-' || word[1] == '\0')
            status = take_word(call, word);
        else if (word[1] != '-')
            status = parse_letters(call, &cursor, word);
        else if (word[2] != '\0')
            status = parse_long(call, &cursor, word);
        else
            options = false;
    }
    if (status != STATUS_DONE || call->command == NULL || call->command->children != NULL ||
        call->globals.help)
        return status;
    return check_arguments(call);
}
