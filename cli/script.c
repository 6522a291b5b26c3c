/* SPDX-License-Identifier: MIT */
#include "cli/script.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/rc.h"
#include "cli/builtin.h"
#include "cli/progress.h"
#include "cli/script_line.h"
#include "cli/tap.h"
#include "cli/typed.h"

/* Bytes in a file: more are no script, and devices have no end. */
#define SCRIPT_MAX (64u << 20)
/* Scripts that run scripts; one that runs itself must not run out of stack. */
#define DEPTH_MAX 32

struct script {
    struct call *call; /* that runs the script */
    struct front front;
    struct output output;
    struct series series;
    const struct command **commands;
    const char *name; /* of the file */
    struct script_lines lines;
    struct tap tap;
    struct progress progress;
    int nowhere; /* where a test's commands write; -1 = as usual */
    bool keep_going;
    bool file_ended; /* scriptor's exit ends its file, not the files behind it */
    int status;      /* of the first failure */
};

/* A script in a shell or another script shares its variables. */
static struct series *outer_series(const struct front *front)
{
    return front->kind == FRONT_SHELL || front->kind == FRONT_SCRIPT ? front->user : NULL;
}

static int script_init(struct script *script, struct call *call, bool keep_going)
{
    const struct command **commands;

    if (call->front->depth >= DEPTH_MAX)
        return call_fail(call, STATUS_USAGE, "", "scripts run each other, %d deep: does one run itself?",
                         DEPTH_MAX);
    commands = builtin_table(call->front->commands, false);
    if (commands == NULL)
        return call_no_memory(call);
    *script = (struct script){.call = call,
                              .front = *call->front,
                              .output = *call->output,
                              .nowhere = -1,
                              .keep_going = keep_going};
    script->front.kind = FRONT_SCRIPT;
    script->front.depth++;
    script->commands = commands;
    script->front.commands = commands;
    script->front.output = &script->output;
    script->front.globals = call->globals;
    script->front.run_shell = NULL;
    script->front.open_session = NULL;
    series_begin(&script->series, &script->front, outer_series(call->front));
    script->series.keep_going = &script->keep_going;
    return STATUS_DONE;
}

static void script_fini(struct script *script)
{
    if (script->output.broken) {
        script->call->output->broken = true;
        script->call->output->broken_errno = script->output.broken_errno;
    }
    script_lines_fini(&script->lines);
    series_end(&script->series);
    free(script->commands);
    if (script->nowhere >= 0)
        close(script->nowhere);
}

static int begin_tap(struct script *script)
{
    script->nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (script->nowhere < 0)
        return call_fail(script->call, STATUS_TRANSPORT, "", "cannot open /dev/null: %s", strerror(errno));
    script->output.out = script->nowhere;
    script->output.mode = OUTPUT_BARE;
    script->call->globals.json = script->front.globals.json = false;
    script->front.tap = &script->tap;
    script->front.judge = tap_judge;
    tap_begin(&script->tap, script->call->output);
    return STATUS_DONE;
}

/* What a consumer of JSON cannot read off the error itself. */
static void tell_place(struct script *script, int status)
{
    struct record record;

    if (script->output.mode != OUTPUT_JSON)
        return;
    record_init(&record, "script", RECORD_ROW);
    record_text(&record, SHOW_JSON, "file", script->name);
    record_number(&record, SHOW_JSON, "line", (int64_t)script->lines.first);
    record_number(&record, SHOW_JSON, "code", status);
    record_text(&record, SHOW_JSON, "name", status_name(status));
    output_record(&script->output, &record);
    record_fini(&record);
}

/* scriptor sends what stands there and looks at no status word: "=xxxx" accepts each. */
static int run_as_scriptor(struct script *script, const char *line)
{
    char *text;
    int status;

    if (asprintf(&text, "%s%s", line, strchr(line, '=') == NULL ? " =xxxx" : "") < 0)
        return call_no_memory(script->call);
    status = typed_run_words(&script->front, 4, (const char *const[]){"apdu", "--raw", "--", text});
    secret_wipe(text, strlen(text));
    free(text);
    return status;
}

static int run_step(struct script *script, enum script_step step)
{
    switch (step) {
    case SCRIPT_LINE:
        if (script->lines.scriptor)
            return run_as_scriptor(script, (const char *)script->lines.text.data);
        return typed_run(&script->front, (const char *)script->lines.text.data);
    case SCRIPT_RESET:
        return typed_run_words(&script->front, 1, (const char *const[]){"reset"});
    case SCRIPT_EXIT:
        script->file_ended = true;
        return STATUS_DONE;
    default:
        return STATUS_DONE;
    }
}

/* Counts a failure. Does the script end with it? */
static bool is_the_end(struct script *script, int status)
{
    if (status != STATUS_DONE && script->status == STATUS_DONE)
        script->status = status;
    if (script->series.ended || script->output.broken || status == STATUS_INTERRUPTED)
        return true;
    /* The time of a line was up, not that of the next. */
    if (script->keep_going && status == STATUS_TIMEOUT && script->front.interrupt != NULL)
        interrupt_clear(script->front.interrupt);
    return status != STATUS_DONE && !script->keep_going;
}

