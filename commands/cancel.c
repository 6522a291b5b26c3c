/* SPDX-License-Identifier: MIT */
#include "cli/call.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    LONG code;

    if (call->front->desk->context == 0)
        return call_fail(call, STATUS_USAGE, "There is nothing to cancel.", "no context is open");
    code = SCardCancel(call->front->desk->context);
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot cancel");
    return STATUS_DONE;
}

const struct command command_cancel = {
    .name = "cancel",
    .group = "Context",
    .summary = "end what the session waits for: watch, wait, begin",
    .description =
        "SCardCancel. Ends the waits of the session's context, started from another terminal or in the\n"
        "background. An exchange that is on the card goes on; Ctrl-C on that command ends it, too.",
    .needs = NEED_NOTHING,
    .flags = COMMAND_KEEPS | COMMAND_URGENT,
    .run = run,
};
