/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "cli/call.h"
#include "cli/names.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    struct desk *desk = call->front->desk;
    const char *card = call_option(call, "card");
    DWORD disposition = desk->used_secret ? SCARD_RESET_CARD : SCARD_LEAVE_CARD;
    int status = call_connected(call);
    struct record record;
    char *reader;
    LONG code;

    if (status != STATUS_DONE)
        return status;
    reader = strdup(desk->reader);
    if (reader == NULL)
        return call_no_memory(call);
    if (card != NULL)
        names_disposition_parse(card, &disposition);
    code = desk_disconnect(desk, disposition);
    if (code != SCARD_S_SUCCESS) {
        status = call_fail_scard(call, code, "disconnecting from %s", reader);
    } else {
        record_init(&record, "disconnected", RECORD_ROW);
        record_text(&record, SHOW_JSON, "reader", reader);
        record_text(&record, SHOW_JSON, "card", names_disposition(disposition));
        record_people(&record, "Disconnected from %s%s.", reader,
                      disposition == SCARD_RESET_CARD ? ", card reset" : "");
        output_remark(call->output, &record);
        record_fini(&record);
    }
    free(reader);
    return status;
}

static const struct option_spec options[] = {
    {"card", 0, VALUE_CHOICE, "WHAT", "leave|reset|unpower|eject",
     "what becomes of the card (leave; reset after a PIN)"},
    {0},
};

const struct command command_disconnect = {
    .name = "disconnect",
    .group = "Card",
    .summary = "end the connection to the card",
    .description =
        "SCardDisconnect. The card is left as it is, but reset when a PIN or key was sent over this "
        "connection, so\n"
        "that nobody finds it unlocked; --card decides otherwise. The session stays: release ends it.",
    .options = options,
    .needs = NEED_NOTHING,
    .flags = COMMAND_KEEPS,
    .run = run,
};
