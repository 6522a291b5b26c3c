/* SPDX-License-Identifier: MIT */
#include "cli/call.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    if (call->front->run_script == NULL)
        return call_fail(call, STATUS_USAGE, "", "scripts cannot be run here");
    return call->front->run_script(call);
}

static const struct argument_spec arguments[] = {
    {"FILE", VALUE_FILE, NULL, true, true, "the scripts; - is standard input"},
    {0},
};

static const struct option_spec options[] = {
    {"command", 'c', VALUE_TEXT, "LINES", NULL, "run these lines, separated by ';'; may be repeated"},
    {"tap", 0, VALUE_NONE, NULL, NULL, "a test: each expectation and assert is told as passed or failed (TAP)"},
    {"keep-going", 'k', VALUE_NONE, NULL, NULL, "go on after a failure"},
    {"scriptor", 0, VALUE_NONE, NULL, NULL, "read all files as scriptor does, not only *.apdu"},
    {0},
};

const struct command command_run = {
    .name = "run",
    .alias = "source",
    .group = "Program",
    .summary = "run scripts of commands and APDUs",
    .description =
        "One command or APDU per line; # begins a comment, a \\ at the end joins the next line with a blank. "
        "An\n"
        "APDU may say which answer is right (=9000, =61xx|9000, =[data]9000) and more\n"
        "(help apdu). The first failure ends the script with its "
        "exit\n"
        "status, and its message names FILE:LINE. The first line that needs a card connects, and the card "
        "stays\n"
        "connected to the end. exit [STATUS] ends all. --timeout counts for each line.\n"
        "\n"
        "Files named *.apdu are read as scriptor of pcsc-tools reads them: APDUs in hex, sent as they are\n"
        "without GET RESPONSE; \"reset\" anywhere in a line resets the card, \"exit\" anywhere ends the "
        "file; any\n"
        "status word will do, unless the line says which with =.",
    .examples = "  scard run -r sim:iso read-files.scard\n  scard run -c '00A4000C023F00 =9000; status'\n"
                "  echo 00A4000C023F00 | scard run -",
    .arguments = arguments,
    .options = options,
    .needs = NEED_NOTHING,
    .flags = COMMAND_TIMES,
    .run = run,
};
