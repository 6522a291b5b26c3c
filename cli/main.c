/* SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/dispatch.h"
#include "cli/script.h"
#include "cli/shell.h"
#include "commands/commands.h"

static const struct command *const commands[] = {COMMANDS, NULL};

int main(int argc, char **argv)
{
    const char *const *words = (const char *const *)argv + (argc > 0);
    struct interrupt interrupt;
    struct output output;
    struct front front;
    struct desk desk;
    int status;

    /* A reader of the output that went away is a status, not a death in the middle of a transaction. */
    signal(SIGPIPE, SIG_IGN);
    output_init(&output, STDOUT_FILENO, STDERR_FILENO, getenv("NO_COLOR"), getenv("TERM"));
    if (interrupt_init(&interrupt, true) < 0)
        return output_error(&output, STATUS_SERVICE, 0, "cannot start a thread",
                            "End other programs, then try again.");
    desk_init(&desk, &interrupt);
    front_init(&front, FRONT_ONE_SHOT, commands, &desk, &output, &interrupt);
    front.reader = getenv("SCARD_READER");
    front.run_shell = shell_run;
    front.run_script = script_run;
    status = dispatch(&front, argc > 0 ? argc - 1 : 0, words);
    desk_fini(&desk);
    interrupt_fini(&interrupt);
    return status;
}
