/* SPDX-License-Identifier: MIT */
#include "cli/call.h"
#include "cli/connection.h"
#include "cli/names.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    const struct globals *globals = &call->globals;
    struct desk *desk = call->front->desk;
    const char *card = call_option(call, "card");
    DWORD share = globals->has_share ? globals->share : desk->share;
    DWORD protocols = globals->protocols, initialization = SCARD_LEAVE_CARD;
    int status = call_connected(call);
    LONG code;

    if (status != STATUS_DONE)
        return status;
    if (card != NULL)
        names_disposition_parse(card, &initialization);
    if (share == SCARD_SHARE_DIRECT && !globals->has_protocols)
        protocols = 0;
    code = desk_reconnect(desk, share, protocols, initialization);
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot reconnect to %s", desk->reader);
    return connection_show(call, "Reconnected to");
}

static const struct option_spec options[] = {
    {"card", 0, VALUE_CHOICE, "WHAT", "leave|reset|unpower",
     "leave the card as it is (default), reset it (warm), or power it off and on (cold)"},
    {0},
};

const struct command command_reconnect = {
    .name = "reconnect",
    .group = "Card",
    .summary = "connect again: after a reset or removal, or with another share mode",
    .description = "SCardReconnect. Clears \"card was reset\" and \"card was taken out\". Share mode and "
                   "protocol may change:\n"
                   "--share and --protocol.",
    .options = options,
    .needs = NEED_NOTHING,
    .flags = COMMAND_KEEPS,
    .run = run,
};
