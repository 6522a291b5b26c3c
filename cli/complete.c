/* SPDX-License-Identifier: MIT */
#include "cli/complete.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/rc.h"
#include "cli/arguments.h"
#include "cli/attributes.h"
#include "cli/explain/aid.h"
#include "cli/globals.h"
#include "cli/readers.h"
#include "cli/session_place.h"

struct asked {
    const struct front *front;
    const struct command *const *named; /* what a VALUE_COMMAND may name; NULL = nothing more */
    const char *prefix;
    complete_fn *fn;
    void *user;
};

static void offer(const struct asked *asked, const char *candidate, const char *about)
{
    if (strncmp(candidate, asked->prefix, strlen(asked->prefix)) == 0)
        asked->fn(asked->user, candidate, about);
}

static void offer_commands(const struct asked *asked, const struct command *const *command)
{
    for (; *command != NULL; command++)
        if (!((*command)->flags & COMMAND_HIDDEN))
            offer(asked, command_word(*command), (*command)->summary);
}

static void offer_options(const struct asked *asked, const struct option_spec *spec)
{
    for (; spec != NULL && spec->name != NULL; spec++) {
        char text[64];

        snprintf(text, sizeof text, "--%s", spec->name);
        offer(asked, text, spec->help);
    }
}

static void offer_choices(const struct asked *asked, const char *choices)
{
    while (choices != NULL && *choices != '\0') {
        size_t length = strcspn(choices, "|");
        char text[64];

        snprintf(text, sizeof text, "%.*s", (int)length, choices);
        offer(asked, text, "");
        choices += length + (choices[length] == '|');
    }
}

static void offer_readers(const struct asked *asked)
{
    struct desk *desk = asked->front->desk;
    struct reader_list list;

    if (desk_establish(desk, SCARD_SCOPE_SYSTEM) != SCARD_S_SUCCESS ||
        readers_load(desk->context, &list) != SCARD_S_SUCCESS)
        return;
    for (size_t i = 0; i < list.count; i++)
        offer(asked, list.entries[i].name, readers_state_word(list.entries[i].state));
    readers_free(&list);
}

/* Strings one behind the other, the last one empty. */
static void offer_names(const struct asked *asked, LONG code, LPSTR names)
{
    if (code != SCARD_S_SUCCESS)
        return;
    for (const char *name = names; *name != '\0'; name += strlen(name) + 1)
        offer(asked, name, "");
    SCardFreeMemory(asked->front->desk->context, names);
}

static void offer_of_database(const struct asked *asked, bool groups)
{
    struct desk *desk = asked->front->desk;
    DWORD length = SCARD_AUTOALLOCATE;
    LPSTR names = NULL;
    LONG code;

    if (desk_establish(desk, SCARD_SCOPE_SYSTEM) != SCARD_S_SUCCESS)
        return;
    code = groups ? SCardListReaderGroups(desk->context, (LPSTR)&names, &length)
                  : SCardListCards(desk->context, NULL, NULL, 0, (LPSTR)&names, &length);
    offer_names(asked, code, names);
}

static void offer_attributes(const struct asked *asked)
{
    for (const struct attribute *attribute = attributes; attribute->name != NULL; attribute++)
        offer(asked, attribute->name, "");
}

static void offer_applications(const struct asked *asked)
{
    const struct aid *aid;

    for (size_t i = 0; (aid = aid_word_at(i)) != NULL; i++)
        offer(asked, aid->word, aid->name);
}

static int offer_session(void *user, const char *name)
{
    const struct asked *asked = user;

    offer(asked, name, "");
    return 0;
}

static void offer_sessions(const struct asked *asked)
{
    struct asked user = *asked;
    int directory;

    if (session_place_open(false, &directory) != RC_OK)
        return;
    session_place_each(directory, offer_session, &user);
    close(directory);
}

static enum complete_kind offer_values(const struct asked *asked, enum value_kind kind, const char *choices)
{
    switch (kind) {
    case VALUE_FILE:
        return COMPLETE_FILES;
    case VALUE_CHOICE:
        offer_choices(asked, choices);
        break;
    case VALUE_READER:
        offer_readers(asked);
        break;
    case VALUE_APPLICATION:
        offer_applications(asked);
        break;
    case VALUE_ATTRIBUTE:
        offer_attributes(asked);
        break;
    case VALUE_COMMAND:
        if (asked->named != NULL)
            offer_commands(asked, asked->named);
        break;
    case VALUE_URIS:
        offer_choices(asked, "usb:|sim:iso|sim:echo|sim:odd|vpcd:|replay:");
        break;
    case VALUE_CARD_TYPE:
    case VALUE_GROUP:
        offer_of_database(asked, kind == VALUE_GROUP);
        break;
    case VALUE_SESSION:
        offer_sessions(asked);
        break;
    default: /* words of the table ("insert|remove") may be given for other kinds as hints */
        offer_choices(asked, choices);
        break;
    }
    return COMPLETE_WORDS;
}

