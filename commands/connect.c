/* SPDX-License-Identifier: MIT */
#include "cli/call.h"
#include "cli/connection.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    const struct globals *globals = &call->globals;
    struct desk *desk = call->front->desk;
    DWORD protocols = globals->protocols;
    LONG code;

    if (desk_is_connected(desk))
        return call_fail(call, STATUS_USAGE, "Disconnect first, or reconnect.", "%s is connected already",
                         desk->reader);
    if (globals->share == SCARD_SHARE_DIRECT && !globals->has_protocols)
        protocols = 0;
    code = desk_connect(desk, call->reader, globals->share, protocols);
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot connect to %s", call->reader);
    return connection_show(call, "Connected to");
}

static const struct option_spec options[] = {
    {"idle", 0, VALUE_SECONDS, "SECONDS", NULL, "unused for so long, a session that this opens ends (15m; 0: never)"},
    {0},
};

const struct command command_connect = {
    .name = "connect",
    .group = "Card",
    .summary = "connect to the card and keep the connection",
    .description = "SCardConnect. In a shell the connection stays for the commands that follow. On its own, "
                   "connect leaves a\n"
                   "background session behind that holds context and card: later commands of the same "
                   "terminal or script use\n"
                   "it, until release, the end of the shell that opened it, or an idle time. --session NAME "
                   "names others.\n"
                   "--share exclusive keeps others out; --share direct reaches the reader without a card.",
    .examples = "  scard connect -r 0\n  scard apdu 00A4040007A0000002471001\n  scard release",
    .options = options,
    .needs = NEED_READER,
    .flags = COMMAND_OPENS,
    .run = run,
};
