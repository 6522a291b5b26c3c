/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "cli/call.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    DWORD length = SCARD_AUTOALLOCATE;
    LPSTR groups = NULL;
    LONG code = SCardListReaderGroups(call->desk->context, (LPSTR)&groups, &length);

    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot list the reader groups");
    for (const char *group = groups; *group != '\0'; group += strlen(group) + 1) {
        struct record record;

        record_init(&record, "group", RECORD_ROW);
        record_text(&record, SHOW_ALL, "name", group);
        output_record(call->output, &record);
        record_fini(&record);
    }
    SCardFreeMemory(call->desk->context, groups);
    return STATUS_DONE;
}

const struct command command_groups = {
    .name = "groups",
    .group = "Readers",
    .summary = "list the reader groups",
    .description = "SCardListReaderGroups.",
    .needs = NEED_SERVICE,
    .run = run,
};
