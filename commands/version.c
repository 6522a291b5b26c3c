/* SPDX-License-Identifier: MIT */
#include <scard.h>

#include "cli/call.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    struct record record;

    record_init(&record, "version", RECORD_ROW);
    record_text(&record, SHOW_JSON | SHOW_BARE, "scard", SCARD_VERSION);
    record_text(&record, SHOW_JSON, "libscard", scard_version());
    record_text(&record, SHOW_JSON, "pcsc_lite_api", PCSCLITE_VERSION_NUMBER);
    record_people(&record, "scard %s, libscard %s (the API of pcsc-lite %s)", SCARD_VERSION, scard_version(),
                  PCSCLITE_VERSION_NUMBER);
    output_record(call->output, &record);
    record_fini(&record);
    return STATUS_DONE;
}

const struct command command_version = {
    .name = "version",
    .group = "Program",
    .summary = "version of program and library",
    .needs = NEED_NOTHING,
    .flags = COMMAND_LOCAL,
    .run = run,
};
