/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/deadline.h"
#include "base/hex.h"
#include "base/rc.h"
#include "cli/call.h"
#include "cli/monitor.h"
#include "cli/readers.h"
#include "commands/commands.h"

/* What is looked for: card types by name, or one ATR with its mask. */
struct sought {
    char *names; /* multi-string, or NULL */
    SCARD_ATRMASK mask;
};

static int gather_names(struct call *call, struct sought *sought)
{
    struct buffer names = {0};
    int rc = RC_OK;

    for (size_t i = 0; i < call->argument_count && rc == RC_OK; i++)
        rc = buffer_append(&names, call->arguments[i], strlen(call->arguments[i]) + 1);
    if (rc == RC_OK)
        rc = buffer_append(&names, "", 1);
    sought->names = (char *)names.data;
    return rc < 0 ? call_no_memory(call) : STATUS_DONE;
}

static int gather_mask(struct call *call, const char *atr_hex, const char *mask_hex, SCARD_ATRMASK *ret)
{
    struct buffer atr = {0}, mask = {0};
    int status = call_hex(call, atr_hex, &atr);

    if (status == STATUS_DONE && mask_hex != NULL)
        status = call_hex(call, mask_hex, &mask);
    if (status == STATUS_DONE && (atr.length == 0 || atr.length > sizeof ret->rgbAtr))
        status = call_fail(call, STATUS_USAGE, "", "an ATR has 1 to %zu bytes here", sizeof ret->rgbAtr);
    else if (status == STATUS_DONE && mask_hex != NULL && mask.length != atr.length)
        status =
            call_fail(call, STATUS_USAGE, "", "the mask has %zu bytes, the ATR %zu", mask.length, atr.length);
    if (status == STATUS_DONE) {
        ret->cbAtr = atr.length;
        for (size_t i = 0; i < atr.length; i++) {
            ret->rgbMask[i] = mask_hex != NULL ? mask.data[i] : 0xFF;
            ret->rgbAtr[i] = atr.data[i] & ret->rgbMask[i];
        }
    }
    buffer_fini(&atr);
    buffer_fini(&mask);
    return status;
}

static LONG locate(const struct call *call, struct sought *sought, SCARD_READERSTATE *states, size_t count)
{
    return sought->names != NULL
               ? SCardLocateCards(call->desk->context, sought->names, states, count)
               : SCardLocateCardsByATR(call->desk->context, &sought->mask, 1, states, count);
}

static void report(struct call *call, const SCARD_READERSTATE *state)
{
    char atr[2 * MAX_ATR_SIZE + 1];
    struct record record;

    record_init(&record, "reader", RECORD_ROW);
    record_text(&record, SHOW_JSON | SHOW_BARE, "name", state->szReader);
    record_hex(&record, SHOW_JSON | SHOW_BARE, "atr", state->rgbAtr, state->cbAtr);
    record_people(&record, "%s  %s", state->szReader, hex_format(state->rgbAtr, state->cbAtr, atr));
    output_record(call->output, &record);
    record_fini(&record);
}

/* 1 when cards were found and reported, 0 if there are none, else the negative status of a reported failure.
 */
static int look(struct call *call, struct sought *sought)
{
    SCARD_READERSTATE *states;
    struct reader_list list;
    LONG code = readers_load(call->desk->context, &list);
    int found = 0;

    if (code != SCARD_S_SUCCESS)
        return -call_fail_scard(call, code, "cannot look at the readers");
    states = calloc(list.count + 1, sizeof *states);
    if (states == NULL)
        code = SCARD_E_NO_MEMORY;
    for (size_t i = 0; states != NULL && i < list.count; i++)
        states[i].szReader = list.entries[i].name;
    /* Without readers the names are looked at all the same: a wrong one is an error at once. */
    if (code == SCARD_S_SUCCESS)
        code = locate(call, sought, states, list.count);
    for (size_t i = 0; code == SCARD_S_SUCCESS && i < list.count; i++) {
        if (states[i].dwEventState & SCARD_STATE_ATRMATCH) {
            report(call, &states[i]);
            found = 1;
        }
    }
    free(states);
    readers_free(&list);
    if (code == SCARD_E_UNKNOWN_READER) /* gone between list and look: the monitor tells */
        return 0;
    return code == SCARD_S_SUCCESS ? found : -call_fail_scard(call, code, "cannot look for the card");
}

static int look_until_found(struct call *call, struct sought *sought, struct monitor *monitor)
{
    bool waits = call->globals.timeout_ms >= 0;
    struct deadline deadline = deadline_in_ms(waits ? (uint64_t)call->globals.timeout_ms : 0);

    /* The monitor knows the state from before the look, so a change in between is not missed. */
    for (;;) {
        int result = look(call, sought);
        LONG code;

        if (result != 0)
            return result > 0 ? STATUS_DONE : -result;
        if (!waits)
            return call_fail(
                call, STATUS_NO_CARD,
                "\"scard list\" shows the cards that are in; with --timeout SECONDS it is waited for.",
                "no reader holds such a card");
        code = monitor_wait(monitor, (DWORD)deadline_poll_ms(deadline), NULL, NULL);
        if (code != SCARD_S_SUCCESS)
            return call_fail_scard(call, code, code == SCARD_E_TIMEOUT ? "no such card came" : "cannot wait");
    }
}

static int run(struct call *call)
{
    const char *atr = call_option(call, "atr"), *mask = call_option(call, "mask");
    struct sought sought = {0};
    struct monitor monitor;
    int status;
    LONG code;

    if ((atr != NULL) == (call->argument_count > 0) || (mask != NULL && atr == NULL))
        return call_fail(call, STATUS_USAGE, "", "give names of card types, or --atr, perhaps with --mask");
    status = atr != NULL ? gather_mask(call, atr, mask, &sought.mask) : gather_names(call, &sought);
    if (status == STATUS_DONE) {
        code = monitor_init(&monitor, call->desk->context);
        if (code == SCARD_S_SUCCESS) {
            status = look_until_found(call, &sought, &monitor);
            monitor_fini(&monitor);
        } else {
            status = call_fail_scard(call, code, "cannot look at the readers");
        }
    }
    free(sought.names);
    return status;
}

static const struct argument_spec arguments[] = {
    {"NAME", VALUE_CARD_TYPE, NULL, true, true, "card types of the database, any of them"},
    {0},
};

static const struct option_spec options[] = {
    {"atr", 0, VALUE_HEX, "HEX", NULL, "an ATR, in place of names"},
    {"mask", 0, VALUE_HEX, "HEX", NULL, "which bits of it count (all)"},
    {0},
};

const struct command command_locate = {
    .name = "locate",
    .group = "Readers",
    .summary = "find the reader that holds a card, by type or ATR",
    .description =
        "SCardLocateCards and SCardLocateCardsByATR. Prints the readers that hold one. Looks once, "
        "exit status 5 if there is\nnone; with --timeout it waits for one, exit status 10 when the "
        "time is up. The card is not connected to.",
    .examples = "  scard locate \"Staff badge\" --timeout 30\n"
                "  scard locate --atr 3B65000020630000 --mask FFFFFFFFFFFF0000",
    .arguments = arguments,
    .options = options,
    .needs = NEED_SERVICE,
    .flags = COMMAND_TIMES,
    .run = run,
};
