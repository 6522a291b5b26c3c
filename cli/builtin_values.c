/* SPDX-License-Identifier: MIT */
/* Variables and what is asked of them: let, echo, assert. */
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/rc.h"
#include "cli/builtin.h"
#include "cli/call.h"
#include "cli/tap.h"

static const struct series *series_of(const struct call *call)
{
    return call->front->user;
}

static void show_variable(struct call *call, const struct variable *variable)
{
    struct record record;

    record_init(&record, "variable", RECORD_ROW);
    record_text(&record, SHOW_ALL, "name", variable->name);
    record_text(&record, SHOW_ALL, "value", variable->value);
    record_people(&record, "%s = %s", variable->name, variable->value);
    output_record(call->output, &record);
    record_fini(&record);
}

/* Arguments from first on, with a blank between. */
static int join(const struct call *call, size_t first, struct buffer *text)
{
    int rc = RC_OK;

    for (size_t i = first; i < call->argument_count && rc == RC_OK; i++) {
        if (i > first)
            rc = buffer_append(text, " ", 1);
        if (rc == RC_OK)
            rc = buffer_append(text, call->arguments[i], strlen(call->arguments[i]));
    }
    return rc == RC_OK ? buffer_append(text, "", 1) : rc;
}

/* NAME VALUE, NAME = VALUE, NAME=VALUE. */
static int set_variable(struct call *call, const char *first)
{
    const char *equal = strchr(first, '='), *second = call_argument(call, 1);
    char *name = strndup(first, equal != NULL ? (size_t)(equal - first) : strlen(first));
    size_t rest = equal == NULL && second != NULL && strcmp(second, "=") == 0 ? 2 : 1;
    struct buffer value = {0};
    int rc = name != NULL ? RC_OK : RC_NO_MEMORY;

    if (rc == RC_OK && equal != NULL)
        rc = buffer_append(&value, equal + 1, strlen(equal + 1));
    if (rc == RC_OK && equal != NULL && call->argument_count > 1)
        rc = buffer_append(&value, " ", 1);
    if (rc == RC_OK)
        rc = join(call, rest, &value);
    if (rc == RC_OK)
        rc = variables_set(series_of(call)->variables, name, (const char *)value.data);
    buffer_fini(&value);
    free(name);
    return rc;
}

static int run_let(struct call *call)
{
    const struct variables *variables = series_of(call)->variables;
    const char *name = call_argument(call, 0);
    int rc;

    for (size_t i = 0; name == NULL && i < variables->count; i++)
        show_variable(call, &variables->entries[i]);
    if (name == NULL)
        return STATUS_DONE;
    rc = set_variable(call, name);
    return rc == RC_OK ? STATUS_DONE : call_fail_rc(call, rc, "the variable is not set");
}

static int run_echo(struct call *call)
{
    struct buffer text = {0};
    struct record record;
    int rc = join(call, 0, &text);

    if (rc == RC_OK) {
        record_init(&record, "echo", RECORD_ROW);
        record_text(&record, SHOW_ALL, "text", (const char *)text.data);
        output_record(call->output, &record);
        record_fini(&record);
    }
    buffer_fini(&text);
    return rc == RC_OK ? STATUS_DONE : call_no_memory(call);
}

/* 1 it does, 0 it does not, or the negative status of a reported failure. */
static int matches(struct call *call, const char *text, const char *pattern)
{
    regex_t regex;
    int error = regcomp(&regex, pattern, REG_EXTENDED | REG_ICASE | REG_NOSUB), result;
    char words[128];

    if (error != 0) {
        regerror(error, &regex, words, sizeof words);
        return -call_fail(call, STATUS_USAGE, "", "\"%s\" is no regular expression: %s", pattern, words);
    }
    result = regexec(&regex, text, 0, NULL, 0) == 0;
    regfree(&regex);
    return result;
}

static int run_assert(struct call *call)
{
    const char *left = call_argument(call, 0), *how = call_argument(call, 1), *right = call_argument(call, 2);
    int holds;

    if (strcmp(how, "~") == 0)
        holds = matches(call, left, right);
    else
        holds = (strcasecmp(left, right) == 0) == (strcmp(how, "==") == 0);
    if (holds < 0)
        return -holds;
    if (call->front->tap != NULL)
        return tap_assert(call, holds != 0, left, how, right);
    return holds ? STATUS_DONE : call_fail(call, STATUS_ANSWER, "", "assert: not %s %s %s", left, how, right);
}

static const struct argument_spec let_arguments[] = {
    {"NAME", VALUE_TEXT, NULL, true, false, "the variable; none: list all"},
    {"VALUE", VALUE_ANY, NULL, true, true, "its text; = may stand before it"},
    {0},
};

static const struct argument_spec echo_arguments[] = {
    {"TEXT", VALUE_ANY, NULL, true, true, "what to print"},
    {0},
};

static const struct argument_spec assert_arguments[] = {
    {"LEFT", VALUE_ANY, NULL, false, false, "a text, such as $SW or $_"},
    {"HOW", VALUE_CHOICE, "==|!=|~", false, false, "equal, not equal (case does not matter), matches"},
    {"RIGHT", VALUE_ANY, NULL, false, false, "another text; after ~ an extended regular expression"},
    {0},
};

static const struct command command_let = {
    .name = "let",
    .group = "Shell",
    .summary = "set a variable, or list them: $_ is the last data, $SW the last status word",
    .description = "A line's $NAME and ${NAME} are replaced before it is read; $NAME only where it begins a "
                   "word. \\$ is "
                   "a\ndollar sign, and nothing is replaced in '...'. Quotes in a value are part of it.",
    .examples = "  let fid = 3F00\n  00A40000 02 $fid\n  00B00000 00\n  let saved = $_",
    .arguments = let_arguments,
    .flags = COMMAND_LOCAL,
    .run = run_let,
};

static const struct command command_echo = {
    .name = "echo",
    .group = "Shell",
    .summary = "print a text",
    .arguments = echo_arguments,
    .flags = COMMAND_LOCAL,
    .run = run_echo,
};

static const struct command command_assert = {
    .name = "assert",
    .group = "Shell",
    .summary = "fail unless two texts compare so",
    .description =
        "A failure is exit status 1, and ends a script. In a script that is a test (run --tap) it is a "
        "failed test.",
    .examples = "  assert $SW == 9000\n  assert $_ ~ ^6F",
    .arguments = assert_arguments,
    .flags = COMMAND_LOCAL,
    .run = run_assert,
};

const struct command *const builtin_values[] = {&command_let, &command_echo, &command_assert, NULL};
