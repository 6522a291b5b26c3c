/* SPDX-License-Identifier: MIT */
#include "cli/exchange_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "cli/explain/bytes.h"
#include "cli/explain/ins.h"
#include "cli/explain/sw.h"
#include "cli/explain_show.h"
#include "iso/apdu.h"

/* Bytes in a line, and a mark: what a terminal of 100 columns has room for, or one of 80. */
#define BYTES_PER_LINE 32
#define BYTES_PER_NARROW_LINE 16
#define NARROW (1 + 3 * BYTES_PER_LINE)

char *exchange_command_hex(const struct exchange *exchange, bool show_secrets)
{
    return hex_new_masked(exchange->command, exchange->command_length, exchange->secret_offset,
                          show_secrets ? 0 : exchange->secret_length);
}

/* Digits with blanks between bytes, in lines. */
static void people_hex(const struct output *output, struct record *record, const char *mark, const char *hex)
{
    unsigned columns = output_columns(output);
    size_t most = columns > 0 && columns < NARROW ? BYTES_PER_NARROW_LINE : BYTES_PER_LINE;
    char line[3 * BYTES_PER_LINE + 1];
    size_t bytes = strlen(hex) / 2;

    for (size_t done = 0; done < bytes;) {
        size_t at = 0;

        for (; at < most && done < bytes; at++, done++) {
            line[3 * at] = ' ';
            line[3 * at + 1] = hex[2 * done];
            line[3 * at + 2] = hex[2 * done + 1];
        }
        line[3 * at] = '\0';
        record_people(record, "%s%s%s", mark, line, done < bytes ? "\n" : "");
        mark = " ";
    }
    secret_wipe(line, sizeof line);
}

/* By the application that is selected; NULL: none. */
static const char *name_of(const struct call *call, const struct exchange *exchange)
{
    if (exchange->command_length < 2)
        return NULL;
    return explain_ins_of(exchange->command, exchange->command_length,
                          explain_context_for(exchange->command[0], call->desk->selected));
}

static enum paint paint_of(const struct exchange *exchange, const struct exchange_result *result)
{
    if (exchange->last && !result->accepted)
        return PAINT_BAD;
    return sw_classify(exchange->sw) == SW_WARNING ? PAINT_WARN : PAINT_GOOD;
}

/* What the data of all parts mean, if that is known. */
static void decoded(const struct call *call, const struct exchange *exchange, const struct buffer *data,
                    struct record *record)
{
    struct explanation explanation = {.show_secrets = call->globals.show_secrets};

    if (explain_answer(data->data, data->length, exchange->given->data, exchange->given->length,
                       call->desk->selected, 1, &explanation))
        explain_brief(call->output, record, &explanation, data->data);
    explanation_fini(&explanation);
}

static void people(struct call *call, const struct exchange *exchange, const struct exchange_result *result,
                   const char *command, const char *response, const char *meaning, struct record *record)
{
    const struct output *output = call->output;
    const char *name = name_of(call, exchange);

    people_hex(output, record, ">", command);
    record_people(record, "  %s%s%s%s%s\n", output_paint(output, PAINT_DIM), name != NULL ? name : "",
                  exchange->automatic ? "  (auto)" : "", exchange->cut ? "  (Le cut for T=0)" : "",
                  output_paint(output, PAINT_END));
    if (exchange->response_length > 2) {
        people_hex(output, record, "<", response);
        record_people(record, "  %s(%zu byte%s)%s\n", output_paint(output, PAINT_DIM),
                      exchange->response_length - 2, exchange->response_length == 3 ? "" : "s",
                      output_paint(output, PAINT_END));
    }
    record_people(record, "< %s%04X%s  %s  %s%.2f ms%s\n", output_paint(output, paint_of(exchange, result)),
                  exchange->sw, output_paint(output, PAINT_END), meaning, output_paint(output, PAINT_DIM),
                  (double)exchange->elapsed_ns / 1e6, output_paint(output, PAINT_END));
    if (exchange->last && (call->decode || call->front->decode))
        decoded(call, exchange, &result->data, record);
}

