/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/rc.h"
#include "cli/call.h"
#include "cli/save.h"
#include "cli/scope.h"
#include "commands/commands.h"

/* More than the cache takes, so that it is the cache that refuses. */
#define FILE_MAX (1u << 20)

static int run_read(struct call *call)
{
    const char *name = call_argument(call, 1), *file = call_option(call, "output");
    DWORD length = SCARD_AUTOALLOCATE, freshness = (DWORD)call_number(call, "freshness", 0);
    LPBYTE data = NULL;
    UUID card;
    LONG code;
    int status = scope_guid(call, call_argument(call, 0), &card);

    if (status != STATUS_DONE)
        return status;
    code =
        SCardReadCache(call->desk->context, &card, freshness, (LPSTR)(uintptr_t)name, (PBYTE)&data, &length);
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot read \"%s\" from the cache", name);
    if (file != NULL) {
        status = save_file(call, file, data, length);
    } else {
        struct record record;

        record_init(&record, "item", RECORD_ROW);
        record_text(&record, SHOW_JSON, "name", name);
        record_number(&record, SHOW_JSON, "freshness", (int64_t)freshness);
        record_hex(&record, SHOW_ALL, "data", data, length);
        output_record(call->output, &record);
        record_fini(&record);
    }
    SCardFreeMemory(call->desk->context, data);
    return status;
}

static int run_write(struct call *call)
{
    const char *name = call_argument(call, 1), *hex = call_argument(call, 2),
               *file = call_option(call, "input");
    struct buffer data = {0};
    UUID card;
    LONG code;
    int rc = RC_OK, status = scope_guid(call, call_argument(call, 0), &card);

    if (status == STATUS_DONE && (hex != NULL) == (file != NULL))
        status = call_fail(call, STATUS_USAGE, "", "give either DATA in hex or --input FILE");
    if (status == STATUS_DONE && hex != NULL)
        status = call_hex(call, hex, &data);
    if (status == STATUS_DONE && file != NULL) {
        rc = call_read_file(call, file, FILE_MAX, &data);
        if (rc < 0)
            status = call_fail_rc(call, rc, "cannot read \"%s\"", file);
    }
    if (status == STATUS_DONE) {
        code = SCardWriteCache(call->desk->context, &card, (DWORD)call_number(call, "freshness", 0),
                               (LPSTR)(uintptr_t)name, data.data, data.length);
        if (code != SCARD_S_SUCCESS)
            status = call_fail_scard(call, code, "cannot write \"%s\" to the cache", name);
    }
    buffer_fini(&data);
    return status;
}

static const struct option_spec read_options[] = {
    {"freshness", 0, VALUE_NUMBER, "NUMBER", NULL, "the freshness that it must have (0)"},
    {"output", 'o', VALUE_FILE, "FILE", NULL, "where the bytes go, in place of hex; - is standard output"},
    {0},
};

static const struct option_spec write_options[] = {
    {"freshness", 0, VALUE_NUMBER, "NUMBER", NULL, "its freshness (0)"},
    {"input", 'i', VALUE_FILE, "FILE", NULL, "where the bytes are; - is standard input"},
    {0},
};

static const struct argument_spec read_arguments[] = {
    {"CARD", VALUE_TEXT, NULL, false, false, "the card's identifier, a GUID"},
    {"NAME", VALUE_TEXT, NULL, false, false, "name of the item"},
    {0},
};

static const struct argument_spec write_arguments[] = {
    {"CARD", VALUE_TEXT, NULL, false, false, "the card's identifier, a GUID"},
    {"NAME", VALUE_TEXT, NULL, false, false, "name of the item"},
    {"DATA", VALUE_HEX, NULL, true, false, "its bytes"},
    {0},
};

static const struct command read_item = {
    .name = "cache read",
    .summary = "read an item",
    .description = "SCardReadCache.",
    .arguments = read_arguments,
    .options = read_options,
    .needs = NEED_SERVICE,
    .run = run_read,
};

static const struct command write_item = {
    .name = "cache write",
    .summary = "store or replace an item",
    .description = "SCardWriteCache.",
    .examples = "  scard cache write {01234567-89AB-CDEF-0123-456789ABCDEF} certificate -i cert.der",
    .arguments = write_arguments,
    .options = write_options,
    .needs = NEED_SERVICE,
    .run = run_write,
};

static const struct command *const children[] = {&read_item, &write_item, NULL};

const struct command command_cache = {
    .name = "cache",
    .group = "Database",
    .summary = "the card cache: what programs keep of cards for each other",
    .children = children,
};
