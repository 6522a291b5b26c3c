/* SPDX-License-Identifier: MIT */
#include "cli/call.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    if (call->front->kind != FRONT_ONE_SHOT || call->front->run_program == NULL)
        return call_fail(call, STATUS_USAGE, "Run \"scard exec\" from a terminal or shell script.",
                         "programs cannot be started from within a shell, script or session of scard");
    return call->front->run_program(call);
}

static const struct argument_spec arguments[] = {
    {"PROGRAM", VALUE_FILE, NULL, false, false, "looked for in PATH"},
    {"ARGUMENT", VALUE_FILE, NULL, true, true, "for the program, also if it begins with -"},
    {0},
};

const struct command command_exec = {
    .name = "exec",
    .group = "Program",
    .summary = "run a program on libscard in place of pcsc-lite",
    .description =
        "A program that was made for pcsc-lite finds libscard where it looks for libpcsclite.so.1, whether "
        "it "
        "is\n"
        "linked to that or loads it while it runs. It takes the place of scard: signals, terminal and exit "
        "status\n"
        "are its own; 127 if there is no such program, 126 if it cannot be run. What it starts runs on "
        "libscard,\n"
        "too. Its readers are those of scard, also those of --readers.\n"
        "\n"
        "A set-uid program ignores all this, and one that is linked statically or kept in a sandbox cannot "
        "load\n"
        "the library.",
    .examples = "  scard exec pcsc_scan -r\n  scard exec --readers sim:iso -- opensc-tool --atr\n"
                "  scard exec bash",
    .arguments = arguments,
    .needs = NEED_NOTHING,
    .flags = COMMAND_LOCAL | COMMAND_TIMES | COMMAND_PASSES,
    .run = run,
};
