/* SPDX-License-Identifier: MIT */
#include "cli/builtin.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/rc.h"
#include "cli/call.h"
#include "cli/history.h"
#include "cli/names.h"

/* Room for the built-in commands and the end of the table. */
#define BUILTIN_MAX 32

static int run_exit(struct call *call)
{
    struct series *series = call->front->user;
    const char *text = call_argument(call, 0);
    uint64_t status = 0;

    if (text != NULL && (!names_number_parse(text, &status) || status > 255))
        return call_fail(call, STATUS_USAGE, "", "an exit status is 0 to 255, not %s", text);
    series->ended = true;
    series->status = (int)status;
    return STATUS_DONE;
}

static const struct argument_spec exit_arguments[] = {
    {"STATUS", VALUE_NUMBER, NULL, true, false, "exit status, 0 to 255 (0)"},
    {0},
};

static const struct command command_exit = {
    .name = "exit",
    .alias = "quit",
    .group = "Shell",
    .summary = "end this shell or script",
    .arguments = exit_arguments,
    .flags = COMMAND_LOCAL,
    .run = run_exit,
};

static int show_lines(struct call *call, const struct buffer *text, uint64_t count)
{
    uint64_t lines = 0, number = 0;
    size_t from = 0;

    for (size_t i = 0; i < text->length; i++)
        lines += text->data[i] == '\n';
    for (size_t i = 0; i < text->length && !call_interrupted(call); i++) {
        struct record record;
        char *line;
        int status;

        if (text->data[i] != '\n')
            continue;
        line = strndup((const char *)text->data + from, i - from);
        from = i + 1;
        if (line == NULL)
            return call_no_memory(call);
        number++;
        if (number + count <= lines) {
            free(line);
            continue;
        }
        record_init(&record, "history", RECORD_ROW);
        record_number(&record, SHOW_ALL, "number", (int64_t)number);
        record_text(&record, SHOW_ALL, "line", line);
        record_people(&record, "%5llu  %s", (unsigned long long)number, line);
        status = output_record(call->output, &record);
        record_fini(&record);
        free(line);
        if (status != STATUS_DONE)
            return status;
    }
    return STATUS_DONE;
}

static int run_history(struct call *call)
{
    const struct series *series = call->front->user;
    const char *text = call_argument(call, 0);
    struct buffer lines = {0};
    uint64_t count = HISTORY_LINES;
    int rc = RC_OK, status;

    if (text != NULL && !names_number_parse(text, &count))
        count = HISTORY_LINES;
    if (series->history_path != NULL)
        rc = history_load(series->history_path, &lines);
    status = rc < 0 ? call_fail_rc(call, rc, "there is no history") : show_lines(call, &lines, count);
    buffer_fini(&lines);
    return status;
}

static const struct argument_spec history_arguments[] = {
    {"COUNT", VALUE_NUMBER, NULL, true, false, "how many lines, the newest (all)"},
    {0},
};

static const struct command command_history = {
    .name = "history",
    .group = "Shell",
    .summary = "list the lines typed before",
    .arguments = history_arguments,
    .flags = COMMAND_LOCAL,
    .run = run_history,
};

static bool is_builtin(const struct command *command)
{
    const struct command *const *const sets[] = {builtin_values, builtin_settings, builtin_card, builtin_flow};

    for (size_t set = 0; set < sizeof sets / sizeof *sets; set++)
        for (size_t i = 0; sets[set][i] != NULL; i++)
            if (command == sets[set][i])
                return true;
    return command == &command_exit || command == &command_history;
}

static size_t append(const struct command **table, size_t count, const struct command *const *commands)
{
    while (*commands != NULL)
        table[count++] = *commands++;
    return count;
}

const struct command **builtin_table(const struct command *const *commands, bool with_history)
{
    size_t count = 0, kept = 0;
    const struct command **table;

    while (commands[count] != NULL)
        count++;
    table = calloc(count + BUILTIN_MAX, sizeof(const struct command *));
    if (table == NULL)
        return NULL;
    /* A script in a shell starts from a table that has them already. */
    for (size_t i = 0; i < count; i++)
        if (!is_builtin(commands[i]))
            table[kept++] = commands[i];
    kept = append(table, kept, builtin_values);
    kept = append(table, kept, builtin_settings);
    kept = append(table, kept, builtin_card);
    kept = append(table, kept, builtin_flow);
    if (with_history)
        table[kept++] = &command_history;
    table[kept] = &command_exit;
    return table;
}
