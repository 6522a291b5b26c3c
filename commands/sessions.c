/* SPDX-License-Identifier: MIT */
#include "cli/call.h"
#include "cli/session.h"
#include "commands/commands.h"

static int show(struct call *call, const struct session_entry *entry)
{
    const char *state = entry->busy ? "busy" : entry->depth > 0 ? "transaction" : "idle";
    struct record record;
    int status;

    record_init(&record, "session", RECORD_ROW);
    record_text(&record, SHOW_JSON | SHOW_BARE, "name", entry->name);
    record_text(&record, SHOW_JSON | SHOW_BARE, "state", state);
    record_text(&record, SHOW_JSON | SHOW_BARE, "reader", entry->reader[0] != '\0' ? entry->reader : NULL);
    record_bool(&record, SHOW_JSON, "current", entry->current);
    record_bool(&record, SHOW_JSON, "busy", entry->busy);
    record_number(&record, SHOW_JSON, "depth", entry->depth);
    record_number(&record, SHOW_JSON, "pid", entry->pid);
    record_people(&record, "%s %-24s  %-11s  %s", entry->current ? "*" : " ", entry->name, state,
                  entry->reader[0] != '\0' ? entry->reader : "not connected");
    status = output_record(call->output, &record);
    record_fini(&record);
    return status;
}

static int run(struct call *call)
{
    return session_each(call, show);
}

const struct command command_sessions = {
    .name = "sessions",
    .group = "Context",
    .summary = "list the background sessions",
    .description =
        "One line for each session of this user: its name, what it does, and the reader it is connected to. "
        "The one\n"
        "that commands typed here would use is marked. shell-PID-START belongs to the shell with that "
        "process id\n"
        "and ends with it; --session takes these names too, so a session can be released from elsewhere.",
    .examples = "  scard connect -r 0 --session work\n  scard sessions\n  scard --session work release",
    .needs = NEED_NOTHING,
    .flags = COMMAND_LOCAL,
    .run = run,
};
