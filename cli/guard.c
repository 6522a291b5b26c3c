/* SPDX-License-Identifier: MIT */
#include "cli/guard.h"

#include <sys/prctl.h>

#include "cli/secret.h"

static bool holds_secrets(const struct command *command)
{
    const struct argument_spec *argument = command->arguments;

    if (command->flags & COMMAND_SECRET)
        return true;
    for (; argument != NULL && argument->name != NULL; argument++)
        if (argument->value == VALUE_APDU)
            return true;
    for (const struct option_spec *spec = command->options; spec != NULL && spec->name != NULL; spec++)
        if (secret_is_place(spec))
            return true;
    return false;
}

/* The limit of core files says nothing to a program that the kernel pipes dumps to; this flag stops both, and
 * ptrace(2) and /proc/PID/mem as well. */
void guard_begin(struct guard *guard, const struct call *call)
{
    *guard = (struct guard){.begun = call->command != NULL && holds_secrets(call->command)};
    if (!guard->begun)
        return;
    guard->dumpable = prctl(PR_GET_DUMPABLE);
    prctl(PR_SET_DUMPABLE, 0);
}

void guard_end(struct guard *guard)
{
    /* Only 0 and 1 can be set; 2 comes of an executable that others may not read. */
    if (guard->begun && guard->dumpable == 1)
        prctl(PR_SET_DUMPABLE, 1);
}
