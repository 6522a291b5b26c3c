/* SPDX-License-Identifier: MIT */
/* The forms of lines in logs. */
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "base/rc.h"
#include "cli/explain/log_state.h"

static void skip_blanks(struct log_text *text)
{
    while (text->at < text->end && (*text->at == ' ' || *text->at == '\t'))
        text->at++;
}

/* Moves behind the first place of word. */
static bool find(struct log_text *text, const char *word)
{
    size_t length = strlen(word);
    const char *found = memmem(text->at, (size_t)(text->end - text->at), word, length);

    if (!found)
        return false;
    text->at = found + length;
    return true;
}

static bool starts(struct log_text *text, const char *word)
{
    size_t length = strlen(word);

    if ((size_t)(text->end - text->at) < length || memcmp(text->at, word, length) != 0)
        return false;
    text->at += length;
    return true;
}

/* The bytes behind a word that said what they are. 1, or 0 if there are none: then it was another line. */
static int take_item(struct log_state *state, enum explain_kind kind, struct log_text *text)
{
    size_t count;
    int rc = log_begin(state, kind);

    skip_blanks(text);
    if (!rc)
        rc = log_take_hex(state, text, &count);
    if (rc)
        return rc;
    if (count || state->item.cut) {
        state->goes_on = true;
        return 1;
    }
    state->pending = false;
    return 0;
}

/* gp: the protocol, lengths and times stand before the bytes. */
static void skip_remarks(struct log_text *text)
{
    for (;;) {
        skip_blanks(text);
        if (text->at >= text->end)
            return;
        if (*text->at == '(') {
            if (!find(text, ")"))
                return;
        } else if (*text->at == 'T' || *text->at == '#') {
            while (text->at < text->end && *text->at != ' ')
                text->at++;
        } else {
            return;
        }
    }
}

/* The bytes go on behind a blank or two, in groups. */
static int take_groups(struct log_state *state, enum explain_kind kind, struct log_text text)
{
    size_t count;
    int rc;

    skip_remarks(&text);
    rc = take_item(state, kind, &text);
    while (rc > 0 && !state->item.cut) {
        skip_blanks(&text);
        if (log_take_hex(state, &text, &count))
            return RC_NO_MEMORY;
        if (!count)
            break;
    }
    return rc;
}

/* Words that stand before bytes, wherever in the line. */
static int take_marked(struct log_state *state, struct log_text line)
{
    static const struct {
        const char *word;
        enum explain_kind kind;
    } words[] = {
        {"Card ATR: ", KIND_ATR},   {"ATR: ", KIND_ATR},     {"ATR=", KIND_ATR},
        {"APDU: ", KIND_COMMAND},   {"SW: ", KIND_RESPONSE}, {"raw apdu:", KIND_COMMAND},
        {"Sending:", KIND_COMMAND}, {"SEND:", KIND_COMMAND},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct log_text text = line;
        int rc;

        if (!find(&text, words[i].word))
            continue;
        rc = take_item(state, words[i].kind, &text);
        if (rc)
            return rc;
    }
    return 0;
}

/* ykman: data and status word are told apart. */
static int take_received(struct log_state *state, struct log_text line)
{
    size_t count;
    int rc;

    if (!find(&line, "RECV:"))
        return 0;
    rc = log_begin(state, KIND_RESPONSE);
    skip_blanks(&line);
    if (!rc)
        rc = log_take_hex(state, &line, &count);
    if (!rc && find(&line, "SW="))
        rc = log_take_hex(state, &line, &count);
    return rc ? rc : 1;
}

/* A pair of digits at the beginning, which is passed. */
static bool read_byte(struct log_text *text, uint8_t *ret_byte)
{
    if (text->end - text->at < 2 || hex_digit(text->at[0]) < 0 || hex_digit(text->at[1]) < 0)
        return false;
    *ret_byte = (uint8_t)(hex_digit(text->at[0]) << 4 | hex_digit(text->at[1]));
    text->at += 2;
    return true;
}