/* Runs what the next line gives; true if the script ends. line NULL: the end of the file. */
static bool take_line(struct script *script, const char *line, size_t length)
{
    struct script_lines *lines = &script->lines;
    enum script_step step = SCRIPT_NOTHING;
    char *label;
    int rc = line != NULL ? script_lines_take(lines, line, length, &step) : script_lines_end(lines, &step);
    int status;

    if (rc == RC_OK && step == SCRIPT_NOTHING)
        return false;
    if (rc < 0)
        lines->first = lines->line;
    script->tap.file = script->name;
    script->tap.line = lines->first;
    if (asprintf(&label, "scard: %s:%zu", script->name, lines->first) < 0)
        return is_the_end(script, call_no_memory(script->call));
    script->output.program = label;
    if (script->call->globals.json)
        script->output.mode = OUTPUT_JSON;
    if (rc < 0) {
        script->call->output = &script->output;
        status = call_fail_rc(script->call, rc, "this is no script");
        script->call->output = script->front.output;
    } else {
        status = run_step(script, step);
    }
    if (status != STATUS_DONE)
        tell_place(script, status);
    script->output.program = "scard";
    free(label);
    return is_the_end(script, status);
}

/* Nothing is written into its line. */
static void hide_progress(void *user)
{
    progress_hide(&((struct script *)user)->progress);
}

static void begin_progress(struct script *script)
{
    progress_begin(&script->progress, script->call->output, "lines", true);
    if (script->output.before != NULL)
        script->progress.on = false;
    else if (script->progress.on) {
        script->output.before = hide_progress;
        script->output.user = script;
    }
}

static size_t count_lines(const char *text, size_t length)
{
    size_t count = 0;

    for (size_t i = 0; i < length; i++)
        count += text[i] == '\n';
    return count + (length > 0 && text[length - 1] != '\n');
}

static bool run_text(struct script *script, const char *text, size_t length)
{
    size_t lines = count_lines(text, length);
    const char *end = text + length;

    while (text < end) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline != NULL ? newline : end;

        if (take_line(script, text, (size_t)(stop - text)))
            return true;
        if (script->file_ended)
            return false;
        progress_step(&script->progress, script->lines.line, lines);
        text = newline != NULL ? newline + 1 : end;
    }
    return take_line(script, NULL, 0);
}

static void begin_file(struct script *script, const char *name, bool scriptor)
{
    script_lines_fini(&script->lines);
    script->lines = (struct script_lines){.scriptor = scriptor};
    script->file_ended = false;
    script->name = name;
}

/* Line by line as they come, so that another program can wait for each answer. */
static bool run_input(struct script *script, bool scriptor)
{
    struct buffer line = {0};
    bool ended = false;
    int rc = 0;

    begin_file(script, "standard input", scriptor);
    while (!ended && !script->file_ended && (rc = call_read_line(script->call, &line)) == 1)
        ended = take_line(script, (const char *)line.data, line.length);
    buffer_fini(&line);
    if (rc < 0)
        return is_the_end(script, call_fail_rc(script->call, rc, "cannot go on with standard input"));
    return ended || (!script->file_ended && take_line(script, NULL, 0));
}

static bool ends_with(const char *name, const char *suffix)
{
    size_t length = strlen(name), count = strlen(suffix);

    return length >= count && strcasecmp(name + length - count, suffix) == 0;
}

static bool run_file(struct script *script, const char *name, bool scriptor)
{
    struct buffer text = {0};
    bool ended;
    int rc;

    if (strcmp(name, "-") == 0)
        return run_input(script, scriptor);
    begin_file(script, name, scriptor || ends_with(name, ".apdu"));
    rc = call_read_file(script->call, name, SCRIPT_MAX, &text);
    if (rc < 0)
        ended = is_the_end(script, rc == RC_IO ? call_fail(script->call, STATUS_USAGE, "",
                                                           "cannot run this script: %s", detail_get())
                                               : call_fail_rc(script->call, rc, "cannot run this script"));
    else
        ended = run_text(script, (const char *)text.data, text.length);
    buffer_fini(&text);
    return ended;
}

/* Lines separated by ';' outside of quotes. */
static bool run_command_text(struct script *script, const char *text, bool scriptor)
{
    char *lines = strdup(text), quote = 0;
    bool ended;

    if (lines == NULL)
        return is_the_end(script, call_no_memory(script->call));
    for (char *at = lines; *at != '\0'; at++) {
        if (quote == 0 && *at == ';')
            *at = '\n';
        else if (quote == 0 && (*at == '"' || *at == '\''))
            quote = *at;
        else if (*at == quote)
            quote = 0;
    }
    begin_file(script, "--command", scriptor);
    ended = run_text(script, lines, strlen(lines));
    secret_wipe(lines, strlen(lines));
    free(lines);
    return ended;
}

static int script_result(const struct script *script)
{
    return script->status != STATUS_DONE ? script->status : script->series.status;
}

int script_run(struct call *call)
{
    bool scriptor = call_flag(call, "scriptor"), ended = false;
    struct script script;
    int status;

    if (call->argument_count == 0 && call_option(call, "command") == NULL)
        return call_fail(call, STATUS_USAGE, "Name a file, or \"-\" for standard input.",
                         "there is nothing to run");
    status = script_init(&script, call, call_flag(call, "keep-going"));
    if (status != STATUS_DONE)
        return status;
    begin_progress(&script);
    if (call_flag(call, "tap"))
        script.status = begin_tap(&script);
    ended = script.status != STATUS_DONE;
    for (size_t i = 0; i < call->option_count && !ended; i++)
        if (strcmp(call->options[i].spec->name, "command") == 0)
            ended = run_command_text(&script, call->options[i].value, scriptor);
    for (size_t i = 0; i < call->argument_count && !ended; i++)
        ended = run_file(&script, call->arguments[i], scriptor);
    status = script_result(&script);
    progress_hide(&script.progress);
    if (script.front.tap != NULL && script.nowhere >= 0)
        status = tap_end(&script.tap, status);
    script_fini(&script);
    return status;
}

int script_run_input(struct call *call)
{
    struct script script;
    int status = script_init(&script, call, false);

    if (status != STATUS_DONE)
        return status;
    run_input(&script, false);
    status = script_result(&script);
    script_fini(&script);
    return status;
}
