/* SPDX-License-Identifier: MIT */
#include "cli/explain/log.h"

#include <string.h>

#include "base/hex.h"
#include "base/rc.h"
#include "cli/explain/log_state.h"

static enum explain_kind plain_kind(const struct log_state *state)
{
    enum explain_kind kind = explain_guess(state->bytes.data, state->bytes.length);

    /* ISO 7816-3:2006, 12.2.1: a response ends in 6X or 9X. */
    if (state->after_command && kind != KIND_COMMAND && kind != KIND_ATR && state->bytes.length >= 2) {
        uint8_t sw1 = state->bytes.data[state->bytes.length - 2];

        return sw1 >> 4 == 6 || sw1 >> 4 == 9 ? KIND_RESPONSE : kind;
    }
    return kind;
}

int log_flush(struct log_state *state)
{
    int rc = RC_OK;

    if (state->pending && state->has_status)
        rc = buffer_append(&state->bytes, state->status, 2);
    state->has_status = state->wants_status = state->goes_on = state->wrapped = false;
    state->dump = 0;
    if (rc || !state->pending)
        return rc;
    state->pending = false;
    state->item.bytes = state->bytes.data;
    state->item.length = state->bytes.length;
    if (!state->bytes.length && state->item.kind != KIND_RESET)
        return RC_OK;
    if (state->item.plain)
        state->item.kind = plain_kind(state);
    state->after_command = state->item.kind == KIND_COMMAND;
    return state->fn(state->user, &state->item);
}

int log_begin(struct log_state *state, enum explain_kind kind)
{
    int rc = log_flush(state);

    if (state->bytes.length)
        secret_wipe(state->bytes.data, state->bytes.length);
    state->bytes.length = 0;
    state->item = (struct log_item){.kind = kind, .line = state->line};
    state->pending = true;
    return rc;
}

static bool ends_word(const struct log_text *text)
{
    return text->at >= text->end || strchr(" \t\r:,;)]}\"'=.|/", *text->at) != NULL;
}

/* A word of pairs of digits, appended whole or not at all. 1, 0, RC_NO_MEMORY. */
static int take_word(struct log_state *state, struct log_text *text, bool single)
{
    struct log_text word = *text;
    size_t digits, count, at;
    int rc;

    if (word.end - word.at > 2 && word.at[0] == '0' && (word.at[1] == 'x' || word.at[1] == 'X'))
        word.at += 2;
    for (digits = 0; word.at + digits < word.end && hex_digit(word.at[digits]) >= 0; digits++)
        ;
    if (digits == 1 && single) {
        uint8_t byte = (uint8_t)hex_digit(*word.at);

        word.at++;
        if (!ends_word(&word))
            return 0;
        *text = word;
        return buffer_append(&state->bytes, &byte, 1) ? RC_NO_MEMORY : 1;
    }
    if (!digits || digits % 2)
        return 0;
    rc = buffer_reserve(&state->bytes, digits / 2);
    if (rc)
        return rc;
    if (hex_parse(word.at, digits, state->bytes.data + state->bytes.length, &count, &at))
        return 0;
    word.at += digits;
    if (!ends_word(&word) && *word.at != '*')
        return 0;
    state->bytes.length += count;
    *text = word;
    return 1;
}

int log_take_hex(struct log_state *state, struct log_text *text, size_t *ret_count)
{
    size_t before = state->bytes.length;
    int rc = RC_OK;

    while (text->at < text->end) {
        struct log_text next = *text;

        if (state->bytes.length > before && (*next.at == ' ' || *next.at == ':' || *next.at == ','))
            next.at++;
        if (next.end - next.at >= 2 && next.at[0] == '*' && next.at[1] == '*') {
            state->item.cut = true;
            text->at = next.at + 2;
            break;
        }
        /* pyscard writes the bytes of a status word without leading zeros. */
        rc = take_word(state, &next, state->item.kind == KIND_RESPONSE && state->bytes.length > before);
        if (rc <= 0)
            break;
        *text = next;
    }
    *ret_count = state->bytes.length - before;
    return rc < 0 ? rc : RC_OK;
}

static bool is_empty(struct log_text text)
{
    while (text.at < text.end && strchr(" \t\r", *text.at))
        text.at++;
    return text.at == text.end;
}

static int take(struct log_state *state, struct log_text text)
{
    int rc;

    if (state->dump) {
        rc = log_take_dump(state, text);
        if (rc)
            return rc < 0 ? rc : RC_OK;
    }
    if (state->wrapped) {
        rc = log_take_wrapped(state, text);
        if (rc)
            return rc < 0 ? rc : RC_OK;
    }
    if (is_empty(text))
        return state->wants_status ? RC_OK : log_flush(state);
    rc = *text.at == '{' ? log_take_json(state, text) : 0;
    if (!rc)
        rc = log_take_etsi(state, text);
    if (!rc)
        rc = log_take_line(state, text);
    if (rc)
        return rc < 0 ? rc : RC_OK;
    state->skipped++;
    return state->wants_status || state->has_status ? RC_OK : log_flush(state);
}

int log_read(const char *text, size_t length, log_item_fn *fn, void *user, unsigned *ret_skipped)
{
    struct log_state state = {.fn = fn, .user = user};
    const char *at = text, *end = text + length;
    int rc = RC_OK;

    while (!rc && at < end) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        struct log_text line = {at, newline ? newline : end};

        state.line++;
        rc = take(&state, line);
        at = newline ? newline + 1 : end;
    }
    if (!rc)
        rc = log_end_etsi(&state);
    if (rc >= 0)
        rc = log_flush(&state);
    buffer_fini(&state.bytes);
    buffer_fini(&state.joined);
    *ret_skipped = state.skipped;
    return rc;
}
