/* SPDX-License-Identifier: MIT */
#include "cli/call.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    if (call->front->kind != FRONT_ONE_SHOT || call->front->run_program == NULL)
        return call_fail(call, STATUS_USAGE, "Run \"scard exec\" from a terminal or shell script.",
                         "programs cannot be started from within a shell, script or session of scard");
    if (call_option(call, "trace-file") != NULL)
        call->globals.trace = call_option(call, "trace-file");
    else if (call_flag(call, "trace"))
        call->globals.trace = "-";
    return call->front->run_program(call);
}

static const struct argument_spec arguments[] = {
    {"PROGRAM", VALUE_FILE, NULL, false, false, "looked for in PATH"},
    {"ARGUMENT", VALUE_FILE, NULL, true, true, "for the program, also if it begins with -"},
    {0},
};

static const struct option_spec options[] = {
    {"trace", 0, VALUE_NONE, NULL, NULL, "show what it does with readers and cards on standard error"},
    {"trace-file", 0, VALUE_FILE, "FILE", NULL, "write that into a file instead; *.jsonl, *.pcapng as --trace-format"},
    {0},
};

const struct command command_exec = {
    .name = "exec",
    .group = "Program",
    .summary = "run a program on libscard in place of pcsc-lite",
    .description =
        "A program that was made for pcsc-lite finds libscard where it looks for libpcsclite.so.1, whether "
        "it "
        "is linked\n"
        "to that or loads it while it runs. It takes the place of scard: signals, terminal and exit status "
        "are its own;\n"
        "127 if there is no such program, 126 if it cannot be run. What it starts runs on libscard, too. Its "
        "readers are\n"
        "those of scard, also those of --readers.\n"
        "\n"
        "A program that is linked statically or kept in a sandbox cannot load the library: it finds the "
        "server that scard\n"
        "would use, if there is one, by PCSCLITE_CSOCK_NAME. A set-uid program ignores all this.\n"
        "\n"
        "A line of the trace has the time of day, the process, the call, context and handle, what went in, "
        "behind > what\n"
        "came out, behind ! what went wrong, and how long it took. PINs and keys in it are **.",
    .examples = "  scard exec pcsc_scan -r\n  scard exec --readers sim:iso -- opensc-tool --atr\n"
                "  scard exec --trace pkcs15-tool --list-certificates\n  scard exec bash",
    .arguments = arguments,
    .options = options,
    .needs = NEED_NOTHING,
    .flags = COMMAND_LOCAL | COMMAND_TIMES | COMMAND_PASSES,
    .run = run,
};
