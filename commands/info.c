/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <scard.h>

#include "cli/call.h"
#include "cli/reader_facts.h"
#include "commands/commands.h"

/* *ret_text: SCardFreeMemory. */
static LONG fact(struct call *call, const char *key, char **ret_text)
{
    DWORD length = SCARD_AUTOALLOCATE;

    return scard_reader_fact(call->desk->context, call->reader, key, (LPSTR)ret_text, &length);
}

static void show(struct call *call, const char *device, const char *problem, const char *facts)
{
    struct record record;

    record_init(&record, "info", RECORD_FACTS);
    record_text(&record, SHOW_JSON | SHOW_BARE, "reader", call->reader);
    record_text(&record, SHOW_JSON | SHOW_BARE, "device", device);
    record_text(&record, SHOW_JSON | SHOW_BARE, "problem", problem);
    record_people(&record, "%-20s %s\n%-20s %s", "Reader", call->reader, "Device", device);
    if (problem[0] != '\0')
        record_people(&record, "\n%-20s %s", "Problem", problem);
    reader_facts_add(&record, facts);
    output_record(call->output, &record);
    record_fini(&record);
}

static int run(struct call *call)
{
    char *device = NULL, *problem = NULL, *facts = NULL;
    SCARDCONTEXT context = call->desk->context;
    LONG code = fact(call, "device", &device);

    if (code == SCARD_S_SUCCESS)
        code = fact(call, "problem", &problem);
    if (code == SCARD_S_SUCCESS)
        code = fact(call, "facts", &facts);
    if (code == SCARD_S_SUCCESS)
        show(call, device, problem, facts);
    SCardFreeMemory(context, device);
    SCardFreeMemory(context, problem);
    SCardFreeMemory(context, facts);
    return code == SCARD_S_SUCCESS ? STATUS_DONE
                                   : call_fail_scard(call, code, "nothing is known of %s", call->reader);
}

const struct command command_info = {
    .name = "info",
    .group = "Readers",
    .summary = "everything known of a reader: limits, level, voltages, quirks",
    .description =
        "What the reader's descriptor and the table of quirks say, without opening the device: so it works "
        "too for a reader\n"
        "that cannot be used, and tells why. Limits are what the reader can carry, whatever the card can.",
    .examples = "  scard info\n  scard info -r 0\n  scard --json info -r 0 | jq .max_apdu_t1",
    .needs = NEED_READER,
    .run = run,
};
