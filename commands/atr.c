/* SPDX-License-Identifier: MIT */
#include "iso/atr.h"

#include <stdio.h>
#include <string.h>

#include "cli/call.h"
#include "cli/card_names.h"
#include "cli/choose.h"
#include "cli/explain/bytes.h"
#include "cli/explain_show.h"
#include "cli/readers.h"
#include "commands/commands.h"

static void add_faults(struct record *record, unsigned faults)
{
    static const struct {
        unsigned bit;
        const char *words;
    } bits[] = {
        {ATR_TCK_MISSING, "the check byte TCK is missing"},
        {ATR_TCK_WRONG, "the check byte TCK is wrong"},
        {ATR_HISTORY_SHORT, "fewer historical bytes than announced"},
        {ATR_TRAILING, "bytes behind the end"},
        {ATR_TA1_RESERVED, "TA1 holds reserved values"},
        {ATR_T15_FIRST, "TD1 names T=15"},
        {ATR_TOO_LONG, "longer than 33 bytes"},
        {ATR_ORDER, "protocols not in rising order"},
    };

    record_list(record, SHOW_ALL, "faults");
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++)
        if (faults & bits[i].bit)
            record_list_add(record, bits[i].words);
}

static void add_protocols(struct record *record, const struct atr *atr)
{
    char word[8];

    record_list(record, SHOW_ALL, "protocols");
    for (unsigned t = 0; t < 15; t++) {
        if (atr->protocols & 1U << t) {
            snprintf(word, sizeof word, "T=%u", t);
            record_list_add(record, word);
        }
    }
    if (atr->specific)
        record_format(record, SHOW_ALL, "mode", "specific, T=%u%s", atr->specific_protocol,
                      atr->specific_fixed ? ", cannot change" : "");
    else
        record_text(record, SHOW_ALL, "mode", "negotiable");
}

static void add_history(struct record *record, const struct atr *atr)
{
    char text[64] = "";

    record_hex(record, SHOW_ALL, "history", atr->history, atr->history_length);
    for (size_t i = 0; i < atr->history_length && i < sizeof text - 1; i++)
        text[i] = atr->history[i] >= 0x20 && atr->history[i] < 0x7F ? (char)atr->history[i] : '.';
    record_text(record, SHOW_ALL, "history_text", text);
}

static void add_classes(struct record *record, uint8_t classes)
{
    record_list(record, SHOW_ALL, "voltages");
    if (classes & 1)
        record_list_add(record, "5 V");
    if (classes & 2)
        record_list_add(record, "3 V");
    if (classes & 4)
        record_list_add(record, "1.8 V");
}

static void add_names(struct record *record, const uint8_t *bytes, size_t length)
{
    struct atr_names names = {0};

    if (card_names_find(bytes, length, &names) < 0)
        record->failed = true;
    for (size_t i = 0; i < names.count; i++)
        record_text(record, SHOW_BARE | SHOW_PEOPLE, "card", names.names[i]);
    record_list(record, SHOW_JSON, "cards");
    for (size_t i = 0; i < names.count; i++)
        record_list_add(record, names.names[i]);
    atr_names_fini(&names);
}

/* Byte by byte: for people behind the facts, else a record for each. */
static int explain(struct call *call, const uint8_t *bytes, size_t length)
{
    struct explanation explanation = {0};
    struct record record;
    int status = STATUS_DONE;

    explain_atr(bytes, length, 0, 0, &explanation);
    record_init(&record, "atr", RECORD_ROW);
    record_people(&record, "\n");
    explain_people(call->output, &record, &explanation, bytes);
    if (call->output->mode == OUTPUT_PEOPLE || record.failed)
        status = output_record(call->output, &record);
    if (status == STATUS_DONE)
        status = explain_parts(call->output, &explanation, bytes);
    record_fini(&record);
    explanation_fini(&explanation);
    return status;
}