struct place {
    const struct command *command;      /* or the family so far */
    const struct command *const *named; /* see struct asked */
    const struct option_spec *open;     /* an option that still lacks its value */
    size_t arguments;
    bool only_arguments; /* behind "--" */
};

static const struct command *const *children_of(const struct command *const *commands, const char *name)
{
    const struct command *command = command_find(commands, name);

    return command != NULL ? command->children : NULL;
}

static struct place find_place(const struct front *front, int count, const char *const *words)
{
    struct place place = {.named = front->commands};

    for (int i = 0; i < count; i++) {
        const char *value;
        const struct option_spec *spec;

        if (place.open != NULL) {
            place.open = NULL;
        } else if (!place.only_arguments && strcmp(words[i], "--") == 0) {
            place.only_arguments = true;
        } else if (!place.only_arguments && words[i][0] == '-' && words[i][1] != '\0') {
            spec = arguments_find_option(place.command, words[i], &value);
            place.open = spec != NULL && spec->value != VALUE_NONE && value == NULL ? spec : NULL;
        } else if (place.command == NULL || place.command->children != NULL) {
            place.command =
                command_find(place.command != NULL ? place.command->children : front->commands, words[i]);
            if (place.command == NULL)
                return (struct place){.only_arguments = true};
        } else {
            if (place.named != NULL)
                place.named = children_of(place.named, words[i]);
            place.arguments++;
            place.only_arguments |= (place.command->flags & COMMAND_PASSES) != 0;
        }
    }
    return place;
}

static const struct argument_spec *argument_at(const struct command *command, size_t index)
{
    const struct argument_spec *spec = command->arguments;

    for (; spec != NULL && spec->name != NULL; spec++)
        if (spec->many || index-- == 0)
            return spec;
    return NULL;
}

/* "--share=ex": candidates for the whole word. */
struct prefixed {
    const struct asked *asked;
    const char *option;
    size_t option_length;
};

static void offer_prefixed(void *user, const char *candidate, const char *about)
{
    const struct prefixed *prefixed = user;
    char word[320];

    snprintf(word, sizeof word, "%.*s%s", (int)prefixed->option_length, prefixed->option, candidate);
    prefixed->asked->fn(prefixed->asked->user, word, about);
}

enum complete_kind complete_word(const struct front *front, int count, const char *const *words,
                                 const char *prefix, complete_fn *fn, void *user)
{
    struct place place = find_place(front, count, words);
    struct asked asked = {.front = front, .named = place.named, .prefix = prefix, .fn = fn, .user = user};
    const struct argument_spec *argument;
    const char *value;

    if (place.open != NULL)
        return offer_values(&asked, place.open->value, place.open->choices);
    if (prefix[0] == '-' && !place.only_arguments) {
        const struct option_spec *spec = arguments_find_option(place.command, prefix, &value);
        struct prefixed prefixed = {&asked, prefix, value != NULL ? (size_t)(value - prefix) : 0};
        struct asked inner = {front, place.named, value, offer_prefixed, &prefixed};

        if (spec != NULL && value != NULL)
            return offer_values(&inner, spec->value, spec->choices);
        if (place.command != NULL)
            offer_options(&asked, place.command->options);
        offer_options(&asked, globals_options);
        return COMPLETE_WORDS;
    }
    if (place.command == NULL) {
        if (!place.only_arguments)
            offer_commands(&asked, front->commands);
        return COMPLETE_WORDS;
    }
    if (place.command->children != NULL) {
        offer_commands(&asked, place.command->children);
        return COMPLETE_WORDS;
    }
    argument = argument_at(place.command, place.arguments);
    if (argument == NULL)
        return COMPLETE_WORDS;
    if (argument->value == VALUE_APDU && strchr(prefix, '@') != NULL)
        return COMPLETE_FILES;
    return offer_values(&asked, argument->value, argument->choices);
}
