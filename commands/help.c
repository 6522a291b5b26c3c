/* SPDX-License-Identifier: MIT */
#include "cli/help.h"

#include "cli/call.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    const char *name = call_argument(call, 0);
    const struct command *command = NULL;

    if (name != NULL) {
        command = command_find(call->front->commands, name);
        if (command == NULL) {
            const struct command *near = command_suggest(call->front->commands, name);

            return call_fail(call, STATUS_USAGE, "\"scard help\" lists all commands.",
                             "there is no command \"%s\"%s%s%s", name,
                             near != NULL ? ": did you mean \"" : "", near != NULL ? near->name : "",
                             near != NULL ? "\"?" : "");
        }
    }
    return help_show(call, command);
}

static const struct argument_spec arguments[] = {
    {"COMMAND", VALUE_COMMAND, NULL, true, false, "the command to tell about"},
    {0},
};

const struct command command_help = {
    .name = "help",
    .group = "Program",
    .summary = "list the commands, or tell about one",
    .arguments = arguments,
    .needs = NEED_NOTHING,
    .flags = COMMAND_LOCAL,
    .run = run,
};
