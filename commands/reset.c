/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "cli/call.h"
#include "cli/choose.h"
#include "cli/readers.h"
#include "commands/commands.h"

/* Was the reader in use before this command connected to it? Within a session that cannot be told: 0 no, 1
 * yes, -1. */
static int used_by_others(struct call *call)
{
    struct reader_list list;
    int used = -1;

    if (desk_is_connected(call->front->desk) && strcmp(call->front->desk->reader, call->reader) == 0)
        return -1;
    if (readers_load(call->desk->context, &list) != SCARD_S_SUCCESS)
        return -1;
    for (size_t i = 0; i < list.count; i++)
        if (strcmp(list.entries[i].name, call->reader) == 0)
            used = (list.entries[i].state & SCARD_STATE_INUSE) != 0;
    readers_free(&list);
    return used;
}

static int show(struct call *call, const char *kind, int used)
{
    BYTE atr[MAX_ATR_SIZE];
    DWORD length = sizeof atr;
    char text[2 * MAX_ATR_SIZE + 1];
    struct record record;
    LONG code = SCardStatus(call->desk->card, NULL, NULL, NULL, NULL, atr, &length);

    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "the card in %s was reset, but its ATR cannot be read",
                               call->reader);
    record_init(&record, "reset", RECORD_ROW);
    record_text(&record, SHOW_JSON, "reader", call->reader);
    record_text(&record, SHOW_JSON, "kind", kind);
    record_hex(&record, SHOW_JSON | SHOW_BARE, "atr", atr, length);
    if (used >= 0)
        record_bool(&record, SHOW_JSON, "others_affected", used == 1);
    else
        record_text(&record, SHOW_JSON, "others_affected", NULL);
    record_people(&record, "%s", hex_format(atr, length, text));
    if (used == 1)
        record_people(&record, "\n%sOther programs use this card: they are told that it was reset.%s",
                      output_paint(call->output, PAINT_WARN), output_paint(call->output, PAINT_END));
    output_record(call->output, &record);
    record_fini(&record);
    return STATUS_DONE;
}

static int run(struct call *call)
{
    const char *kind = call_argument(call, 0);
    bool cold = kind != NULL && strcasecmp(kind, "cold") == 0;
    DWORD protocols = call->globals.protocols;
    int status, used = used_by_others(call);
    LONG code;

    status = choose_reader(call, NEED_CARD);
    if (status != STATUS_DONE)
        return status;
    if (call->desk->share == SCARD_SHARE_DIRECT && !call->globals.has_protocols)
        protocols = 0;
    code = desk_reconnect(call->desk, call->desk->share, protocols,
                          cold ? SCARD_UNPOWER_CARD : SCARD_RESET_CARD);
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot reset the card in %s", call->reader);
    return show(call, cold ? "cold" : "warm", used);
}

static const struct argument_spec arguments[] = {
    {"KIND", VALUE_CHOICE, "warm|cold", true, false,
     "warm: the reset line (default); cold: power off and on"},
    {0},
};

const struct command command_reset = {
    .name = "reset",
    .group = "Card",
    .summary = "reset the card and print its ATR",
    .description = "SCardReconnect with a reset. Whatever was selected or verified on the card is lost, for "
                   "every program that\n"
                   "is connected to it; those are told, and have to reconnect.",
    .arguments = arguments,
    .needs = NEED_READER,
    .run = run,
};
