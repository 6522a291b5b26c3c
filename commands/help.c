/* SPDX-License-Identifier: MIT */
#include "cli/help.h"

#include "cli/call.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    const struct command *const *commands = call->front->commands, *command = NULL;

    for (size_t i = 0; i < call->argument_count; i++) {
        const struct command *family = command, *near;
        const char *name = call->arguments[i];

        if (family != NULL && family->children == NULL)
            return call_fail(call, STATUS_USAGE, "", "there are no commands below \"%s\"", family->name);
        command = command_find(commands, name);
        if (command == NULL) {
            near = command_suggest(commands, name);
            return call_fail(call, STATUS_USAGE, "\"scard help\" lists all commands.",
                             "there is no command \"%s%s%s\"%s%s%s", family != NULL ? family->name : "",
                             family != NULL ? " " : "", name, near != NULL ? ": did you mean \"" : "",
                             near != NULL ? near->name : "", near != NULL ? "\"?" : "");
        }
        commands = command->children;
    }
    return help_show(call, command);
}

static const struct argument_spec arguments[] = {
    {"COMMAND", VALUE_COMMAND, NULL, true, true, "the command to tell about"},
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
