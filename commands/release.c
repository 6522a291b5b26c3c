/* SPDX-License-Identifier: MIT */
#include "cli/call.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    struct desk *desk = call->front->desk;
    struct record record;
    LONG code;

    if (desk->context == 0)
        return call_fail(call, STATUS_USAGE, "There is nothing to release.", "no context is open");
    code = desk_release(desk);
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot release the context");
    record_init(&record, "context", RECORD_ROW);
    record_text(&record, SHOW_JSON, "state", "released");
    record_people(&record, "Context released.");
    output_remark(call->output, &record);
    record_fini(&record);
    return STATUS_DONE;
}

const struct command command_release = {
    .name = "release",
    .group = "Context",
    .summary = "release the context and end the session",
    .description =
        "SCardReleaseContext. Card connection and transaction end with it: a card in the middle of a\n"
        "transaction is reset, otherwise it is left as it is. A background session ends.",
    .needs = NEED_NOTHING,
    .flags = COMMAND_KEEPS | COMMAND_URGENT,
    .run = run,
};
