/* SPDX-License-Identifier: MIT */
#include "cli/call.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    struct desk *desk = call->front->desk;
    int status = call_connected(call);
    struct record record;
    LONG code;

    if (status != STATUS_DONE)
        return status;
    code = desk_begin(desk);
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot begin a transaction on %s", desk->reader);
    record_init(&record, "transaction", RECORD_ROW);
    record_text(&record, SHOW_JSON, "reader", desk->reader);
    record_number(&record, SHOW_JSON, "depth", desk->depth);
    record_people(&record, "Transaction begun%s.",
                  desk->depth > 1 ? " (nested)" : ": the card is yours alone");
    output_remark(call->output, &record);
    record_fini(&record);
    return STATUS_DONE;
}

const struct command command_begin = {
    .name = "begin",
    .group = "Card",
    .summary = "begin a transaction: nobody else uses the card until end",
    .description = "SCardBeginTransaction. Waits, in order of arrival, while another program is in a "
                   "transaction; Ctrl-C or\n"
                   "--timeout ends the wait. Transactions nest.",
    .needs = NEED_NOTHING,
    .flags = COMMAND_KEEPS,
    .run = run,
};
