/* SPDX-License-Identifier: MIT */
/* SCardAudit: that a PIN was right or wrong, in the system's log. */
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <winscard.h>

#include "api/export.h"
#include "api/object.h"
#include "base/bytes.h"
#include "base/hex.h"

/* One line, whatever a reader calls itself. */
static void append_name(struct buffer *text, const char *name)
{
    for (; *name; name++) {
        char byte = (unsigned char)*name < 0x20 || *name == 0x7F ? '?' : *name;

        buffer_append(text, &byte, 1);
    }
}

static void append_card(struct buffer *text, struct api_card *card)
{
    struct handle_status status;
    char atr[2 * ATR_MAX + 1];

    if (card_ops(card)->status(card->service, &status))
        return;
    buffer_append(text, text->length ? "; " : "", text->length ? 2 : 0);
    append_name(text, status.reader);
    buffer_append(text, ", ATR ", 6);
    hex_format(status.atr, status.atr_length, atr);
    buffer_append(text, atr, strlen(atr));
}

static void report(struct api_context *context, DWORD event)
{
    struct buffer cards = {0};
    struct api_card **connected = NULL;
    size_t count = 0;

    if (!object_cards(context, &connected, &count)) {
        for (size_t i = 0; i < count; i++) {
            append_card(&cards, connected[i]);
            object_put_card(connected[i]);
        }
    }
    free(connected);
    buffer_append(&cards, "", 1);
    syslog(LOG_AUTHPRIV | (event == SCARD_AUDIT_CHV_SUCCESS ? LOG_INFO : LOG_NOTICE),
           "scard: PIN verification %s, user %lu%s%s",
           event == SCARD_AUDIT_CHV_SUCCESS ? "succeeded" : "failed", (unsigned long)getuid(),
           cards.length > 1 ? ", " : ", no card connected",
           cards.data && cards.length > 1 ? (const char *)cards.data : "");
    buffer_fini(&cards);
}

EXPORT LONG SCardAudit(SCARDCONTEXT hContext, DWORD dwEvent)
{
    struct api_context *context;

    EXPORT_BEGIN;
    if (dwEvent != SCARD_AUDIT_CHV_FAILURE && dwEvent != SCARD_AUDIT_CHV_SUCCESS)
        return SCARD_E_INVALID_PARAMETER;
    context = object_context(hContext);
    if (!context)
        return SCARD_E_INVALID_HANDLE;
    report(context, dwEvent);
    object_put_context(context);
    return SCARD_S_SUCCESS;
}