/* Data of all parts, then the last status word. */
static void add_answer(const struct exchange *exchange, const struct exchange_result *result,
                       struct record *record)
{
    struct buffer answer = {0};
    size_t sw_length = exchange->response_length < 2 ? exchange->response_length : 2;
    const uint8_t *sw = exchange->response + exchange->response_length - sw_length;

    if (buffer_append(&answer, result->data.data, result->data.length) < 0 ||
        buffer_append(&answer, sw, sw_length) < 0)
        record->failed = true;
    else
        record_hex(record, SHOW_BARE, "answer", answer.data, answer.length);
    buffer_fini(&answer);
}

int exchange_show(struct call *call, const struct exchange *exchange, const struct exchange_result *result)
{
    bool masked = exchange->secret_length > 0 && !call->globals.show_secrets;
    char *command = exchange_command_hex(exchange, call->globals.show_secrets), words[SW_TEXT_MAX];
    const char *meaning = explain_sw_of(exchange->command, exchange->command_length, exchange->sw,
                                        call->desk->selected, words, sizeof words);
    size_t data = exchange->response_length > 2 ? exchange->response_length - 2 : 0;
    char *response = hex_new(exchange->response, data);
    struct record record;
    int status;

    record_init(&record, "apdu", RECORD_ROW);
    if (command == NULL || response == NULL) {
        record.failed = true;
    } else {
        record_number(&record, SHOW_JSON, "n", exchange->number);
        record_text(&record, SHOW_JSON, "c", command);
        record_text(&record, SHOW_JSON, "r", response);
        record_format(&record, SHOW_JSON, "sw", "%04X", exchange->sw);
        record_text(&record, SHOW_JSON, "meaning", meaning);
        record_real(&record, SHOW_JSON, "ms", (double)exchange->elapsed_ns / 1e6);
        record_text(&record, SHOW_JSON, "name", name_of(call, exchange));
        record_bool(&record, SHOW_JSON, "auto", exchange->automatic);
        record_bool(&record, SHOW_JSON, "cut", exchange->cut);
        record_bool(&record, SHOW_JSON, "masked", masked);
        record_bool(&record, SHOW_JSON, "last", exchange->last);
        if (exchange->last)
            record_hex(&record, SHOW_JSON, "data", result->data.data, result->data.length);
        if (exchange->last)
            add_answer(exchange, result, &record);
        if (call->output->mode == OUTPUT_PEOPLE && exchange->command_length >= 2)
            people(call, exchange, result, command, response, meaning, &record);
    }
    status = output_record(call->output, &record);
    record_fini(&record);
    if (command != NULL)
        secret_wipe(command, strlen(command));
    free(command);
    free(response);
    return status;
}

static int tell_lines(struct call *call, const struct exchange *exchange, const char *command)
{
    const char *name = name_of(call, exchange);
    enum output_mode mode = call->output->mode;
    char words[SW_TEXT_MAX];
    struct record record;
    int status;

    record_init(&record, "apdu", RECORD_ROW);
    people_hex(call->output, &record, ">", command);
    record_people(&record, "%s%s\n< %04X  %s", name != NULL ? "  " : "", name != NULL ? name : "",
                  exchange->sw,
                  explain_sw_of(exchange->command, exchange->command_length, exchange->sw,
                                call->desk->selected, words, sizeof words));
    /* Debug lines go to stderr, whoever reads. */
    call->output->mode = OUTPUT_PEOPLE;
    status = output_remark(call->output, &record);
    call->output->mode = mode;
    record_fini(&record);
    return status;
}

int exchange_tell(struct call *call, const struct exchange *exchange)
{
    static const struct exchange_result none;
    char *command;
    int status;

    if (!call->globals.verbose || exchange->command_length < 4)
        return STATUS_DONE;
    if (call->output->mode == OUTPUT_JSON)
        return exchange_show(call, exchange, &none);
    command = exchange_command_hex(exchange, call->globals.show_secrets);
    if (command == NULL)
        return call_no_memory(call);
    status = tell_lines(call, exchange, command);
    secret_wipe(command, strlen(command));
    free(command);
    return status;
}
