/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/deadline.h"
#include "base/hex.h"
#include "cli/call.h"
#include "cli/choose.h"
#include "cli/monitor.h"
#include "cli/readers.h"
#include "commands/commands.h"

enum awaited { AWAIT_PRESENT, AWAIT_ABSENT, AWAIT_READER };

/* --quiet: the exit status is all that is asked for. */
static bool is_silent(const struct call *call)
{
    return call->globals.quiet && call->output->mode != OUTPUT_JSON;
}

static int report(struct call *call, const struct reader_entry *entry)
{
    char atr[2 * MAX_ATR_SIZE + 1];
    struct record record;
    int status;

    if (is_silent(call))
        return STATUS_DONE;
    record_init(&record, "reader", RECORD_ROW);
    record_text(&record, SHOW_JSON | SHOW_BARE, "name", entry->name);
    record_text(&record, SHOW_JSON | SHOW_BARE, "state", readers_state_word(entry->state));
    record_hex(&record, SHOW_JSON | SHOW_BARE, "atr", entry->atr, entry->atr_length);
    record_people(&record, "%s: %s", entry->name, readers_state_word(entry->state));
    if (entry->atr_length > 0)
        record_people(&record, "  %s", hex_format(entry->atr, entry->atr_length, atr));
    status = output_record(call->output, &record);
    record_fini(&record);
    return status;
}

static bool is_it(const struct call *call, enum awaited awaited, const struct reader_entry *entry)
{
    const char *choice = call->reader != NULL ? call->reader : call->globals.reader;

    if (awaited == AWAIT_READER)
        return choice == NULL || readers_matches(entry, choice);
    if (choice != NULL && strcmp(entry->name, choice) != 0)
        return false;
    return awaited == AWAIT_PRESENT ? (entry->state & SCARD_STATE_PRESENT) != 0
                                    : (entry->state & SCARD_STATE_EMPTY) != 0;
}

/* 1 and a report when the condition holds now, 0 if not yet, else the negative status of a reported failure.
 */
static int look(struct call *call, enum awaited awaited)
{
    struct reader_list list;
    LONG code = readers_load(call->desk->context, &list);
    int result = 0;

    if (code != SCARD_S_SUCCESS)
        return -call_fail_scard(call, code, "cannot look at the readers");
    for (size_t i = 0; i < list.count && result == 0; i++)
        if (is_it(call, awaited, &list.entries[i]))
            result = report(call, &list.entries[i]) == STATUS_DONE ? 1 : -STATUS_PIPE;
    readers_free(&list);
    return result;
}

static const char *what_awaited(enum awaited awaited)
{
    static const char *const words[] = {"no card came", "the card was not taken out",
                                        "the reader did not come"};

    return words[awaited];
}

static int wait_for(struct call *call, enum awaited awaited, struct monitor *monitor)
{
    struct deadline deadline =
        call->globals.timeout_ms < 0 ? deadline_never() : deadline_in_ms((uint64_t)call->globals.timeout_ms);

    /* The monitor knows the state from before the look, so a change in between is not missed. */
    for (;;) {
        int left, result = look(call, awaited);
        LONG code;

        if (result != 0)
            return result > 0 ? STATUS_DONE : -result;
        left = deadline_poll_ms(deadline);
        code = monitor_wait(monitor, left < 0 ? INFINITE : (DWORD)left, NULL, NULL);
        if (code == SCARD_E_TIMEOUT && is_silent(call))
            return STATUS_TIMEOUT;
        if (code == SCARD_E_TIMEOUT)
            return call_fail_scard(call, code, "%s", what_awaited(awaited));
        if (code != SCARD_S_SUCCESS)
            return call_fail_scard(call, code, "cannot wait");
    }
}

static int run(struct call *call)
{
    bool absent = call_flag(call, "absent"), reader = call_flag(call, "reader-in");
    enum awaited awaited = absent ? AWAIT_ABSENT : reader ? AWAIT_READER : AWAIT_PRESENT;
    struct monitor monitor;
    int status;
    LONG code;

    if (absent + reader + call_flag(call, "present") > 1)
        return call_fail(call, STATUS_USAGE, "", "--present, --absent and --reader-in exclude each other");
    if (call->globals.reader != NULL && awaited != AWAIT_READER) {
        status = choose_find(call, call->globals.reader, &call->reader);
        if (status != STATUS_DONE)
            return status;
    }
    code = monitor_init(&monitor, call->desk->context);
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot wait");
    status = wait_for(call, awaited, &monitor);
    monitor_fini(&monitor);
    return status;
}

static const struct option_spec options[] = {
    {"present", 0, VALUE_NONE, NULL, NULL, "until a card is in (default)"},
    {"absent", 0, VALUE_NONE, NULL, NULL, "until the card is out"},
    {"reader-in", 0, VALUE_NONE, NULL, NULL, "until a reader (that -r matches) is plugged in"},
    {0},
};

const struct command command_wait = {
    .name = "wait",
    .group = "Readers",
    .summary = "wait for a card to come or go, or for a reader",
    .description =
        "SCardGetStatusChange. Returns at once if it is so already; prints reader, state and ATR. "
        "Without -r any\n"
        "reader will do. --timeout that runs out is exit status 10. With --quiet nothing is printed, then "
        "either.",
    .examples =
        "  scard wait --present --timeout 30 && scard apdu 00A4040000\n  if scard wait -q --timeout 0; then "
        "echo a card is in; fi\n  scard wait --reader-in -r Gemalto",
    .options = options,
    .needs = NEED_SERVICE,
    .flags = COMMAND_TIMES,
    .run = run,
};
