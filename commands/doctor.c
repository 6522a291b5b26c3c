/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli/call.h"
#include "cli/doctor/exam.h"
#include "commands/commands.h"

static const char *level_word(enum finding_level level)
{
    static const char *const words[] = {"ok", "skip", "warn", "FAIL"};

    return words[level];
}

static void show(struct call *call, const struct finding *finding)
{
    static const enum paint paints[] = {PAINT_GOOD, PAINT_DIM, PAINT_WARN, PAINT_BAD};
    const char *level = level_word(finding->level);
    struct record record;

    if (call->globals.quiet && finding->level < FINDING_WARN)
        return;
    record_init(&record, "check", RECORD_ROW);
    record_text(&record, SHOW_ALL, "level", level);
    record_text(&record, SHOW_ALL, "id", finding->id);
    record_text(&record, SHOW_ALL, "text", finding->text);
    record_text(&record, SHOW_JSON, "fix", finding->fix[0] != '\0' ? finding->fix : NULL);
    record_people(&record, "%s%-4s%s  %-14s  %s", output_paint(call->output, paints[finding->level]), level,
                  output_paint(call->output, PAINT_END), finding->id, finding->text);
    output_record(call->output, &record);
    record_fini(&record);
}

/* The failure, or else the first warning, NULL: nothing. */
static const struct finding *worst(const struct exam *exam)
{
    const struct finding *cause = exam_cause(exam);

    for (size_t i = 0; cause == NULL && i < exam->count; i++)
        if (exam->findings[i].level == FINDING_WARN)
            cause = &exam->findings[i];
    return cause;
}

static void conclude(struct call *call, const struct exam *exam)
{
    const struct finding *cause = worst(exam);
    const char *text = cause != NULL ? cause->text : "nothing is wrong";
    const char *fix = cause != NULL && cause->fix[0] != '\0' ? cause->fix : NULL;
    int status = exam_status(exam);
    struct record record;

    record_init(&record, "diagnosis", RECORD_ROW);
    record_text(&record, SHOW_BARE, "word", "cause");
    record_text(&record, SHOW_ALL, "id", cause != NULL ? cause->id : "");
    record_number(&record, SHOW_JSON, "code", status);
    record_text(&record, SHOW_JSON, "name", status == STATUS_ANSWER ? "warning" : status_name(status));
    record_text(&record, SHOW_ALL, "cause", text);
    record_text(&record, SHOW_ALL, "fix", fix);
    record_text(&record, SHOW_JSON, "as_root", exam->would);
    record_people(&record, "\n%s%s: %s.%s", output_paint(call->output, PAINT_BOLD),
                  cause == NULL                  ? "Result"
                  : cause->level == FINDING_FAIL ? "Cause"
                                                 : "Not the cause of a failure, but",
                  text, output_paint(call->output, PAINT_END));
    if (fix != NULL)
        record_people(&record, "\nMend it with: %s", fix);
    else if (cause != NULL)
        record_people(&record, "\nNo command mends that.");
    if (exam->would != NULL)
        record_people(&record, "\nRoot would also be told: %s.", exam->would);
    output_record(call->output, &record);
    record_fini(&record);
}

/* Has the command something to be filled in, or is it for another machine. */
static bool is_by_hand(const char *fix)
{
    static const char *const signs[] = {" ...", "BUSID", " NAME", "APPLICATION", "export ", "unset "};

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
        if (strstr(fix, signs[i]) != NULL)
            return true;
    return false;
}

static bool add(struct buffer *script, const char *text)
{
    return buffer_append(script, text, strlen(text)) == 0;
}

/* The same command mends several findings. */
static bool was_told(const struct exam *exam, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (exam->findings[i].level == exam->findings[index].level &&
            strcmp(exam->findings[i].fix, exam->findings[index].fix) == 0)
            return true;
    return false;
}

