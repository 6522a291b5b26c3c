/* SPDX-License-Identifier: MIT */
#include "cli/call.h"
#include "cli/choose.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    struct record record;
    LONG code;

    /* Alone, the question is whether a context can be had; elsewhere, whether the one there still lives. */
    if (call->front->kind == FRONT_ONE_SHOT) {
        int status = choose_prepare(call, NEED_SERVICE);

        if (status != STATUS_DONE)
            return status;
    } else if (call->front->desk->context == 0) {
        return call_fail(call, STATUS_SERVICE, "Open one: establish.", "no context is open");
    }
    code = SCardIsValidContext(call->front->desk->context);
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "the context is not valid");
    record_init(&record, "context", RECORD_ROW);
    record_text(&record, SHOW_JSON | SHOW_BARE, "state", "valid");
    record_people(&record, "The context is valid.");
    output_record(call->output, &record);
    record_fini(&record);
    return STATUS_DONE;
}

const struct command command_valid = {
    .name = "valid",
    .group = "Context",
    .summary = "is the context valid?",
    .description = "SCardIsValidContext, for the context of the session or shell; on its own for a new one.",
    .needs = NEED_NOTHING,
    .run = run,
};
