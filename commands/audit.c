/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cli/call.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    bool success = strcmp(call_argument(call, 0), "success") == 0;
    LONG code = SCardAudit(call->desk->context, success ? SCARD_AUDIT_CHV_SUCCESS : SCARD_AUDIT_CHV_FAILURE);

    return code == SCARD_S_SUCCESS ? STATUS_DONE
                                   : call_fail_scard(call, code, "cannot write to the system's log");
}

static const struct argument_spec arguments[] = {
    {"EVENT", VALUE_CHOICE, "success|failure", false, false, "what happened: the PIN was right, or wrong"},
    {0},
};

const struct command command_audit = {
    .name = "audit",
    .group = "Card",
    .summary = "write to the system's log that a PIN was right or wrong",
    .description =
        "SCardAudit. The line goes to syslog (facility authpriv) with the reader and the ATR of the "
        "card that is\nconnected to, and holds no secret.",
    .arguments = arguments,
    .needs = NEED_SERVICE,
    .run = run,
};