/* The first number, how many bytes there are; -1 if there is none. */
static long number_in(struct log_text text)
{
    long number = 0;

    while (text.at < text.end && (*text.at < '0' || *text.at > '9'))
        text.at++;
    if (text.at >= text.end)
        return -1;
    for (; text.at < text.end && *text.at >= '0' && *text.at <= '9'; text.at++) {
        if (number > 1 << 20)
            return -1;
        number = 10 * number + (*text.at - '0');
    }
    return number;
}

/* Lines that say how many bytes follow in a dump, or which status word stands behind it. */
static int take_opener(struct log_state *state, struct log_text line)
{
    struct log_text text = line;
    bool out = find(&text, "Outgoing APDU");
    long count;
    int rc;

    if (out || find(&text, "Incoming APDU")) {
        count = number_in(text);
        if (count <= 0)
            return 0;
        rc = log_begin(state, out ? KIND_COMMAND : KIND_RESPONSE);
        state->dump = (size_t)count;
        return rc ? rc : 1;
    }
    if (find(&text, "Received (SW1=0x")) {
        rc = log_begin(state, KIND_RESPONSE);
        state->has_status = read_byte(&text, &state->status[0]) && starts(&text, ", SW2=0x") &&
                            read_byte(&text, &state->status[1]);
        state->dump = state->has_status ? SIZE_MAX : 0;
        return rc ? rc : state->has_status;
    }
    if (find(&text, "response: sw=")) {
        rc = log_begin(state, KIND_RESPONSE);
        state->has_status = read_byte(&text, &state->status[0]) && read_byte(&text, &state->status[1]);
        return rc ? rc : state->has_status;
    }
    if (state->pending && state->has_status && find(&text, "dump:")) {
        size_t taken;

        skip_blanks(&text);
        rc = log_take_hex(state, &text, &taken);
        return rc ? rc : 1;
    }
    return 0;
}

/* libccid: the number is the reader's. */
static int take_reader_message(struct log_state *state, struct log_text line)
{
    struct log_text text = line;
    size_t digits = 0;

    if (!find(&text, "-> ")) {
        text = line;
        if (!find(&text, "<- "))
            return 0;
    }
    while (text.at + digits < text.end && hex_digit(text.at[digits]) >= 0)
        digits++;
    if (digits != 6 || text.end - text.at < 9 || text.at[6] != ' ')
        return 0;
    text.at += 7;
    return take_item(state, KIND_CCID, &text);
}

/* "-> T=1, 3B…": how gp tells of a connection. */
static int take_connection(struct log_state *state, struct log_text line)
{
    if (!find(&line, ") -> T=") || !find(&line, ", "))
        return 0;
    return take_item(state, KIND_ATR, &line);
}

/* "SCardTransmit #1.1 00A4… > 6D00" */
static int take_call(struct log_state *state, struct log_text line)
{
    size_t count;
    int rc;

    if (!find(&line, "SCardTransmit #") || !find(&line, " "))
        return 0;
    rc = take_item(state, KIND_COMMAND, &line);
    if (rc <= 0)
        return rc;
    if (!starts(&line, " > "))
        return 1;
    rc = log_begin(state, KIND_RESPONSE);
    if (!rc)
        rc = log_take_hex(state, &line, &count);
    return rc ? rc : 1;
}

/* "C:command:status word:data" */
static int take_cardpeek(struct log_state *state, struct log_text line)
{
    struct log_text status, data;
    size_t count;
    int rc;

    if (starts(&line, "R:"))
        return take_item(state, KIND_ATR, &line);
    if (!starts(&line, "C:"))
        return 0;
    data = line;
    if (!find(&data, ":"))
        return 0;
    line.end = data.at - 1;
    status = data;
    rc = take_item(state, KIND_COMMAND, &line);
    if (rc <= 0)
        return rc;
    rc = log_begin(state, KIND_RESPONSE);
    if (find(&data, ":"))
        status.end = data.at - 1;
    else
        data.at = data.end;
    if (!rc)
        rc = log_take_hex(state, &data, &count);
    if (!rc)
        rc = log_take_hex(state, &status, &count);
    return rc ? rc : 1;
}

