/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "cli/call.h"
#include "cli/recordings.h"
#include "commands/commands.h"
#include "iso/apdu.h"

struct comparison {
    struct call *call;
    struct recording_list lists[2];
    struct ignored ignored;
    size_t same, different;
};

/* "-" and "+" lines as of diff(1). */
static void people(struct comparison *comparison, struct record *record, const struct recorded_apdu *shown,
                   const char *command, const char *const answers[2])
{
    const struct output *output = comparison->call->output;
    const char *name = shown->command.length >= 4
                           ? apdu_instruction_name(shown->command.data[0], shown->command.data[1])
                           : NULL;

    record_people(record, "%s#%u  %s  %s%s", output_paint(output, PAINT_BOLD), shown->number, command,
                  name != NULL ? name : "", output_paint(output, PAINT_END));
    for (size_t i = 0; i < 2; i++)
        if (answers[i] != NULL)
            record_people(record, "\n%s%c %s%s", output_paint(output, i == 0 ? PAINT_BAD : PAINT_GOOD),
                          i == 0 ? '-' : '+', answers[i][0] != '\0' ? answers[i] : "(no answer)",
                          output_paint(output, PAINT_END));
}

/* An exchange of both (the answers differ), or of one of them. */
static int tell(struct comparison *comparison, const struct recorded_apdu *first,
                const struct recorded_apdu *second)
{
    const struct recorded_apdu *both[] = {first, second}, *shown = first != NULL ? first : second;
    const char *what = first == NULL ? "added" : second == NULL ? "missing" : "answer";
    char *command = recordings_command_hex(shown), *hex[2] = {NULL, NULL};
    struct record record;
    int status;

    record_init(&record, "difference", RECORD_ROW);
    record.failed = command == NULL;
    record_text(&record, SHOW_JSON | SHOW_BARE, "what", what);
    record_number(&record, SHOW_JSON | SHOW_BARE, "n", shown->number);
    record_text(&record, SHOW_JSON | SHOW_BARE, "c", command);
    for (size_t i = 0; i < 2; i++) {
        if (both[i] == NULL)
            continue;
        hex[i] = hex_new(both[i]->response.data, both[i]->response.length);
        record.failed = record.failed || hex[i] == NULL;
    }
    record_text(&record, SHOW_JSON | SHOW_BARE, "first", hex[0]);
    record_text(&record, SHOW_JSON | SHOW_BARE, "second", hex[1]);
    if (!record.failed)
        people(comparison, &record, shown, command, (const char *const *)hex);
    status = output_record(comparison->call->output, &record);
    record_fini(&record);
    free(command);
    free(hex[0]);
    free(hex[1]);
    return status;
}

static int compare_atr(struct comparison *comparison)
{
    const struct buffer *first = &comparison->lists[0].atr, *second = &comparison->lists[1].atr;
    char *hex[2];
    struct record record;
    int status;

    /* Scripts and some logs have none. */
    if (first->length == 0 || second->length == 0 ||
        (first->length == second->length && memcmp(first->data, second->data, first->length) == 0))
        return STATUS_DONE;
    comparison->different++;
    hex[0] = hex_new(first->data, first->length);
    hex[1] = hex_new(second->data, second->length);
    record_init(&record, "difference", RECORD_ROW);
    record.failed = hex[0] == NULL || hex[1] == NULL;
    record_text(&record, SHOW_JSON | SHOW_BARE, "what", "atr");
    record_text(&record, SHOW_JSON | SHOW_BARE, "first", hex[0]);
    record_text(&record, SHOW_JSON | SHOW_BARE, "second", hex[1]);
    if (!record.failed)
        record_people(&record, "ATR\n- %s\n+ %s", hex[0], hex[1]);
    status = output_record(comparison->call->output, &record);
    record_fini(&record);
    free(hex[0]);
    free(hex[1]);
    return status;
}

