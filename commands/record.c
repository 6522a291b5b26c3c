/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cli/call.h"
#include "cli/trace.h"
#include "commands/commands.h"

/* The program's own words stand behind the file's name. */
static int record_program(struct call *call)
{
    const char **arguments = call->arguments;
    size_t count = call->argument_count, skipped = strcmp(call->arguments[1], "--") == 0 ? 2 : 1;
    int status;

    if (call->front->run_program == NULL)
        return call_fail(call, STATUS_USAGE, "Run \"scard record\" from a terminal or shell script.",
                         "programs cannot be started from within a shell, script or session of scard");
    if (skipped == count)
        return call_fail(call, STATUS_USAGE, "", "no program stands behind --");
    call->arguments += skipped;
    call->argument_count -= skipped;
    status = call->front->run_program(call);
    call->arguments = arguments;
    call->argument_count = count;
    return status;
}

static void tell(struct call *call, const char *file)
{
    struct record record;

    record_init(&record, "recording", RECORD_FACTS);
    record_text(&record, SHOW_JSON, "file", file);
    if (file == NULL)
        record_people(&record, "Recording ended.");
    else
        record_people(&record, "Recording into %s; %s ends it.", file,
                      call->front->run_shell != NULL ? "the end of the shell" : "\"record --stop\"");
    output_remark(call->output, &record);
    record_fini(&record);
}

static int record_shell(struct call *call, const char *file)
{
    int status = trace_start(call, file, call->globals.trace_format), stopped;

    if (status == STATUS_DONE)
        tell(call, file);
    /* Within a shell the recording goes on to its end, or to --stop. */
    if (status != STATUS_DONE || call->front->run_shell == NULL)
        return status;
    status = call->front->run_shell(call);
    stopped = trace_stop(call);
    return status != STATUS_DONE ? status : stopped;
}

static int run(struct call *call)
{
    const char *file = call_argument(call, 0), *format = call_option(call, "format");
    int status;

    if (call_flag(call, "stop")) {
        if (!trace_is_on() || file != NULL)
            return call_fail(call, STATUS_USAGE, "", "there is %s",
                             file != NULL ? "no file to name with --stop" : "no recording to stop");
        status = trace_stop(call);
        if (status == STATUS_DONE)
            tell(call, NULL);
        return status;
    }
    if (file == NULL)
        return call_fail(call, STATUS_USAGE, "Name it, as in \"scard record card.jsonl\".",
                         "there is no file to record into");
    call->globals.trace = file;
    call->globals.trace_format = trace_format(file, format, "jsonl");
    return call->argument_count > 1 ? record_program(call) : record_shell(call, file);
}

static const struct argument_spec arguments[] = {
    {"FILE", VALUE_FILE, NULL, true, false, "the recording"},
    {"PROGRAM", VALUE_FILE, NULL, true, false, "whose work is recorded; without it a shell's"},
    {"ARGUMENT", VALUE_FILE, NULL, true, true, "for the program, also if it begins with -"},
    {0},
};

static const struct option_spec options[] = {
    {"format", 0, VALUE_CHOICE, "FORMAT", TRACE_FORMATS,
     "how to keep it (as the file's name ends, else jsonl)"},
    {"stop", 0, VALUE_NONE, NULL, NULL, "within a shell: end the recording"},
    {0},
};

const struct command command_record = {
    .name = "record",
    .group = "Program",
    .summary = "record what passes between a program and a card",
    .description =
        "The program runs as with \"scard exec\", on libscard; all that its cards are sent and answer goes "
        "into "
        "the file.\n"
        "The recording is a reader then, for every program: replay:FILE. Without a program it is a shell "
        "that is "
        "recorded,\n"
        "or the lines of standard input. PINs and keys are ** in it, and any will do when it is replayed.\n"
        "\n"
        "jsonl is what replays best; scard is a script for \"scard run\" that expects the same answers; "
        "pcapng is "
        "for\n"
        "Wireshark; apdu4j and cardpeek are for these.",
    .examples = "  scard record card.jsonl pkcs15-tool --list-certificates\n"
                "  scard exec --readers replay:card.jsonl pkcs15-tool --list-certificates\n"
                "  scard record -r sim:iso session.scard",
    .arguments = arguments,
    .options = options,
    .needs = NEED_NOTHING,
    .flags = COMMAND_LOCAL | COMMAND_TIMES | COMMAND_PASSES,
    .run = run,
};
