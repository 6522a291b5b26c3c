/* SPDX-License-Identifier: MIT */
#include "cli/exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <scard.h>

#include "base/deadline.h"
#include "base/log.h"
#include "base/rc.h"
#include "cli/exchange_show.h"
#include "cli/explain/sw.h"
#include "cli/save.h"
#include "iso/apdu.h"
#include "iso/sw.h"

#define INS_GET_RESPONSE 0xC0

/* Of one @FILE: what extended Lc can count. */
#define APDU_DATA_MOST 65535

struct progress {
    struct call *call;
    const struct apdu_text *apdu;
    struct buffer command, next; /* on its way; after it, if next.length > 0 */
    uint8_t *response;           /* APDU_RESPONSE_MAX */
    struct exchange exchange;
    bool corrected; /* Le, once per command */
    struct exchange_result result;
};

static int transmit(struct progress *progress)
{
    struct exchange *exchange = &progress->exchange;
    const uint8_t *response = progress->response;
    int64_t start = clock_now_ns();
    size_t length = 0;
    LONG code;

    scard_trace_hint(exchange->automatic ? SCARD_EXCHANGE_AUTOMATIC : 0, exchange->secret_offset,
                     exchange->secret_length);
    code = desk_transmit(progress->call->desk, progress->command.data, progress->command.length,
                         progress->response, &length);

    if (code != SCARD_S_SUCCESS)
        return call_fail_scard(progress->call, code, "the exchange with the card in %s failed",
                               progress->call->desk->reader);
    if (length < 2 && progress->call->desk->protocol != SCARD_PROTOCOL_RAW)
        return call_fail(progress->call, STATUS_TRANSPORT,
                         "Reset the card with \"scard reset\", or take it out and insert it again.",
                         "the card in %s answered %zu byte%s, which holds no status word",
                         progress->call->desk->reader, length, length == 1 ? "" : "s");
    exchange->elapsed_ns = clock_now_ns() - start;
    exchange->command = progress->command.data;
    exchange->command_length = progress->command.length;
    exchange->response = response;
    exchange->response_length = length;
    exchange->sw = length < 2 ? 0 : (uint16_t)((unsigned)response[length - 2] << 8 | response[length - 1]);
    progress->result.sw = exchange->sw;
    return STATUS_DONE;
}

/* Nothing is to be put in or taken off: for all, or for this one. */
static bool is_raw(const struct progress *progress)
{
    return progress->call->globals.raw || progress->apdu->raw;
}

static bool accepts(const struct apdu_text *apdu, uint16_t sw)
{
    return apdu->expect_count > 0 && apdu_text_accepts(apdu->expect, apdu->expect_count, sw);
}

/* ISO 7816-4:2013, 11.8.1: GET RESPONSE goes to the channel of the command; chaining and secure messaging are
 * not its own. */
static uint8_t get_response_class(uint8_t cla)
{
    struct apdu_class class = apdu_class(cla);

    return class.interindustry ? apdu_class_with_channel(0, class.channel) : (uint8_t)(cla & ~0x1CU);
}

/* 61xx: the rest of the answer waits in the card. */
static int plan_get_response(struct progress *progress)
{
    const struct exchange *exchange = &progress->exchange;
    const uint8_t *command = progress->command.data;
    uint8_t get_response[] = {get_response_class(command[0]), INS_GET_RESPONSE, 0, 0, (uint8_t)exchange->sw};

    /* A card that promises data and gives none would go on for ever. */
    if (exchange->automatic && exchange->response_length == 2 && command[1] == INS_GET_RESPONSE)
        return RC_OK;
    progress->corrected = false;
    return buffer_append(&progress->next, get_response, sizeof get_response);
}

