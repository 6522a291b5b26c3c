/* SPDX-License-Identifier: MIT */
#include "cli/call.h"
#include "cli/names.h"
#include "commands/commands.h"

static int run(struct call *call)
{
    const char *scope = call_option(call, "scope");
    struct desk *desk = call->front->desk;
    bool was_open = desk->context != 0;
    DWORD number = SCARD_SCOPE_SYSTEM;
    struct record record;
    LONG code;

    if (scope == NULL)
        scope = "system";
    names_scope_parse(scope, &number);
    code = desk_establish(desk, number);
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot open a context");
    record_init(&record, "context", RECORD_ROW);
    record_text(&record, SHOW_JSON | SHOW_BARE, "state", "open");
    record_bool(&record, SHOW_JSON, "was_open", was_open);
    record_people(&record, was_open ? "The context is open already." : "Context opened: the service works.");
    output_record(call->output, &record);
    record_fini(&record);
    return STATUS_DONE;
}

static const struct option_spec options[] = {
    {"scope", 0, VALUE_CHOICE, "SCOPE", "user|terminal|system|global", "scope of the context (system)"},
    {"idle", 0, VALUE_SECONDS, "SECONDS", NULL, "unused for so long, a session that this opens ends (15m; 0: never)"},
    {0},
};

const struct command command_establish = {
    .name = "establish",
    .group = "Context",
    .summary = "open a context: does the smart-card service work?",
    .description =
        "SCardEstablishContext. Other commands open the context by themselves when they need one. In a shell the\n"
        "context stays open. On its own, establish leaves a background session behind that holds it, without a card\n"
        "yet: a later connect connects there. release ends it; see connect.",
    .options = options,
    .needs = NEED_NOTHING,
    .flags = COMMAND_OPENS,
    .run = run,
};