static int decode(struct call *call, const char *reader, const uint8_t *bytes, size_t length)
{
    struct record record;
    struct atr atr;
    int status;

    if (atr_parse(bytes, length, &atr) < 0)
        return call_fail(call, reader != NULL ? STATUS_TRANSPORT : STATUS_USAGE,
                         "It begins with 3B or 3F and has all the interface bytes that it announces.",
                         "this is no answer to reset");
    record_init(&record, "atr", RECORD_FACTS);
    if (reader != NULL)
        record_text(&record, SHOW_ALL, "reader", reader);
    record_hex(&record, SHOW_ALL, "atr", bytes, length);
    record_text(&record, SHOW_ALL, "convention", atr.inverse ? "inverse" : "direct");
    add_protocols(&record, &atr);
    record_format(&record, SHOW_ALL, "speed", "F=%u D=%u, up to %u kHz", atr.fi, atr.di, atr.fmax_khz);
    record_number(&record, SHOW_ALL, "extra_guard_time", atr.n);
    if (atr.protocols & 1)
        record_format(&record, SHOW_ALL, "t0", "WI=%u", atr.wi);
    if (atr.protocols & 2)
        record_format(&record, SHOW_ALL, "t1", "IFSC=%u BWI=%u CWI=%u %s", atr.ifsc, atr.bwi, atr.cwi,
                      atr.crc ? "CRC" : "LRC");
    add_classes(&record, atr.classes);
    add_history(&record, &atr);
    if (atr.has_tck)
        record_format(&record, SHOW_ALL, "tck", "%02X", atr.tck);
    add_faults(&record, atr.faults);
    add_names(&record, bytes, length);
    status = output_record(call->output, &record);
    record_fini(&record);
    return status == STATUS_DONE ? explain(call, bytes, length) : status;
}

/* The card in the reader, without connecting to it. */
static int decode_card(struct call *call)
{
    int status = choose_prepare(call, NEED_READER);
    SCARD_READERSTATE state = {0};
    LONG code;

    if (status != STATUS_DONE)
        return status;
    state.szReader = call->reader;
    code = SCardGetStatusChange(call->desk->context, 0, &state, 1);
    if (code == SCARD_S_SUCCESS && (state.dwEventState & SCARD_STATE_MUTE))
        code = SCARD_W_UNRESPONSIVE_CARD;
    else if (code == SCARD_S_SUCCESS && !(state.dwEventState & SCARD_STATE_PRESENT))
        code =
            state.dwEventState & SCARD_STATE_UNAVAILABLE ? SCARD_E_READER_UNAVAILABLE : SCARD_E_NO_SMARTCARD;
    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(call, code, "no ATR from %s", call->reader);
    return decode(call, call->reader, state.rgbAtr, state.cbAtr);
}

static int run(struct call *call)
{
    struct buffer bytes = {0};
    int status = STATUS_DONE;

    if (call->argument_count == 0)
        return decode_card(call);
    for (size_t i = 0; i < call->argument_count && status == STATUS_DONE; i++)
        status = call_hex(call, call->arguments[i], &bytes);
    if (status == STATUS_DONE)
        status = decode(call, NULL, bytes.data, bytes.length);
    buffer_fini(&bytes);
    return status;
}

static const struct argument_spec arguments[] = {
    {"HEX", VALUE_HEX, NULL, true, true, "an ATR to decode, in place of that of the card"},
    {0},
};

const struct command command_atr = {
    .name = "atr",
    .group = "Card",
    .summary = "answer to reset, decoded: of the card, or one given",
    .description = "Every byte of it (ISO 7816-3, ISO 7816-4), and what the list of pcsc-tools calls the "
                   "card, if it is\n"
                   "installed. The card is not connected to; for an ATR given in hex no reader is needed.",
    .examples = "  scard atr -r 0\n  scard atr 3B 65 00 00 20 63 CB 68 00",
    .arguments = arguments,
    .needs = NEED_NOTHING,
    .run = run,
};