/* 6Cxx: the same command with Le xx. With data and no Le there is no Le to correct. */
static int plan_correction(struct progress *progress)
{
    const struct buffer *command = &progress->command;
    size_t length;
    struct apdu apdu;

    if (apdu_parse(command->data, command->length, &apdu, NULL) < 0 || apdu.kind == APDU_3S ||
        apdu.kind == APDU_3E)
        return RC_OK;
    apdu.le = progress->exchange.sw & 0xFF;
    apdu.le = apdu.le == 0 ? 256 : apdu.le;
    apdu.extended = apdu.extended && apdu.lc > 0;
    if (buffer_reserve(&progress->next, command->length + 10) < 0)
        return RC_NO_MEMORY;
    if (apdu_build(&apdu, progress->next.data, progress->next.capacity, &length) == RC_OK)
        progress->next.length = length;
    progress->corrected = true;
    return RC_OK;
}

/* Puts the command that follows by itself into next. An expectation that names the word, and not what
 * automatic handling would make of it, means the word itself. */
static int plan(struct progress *progress)
{
    const struct call *call = progress->call;
    uint16_t sw = progress->exchange.sw;

    progress->next.length = 0;
    if (is_raw(progress) || call->desk->protocol == SCARD_PROTOCOL_RAW || progress->command.length < 4)
        return RC_OK;
    if (sw >> 8 == 0x61 && (!accepts(progress->apdu, sw) || accepts(progress->apdu, 0x9000)))
        return plan_get_response(progress);
    if (sw >> 8 == 0x6C && !progress->corrected && !accepts(progress->apdu, sw))
        return plan_correction(progress);
    return RC_OK;
}

static void advance(struct progress *progress)
{
    struct exchange *exchange = &progress->exchange;
    struct buffer sent = progress->command;

    if (progress->next.data[1] != sent.data[1]) /* GET RESPONSE has no data */
        exchange->secret_offset = exchange->secret_length = 0;
    progress->command = progress->next;
    progress->next = sent;
    exchange->automatic = true;
    exchange->cut = false;
}

/* Joins the data of the parts; what comes with a 6Cxx that is corrected is no part. */
static int keep_data(struct progress *progress)
{
    size_t length = progress->exchange.response_length;

    if (length <= 2 || (progress->exchange.sw >> 8 == 0x6C && !progress->exchange.last))
        return RC_OK;
    return buffer_append(&progress->result.data, progress->response, length - 2);
}

/* T=0 has no way to send Le with data; the card answers 61xx (ISO 7816-3:2006, 12.2.1). */
static void cut_le(struct progress *progress)
{
    struct exchange *exchange = &progress->exchange;
    struct apdu apdu;

    if (is_raw(progress) || progress->call->desk->protocol != SCARD_PROTOCOL_T0)
        return;
    if (apdu_parse(progress->command.data, progress->command.length, &apdu, NULL) < 0 || apdu.kind != APDU_4S)
        return;
    progress->command.length--;
    exchange->cut = true;
    if (exchange->secret_offset + exchange->secret_length > progress->command.length)
        exchange->secret_length = progress->command.length - exchange->secret_offset;
}

/* A command whose class says channel 0 goes to the one in use. */
static void use_channel(struct progress *progress)
{
    const struct call *call = progress->call;
    uint8_t *cla = progress->command.data;

    if (call->desk->channel > 0 && !is_raw(progress) && progress->command.length >= 4 &&
        apdu_class(*cla).channel == 0)
        *cla = apdu_class_with_channel(*cla, call->desk->channel);
}

static int run_all(struct progress *progress)
{
    struct call *call = progress->call;

    for (;;) {
        struct exchange *exchange = &progress->exchange;
        int status = transmit(progress);

        if (status != STATUS_DONE)
            return status;
        if (plan(progress) < 0)
            return call_no_memory(call);
        exchange->last = progress->next.length == 0;
        if (keep_data(progress) < 0)
            return call_no_memory(call);
        call->desk->selected = explain_context_after(call->desk->selected, exchange->command,
                                                     exchange->command_length, exchange->sw);
        progress->result.accepted =
            apdu_text_accepts_answer(progress->apdu, exchange->sw, &progress->result.data);
        if (call->front->exchanged != NULL)
            call->front->exchanged(call->front->user, exchange);
        status =
            call->hushed ? exchange_tell(call, exchange) : exchange_show(call, exchange, &progress->result);
        if (status != STATUS_DONE || exchange->last)
            return status;
        advance(progress);
    }
}

