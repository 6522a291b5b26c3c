/* SPDX-License-Identifier: MIT */
#include "cli/flow.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/rc.h"
#include "cli/builtin.h"
#include "cli/call.h"
#include "cli/dispatch.h"
#include "cli/typed.h"

/* Lines within lines: each takes stack. */
#define NESTING_MAX 32
#define BLANKS " \t\r\n"

static bool begins_with(const char *line, const char *word)
{
    size_t length = strlen(word);

    return strncmp(line, word, length) == 0 && line[length] != '\0' && strchr(BLANKS, line[length]) != NULL;
}

bool flow_is(const struct front *front, const char *line)
{
    line += strspn(line, BLANKS);
    return (front->kind == FRONT_SHELL || front->kind == FRONT_SCRIPT) &&
           (begins_with(line, "if") || begins_with(line, "for"));
}

/* Where the word stands outside of quotes, or NULL. */
static const char *find_word(const char *line, const char *word)
{
    char quote = 0, before = ' ';

    for (; *line != '\0'; before = *line++) {
        if (quote == 0 && strchr(BLANKS, before) != NULL && begins_with(line, word))
            return line;
        if (quote == 0 && (*line == '"' || *line == '\''))
            quote = *line;
        else if (*line == quote)
            quote = 0;
    }
    return NULL;
}

static int fail(const struct front *front, int rc)
{
    if (rc == RC_NO_MEMORY)
        return output_error(front->output, STATUS_SERVICE, SCARD_E_NO_MEMORY, "out of memory", "");
    return output_error(front->output, STATUS_USAGE, 0, detail_get(), "Nothing was run.");
}

static void forget(char *text)
{
    secret_wipe(text, strlen(text));
    free(text);
}

/* The words between two places of the line, with their variables. */
static int take_words(const struct front *front, const char *from, const char *end, char ***ret_words,
                      int *ret_count)
{
    char *part = strndup(from, (size_t)(end - from)), *expanded = NULL;
    int rc = part != NULL ? series_expand(front, part, VARIABLES_WORDS, &expanded) : RC_NO_MEMORY;

    if (rc == RC_OK)
        rc = dispatch_split(expanded, ret_words, ret_count);
    if (rc == RC_OK && *ret_words == NULL)
        *ret_count = 0;
    if (expanded != NULL)
        forget(expanded);
    free(part);
    return rc;
}

/* SW=9000 in one word, or in three. */
static int take_condition(char **words, int count, const char *ret[3])
{
    char *how;

    if (count == 3) {
        memcpy(ret, words, 3 * sizeof *ret);
        return RC_OK;
    }
    how = count == 1 ? strchr(words[0], '=') : NULL;
    if (how == NULL || how == words[0])
        return detail_set(RC_INVALID_VALUE, "if compares two texts: if $name = VALUE then LINE");
    ret[1] = how[-1] == '!' ? "!=" : "=";
    ret[2] = how[1] == '=' ? how + 2 : how + 1;
    *(how[-1] == '!' ? how - 1 : how) = '\0';
    ret[0] = words[0];
    return RC_OK;
}

static bool equals(const char *left, const char *right, bool any)
{
    for (; *left != '\0' && *right != '\0'; left++, right++)
        if (tolower((unsigned char)*left) != tolower((unsigned char)*right) &&
            !(any && (*right == 'x' || *right == 'X')))
            return false;
    return *left == *right;
}

/* 1 it holds, 0 it does not, or a negative RC_*. */
static int holds(const struct front *front, const char *const condition[3])
{
    const struct series *series = front->user;
    const char *left = condition[0], *how = condition[1], *right = condition[2];
    bool is_sw = strcmp(left, "SW") == 0;
    char words[128];
    regex_t regex;
    int result;

    left = is_sw ? variables_get(series->variables, "SW") : left;
    if (left == NULL)
        return detail_set(RC_INVALID_VALUE, "there is no status word yet: no APDU was sent");
    if (strcmp(how, "=") == 0 || strcmp(how, "==") == 0)
        return equals(left, right, is_sw);
    if (strcmp(how, "!=") == 0)
        return !equals(left, right, is_sw);
    if (strcmp(how, "~") != 0)
        return detail_set(RC_INVALID_VALUE, "if compares with =, != or ~, not %s", how);
    result = regcomp(&regex, right, REG_EXTENDED | REG_ICASE | REG_NOSUB);
    if (result != 0) {
        regerror(result, &regex, words, sizeof words);
        return detail_set(RC_INVALID_VALUE, "\"%s\" is no regular expression: %s", right, words);
    }
    result = regexec(&regex, left, 0, NULL, 0) == 0;
    regfree(&regex);
    return result;
}

