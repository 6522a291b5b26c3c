/* SPDX-License-Identifier: MIT */
#include "cli/call.h"
#include "cli/names.h"
#include "commands/commands.h"

static void add_state(struct record *record, DWORD state)
{
    static const struct {
        DWORD bit;
        const char *word;
    } bits[] = {
        {SCARD_ABSENT, "absent"},   {SCARD_PRESENT, "present"},       {SCARD_SWALLOWED, "mute"},
        {SCARD_POWERED, "powered"}, {SCARD_NEGOTIABLE, "negotiable"}, {SCARD_SPECIFIC, "specific"},
    };

    record_list(record, SHOW_ALL, "state");
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++)
        if (state & bits[i].bit)
            record_list_add(record, bits[i].word);
}

static int run(struct call *call)
{
    const struct desk *desk = call->desk;
    DWORD state = 0, protocol = 0, atr_length = MAX_ATR_SIZE;
    BYTE atr[MAX_ATR_SIZE];
    struct record record;
    LONG code = SCardStatus(desk->card, NULL, NULL, &state, &protocol, atr, &atr_length);

    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot get the status of %s", desk->reader);
    record_init(&record, "status", RECORD_FACTS);
    record_text(&record, SHOW_ALL, "reader", desk->reader);
    add_state(&record, state);
    record_text(&record, SHOW_ALL, "protocol", names_protocol(protocol));
    record_hex(&record, SHOW_ALL, "atr", atr, state & SCARD_ABSENT ? 0 : atr_length);
    record_number(&record, SHOW_ALL, "events", (int64_t)(state >> 16 & 0xFFFF));
    /* A connection made for this command only is not the user's. */
    if (desk == call->front->desk) {
        record_text(&record, SHOW_ALL, "connected", names_share(desk->share));
        record_number(&record, SHOW_ALL, "transactions", desk->depth);
    } else {
        record_text(&record, SHOW_JSON | SHOW_BARE, "connected", "no");
        record_number(&record, SHOW_JSON | SHOW_BARE, "transactions", 0);
    }
    output_record(call->output, &record);
    record_fini(&record);
    return STATUS_DONE;
}

const struct command command_status = {
    .name = "status",
    .group = "Card",
    .summary = "state of reader and card: presence, protocol, ATR",
    .description =
        "SCardStatus. Without a session the reader is looked at directly, so that it works without a card.",
    .needs = NEED_DIRECT,
    .run = run,
};