int exchange_run(struct call *call, const struct apdu_text *apdu, unsigned number,
                 struct exchange_result *ret_result)
{
    struct progress progress = {
        .call = call,
        .apdu = apdu,
        .exchange = {.number = number,
                     .given = &apdu->bytes,
                     .secret_offset = apdu->secret_offset,
                     .secret_length = apdu->secret_length},
    };
    int status;

    progress.response = malloc(APDU_RESPONSE_MAX);
    if (progress.response == NULL ||
        buffer_append(&progress.command, apdu->bytes.data, apdu->bytes.length) < 0) {
        status = call_no_memory(call);
    } else {
        if (apdu->secret_length > 0)
            call->desk->used_secret = true;
        use_channel(&progress);
        cut_le(&progress);
        status = run_all(&progress);
    }
    free(progress.response);
    buffer_fini(&progress.command);
    buffer_fini(&progress.next);
    if (status == STATUS_DONE && ret_result != NULL)
        *ret_result = progress.result;
    else
        exchange_result_fini(&progress.result);
    return status;
}

void exchange_result_fini(struct exchange_result *result)
{
    buffer_fini(&result->data);
}

struct outside {
    struct call *call;
    struct secret_source *secrets;
};

static int read_outside(void *user, enum apdu_source_kind kind, const char *name, struct buffer *data)
{
    struct outside *outside = user;

    if (kind == APDU_SECRET)
        return secret_read(outside->call, outside->secrets, name, data);
    return call_read_file(outside->call, name, APDU_DATA_MOST, data);
}

/* Before it is sent: an answer cannot be judged by what is no expression. */
static int check_match(struct call *call, struct apdu_text *apdu)
{
    if (apdu->match == NULL || apdu_text_check_match(apdu->match) == RC_OK)
        return STATUS_DONE;
    apdu_text_fini(apdu);
    return call_fail(call, STATUS_USAGE, "Nothing was sent.", "%s", detail_get());
}

int exchange_parse(struct call *call, const char *text, unsigned number, struct secret_source *secrets,
                   struct apdu_text *ret_apdu)
{
    struct outside outside = {.call = call, .secrets = secrets};
    struct apdu_source source = {.read = read_outside, .user = &outside};
    struct apdu_fault fault;
    char which[32] = "";
    int rc = apdu_text_parse(text, strlen(text), call->globals.raw, &source, ret_apdu, &fault);

    if (rc == RC_OK)
        return check_match(call, ret_apdu);
    if (number > 1)
        snprintf(which, sizeof which, " %u", number);
    if (rc == RC_INVALID_VALUE)
        return call_fail(call, STATUS_USAGE,
                         "Nothing was sent; \"scard help apdu\" shows how APDUs are written.",
                         "APDU%s, column %zu: %s", which, fault.column + 1, fault.words);
    if (rc == RC_IO)
        return call_fail(call, STATUS_USAGE, "Nothing was sent.", "APDU%s: %s", which, detail_get());
    return call_fail_rc(call, rc, "APDU%s", which);
}

/* At a prompt the line above has the status word and what it means, and nothing ends because of it. */
static bool is_said(const struct call *call)
{
    return call->front->kind == FRONT_SHELL && call->output->mode == OUTPUT_PEOPLE && !call->hushed;
}