static int run_part(const struct front *front, const char *from, const char *end)
{
    char *line = strndup(from, (size_t)(end - from));
    int status;

    if (line == NULL)
        return fail(front, RC_NO_MEMORY);
    status = typed_run(front, line);
    forget(line);
    return status;
}

static int run_if(const struct front *front, const char *line)
{
    const char *then = find_word(line, "then"), *other, *end = line + strlen(line), *condition[3] = {0};
    char **words = NULL;
    int count, rc;

    if (then == NULL)
        return fail(front, detail_set(RC_INVALID_VALUE, "if lacks its then: if SW=9000 then LINE"));
    rc = take_words(front, line, then, &words, &count);
    if (rc == RC_OK)
        rc = take_condition(words, count, condition);
    if (rc == RC_OK)
        rc = holds(front, condition);
    free(words);
    if (rc < 0)
        return fail(front, rc);
    then += sizeof "then" - 1;
    other = find_word(then, "else");
    if (rc == 1)
        return run_part(front, then, other != NULL ? other : end);
    return other != NULL ? run_part(front, other + sizeof "else" - 1, end) : STATUS_DONE;
}

/* Does the loop end with this status of a line? */
static bool ends_loop(const struct front *front, int status)
{
    const struct series *series = front->user;

    if (series->ended || front->output->broken || status == STATUS_INTERRUPTED ||
        (front->interrupt != NULL && interrupt_raised(front->interrupt)))
        return true;
    if (status == STATUS_DONE)
        return false;
    return status != STATUS_ANSWER || (series->keep_going != NULL && !*series->keep_going);
}

static int loop(const struct front *front, char **words, int count, const char *line)
{
    struct series *series = front->user;
    int first = STATUS_DONE;

    for (int i = 2; i < count; i++) {
        int rc = variables_set(series->variables, words[0], words[i]);
        int status = rc == RC_OK ? typed_run(front, line) : fail(front, rc);

        if (first == STATUS_DONE)
            first = status;
        if (ends_loop(front, status))
            break;
    }
    return first;
}

static int run_for(const struct front *front, const char *line)
{
    const char *body = find_word(line, "do");
    char **words = NULL;
    int count = 0, rc = RC_INVALID_VALUE, status;

    if (body != NULL)
        rc = take_words(front, line, body, &words, &count);
    if (body == NULL || (rc == RC_OK && (count < 2 || strcmp(words[1], "in") != 0)))
        rc = detail_set(RC_INVALID_VALUE, "a loop is written: for NAME in WORD... do LINE");
    status = rc < 0 ? fail(front, rc) : loop(front, words, count, body + sizeof "do" - 1);
    free(words);
    return status;
}

int flow_run(const struct front *front, const char *line)
{
    struct series *series = front->user;
    int status;

    if (series->nesting >= NESTING_MAX)
        return fail(front, detail_set(RC_INVALID_VALUE, "more than %d if and for in a line", NESTING_MAX));
    series->nesting++;
    line += strspn(line, BLANKS);
    status = begins_with(line, "if") ? run_if(front, line + 2) : run_for(front, line + 3);
    series->nesting--;
    return status;
}

/* For help and completion; lines that begin so come here only with options before them. */
static int run_misplaced(struct call *call)
{
    return call_fail(call, STATUS_USAGE, "", "%s stands at the beginning of its line, with all of it behind",
                     call->command->name);
}

static const struct argument_spec rest_arguments[] = {
    {"REST", VALUE_ANY, NULL, true, true, "the condition or words, and the line to run"},
    {0},
};

static const struct command command_if = {
    .name = "if",
    .group = "Shell",
    .summary = "run a line if two texts compare so",
    .description =
        "if LEFT HOW RIGHT then LINE [else LINE]\n"
        "HOW is = or != (case does not matter) or ~ (RIGHT is an extended regular expression). SW is "
        "$SW, and\nx in the status word behind it any digit.",
    .examples = "  if SW=61xx then 00C0000000\n  if $_ ~ ^6F then echo yes else echo no",
    .arguments = rest_arguments,
    .flags = COMMAND_LOCAL,
    .run = run_misplaced,
};

static const struct command command_for = {
    .name = "for",
    .group = "Shell",
    .summary = "run a line with each word",
    .description =
        "for NAME in WORD... do LINE\n"
        "Runs the line with each word as the variable NAME. A script's loop ends at the first failure; "
        "a\nshell's goes on after an answer that is not as expected.",
    .examples = "  for fid in 3F00 2F00 2FE2 do 00A4000C 02 $fid",
    .arguments = rest_arguments,
    .flags = COMMAND_LOCAL,
    .run = run_misplaced,
};

const struct command *const builtin_flow[] = {&command_if, &command_for, NULL};
