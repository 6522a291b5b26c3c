/* SPDX-License-Identifier: MIT */
#include "cli/call.h"
#include "cli/names.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    struct desk *desk = call->front->desk;
    const char *card = call_option(call, "card");
    DWORD disposition = SCARD_LEAVE_CARD;
    int status = call_connected(call);
    struct record record;
    LONG code;

    if (status != STATUS_DONE)
        return status;
    if (card != NULL)
        names_disposition_parse(card, &disposition);
    code = desk_end(desk, disposition);
    if (code == SCARD_E_NOT_TRANSACTED)
        return call_fail(call, STATUS_USAGE, "Begin one first: \"scard begin\".",
                         "no transaction is open on %s", desk->reader);
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot end the transaction on %s", desk->reader);
    record_init(&record, "transaction", RECORD_ROW);
    record_text(&record, SHOW_JSON, "reader", desk->reader);
    record_number(&record, SHOW_JSON, "depth", desk->depth);
    if (desk->depth > 0)
        record_people(&record, "Inner transaction ended; %u still open.", desk->depth);
    else
        record_people(&record, "Transaction ended.");
    output_remark(call->output, &record);
    record_fini(&record);
    return STATUS_DONE;
}

static const struct option_spec options[] = {
    {"card", 0, VALUE_CHOICE, "WHAT", "leave|reset|unpower|eject", "what becomes of the card (leave)"},
    {0},
};

const struct command command_end = {
    .name = "end",
    .group = "Card",
    .summary = "end the transaction",
    .description = "SCardEndTransaction. After a reset or power-off this session, too, has to reconnect.",
    .options = options,
    .needs = NEED_NOTHING,
    .flags = COMMAND_KEEPS,
    .run = run,
};
