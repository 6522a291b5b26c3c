/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/hex.h"
#include "cli/call.h"
#include "cli/card_names.h"
#include "cli/readers.h"
#include "commands/commands.h"

static size_t widest(const struct reader_list *list)
{
    size_t width = 0;

    for (size_t i = 0; i < list->count; i++)
        width = strlen(list->entries[i].name) > width ? strlen(list->entries[i].name) : width;
    return width;
}

static void people(struct call *call, const struct reader_entry *entry, size_t number, size_t width,
                   struct record *record)
{
    const struct output *output = call->output;
    const char *word = readers_state_word(entry->state), *use = readers_use_word(entry->state);
    bool card = entry->state & SCARD_STATE_PRESENT, mute = entry->state & SCARD_STATE_MUTE;
    bool bad = entry->problem[0] != '\0' || mute;
    char atr[2 * MAX_ATR_SIZE + 1];

    record_people(record, "%zu  %-*s  %s%s%s", number, (int)width, entry->name,
                  output_paint(output, bad    ? PAINT_BAD
                                       : card ? PAINT_GOOD
                                              : PAINT_DIM),
                  word, output_paint(output, PAINT_END));
    if (use[0] != '\0')
        record_people(record, ", %s", use);
    if (entry->atr_length > 0)
        record_people(record, "  %s", hex_format(entry->atr, entry->atr_length, atr));
    if (entry->problem[0] != '\0')
        record_people(record, ": %s", entry->problem);
}

/* For who reads all of it; a pipe has columns that stay. */
static void add_card_names(struct call *call, const struct reader_entry *entry, struct record *record)
{
    struct atr_names names = {0};

    if (entry->atr_length == 0 || call->globals.quiet || call->output->mode == OUTPUT_BARE)
        return;
    if (card_names_find(entry->atr, entry->atr_length, &names) < 0)
        record->failed = true;
    record_list(record, SHOW_JSON, "card");
    for (size_t i = 0; i < names.count; i++)
        record_list_add(record, names.names[i]);
    if (names.count > 0)
        record_people(record, "\n   %s%s%s", output_paint(call->output, PAINT_DIM), names.names[0],
                      output_paint(call->output, PAINT_END));
    atr_names_fini(&names);
}

static void show(struct call *call, const struct reader_entry *entry, size_t number, size_t width)
{
    unsigned rest = call->globals.quiet ? SHOW_JSON : SHOW_JSON | SHOW_BARE;
    struct record record;

    record_init(&record, "reader", RECORD_ROW);
    record_number(&record, rest, "number", (int64_t)number);
    record_text(&record, SHOW_ALL, "name", entry->name);
    record_text(&record, rest, "state", readers_state_word(entry->state));
    record_text(&record, rest, "use", readers_use_word(entry->state));
    record_hex(&record, rest, "atr", entry->atr, entry->atr_length);
    record_text(&record, rest, "problem", entry->problem);
    record_text(&record, SHOW_JSON, "device", entry->device);
    record_number(&record, SHOW_JSON, "events", entry->events);
    if (!call->globals.quiet)
        people(call, entry, number, width, &record);
    add_card_names(call, entry, &record);
    output_record(call->output, &record);
    record_fini(&record);
}

static int run(struct call *call)
{
    bool with_card = call_flag(call, "has-card");
    struct reader_list list;
    LONG code = readers_load(call->desk->context, &list);
    size_t width, shown = 0;

    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot list the readers");
    if (list.count == 0)
        return call_fail_scard(call, SCARD_E_NO_READERS_AVAILABLE, "nothing to list");
    width = widest(&list);
    for (size_t i = 0; i < list.count && !call->output->broken; i++) {
        if (with_card && !(list.entries[i].state & SCARD_STATE_PRESENT))
            continue;
        show(call, &list.entries[i], i, width);
        shown++;
    }
    readers_free(&list);
    if (shown > 0 || call->output->broken)
        return STATUS_DONE;
    return call_fail(call, STATUS_NO_CARD, "\"scard wait --present\" waits for one.",
                     "no card is in any reader");
}

static const struct option_spec options[] = {
    {"has-card", 0, VALUE_NONE, NULL, NULL, "only readers with a card in; exit status 5 when there is none"},
    {0},
};

const struct command command_list = {
    .name = "list",
    .alias = "readers",
    .group = "Readers",
    .summary = "list the readers: number, name, state, ATR",
    .description = "SCardListReaders and SCardGetStatusChange. States: empty, card, mute (a card that does "
                   "not answer),\n"
                   "unavailable (with the reason); in use, exclusive. For pipes: number, name, state, use, "
                   "ATR and problem,\n"
                   "with tabs between. With --quiet names only. No reader at all is exit status 4.",
    .examples = "  scard list\n  scard list -q --has-card\n  scard --readers sim:iso,vpcd:35963 list\n  "
                "scard list --json | jq -r "
                "'select(.state==\"card\").name'",
    .options = options,
    .needs = NEED_SERVICE,
    .run = run,
};
