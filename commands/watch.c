/* SPDX-License-Identifier: MIT */
#include <scard.h>
#include <string.h>
#include <time.h>

#include "base/deadline.h"
#include "base/hex.h"
#include "cli/call.h"
#include "cli/choose.h"
#include "cli/monitor.h"
#include "cli/readers.h"
#include "commands/commands.h"

struct watching {
    struct call *call;
    uint64_t seen, wanted; /* wanted 0: no end */
};

static const char *words_of(const struct monitor_event *event)
{
    switch (event->what) {
    case MONITOR_READER_IN:
        return "reader plugged in";
    case MONITOR_READER_OUT:
        return "reader unplugged";
    case MONITOR_CARD_IN:
        return event->state & SCARD_STATE_MUTE ? "card in, mute" : "card in";
    case MONITOR_CARD_OUT:
        return "card out";
    case MONITOR_USE:
        break;
    }
    if (event->state & SCARD_STATE_EXCLUSIVE)
        return "in exclusive use";
    return event->state & SCARD_STATE_INUSE ? "in use" : "no longer in use";
}

/* --only, which may be given several times; without it all. */
static bool is_wanted(const struct call *call, const struct monitor_event *event)
{
    bool any = false;

    for (size_t i = 0; i < call->option_count; i++) {
        if (strcmp(call->options[i].spec->name, "only") != 0)
            continue;
        if (strcmp(call->options[i].value, monitor_word(event)) == 0)
            return true;
        any = true;
    }
    return !any;
}

static int show(void *user, const struct monitor_event *event)
{
    struct watching *watching = user;
    struct call *call = watching->call;
    bool card_in = event->what == MONITOR_CARD_IN;
    char atr[2 * MAX_ATR_SIZE + 1], time_text[32];
    struct record record;
    struct timespec now;
    struct tm local;

    if ((call->reader != NULL && strcmp(call->reader, event->reader) != 0) || !is_wanted(call, event))
        return 0;
    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &local);
    strftime(time_text, sizeof time_text, "%H:%M:%S", &local);
    record_init(&record, "event", RECORD_ROW);
    record_text(&record, SHOW_JSON | SHOW_BARE, "what", monitor_word(event));
    record_text(&record, SHOW_JSON | SHOW_BARE, "reader", event->reader);
    record_hex(&record, SHOW_JSON | SHOW_BARE, "atr", event->atr, card_in ? event->atr_length : 0);
    record_bool(&record, SHOW_JSON, "mute", event->state & SCARD_STATE_MUTE);
    record_real(&record, SHOW_JSON, "time", (double)now.tv_sec + (double)now.tv_nsec / 1e9);
    record_people(&record, "%s%s%s  %s: %s", output_paint(call->output, PAINT_DIM), time_text,
                  output_paint(call->output, PAINT_END), event->reader, words_of(event));
    if (card_in && event->atr_length > 0)
        record_people(&record, "  %s", hex_format(event->atr, event->atr_length, atr));
    output_record(call->output, &record);
    record_fini(&record);
    watching->seen++;
    return call->output->broken || (watching->wanted > 0 && watching->seen == watching->wanted);
}

static void say_ready(struct call *call, const struct monitor *monitor)
{
    struct record record;

    record_init(&record, "watching", RECORD_ROW);
    record_number(&record, SHOW_JSON, "readers", (int64_t)monitor->count - 1);
    record_people(&record, "Watching %zu reader%s; Ctrl-C ends.", monitor->count - 1,
                  monitor->count == 2 ? "" : "s");
    output_remark(call->output, &record);
    record_fini(&record);
}