static int print_script(struct call *call, const struct exam *exam)
{
    static const enum finding_level levels[] = {FINDING_FAIL, FINDING_WARN};
    struct buffer script = {0};
    bool good = add(&script, "#!/bin/sh\n# Made by scard doctor. Read it before you run it.\n");

    for (size_t k = 0; k < sizeof levels / sizeof levels[0]; k++)
        for (size_t i = 0; good && i < exam->count; i++) {
            const struct finding *finding = &exam->findings[i];

            if (finding->level != levels[k] || (finding->fix[0] != '\0' && was_told(exam, i)))
                continue;
            good = add(&script, "\n# ") && add(&script, level_word(finding->level)) && add(&script, " ") &&
                   add(&script, finding->id) && add(&script, ": ") && add(&script, finding->text) &&
                   add(&script, "\n");
            if (good && finding->fix[0] != '\0')
                good = add(&script, is_by_hand(finding->fix) ? "# by hand: " : "") &&
                       add(&script, finding->fix) && add(&script, "\n");
        }
    if (good)
        output_text(call->output, (const char *)script.data, script.length);
    buffer_fini(&script);
    return good ? STATUS_DONE : call_no_memory(call);
}

static int examine(struct call *call, struct exam *exam)
{
    int status;

    exam_run_all(exam);
    if (exam->failed || exam->devices.error == ENOMEM)
        return call_no_memory(call);
    if (call_interrupted(call))
        return call_fail_scard(call, SCARD_E_CANCELLED, "the examination ended");
    if (call_flag(call, "fix")) {
        status = print_script(call, exam);
        return status != STATUS_DONE ? status : exam_status(exam);
    }
    for (size_t i = 0; i < exam->count && !call->output->broken; i++)
        show(call, &exam->findings[i]);
    conclude(call, exam);
    return exam_status(exam);
}

static int run(struct call *call)
{
    struct exam_options options = {
        .root = call_option(call, "root"),
        .user = call_option(call, "user"),
        .probe = call_flag(call, "probe"),
        .desk = call->desk,
        .deadline = deadline_never(),
    };
    struct exam exam;
    int error, status;

    if (options.probe && options.root != NULL)
        return call_fail(call, STATUS_USAGE, "Leave one of them out.",
                         "--probe powers cards of this system, --root looks at another one");
    error = exam_init(&exam, &options);
    if (error == ENOMEM)
        return call_no_memory(call);
    if (error == ENOENT && options.user != NULL)
        return call_fail(call, STATUS_USAGE, "Give a name or a number.", "there is no user %s", options.user);
    if (error != 0)
        return call_fail(call, STATUS_USAGE, "Name a folder that holds etc, proc, sys and so on.",
                         "%s cannot be examined: %s", options.root != NULL ? options.root : "/",
                         strerror(error));
    status = examine(call, &exam);
    exam_fini(&exam);
    return status;
}

static const struct option_spec options[] = {
    {"probe", 0, VALUE_NONE, NULL, NULL, "also power the cards that are in"},
    {"fix", 0, VALUE_NONE, NULL, NULL, "print a shell script that mends what is wrong; nothing is run"},
    {"user", 0, VALUE_TEXT, "USER", NULL, "look with the rights of that user, by name or number"},
    {"root", 0, VALUE_FILE, "DIRECTORY", NULL,
     "examine the system whose files are there: a container, a rescue mount"},
    {0},
};

const struct command command_doctor = {
    .name = "doctor",
    .group = "Readers",
    .summary = "say why there is no reader, or no card, and what mends it",
    .description =
        "Looks at the configuration, then at all that lies between a program and a card, in the order in\n"
        "which a byte comes from the plug: USB, the kernel's drivers, rules of udev and rights, programs\n"
        "that hold a reader, services, polkit, GnuPG.\n"
        "A line for each check: ok, warn, FAIL or skip, its name, and what was found. At the end the cause "
        "in one "
        "sentence,\n"
        "and one command that mends it. Nothing is changed, and nothing is sent to a card without --probe.\n"
        "Exit status: 0 nothing is wrong, 1 warnings only, else that of the cause.",
    .examples = "  scard doctor\n  scard doctor --user alice\n  scard doctor --fix >mend.sh\n  scard --json "
                "doctor | jq "
                "-r 'select(.t==\"diagnosis\").fix'",
    .options = options,
    .needs = NEED_NOTHING,
    .flags = COMMAND_LOCAL,
    .run = run,
};
