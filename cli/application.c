/* SPDX-License-Identifier: MIT */
#include "cli/application.h"

#include <string.h>

#include "base/hex.h"
#include "cli/explain/aid.h"

/* "piv, openpgp, …" */
static int fail_unknown(struct call *call, const char *text)
{
    struct buffer words = {0};
    const struct aid *aid;
    int status;

    if (buffer_append(&words, "Known are ", 10) < 0)
        return call_no_memory(call);
    for (size_t i = 0; (aid = aid_word_at(i)) != NULL; i++)
        if ((i > 0 && buffer_append(&words, ", ", 2) < 0) ||
            buffer_append(&words, aid->word, strlen(aid->word)) < 0)
            break;
    status = buffer_append(&words, "; or give the AID in hex.", sizeof "; or give the AID in hex.") < 0
                 ? call_no_memory(call)
                 : call_fail(call, STATUS_USAGE, (const char *)words.data,
                             "no application is known as \"%s\"", text);
    buffer_fini(&words);
    return status;
}

int application_find(struct call *call, const char *text, struct buffer *name)
{
    const struct aid *aid = aid_by_name(text);
    size_t at, count = 0;

    if (aid != NULL)
        return buffer_append(name, aid->bytes, aid->length) < 0 ? call_no_memory(call) : STATUS_DONE;
    if (buffer_reserve(name, strlen(text) / 2 + 1) < 0)
        return call_no_memory(call);
    if (hex_parse(text, strlen(text), name->data, &count, &at) < 0 || count == 0)
        return fail_unknown(call, text);
    name->length = count;
    return STATUS_DONE;
}
