/* SPDX-License-Identifier: MIT */
#include "cli/complete.h"

#include "cli/call.h"
#include "commands/commands.h"

static void show(void *user, const char *candidate, const char *about)
{
    struct call *call = user;
    struct record record;

    record_init(&record, "candidate", RECORD_ROW);
    record_text(&record, SHOW_ALL, "word", candidate);
    record_text(&record, SHOW_ALL, "about", about);
    output_record(call->output, &record);
    record_fini(&record);
}

static int run(struct call *call)
{
    size_t count = call->argument_count;
    const char *prefix = count > 0 ? call->arguments[count - 1] : "";

    if (complete_word(call->front, count > 0 ? (int)count - 1 : 0, call->arguments, prefix, show, call) ==
        COMPLETE_FILES)
        show(call, ":files", "");
    return STATUS_DONE;
}

static const struct argument_spec arguments[] = {
    {"WORD", VALUE_APDU, NULL, true, true, "words of the line; the last one is to be completed"},
    {0},
};

const struct command command_complete = {
    .name = "__complete",
    .group = "Program",
    .summary = "candidates for the last word of a command line",
    .description = "For completion scripts: \"scard __complete -- WORDS...\" prints a candidate and a few "
                   "words about it on each\n"
                   "line, with a tab between; \":files\" asks for the names of files.",
    .arguments = arguments,
    .needs = NEED_NOTHING,
    .flags = COMMAND_HIDDEN | COMMAND_LOCAL,
    .run = run,
};
