/* SPDX-License-Identifier: MIT */
/*
 * The commands of ETSI's and 3GPP's test scripts: "CMD A0A4000002 3F00 [data] (9FXX, 9000)". The first status
 * word counts, 9000 where none stands there; X is a digit that does not matter, here 0. A '\' at the end
 * joins the next line.
 */
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "base/rc.h"
#include "cli/explain/log_state.h"

static bool is_command(struct log_text text)
{
    return text.end - text.at > 4 && !strncasecmp(text.at, "CMD", 3) && strchr(" \t", text.at[3]) &&
           memchr(" \t0123456789abcdefABCDEF", text.at[4], 24);
}

/* Digits up to one of stop, which is passed: 1, or 0 if they are no bytes. */
static int take_digits(struct log_state *state, struct log_text *text, const char *stop)
{
    int high = -1;

    for (; text->at < text->end && !strchr(stop, *text->at); text->at++) {
        int digit = *text->at == 'X' || *text->at == 'x' ? 0 : hex_digit(*text->at);
        uint8_t byte;

        if (*text->at == ' ' || *text->at == '\t')
            continue;
        if (digit < 0)
            return 0;
        if (high < 0) {
            high = digit;
            continue;
        }
        byte = (uint8_t)(high << 4 | digit);
        if (buffer_append(&state->bytes, &byte, 1))
            return RC_NO_MEMORY;
        high = -1;
    }
    return high < 0;
}

static bool pass(struct log_text *text, const char *mark)
{
    const char *found = text->at < text->end ? memchr(text->at, *mark, (size_t)(text->end - text->at)) : NULL;

    if (!found)
        return false;
    text->at = found + 1;
    return true;
}

static int take_answer(struct log_state *state, struct log_text text)
{
    static const uint8_t done[] = {0x90, 0x00};
    struct log_text data = text;
    int rc = 1;

    if (text.at < text.end && *text.at == '[') {
        data.at++;
        rc = take_digits(state, &data, "]");
        text.at = data.at;
    }
    if (rc <= 0)
        return rc;
    if (!pass(&text, "("))
        return buffer_append(&state->bytes, done, sizeof done) ? RC_NO_MEMORY : 1;
    return take_digits(state, &text, ",)");
}

static int take_command(struct log_state *state, struct log_text text)
{
    int rc = log_begin(state, KIND_COMMAND);

    text.at += 3;
    if (!rc)
        rc = take_digits(state, &text, "[(");
    if (rc > 0 && state->bytes.length) {
        rc = log_begin(state, KIND_RESPONSE);
        if (!rc)
            rc = take_answer(state, text);
    }
    if (rc == 0)
        state->pending = false;
    return rc;
}

int log_take_etsi(struct log_state *state, struct log_text text)
{
    struct buffer *joined = &state->joined;
    bool goes_on;

    if (!joined->length && !is_command(text))
        return 0;
    while (text.end > text.at && strchr(" \t\r", text.end[-1]))
        text.end--;
    goes_on = text.end > text.at && text.end[-1] == '\\';
    if (!goes_on && !joined->length)
        return take_command(state, text);
    if (buffer_append(joined, text.at, (size_t)(text.end - text.at) - goes_on) ||
        buffer_append(joined, " ", 1))
        return RC_NO_MEMORY;
    return goes_on ? 1 : log_end_etsi(state);
}

int log_end_etsi(struct log_state *state)
{
    const char *text = (const char *)state->joined.data;
    int rc =
        state->joined.length ? take_command(state, (struct log_text){text, text + state->joined.length}) : 0;

    secret_wipe(state->joined.data, state->joined.length);
    state->joined.length = 0;
    return rc;
}
