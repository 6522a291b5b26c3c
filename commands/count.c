/* SPDX-License-Identifier: MIT */
#include "cli/call.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    struct record record;
    DWORD count = 0;
    LONG code = SCardGetTransmitCount(call->desk->card, &count);

    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "no count of %s", call->reader);
    record_init(&record, "count", RECORD_ROW);
    record_text(&record, SHOW_JSON, "reader", call->reader);
    record_number(&record, SHOW_ALL, "exchanges", (int64_t)count);
    output_record(call->output, &record);
    record_fini(&record);
    return STATUS_DONE;
}

const struct command command_count = {
    .name = "count",
    .group = "Readers",
    .summary = "how many exchanges the reader has made since it was attached",
    .description = "SCardGetTransmitCount. Of all programs that share the reader through one service.",
    .needs = NEED_DIRECT,
    .run = run,
};
