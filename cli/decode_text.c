/* SPDX-License-Identifier: MIT */
#include "cli/decode_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/rc.h"
#include "cli/card_names.h"
#include "cli/explain/bytes.h"
#include "cli/explain/ins.h"
#include "cli/explain/log.h"
#include "cli/explain/sw.h"
#include "cli/explain_show.h"
#include "cli/status.h"
#include "iso/apdu.h"

#define CHANNELS 20

struct decoding {
    struct call *call;
    enum explain_kind as; /* of lines of nothing but hex; KIND_UNKNOWN: what each looks like */
    enum explain_context contexts[CHANNELS]; /* of the application selected on each logical channel */
    unsigned channel;
    struct buffer command; /* that waits for its response */
    bool has_command;
    int status;

    /* What all items are, taken together. */
    unsigned items, plain, vague;
};

static void forget(struct decoding *decoding, enum explain_context context)
{
    for (unsigned i = 0; i < CHANNELS; i++)
        decoding->contexts[i] = context;
    decoding->has_command = false;
    decoding->channel = 0;
}

static int keep_command(struct decoding *decoding, const struct log_item *item)
{
    static const uint8_t star = '*';

    decoding->command.length = 0;
    decoding->has_command = true;
    decoding->channel = item->length ? apdu_class(item->bytes[0]).channel : 0;
    if (buffer_append(&decoding->command, item->bytes, item->length) < 0)
        return RC_NO_MEMORY;
    /* That there was data makes a difference in what the answer means. */
    return item->cut ? buffer_append(&decoding->command, &star, 1) : RC_OK;
}

static void add_names(struct record *record, const struct log_item *item)
{
    struct atr_names names = {0};

    if (card_names_find(item->bytes, item->length, &names) < 0)
        record->failed = true;
    record_list(record, SHOW_JSON, "cards");
    for (size_t i = 0; i < names.count; i++) {
        record_list_add(record, names.names[i]);
        record_people(record, "  %s\n", names.names[i]);
    }
    atr_names_fini(&names);
}

/* What the commands say when they meet that code. */
static void add_error(const struct decoding *decoding, const struct log_item *item, struct record *record)
{
    const struct output *output = decoding->call->output;
    uint32_t code = 0;
    const struct status_words *words;

    for (size_t i = 0; i < item->length; i++)
        code = code << 8 | item->bytes[i];
    words = status_of_scard((LONG)code);
    record_text(record, SHOW_JSON, "name", words->name);
    record_text(record, SHOW_ALL, "meaning", words->what);
    record_text(record, SHOW_JSON, "fix", words->advice);
    record_people(record, "%s%s%s  %s: %s.%s%s\n", output_paint(output, PAINT_BOLD),
                  explain_kind_name(item->kind), output_paint(output, PAINT_END), words->name, words->what,
                  words->advice[0] != '\0' ? " " : "", words->advice);
}

/* The first line for people, and the fields that are the kind's own. */
static void add_summary(const struct decoding *decoding, const struct log_item *item,
                        enum explain_context context, struct record *record)
{
    const struct output *output = decoding->call->output;
    const char *name = item->kind == KIND_COMMAND ? explain_ins_of(item->bytes, item->length, context) : NULL;
    const char *bold = output_paint(output, PAINT_BOLD), *end = output_paint(output, PAINT_END);
    char words[SW_TEXT_MAX] = "";
    uint16_t sw = 0;

    if (item->kind == KIND_RESPONSE && item->length >= 2) {
        sw = (uint16_t)(item->bytes[item->length - 2] << 8 | item->bytes[item->length - 1]);
        (void)explain_sw_of(decoding->command.data, decoding->has_command ? decoding->command.length : 0, sw,
                            context, words, sizeof words);
        record_format(record, SHOW_JSON, "sw", "%04X", sw);
    }
    record_text(record, SHOW_JSON, "name", name);
    record_text(record, SHOW_ALL, "meaning", name != NULL ? name : words);
    record_text(record, SHOW_JSON, "application", explain_context_name(context));
    if (!item->plain)
        record_people(record, "%sline %u: %s", output_paint(output, PAINT_DIM), item->line, end);
    record_people(record, "%s%s%s", bold, explain_kind_name(item->kind), end);
    if (name != NULL || words[0] != '\0')
        record_people(record, "  %s", name != NULL ? name : words);
    if (*explain_context_name(context) && (item->kind == KIND_COMMAND || item->kind == KIND_RESPONSE))
        record_people(record, "  %s(%s)%s", output_paint(output, PAINT_DIM), explain_context_name(context),
                      end);
    record_people(record, "\n");
    if (item->kind == KIND_ATR)
        add_names(record, item);
}

