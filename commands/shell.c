/* SPDX-License-Identifier: MIT */
#include "cli/call.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    if (call->front->run_shell == NULL)
        return call_fail(call, STATUS_USAGE, "", "there is no shell within a shell, script or session");
    return call->front->run_shell(call);
}

const struct command command_shell = {
    .name = "shell",
    .group = "Program",
    .summary = "type commands and APDUs at a prompt",
    .description =
        "One command or APDU per line; all work on one context and one connection, which the first line "
        "that\n"
        "needs a card opens. The prompt shows the reader and its card: the protocol, \"-\" for no card, "
        "\"!\" for\n"
        "one that another program has reset. TAB completes, Ctrl-C clears the line or ends the command that\n"
        "runs, Ctrl-D or exit [STATUS] ends the shell.\n"
        "\n"
        "Lines are kept in $XDG_STATE_HOME/scard/history (~/.local/state), but none with a PIN or key, and "
        "none\n"
        "that begins with a blank. history [COUNT] lists them; !! runs the last one once more, !12 the one "
        "of that\n"
        "number, !select the last one that begins so.\n"
        "\n"
        "With standard input not a terminal the lines are a script: no prompt, and the first failure ends "
        "it\n"
        "with its exit status.",
    .examples = "  scard shell -r sim:iso\n  printf '00A4000C023F00\\nstatus\\n' | scard shell",
    .needs = NEED_NOTHING,
    .flags = COMMAND_LOCAL | COMMAND_TIMES,
    .run = run,
};