/* What is there before the first event. */
static void show_present(struct call *call, const SCARD_READERSTATE *state)
{
    DWORD bits = state->dwCurrentState, length = SCARD_AUTOALLOCATE;
    size_t atr_length = bits & SCARD_STATE_PRESENT ? state->cbAtr : 0;
    char atr[2 * MAX_ATR_SIZE + 1];
    LPSTR problem = NULL;
    struct record record;

    if (call->reader != NULL && strcmp(call->reader, state->szReader) != 0)
        return;
    scard_reader_fact(call->desk->context, state->szReader, "problem", (LPSTR)&problem, &length);
    record_init(&record, "present", RECORD_ROW);
    record_text(&record, SHOW_JSON, "reader", state->szReader);
    record_text(&record, SHOW_JSON, "state", readers_state_word(bits));
    record_text(&record, SHOW_JSON, "use", readers_use_word(bits));
    record_hex(&record, SHOW_JSON, "atr", state->rgbAtr, atr_length);
    record_text(&record, SHOW_JSON, "problem", problem);
    record_people(&record, "%s: %s", state->szReader, readers_state_word(bits));
    if (readers_use_word(bits)[0] != '\0')
        record_people(&record, ", %s", readers_use_word(bits));
    if (atr_length > 0)
        record_people(&record, "  %s", hex_format(state->rgbAtr, atr_length, atr));
    if (problem != NULL && problem[0] != '\0')
        record_people(&record, ": %s", problem);
    output_remark(call->output, &record);
    record_fini(&record);
    if (problem != NULL)
        SCardFreeMemory(call->desk->context, problem);
}

static int watch(struct watching *watching, struct monitor *monitor)
{
    struct call *call = watching->call;
    struct deadline deadline =
        call->globals.timeout_ms < 0 ? deadline_never() : deadline_in_ms((uint64_t)call->globals.timeout_ms);

    while (!call->output->broken && (watching->wanted == 0 || watching->seen < watching->wanted)) {
        int left = deadline_poll_ms(deadline);
        LONG code = monitor_wait(monitor, left < 0 ? INFINITE : (DWORD)left, show, watching);

        if (code == SCARD_E_TIMEOUT && watching->wanted == 0)
            return STATUS_DONE;
        if (code == SCARD_E_TIMEOUT)
            return call_fail_scard(call, code, "%llu of %llu events came", (unsigned long long)watching->seen,
                                   (unsigned long long)watching->wanted);
        if (code != SCARD_S_SUCCESS)
            return call_fail_scard(call, code, "cannot watch the readers");
    }
    return STATUS_DONE;
}

static int run(struct call *call)
{
    struct watching watching = {.call = call, .wanted = call_number(call, "count", 0)};
    struct monitor monitor;
    int status;
    LONG code;

    if (call->globals.reader != NULL) {
        status = choose_find(call, call->globals.reader, &call->reader);
        if (status != STATUS_DONE)
            return status;
    }
    code = monitor_init(&monitor, call->desk->context);
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "cannot watch the readers");
    say_ready(call, &monitor);
    for (size_t i = 1; i < monitor.count; i++)
        show_present(call, &monitor.states[i]);
    if (call->front->interrupt != NULL)
        interrupt_output(call->front->interrupt, call->output->out);
    status = watch(&watching, &monitor);
    if (call->front->interrupt != NULL)
        interrupt_output(call->front->interrupt, -1);
    monitor_fini(&monitor);
    return status;
}

static const struct option_spec options[] = {
    {"count", 'n', VALUE_NUMBER, "N", NULL, "end after N events"},
    {"only", 0, VALUE_CHOICE, "WHAT", "card-in|card-out|reader-in|reader-out|in-use|exclusive|free",
     "only such events; may be repeated"},
    {0},
};

const struct command command_watch = {
    .name = "watch",
    .group = "Readers",
    .summary = "print what happens at the readers, as it happens",
    .description = "SCardGetStatusChange. Cards in (with ATR) and out, readers plugged in and unplugged, use "
                   "by programs. With -r\n"
                   "one reader only. What is there at the beginning is said first, but not in a pipe. For "
                   "pipes: what, reader and ATR with tabs between; what is one of "
                   "card-in, card-out,\n"
                   "reader-in, reader-out, in-use, exclusive, free. Ends with Ctrl-C, after --count events "
                   "or --timeout; then\n"
                   "a --count that was not reached is exit status 10.",
    .options = options,
    .needs = NEED_SERVICE,
    .flags = COMMAND_TIMES | COMMAND_REPEATS,
    .run = run,
};