static void explain_item(const struct decoding *decoding, const struct log_item *item,
                         enum explain_context context, struct explanation *out)
{
    const uint8_t *command = decoding->has_command ? decoding->command.data : NULL;

    switch (item->kind) {
    case KIND_ATR:
        explain_atr(item->bytes, item->length, 0, 1, out);
        break;
    case KIND_COMMAND:
        explain_command(item->bytes, item->length, item->cut, context, 0, 1, out);
        break;
    case KIND_RESPONSE:
        explain_response(item->bytes, item->length, command, command != NULL ? decoding->command.length : 0,
                         context, 0, 1, out);
        break;
    case KIND_TLV:
        explain_tlv(item->bytes, item->length, 0, context, 0, 1, out);
        break;
    case KIND_CCID:
        explain_ccid(item->bytes, item->length, context, 0, 1, out);
        break;
    case KIND_UNKNOWN:
        explain_data(item->bytes, item->length, context, 0, 1, out);
        break;
    case KIND_RESET:
    case KIND_ERROR:
        break;
    }
}

static int show(struct decoding *decoding, const struct log_item *item, enum explain_context context)
{
    struct output *output = decoding->call->output;
    struct explanation explanation = {.show_secrets = decoding->call->globals.show_secrets};
    struct record record;
    char *hex;
    int status;

    explain_item(decoding, item, context, &explanation);
    hex = explanation_hex(&explanation, item->bytes, item->length);
    record_init(&record, "item", RECORD_ROW);
    record_text(&record, SHOW_ALL, "kind", explain_kind_name(item->kind));
    record_number(&record, SHOW_JSON, "line", item->line);
    record_format(&record, SHOW_ALL, "hex", "%s%s", hex != NULL ? hex : "", item->cut ? "**" : "");
    if (hex == NULL || explanation.failed)
        record.failed = true;
    if (hex != NULL)
        secret_wipe(hex, strlen(hex));
    free(hex);
    if (item->kind == KIND_ERROR)
        add_error(decoding, item, &record);
    else
        add_summary(decoding, item, context, &record);
    explain_people(output, &record, &explanation, item->bytes);
    status = output_record(output, &record);
    if (status == STATUS_DONE)
        status = explain_parts(output, &explanation, item->bytes);
    record_fini(&record);
    explanation_fini(&explanation);
    return status;
}

static uint16_t status_of(const struct log_item *item)
{
    return (uint16_t)(item->bytes[item->length - 2] << 8 | item->bytes[item->length - 1]);
}

/* Is it what --as says; a code of PC/SC has four bytes. */
static bool is_as(const struct decoding *decoding, size_t length)
{
    return decoding->as != KIND_UNKNOWN && (decoding->as != KIND_ERROR || length == 4);
}

static int decode_item(void *user, const struct log_item *given)
{
    struct decoding *decoding = user;
    struct log_item item = *given;
    enum explain_context *selected, context;

    if (call_interrupted(decoding->call))
        return RC_CANCELLED;
    if (item.plain && is_as(decoding, item.length))
        item.kind = decoding->as;
    if (item.kind == KIND_ATR || item.kind == KIND_RESET)
        forget(decoding, EXPLAIN_ISO);
    if (item.kind == KIND_COMMAND && keep_command(decoding, &item) < 0)
        return RC_NO_MEMORY;
    selected = &decoding->contexts[decoding->channel];
    if (item.kind == KIND_RESPONSE && decoding->has_command && item.length >= 2)
        *selected = explain_context_after(*selected, decoding->command.data, decoding->command.length,
                                          status_of(&item));
    context = *selected;
    if (context == EXPLAIN_ISO && item.kind == KIND_TLV)
        context = explain_context_of_objects(item.bytes, item.length);
    else if (context == EXPLAIN_ISO && item.kind == KIND_RESPONSE && item.length > 2)
        context = explain_context_of_objects(item.bytes, item.length - 2);
    if (decoding->has_command && decoding->command.length &&
        (item.kind == KIND_COMMAND || item.kind == KIND_RESPONSE))
        context = explain_context_for(decoding->command.data[0], context);
    decoding->status = show(decoding, &item, context);
    if (item.kind == KIND_RESPONSE)
        decoding->has_command = false;
    return decoding->status == STATUS_DONE ? RC_OK : RC_CANCELLED;
}

