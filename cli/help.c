/* SPDX-License-Identifier: MIT */
#include "cli/help.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rc.h"
#include "cli/globals.h"

#define LEFT 26         /* width of the left column */
#define LEFT_COMMAND 14 /* and of that of commands */
#define NARROWEST 40
#define WIDEST 100 /* also where there is no terminal */

static int add(struct buffer *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int add(struct buffer *text, const char *format, ...)
{
    char *piece;
    va_list args;
    int length, rc;

    va_start(args, format);
    length = vasprintf(&piece, format, args);
    va_end(args);
    if (length < 0)
        return RC_NO_MEMORY;
    rc = buffer_append(text, piece, (size_t)length);
    free(piece);
    return rc;
}

/* Words in lines of at most width columns, from column at on; lines after the first begin at indent. */
static int add_words(struct buffer *text, const char *words, size_t at, size_t indent, size_t width)
{
    size_t start = at;
    int rc = RC_OK;

    for (words += strspn(words, " \n"); *words != '\0' && rc == RC_OK; words += strspn(words, " \n")) {
        size_t length = strcspn(words, " \n");

        if (at > start && at + 1 + length > width) {
            rc = add(text, "\n%*s", (int)indent, "");
            at = start = indent;
        }
        if (rc == RC_OK)
            rc = add(text, "%s%.*s", at > start ? " " : "", (int)length, words);
        at += length + (at > start);
        words += length;
    }
    return rc < 0 ? rc : add(text, "\n");
}

static int add_entry(struct buffer *text, size_t column, const char *left, const char *right, size_t width)
{
    bool fits = strlen(left) <= column - 2;
    int rc =
        fits ? add(text, "  %-*s", (int)column, left) : add(text, "  %s\n%*s", left, (int)column + 2, "");

    return rc < 0 ? rc : add_words(text, right, column + 2, column + 2, width);
}

/* Paragraphs are filled anew; lines that begin with a blank stay as they are. */
static int add_paragraphs(struct buffer *text, const char *words, size_t width)
{
    int rc = RC_OK;

    while (*words != '\0' && rc == RC_OK) {
        size_t length = strcspn(words, "\n");
        bool fixed = words[0] == ' ' || words[0] == '\n';
        char *paragraph;

        while (!fixed && words[length] == '\n' && strchr(" \n", words[length + 1]) == NULL)
            length += 1 + strcspn(words + length + 1, "\n");
        paragraph = strndup(words, length);
        if (paragraph == NULL)
            return RC_NO_MEMORY;
        rc = fixed ? add(text, "%s\n", paragraph) : add_words(text, paragraph, 0, 0, width);
        free(paragraph);
        words += length + (words[length] == '\n');
    }
    return rc;
}

/* "a|b|c" under an entry; a line ends behind a bar. Nothing without choices. */
static int add_choices(struct buffer *text, const char *choices, size_t width)
{
    size_t at = LEFT + 2;
    int rc = RC_OK;

    if (choices == NULL)
        return rc;
    rc = add(text, "%*s", LEFT + 2, "");
    while (*choices != '\0' && rc == RC_OK) {
        size_t length = strcspn(choices, "|");

        length += choices[length] == '|';
        if (at > LEFT + 2 && at + length > width) {
            rc = add(text, "\n%*s", LEFT + 2, "");
            at = LEFT + 2;
        }
        if (rc == RC_OK)
            rc = add(text, "%.*s", (int)length, choices);
        at += length;
        choices += length;
    }
    return rc < 0 ? rc : add(text, "\n");
}

static int add_options(struct buffer *text, const struct option_spec *spec, size_t width)
{
    int rc = RC_OK;

    for (; spec != NULL && spec->name != NULL && rc == RC_OK; spec++) {
        char left[96], letter[8] = "    ";

        if (spec->letter != 0)
            snprintf(letter, sizeof letter, "-%c, ", spec->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, spec->name, spec->placeholder != NULL ? " " : "",
                 spec->placeholder != NULL ? spec->placeholder : "");
        rc = add_entry(text, LEFT, left, spec->help, width);
        if (rc == RC_OK)
            rc = add_choices(text, spec->choices, width);
    }
    return rc;
}

static bool seen_before(const struct command *const *commands, const struct command *const *at)
{
    for (; commands != at; commands++)
        if (!((*commands)->flags & COMMAND_HIDDEN) && strcmp((*commands)->group, (*at)->group) == 0)
            return true;
    return false;
}

static int add_group(struct buffer *text, const struct command *const *commands, const char *group,
                     size_t width)
{
    int rc = add(text, "\n%s\n", group);

    for (; *commands != NULL && rc == RC_OK; commands++)
        if (!((*commands)->flags & COMMAND_HIDDEN) && strcmp((*commands)->group, group) == 0)
            rc = add_entry(text, LEFT_COMMAND - 2, (*commands)->name, (*commands)->summary, width);
    return rc;
}

int help_overview(const struct command *const *commands, const char *program, size_t width,
                  struct buffer *text)
{
    int rc = RC_OK;

    if (program[0] != '\0')
        rc = add(text, "Usage: %s [OPTIONS] COMMAND [ARGUMENTS]\n", program);
    for (const struct command *const *at = commands; *at != NULL && rc == RC_OK; at++)
        if (!((*at)->flags & COMMAND_HIDDEN) && !seen_before(commands, at))
            rc = add_group(text, commands, (*at)->group, width);
    if (rc == RC_OK)
        rc = add(text, "\nOptions, before or behind the command\n");
    if (rc == RC_OK)
        rc = add_options(text, globals_options, width);
    if (rc == RC_OK)
        rc = add(text, "\n\"%s%shelp COMMAND\" tells more.\n", program, program[0] != '\0' ? " " : "");
    return rc;
}

int help_usage(const struct command *command, const char *program, struct buffer *text)
{
    const struct argument_spec *spec = command->arguments;
    int rc = add(text, "%s%s%s%s%s", program, program[0] != '\0' ? " " : "", command->name,
                 command->options != NULL ? " [OPTIONS]" : "",
                 command->children != NULL ? " COMMAND [OPTIONS] [ARGUMENTS]" : "");

    for (; spec != NULL && spec->name != NULL && rc == RC_OK; spec++)
        rc = add(text, " %s%s%s%s", spec->optional ? "[" : "", spec->name, spec->many ? "..." : "",
                 spec->optional ? "]" : "");
    return rc;
}

static int add_arguments(struct buffer *text, const struct argument_spec *spec, size_t width)
{
    int rc = RC_OK;

    for (; spec != NULL && spec->name != NULL && rc == RC_OK; spec++) {
        rc = add_entry(text, LEFT, spec->name, spec->help, width);
        if (rc == RC_OK)
            rc = add_choices(text, spec->choices, width);
    }
    return rc;
}

/* One line for each child of a family. */
static int add_usages(struct buffer *text, const struct command *command, const char *program)
{
    const struct command *const *child = command->children;
    int rc = add(text, "Usage: ");

    if (child == NULL)
        return rc < 0 ? rc : help_usage(command, program, text);
    for (; *child != NULL && rc == RC_OK; child++) {
        if (child != command->children)
            rc = add(text, "\n       ");
        if (rc == RC_OK)
            rc = help_usage(*child, program, text);
    }
    return rc;
}

static int add_children(struct buffer *text, const struct command *const *child, size_t width)
{
    int rc = add(text, "\nCommands\n");

    for (; *child != NULL && rc == RC_OK; child++)
        if (!((*child)->flags & COMMAND_HIDDEN))
            rc = add_entry(text, LEFT_COMMAND - 2, command_word(*child), (*child)->summary, width);
    return rc;
}

static int add_last_line(struct buffer *text, const struct command *command, const char *program)
{
    const char *blank = program[0] != '\0' ? " " : "";

    if (command->children != NULL)
        return add(text, "\n\"%s%shelp %s COMMAND\" tells more.\n", program, blank, command->name);
    return add(text, "\nOptions of all commands: %s%shelp\n", program, blank);
}

/* Commands of scard stand as they are typed here. */
static int add_examples(struct buffer *text, const char *examples, const char *program)
{
    static const char start[] = "  scard ";
    int rc = add(text, "\nExamples\n");

    while (*examples != '\0' && rc == RC_OK) {
        int length = (int)strcspn(examples, "\n");
        size_t skipped =
            program[0] == '\0' && strncmp(examples, start, sizeof start - 1) == 0 ? sizeof start - 1 : 0;

        rc = add(text, "%s%.*s\n", skipped > 0 ? "  " : "", length - (int)skipped, examples + skipped);
        examples += length + (examples[length] == '\n');
    }
    return rc;
}

int help_command(const struct command *command, const char *program, size_t width, struct buffer *text)
{
    int rc = add_usages(text, command, program);

    if (rc == RC_OK)
        rc = add(text, "\n\n%c%s%s\n",
                 command->summary[0] >= 'a' && command->summary[0] <= 'z' ? command->summary[0] - 'a' + 'A'
                                                                          : command->summary[0],
                 command->summary + 1,
                 strchr("?!", command->summary[strlen(command->summary) - 1]) ? "" : ".");
    if (rc == RC_OK && command->alias != NULL)
        rc = add(text, "Also called %s.\n", command->alias);
    if (rc == RC_OK && command->description != NULL)
        rc = add(text, "\n");
    if (rc == RC_OK && command->description != NULL)
        rc = add_paragraphs(text, command->description, width);
    if (rc == RC_OK && command->children != NULL)
        rc = add_children(text, command->children, width);
    if (rc == RC_OK && command->arguments != NULL) {
        rc = add(text, "\nArguments\n");
        if (rc == RC_OK)
            rc = add_arguments(text, command->arguments, width);
    }
    if (rc == RC_OK && command->options != NULL) {
        rc = add(text, "\nOptions\n");
        if (rc == RC_OK)
            rc = add_options(text, command->options, width);
    }
    if (rc == RC_OK && command->examples != NULL)
        rc = add_examples(text, command->examples, program);
    return rc < 0 ? rc : add_last_line(text, command, program);
}

/* One record of the table of commands, for programs. */
static void show_record(struct call *call, const struct command *command, const char *usage)
{
    struct record record;

    record_init(&record, "command", RECORD_ROW);
    record_text(&record, SHOW_JSON, "name", command->name);
    record_text(&record, SHOW_JSON, "alias", command->alias);
    record_text(&record, SHOW_JSON, "group", command->group);
    record_text(&record, SHOW_JSON, "summary", command->summary);
    record_text(&record, SHOW_JSON, "usage", usage);
    record_list(&record, SHOW_JSON, "options");
    for (const struct option_spec *spec = command->options; spec != NULL && spec->name != NULL; spec++)
        record_list_add(&record, spec->name);
    output_record(call->output, &record);
    record_fini(&record);
}

/* And of the children of a family. */
static int show_records(struct call *call, const struct command *command, const char *program)
{
    struct buffer usage = {0};
    int rc = help_usage(command, program, &usage), status = STATUS_DONE;

    if (rc == RC_OK)
        rc = buffer_append(&usage, "", 1);
    if (rc == RC_OK)
        show_record(call, command, (const char *)usage.data);
    buffer_fini(&usage);
    if (rc < 0)
        return call_no_memory(call);
    for (const struct command *const *child = command->children;
         child != NULL && *child != NULL && status == STATUS_DONE; child++)
        status = show_records(call, *child, program);
    return status;
}

static int show_all_records(struct call *call, const char *program)
{
    int status = STATUS_DONE;

    for (const struct command *const *at = call->front->commands; *at != NULL && status == STATUS_DONE; at++)
        if (!((*at)->flags & COMMAND_HIDDEN))
            status = show_records(call, *at, program);
    return status;
}

int help_show(struct call *call, const struct command *command)
{
    const char *program = call->front->kind == FRONT_ONE_SHOT ? "scard" : "";
    size_t width = output_columns(call->output);
    struct buffer text = {0};
    int rc, status;

    if (width == 0 || width > WIDEST)
        width = WIDEST;
    if (width < NARROWEST)
        width = NARROWEST;
    if (call->output->mode == OUTPUT_JSON)
        return command != NULL ? show_records(call, command, program) : show_all_records(call, program);
    rc = command != NULL ? help_command(command, program, width, &text)
                         : help_overview(call->front->commands, program, width, &text);
    status = rc < 0 ? call_no_memory(call) : output_text(call->output, (const char *)text.data, text.length);
    buffer_fini(&text);
    return status;
}
