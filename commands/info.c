/* SPDX-License-Identifier: MIT */
#include <string.h>

#include <scard.h>

#include "cli/call.h"
#include "cli/exchange.h"
#include "cli/predict.h"
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

static void show_prediction(struct call *call, const struct prediction *prediction)
{
    struct record record;

    record_init(&record, "prediction", RECORD_ROW);
    record_text(&record, SHOW_ALL, "protocol", prediction->protocol);
    record_text(&record, SHOW_BARE, "passes", prediction->passes ? "passes" : "refused");
    record_bool(&record, SHOW_JSON, "passes", prediction->passes);
    record_text(&record, SHOW_ALL, "how", prediction->how);
    record_people(&record, "%-20s %s%s%s: %s", prediction->protocol,
                  output_paint(call->output, prediction->passes ? PAINT_GOOD : PAINT_BAD),
                  prediction->passes ? "passes" : "refused", output_paint(call->output, PAINT_END),
                  prediction->how);
    output_record(call->output, &record);
    record_fini(&record);
}

/* Nothing is sent: secrets in it are not asked for, and it is not repeated. */
static int predict(struct call *call, const char *text, const char *facts)
{
    struct prediction predictions[2];
    struct apdu_text apdu = {0};
    size_t count;
    int status = exchange_parse(call, text, 1, NULL, &apdu);

    if (status != STATUS_DONE)
        return status;
    count = predict_apdu(facts, apdu.bytes.data, apdu.bytes.length, predictions);
    for (size_t i = 0; i < count; i++)
        show_prediction(call, &predictions[i]);
    if (count == 0)
        status = call_fail(call, STATUS_SERVICE,
                           "Only a reader on USB, in this process or at \"scard serve\", tells them.",
                           "%s tells no limits", call->reader);
    apdu_text_fini(&apdu);
    return status;
}

static int run(struct call *call)
{
    const char *apdu = call_option(call, "apdu");
    int status = STATUS_DONE;
    char *device = NULL, *problem = NULL, *facts = NULL;
    SCARDCONTEXT context = call->desk->context;
    LONG code = fact(call, "device", &device);

    if (code == SCARD_S_SUCCESS)
        code = fact(call, "problem", &problem);
    if (code == SCARD_S_SUCCESS)
        code = fact(call, "facts", &facts);
    if (code == SCARD_S_SUCCESS && apdu != NULL)
        status = predict(call, apdu, facts);
    else if (code == SCARD_S_SUCCESS)
        show(call, device, problem, facts);
    SCardFreeMemory(context, device);
    SCardFreeMemory(context, problem);
    SCardFreeMemory(context, facts);
    return code == SCARD_S_SUCCESS ? status
                                   : call_fail_scard(call, code, "nothing is known of %s", call->reader);
}

static const struct option_spec options[] = {
    {"apdu", 0, VALUE_APDU, "APDU", NULL, "will this APDU pass, and how; nothing is sent"},
    {0},
};

const struct command command_info = {
    .name = "info",
    .group = "Readers",
    .summary = "everything known of a reader: limits, level, voltages, quirks",
    .description =
        "What the reader's descriptor and the table of quirks say, without opening the device: so it works "
        "too for a reader\n"
        "that cannot be used, and tells why. Limits are what the reader can carry, whatever the card can.",
    .examples = "  scard info\n  scard info -r 0\n  scard info --apdu 00B0000000FFFF\n  scard --json info -r "
                "0 | jq .max_apdu_t1",
    .options = options,
    .needs = NEED_READER,
    .run = run,
};