static int compare_pairs(struct comparison *comparison, const struct recording_pair *pairs, size_t count)
{
    int status = compare_atr(comparison);

    for (size_t i = 0; i < count && status == STATUS_DONE && !call_interrupted(comparison->call); i++) {
        const struct recorded_apdu *first = pairs[i].first > 0
                                                ? &comparison->lists[0].apdus[pairs[i].first - 1]
                                                : NULL,
                                   *second = pairs[i].second > 0
                                                 ? &comparison->lists[1].apdus[pairs[i].second - 1]
                                                 : NULL;

        if (first != NULL && second != NULL && recordings_same_command(first, second) &&
            recordings_same_answer(first, second, &comparison->ignored)) {
            comparison->same++;
            continue;
        }
        comparison->different++;
        if (first != NULL && second != NULL && !recordings_same_command(first, second)) {
            status = tell(comparison, first, NULL);
            first = NULL;
        }
        if (status == STATUS_DONE)
            status = tell(comparison, first, second);
    }
    return status;
}

static void say_sum(struct comparison *comparison)
{
    struct record record;

    record_init(&record, "compared", RECORD_ROW);
    record_number(&record, SHOW_JSON, "same", (int64_t)comparison->same);
    record_number(&record, SHOW_JSON, "different", (int64_t)comparison->different);
    record_people(&record, "%zu exchange%s the same, %zu difference%s.", comparison->same,
                  comparison->same == 1 ? " is" : "s are", comparison->different,
                  comparison->different == 1 ? "" : "s");
    output_remark(comparison->call->output, &record);
    record_fini(&record);
}

static int compare(struct comparison *comparison)
{
    struct recording_pair *pairs;
    struct progress progress;
    size_t count;
    int status;

    progress_begin(&progress, comparison->call->output, "exchanges", false);
    if (recordings_align(&comparison->lists[0], &comparison->lists[1], &progress, &pairs, &count) < 0)
        return call_no_memory(comparison->call);
    progress_hide(&progress);
    status = compare_pairs(comparison, pairs, count);
    free(pairs);
    if (call_interrupted(comparison->call))
        return STATUS_INTERRUPTED;
    say_sum(comparison);
    return status == STATUS_DONE && comparison->different > 0 ? STATUS_ANSWER : status;
}

static int run(struct call *call)
{
    struct comparison comparison = {.call = call};
    int status = STATUS_DONE;

    for (size_t i = 0; i < call->option_count && status == STATUS_DONE; i++)
        if (strcmp(call->options[i].spec->name, "ignore") == 0)
            status = ignored_add(call, &comparison.ignored, call->options[i].value);
    for (size_t i = 0; i < 2 && status == STATUS_DONE; i++)
        status = recordings_load(call, call_argument(call, i), &comparison.lists[i]);
    if (status == STATUS_DONE)
        status = compare(&comparison);
    recordings_fini(&comparison.lists[0]);
    recordings_fini(&comparison.lists[1]);
    return status;
}

static const struct argument_spec arguments[] = {
    {"FIRST", VALUE_FILE, NULL, false, false, "a recording"},
    {"SECOND", VALUE_FILE, NULL, false, false, "another one"},
    {0},
};

static const struct option_spec options[] = {
    {"ignore", 0, VALUE_TEXT, "WHAT", NULL,
     "bytes of answers (4-11) or a data object (tag:9F36); may be repeated"},
    {0},
};

const struct command command_diff = {
    .name = "diff",
    .group = "Program",
    .summary = "compare two recordings, APDU by APDU",
    .description =
        "Two cards, two versions of one, or two runs of a program, recorded with \"scard record\" or "
        "--trace. "
        "Exchanges are\n"
        "paired by their commands. Not compared is what is random: the answer to GET CHALLENGE, the data of "
        "authentications,\n"
        "secrets that were masked; and what --ignore names, bytes of the answers counted from 0 or values of "
        "BER-TLV data\n"
        "objects. Exit status 1 when there is a difference.",
    .examples = "  scard diff old-card.jsonl new-card.jsonl\n  scard diff --ignore tag:9F36 a.jsonl b.jsonl",
    .arguments = arguments,
    .options = options,
    .needs = NEED_NOTHING,
    .flags = COMMAND_LOCAL,
    .run = run,
};
