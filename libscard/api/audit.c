/* SPDX-License-Identifier: MIT */
/* SCardAudit: that a PIN was right or wrong, in the system's log. */
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>
#include <winscard.h>

#include "api/catalog.h"
#include "api/export.h"
#include "api/object.h"
#include "api/text.h"
#include "base/bytes.h"
#include "base/hex.h"

static int append(struct buffer *text, const char *words)
{
    return buffer_append(text, words, strlen(words));
}

/* One line, whatever a reader calls itself. */
static int append_name(struct buffer *text, const char *name)
{
    int rc = RC_OK;

    while (*name && !rc) {
        size_t control = text_control(name);

        rc = control ? append(text, "?") : buffer_append(text, name, 1);
        name += control ? control : 1;
    }
    return rc;
}

static int append_card(struct buffer *text, const struct reader_entry *entry)
{
    char atr[2 * ATR_MAX + 1];
    int rc;

    if (!entry || !entry->atr_length)
        return append(text, " without a card");
    hex_format(entry->atr, entry->atr_length, atr);
    rc = append(text, " with the card ");
    return rc ? rc : append(text, atr);
}

static const struct reader_entry *find(const struct reader_entry *readers, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(readers[i].name, name))
            return &readers[i];
    return NULL;
}

/* By its own name, and once, whatever names it was connected by. told: a multi-string without end. */
static int append_reader(struct buffer *text, struct buffer *told, struct api_context *context,
                         const char *name, const struct reader_entry *readers, size_t count)
{
    TEXT_OWNED char *own = NULL;
    int rc = catalog_own_name(context, name, &own);

    if (rc == RC_NO_MEMORY)
        return rc;
    if (own)
        name = own;
    for (size_t at = 0; at < told->length; at += strlen((char *)told->data + at) + 1)
        if (!strcmp((char *)told->data + at, name))
            return RC_OK;
    rc = buffer_append(told, name, strlen(name) + 1);
    if (!rc)
        rc = append(text, ", reader ");
    if (!rc)
        rc = append_name(text, name);
    return rc ? rc : append_card(text, find(readers, count, name));
}

/* By the table, which waits for nobody's transaction. */
static int append_readers(struct buffer *text, struct api_context *context)
{
    TEXT_OWNED char *names = NULL;
    struct reader_entry *readers = NULL;
    struct buffer told = {0};
    size_t count = 0;
    uint16_t events;
    int rc = object_connected(context, &names);

    if (rc)
        return rc;
    /* A service that has ended is no reason to keep silent. */
    if (*names && context_ops(context)->table(context->service, &readers, &count, &events))
        count = 0;
    for (const char *name = names; *name && !rc; name += strlen(name) + 1)
        rc = append_reader(text, &told, context, name, readers, count);
    free(readers);
    buffer_fini(&told);
    return rc;
}

static void report(struct api_context *context, DWORD event)
{
    bool good = event == SCARD_AUDIT_CHV_SUCCESS;
    struct buffer text = {0};
    int rc = append_readers(&text, context);

    if (!rc && !text.length)
        rc = append(&text, ", no reader connected");
    if (!rc)
        rc = buffer_append(&text, "", 1);
    /* Without memory the event is told all the same. */
    syslog(LOG_AUTHPRIV | (good ? LOG_INFO : LOG_NOTICE), "scard: PIN verification %s, user %lu%s",
           good ? "succeeded" : "failed", (unsigned long)getuid(), rc ? "" : (const char *)text.data);
    buffer_fini(&text);
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
    detail_clear(); /* what could not be found out is no failure */
    return SCARD_S_SUCCESS;
}
