/* SPDX-License-Identifier: MIT */
#include "cli/connection.h"

#include "base/hex.h"
#include "cli/names.h"

int connection_show(struct call *call, const char *words)
{
    const struct desk *desk = call->front->desk;
    BYTE atr[MAX_ATR_SIZE];
    DWORD length = sizeof atr, state = 0;
    char text[2 * MAX_ATR_SIZE + 1];
    struct record record;

    /* Without a card there is no ATR, and after a removal no status: the connection stands all the same. */
    if (SCardStatus(desk->card, NULL, NULL, &state, NULL, atr, &length) != SCARD_S_SUCCESS)
        length = 0;
    record_init(&record, "connected", RECORD_ROW);
    record_text(&record, SHOW_JSON | SHOW_BARE, "reader", desk->reader);
    record_text(&record, SHOW_JSON | SHOW_BARE, "share", names_share(desk->share));
    record_text(&record, SHOW_JSON | SHOW_BARE, "protocol", names_protocol(desk->protocol));
    record_hex(&record, SHOW_JSON | SHOW_BARE, "atr", atr, length);
    record_people(&record, "%s %s (%s, %s)", words, desk->reader, names_share(desk->share),
                  desk->protocol != 0 ? names_protocol(desk->protocol) : "no protocol");
    if (length > 0)
        record_people(&record, "  %s", hex_format(atr, length, text));
    output_record(call->output, &record);
    record_fini(&record);
    return STATUS_DONE;
}