static int count_item(void *user, const struct log_item *item)
{
    struct decoding *decoding = user;

    decoding->items++;
    decoding->plain += item->plain;
    decoding->vague += item->length < 2 || (decoding->as == KIND_UNKNOWN && item->kind == KIND_UNKNOWN);
    return RC_OK;
}

/* All lines as one run of bytes: a dump, or words of an argument vector. RC_INVALID_VALUE if they are none.
 */
static int join(const struct buffer *text, struct buffer *bytes)
{
    struct buffer line = {0};
    size_t count, at;
    int rc = buffer_append(&line, text->data, text->length);

    for (size_t i = 0; rc == RC_OK && i < line.length; i++)
        if (line.data[i] == '\n' || line.data[i] == '\r')
            line.data[i] = ' ';
    if (rc == RC_OK)
        rc = buffer_reserve(bytes, text->length / 2 + 1);
    if (rc == RC_OK && hex_parse((const char *)line.data, line.length, bytes->data, &count, &at) < 0)
        rc = RC_INVALID_VALUE;
    if (rc == RC_OK)
        bytes->length = count;
    buffer_fini(&line);
    return rc;
}

static bool is_one(const struct decoding *decoding, unsigned skipped)
{
    return decoding->items > 0 && decoding->items == decoding->plain && skipped == 0 &&
           (decoding->vague > 0 || decoding->as == KIND_ATR || decoding->as == KIND_TLV ||
            decoding->as == KIND_CCID);
}

/* Lines of hex that mean nothing one by one may be one thing. 1 it was shown, 0 it is none. */
static int decode_joined(struct decoding *decoding, const struct buffer *text)
{
    struct buffer bytes = {0};
    struct log_item item = {.line = 1, .plain = true};
    int rc = join(text, &bytes);

    item.bytes = bytes.data;
    item.length = bytes.length;
    if (rc == RC_OK)
        item.kind = is_as(decoding, bytes.length) ? decoding->as : explain_guess(bytes.data, bytes.length);
    if (rc == RC_OK && (item.kind != KIND_UNKNOWN || decoding->vague == decoding->items))
        rc = decode_item(decoding, &item) < 0 ? RC_CANCELLED : 1;
    else if (rc == RC_INVALID_VALUE)
        rc = 0;
    buffer_fini(&bytes);
    return rc;
}

static int decode(struct decoding *decoding, const struct buffer *text)
{
    struct call *call = decoding->call;
    unsigned skipped = 0;
    int rc = log_read((const char *)text->data, text->length, count_item, decoding, &skipped);

    if (rc == RC_OK && decoding->items == 0)
        return call_fail(call, STATUS_USAGE,
                         "Give bytes in hex, or the log of pcscd, opensc, gp, scriptor or scard.",
                         "nothing here can be decoded");
    if (rc == RC_OK && is_one(decoding, skipped))
        rc = decode_joined(decoding, text);
    if (rc == RC_OK)
        rc = log_read((const char *)text->data, text->length, decode_item, decoding, &skipped);
    if (rc == RC_NO_MEMORY)
        return call_no_memory(call);
    if (rc < 0 && decoding->status == STATUS_DONE)
        return call_fail_rc(call, rc, "cannot decode");
    return decoding->status;
}

int decode_text(struct call *call, const struct buffer *text, enum explain_kind as,
                enum explain_context context)
{
    struct decoding decoding = {.call = call, .as = as};
    int status;

    forget(&decoding, context);
    status = decode(&decoding, text);
    buffer_fini(&decoding.command);
    return status;
}
