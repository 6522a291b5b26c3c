/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "cli/call.h"
#include "cli/scope.h"
#include "commands/commands.h"

static LONG show_group(struct call *call, const char *group)
{
    SCARDCONTEXT context = call->desk->context;
    DWORD length = SCARD_AUTOALLOCATE;
    size_t room = strlen(group) + 2;
    char *groups = calloc(1, room); /* a multi-string of one */
    LPSTR readers = NULL;
    struct record record;
    LONG code = SCARD_E_NO_MEMORY;

    if (groups != NULL) {
        memcpy(groups, group, room - 2);
        code = SCardListReaders(context, groups, (LPSTR)&readers, &length);
    }
    free(groups);
    if (code != SCARD_S_SUCCESS && code != SCARD_E_NO_READERS_AVAILABLE)
        return code;
    record_init(&record, "group", RECORD_ROW);
    record_text(&record, SHOW_ALL, "name", group);
    record_list(&record, SHOW_ALL, "readers");
    record_people(&record, "%s%s%s", output_paint(call->output, PAINT_BOLD), group,
                  output_paint(call->output, PAINT_END));
    for (const char *reader = readers; reader != NULL && *reader != '\0'; reader += strlen(reader) + 1) {
        record_list_add(&record, reader);
        record_people(&record, "\n  %s", reader);
    }
    output_record(call->output, &record);
    record_fini(&record);
    if (readers != NULL)
        SCardFreeMemory(context, readers);
    return SCARD_S_SUCCESS;
}

static int run_list(struct call *call)
{
    DWORD length = SCARD_AUTOALLOCATE;
    LPSTR groups = NULL;
    LONG code = SCardListReaderGroups(call->desk->context, (LPSTR)&groups, &length);

    for (const char *group = groups; code == SCARD_S_SUCCESS && *group != '\0'; group += strlen(group) + 1)
        code = show_group(call, group);
    if (groups != NULL)
        SCardFreeMemory(call->desk->context, groups);
    return code == SCARD_S_SUCCESS ? STATUS_DONE
                                   : call_fail_scard(call, code, "cannot list the reader groups");
}

static int run_introduce(struct call *call)
{
    const char *group = call_argument(call, 0);
    SCARDCONTEXT context;
    int status = scope_open(call, &context);

    if (status != STATUS_DONE)
        return status;
    return scope_close(call, context, SCardIntroduceReaderGroup(context, group), "no group \"%s\"", group);
}

static int run_forget(struct call *call)
{
    const char *group = call_argument(call, 0);
    SCARDCONTEXT context;
    int status = scope_open(call, &context);

    if (status != STATUS_DONE)
        return status;
    return scope_close(call, context, SCardForgetReaderGroup(context, group), "cannot forget group \"%s\"",
                       group);
}

typedef LONG change_fn(SCARDCONTEXT context, LPCSTR reader, LPCSTR group);

static int change(struct call *call, change_fn *fn, const char *what)
{
    const char *group = call_argument(call, 0);
    char *reader = scope_reader(call, call_argument(call, 1));
    SCARDCONTEXT context;
    int status = reader != NULL ? scope_open(call, &context) : STATUS_READER;

    if (status == STATUS_DONE)
        status = scope_close(call, context, fn(context, reader, group), "cannot %s \"%s\", group \"%s\"",
                             what, reader, group);
    free(reader);
    return status;
}

static int run_add(struct call *call)
{
    return change(call, SCardAddReaderToGroup, "add");
}

static int run_remove(struct call *call)
{
    return change(call, SCardRemoveReaderFromGroup, "remove");
}

static const struct option_spec scope_options[] = {SCOPE_OPTION, {0}};

static const struct argument_spec group_argument[] = {
    {"GROUP", VALUE_GROUP, NULL, false, false, "name of the group"},
    {0},
};

static const struct argument_spec member_arguments[] = {
    {"GROUP", VALUE_GROUP, NULL, false, false, "name of the group"},
    {"READER", VALUE_READER, NULL, false, false, "the reader, also one that is away, by its whole name"},
    {0},
};

static const struct command list = {
    .name = "group list",
    .summary = "the groups, and the readers in each that are attached",
    .description = "SCardListReaderGroups and SCardListReaders. All readers are in SCard$DefaultReaders by "
                   "themselves.",
    .needs = NEED_SERVICE,
    .run = run_list,
};

static const struct command introduce = {
    .name = "group introduce",
    .summary = "check the name of a new group",
    .description = "SCardIntroduceReaderGroup. It stores nothing, as on Windows: a group exists while it has "
                   "readers. So\n\"scard group add\" does without.",
    .arguments = group_argument,
    .options = scope_options,
    .run = run_introduce,
};

static const struct command forget = {
    .name = "group forget",
    .summary = "take a group away; its readers stay",
    .description = "SCardForgetReaderGroup.",
    .arguments = group_argument,
    .options = scope_options,
    .run = run_forget,
};

static const struct command add = {
    .name = "group add",
    .summary = "put a reader into a group",
    .description = "SCardAddReaderToGroup. The group is made if there is none.",
    .examples = "  scard group add Counters \"Front desk\"\n  scard group add --system Counters 0",
    .arguments = member_arguments,
    .options = scope_options,
    .run = run_add,
};

static const struct command remove_reader = {
    .name = "group remove",
    .summary = "take a reader out of a group",
    .description = "SCardRemoveReaderFromGroup. The last one takes the group with it.",
    .arguments = member_arguments,
    .options = scope_options,
    .run = run_remove,
};

static const struct command *const children[] = {&list, &introduce, &forget, &add, &remove_reader, NULL};

const struct command command_group = {
    .name = "group",
    .group = "Database",
    .summary = "groups of readers",
    .children = children,
};