/* The answer is not as expected. */
static int disappointed(struct call *call, const struct apdu_text *apdu, const struct exchange_result *result)
{
    char words[SW_TEXT_MAX], *expected = apdu_text_expected(apdu);
    bool expects_nothing = apdu->expect_count == 0 && apdu->match == NULL;
    int status;

    explain_sw_of(apdu->bytes.data, apdu->bytes.length, result->sw, call->desk->selected, words,
                  sizeof words);
    if (expected == NULL)
        status = call_no_memory(call);
    else if (expects_nothing && is_said(call))
        status = STATUS_ANSWER;
    else if (expects_nothing || (apdu->expect_count == 0 && !sw_is_success(result->sw)))
        status = call_fail(call, STATUS_ANSWER, "If that is right, expect it: put =SW behind the APDU.",
                           "the card answered %04X (%s)", result->sw, words);
    else if (apdu_text_accepts(apdu->expect, apdu->expect_count, result->sw))
        status =
            call_fail(call, STATUS_ANSWER, "", "the card answered other data than expected: %s", expected);
    else
        status = call_fail(call, STATUS_ANSWER, "", "the card answered %04X (%s), expected was %s",
                           result->sw, words, expected);
    free(expected);
    return status;
}

/* The exchange with its own deadline, if that is earlier than the command's. */
static int run_in_time(struct call *call, const struct apdu_text *apdu, unsigned number,
                       struct exchange_result *ret_result)
{
    struct interrupt *interrupt = call->front->interrupt;
    struct deadline whole, own;
    int status;

    if (apdu->deadline_ms < 0 || interrupt == NULL)
        return exchange_run(call, apdu, number, ret_result);
    whole = interrupt_deadline(interrupt);
    own = deadline_in_ms((uint64_t)apdu->deadline_ms);
    interrupt_at(interrupt, deadline_min(whole, own));
    call->exchange_ms =
        call->globals.timeout_ms < 0 || apdu->deadline_ms < call->globals.timeout_ms ? apdu->deadline_ms : 0;
    status = exchange_run(call, apdu, number, ret_result);
    call->exchange_ms = 0;
    /* The time of this exchange is no matter of the next; where it ran out the command ends anyway. */
    if (status == STATUS_DONE && interrupt_cause(interrupt) == INTERRUPT_TIMEOUT && !deadline_passed(whole))
        interrupt_clear(interrupt);
    if (status == STATUS_DONE)
        interrupt_at(interrupt, whole);
    return status;
}

int exchange_send(struct call *call, const struct apdu_text *apdu, unsigned number)
{
    struct exchange_result result;
    int status = run_in_time(call, apdu, number, &result);

    if (status != STATUS_DONE)
        return status;
    if (call->answers != NULL && buffer_append(call->answers, result.data.data, result.data.length) < 0)
        status = call_no_memory(call);
    else if (call->front->judge != NULL && (apdu->expect_count > 0 || apdu->match != NULL))
        status = call->front->judge(call, apdu, &result);
    else if (!result.accepted && call->desk->protocol != SCARD_PROTOCOL_RAW)
        status = disappointed(call, apdu, &result);
    if (status == STATUS_DONE && apdu->file != NULL && result.accepted)
        status = save_answer(call, apdu->file, apdu->append, result.data.data, result.data.length);
    exchange_result_fini(&result);
    return status;
}

int exchange_text(struct call *call, const char *text, unsigned number, struct secret_source *secrets)
{
    struct apdu_text apdu;
    int status = exchange_parse(call, text, number, secrets, &apdu);

    if (status != STATUS_DONE)
        return status;
    status = exchange_send(call, &apdu, number);
    apdu_text_fini(&apdu);
    return status;
}

char *exchange_suffixes(const struct call *call, size_t first)
{
    size_t room = 1, at = 0;
    char *text;

    for (size_t i = first; i < call->argument_count; i++)
        room += strlen(call->arguments[i]) + 1;
    text = calloc(1, room);
    for (size_t i = first; text != NULL && i < call->argument_count; i++) {
        size_t length = strlen(call->arguments[i]);

        text[at++] = ' ';
        memcpy(text + at, call->arguments[i], length);
        at += length;
    }
    return text;
}