/* This shell shows data and status word in a line each; the first says how many bytes it has. */
static int take_answer(struct log_state *state, struct log_text text)
{
    bool joins = state->wants_status;
    size_t count;
    int rc = joins ? RC_OK : log_begin(state, KIND_RESPONSE);

    (void)starts(&text, "[]");
    skip_blanks(&text);
    if (!rc)
        rc = log_take_hex(state, &text, &count);
    if (rc)
        return rc;
    if (!count && !joins) {
        state->pending = false;
        return 0;
    }
    skip_blanks(&text);
    state->wants_status = !joins && text.at < text.end && *text.at == '(';
    state->goes_on = !joins;
    return 1;
}

/* '>' and '<' at the beginning, with what makes arrows of them. */
static int take_arrow(struct log_state *state, struct log_text text)
{
    const char *from;

    skip_blanks(&text);
    from = text.at;
    while (text.at < text.end && strchr("-=<>", *text.at))
        text.at++;
    if (text.at == from || text.at - from > 4)
        return 0;
    if (memchr(from, '<', (size_t)(text.at - from))) {
        skip_blanks(&text);
        /* scriptor: the answer to "> RESET". */
        if (starts(&text, "OK:"))
            return take_item(state, KIND_ATR, &text);
        return take_answer(state, text);
    }
    return text.at[-1] == '>' ? take_item(state, KIND_COMMAND, &text) : 0;
}

/* scdaemon writes 32 bytes to a line, and a '\' where more follow. */
static bool is_wrapped(struct log_text text)
{
    while (text.end > text.at && strchr(" \t\r", text.end[-1]))
        text.end--;
    return text.end > text.at && text.end[-1] == '\\';
}

int log_take_wrapped(struct log_state *state, struct log_text text)
{
    struct log_text line = text;
    size_t count;
    int rc;

    state->wrapped = false;
    if (!find(&text, "DBG:"))
        return 0;
    skip_blanks(&text);
    rc = log_take_hex(state, &text, &count);
    if (rc || !count)
        return rc;
    state->wrapped = is_wrapped(line);
    return 1;
}

/* Bytes and nothing else but a comment, or the next line of what is pending. */
static int take_plain(struct log_state *state, struct log_text text)
{
    bool indented = text.at < text.end && (*text.at == ' ' || *text.at == '\t');
    size_t count, before;
    int rc;

    skip_blanks(&text);
    if (indented && state->pending && state->goes_on && !state->item.cut) {
        before = state->bytes.length;
        rc = log_take_hex(state, &text, &count);
        skip_blanks(&text);
        if (rc || count) {
            state->wants_status |= state->item.kind == KIND_RESPONSE && text.at < text.end && *text.at == '(';
            return rc ? rc : 1;
        }
        state->bytes.length = before;
    }
    rc = log_begin(state, KIND_UNKNOWN);
    if (!rc)
        rc = log_take_hex(state, &text, &count);
    if (rc)
        return rc;
    skip_blanks(&text);
    if (text.at < text.end && (*text.at == '\r' || *text.at == '#' || *text.at == ';'))
        text.at = text.end;
    state->item.plain = true;
    if (count && text.at == text.end)
        return 1;
    state->pending = false;
    return 0;
}

static bool is_reset(struct log_text text)
{
    static const char *const words[] = {"reset", "RESET", "RST", "# reset", "> RESET"};

    skip_blanks(&text);
    while (text.end > text.at && strchr(" \t\r", text.end[-1]))
        text.end--;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i]) == (size_t)(text.end - text.at) && !memcmp(text.at, words[i], strlen(words[i])))
            return true;
    return false;
}

int log_take_line(struct log_state *state, struct log_text text)
{
    static int (*const forms[])(struct log_state *, struct log_text) = {
        take_opener, take_call,  take_connection, take_reader_message, take_received,
        take_marked, take_arrow, take_cardpeek,   take_plain,
    };
    struct log_text gp = text;
    int rc;

    if (find(&gp, "A>>"))
        return take_groups(state, KIND_COMMAND, gp);
    if (find(&gp, "A<<"))
        return take_groups(state, KIND_RESPONSE, gp);
    if (is_reset(text)) {
        rc = log_begin(state, KIND_RESET);
        return rc ? rc : 1;
    }
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        rc = forms[i](state, text);
        if (rc) {
            gp = text;
            state->wrapped = state->pending && find(&gp, "DBG:") && is_wrapped(text);
            return rc;
        }
    }
    return 0;
}
