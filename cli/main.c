/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/dispatch.h"
#include "cli/launch.h"
#include "cli/script.h"
#include "cli/session.h"
#include "cli/session_server.h"
#include "cli/session_start.h"
#include "cli/shell.h"
#include "commands/commands.h"

static const struct command *const commands[] = {COMMANDS, NULL};

/* A stream that the caller has closed stays one that can neither be read nor written: no other file may get
 * its number. */
static void hold_streams(void)
{
    int fd;

    do
        fd = open("/dev/null", O_PATH | O_CLOEXEC);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

/* In the session that it belongs to, or here. */
static int run(const struct front *front, int argc, const char *const *words)
{
    struct call call;
    int status = dispatch_parse(front, argc, words, &call);

    if (status == STATUS_DONE && session_forward(&call, argc, words, &status) == 0)
        status = dispatch_run(&call);
    dispatch_free(&call);
    return status;
}

int main(int argc, char **argv)
{
    const char *const *words = (const char *const *)argv + (argc > 0);
    struct interrupt interrupt;
    struct output output;
    struct front front;
    struct desk desk;
    int status;

    if (argc > 1 && strcmp(argv[1], SESSION_WORD) == 0) {
        front_init(&front, FRONT_SESSION, commands, NULL, NULL, NULL);
        front.run_script = script_run;
        return session_serve(&front, argc - 1, words);
    }
    hold_streams();
    launch_remember();
    /* A reader of the output that went away is a status, not a death in the middle of a transaction. */
    signal(SIGPIPE, SIG_IGN);
    output_init(&output, STDOUT_FILENO, STDERR_FILENO, getenv("NO_COLOR"), getenv("TERM"));
    if (interrupt_init(&interrupt, true) < 0)
        return output_error(&output, STATUS_SERVICE, 0, "cannot start a thread",
                            "End other programs, then try again.");
    desk_init(&desk, &interrupt);
    front_init(&front, FRONT_ONE_SHOT, commands, &desk, &output, &interrupt);
    front.reader = getenv("SCARD_READER");
    front.open_session = session_open;
    front.run_shell = shell_run;
    front.run_script = script_run;
    front.run_program = launch_program;
    status = run(&front, argc > 0 ? argc - 1 : 0, words);
    desk_fini(&desk);
    interrupt_fini(&interrupt);
    return status;
}
