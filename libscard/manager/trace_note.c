/* SPDX-License-Identifier: MIT */
#include "manager/trace_note.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/rc.h"
#include "capture/print.h"
#include "iso/apdu.h"

static _Thread_local struct {
    unsigned flags;
    size_t offset, length;
} hint;

void trace_hint(unsigned flags, size_t secret_offset, size_t secret_length)
{
    hint.flags = flags & CAPTURED_AUTOMATIC;
    hint.offset = secret_offset;
    hint.length = secret_length;
}

void trace_note_add(struct trace_note *note, const char *format, ...)
{
    char *piece;
    va_list arguments;
    int length;

    if (!note->wanted)
        return;
    va_start(arguments, format);
    length = vasprintf(&piece, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    (void)buffer_append(&note->words, piece, (size_t)length);
    free(piece);
}

void trace_note_hex(struct trace_note *note, const uint8_t *bytes, size_t count)
{
    if (note->wanted)
        (void)print_hex(&note->words, bytes, count);
}

void trace_note_name(struct trace_note *note, const char *name)
{
    if (!note->wanted)
        return;
    (void)print(&note->words, " \"");
    (void)print_name(&note->words, name);
    (void)print(&note->words, "\"");
}

/* One range: a command with two secrets in it is masked from the first to the last byte of both. */
static void widen(struct captured *exchange, size_t offset, size_t length)
{
    size_t end = exchange->secret_offset + exchange->secret_length;

    if (offset >= exchange->command_length || !length)
        return;
    if (length > exchange->command_length - offset)
        length = exchange->command_length - offset;
    if (exchange->secret_length) {
        end = end > offset + length ? end : offset + length;
        offset = exchange->secret_offset < offset ? exchange->secret_offset : offset;
        length = end - offset;
    }
    exchange->secret_offset = offset;
    exchange->secret_length = length;
}

void trace_note_command(struct trace_note *note, const uint8_t *bytes, size_t count)
{
    struct captured *exchange = &note->exchange;
    size_t offset = 0, length = 0;

    if (note->wanted) {
        exchange->kind = CAPTURED_APDU;
        exchange->command = bytes;
        exchange->command_length = count;
        if (apdu_secret_range(bytes, count, &offset, &length))
            widen(exchange, offset, length);
        widen(exchange, hint.offset, hint.length);
        exchange->flags = hint.flags;
    }
    trace_hint(0, 0, 0);
}

void trace_note_control(struct trace_note *note, uint32_t code, const uint8_t *bytes, size_t count)
{
    if (!note->wanted)
        return;
    note->exchange.kind = CAPTURED_CONTROL;
    note->exchange.code = code;
    note->exchange.command = bytes;
    note->exchange.command_length = note->exchange.secret_length = bytes ? count : 0;
}

/* A caller that asks for a length alone has no bytes. */
void trace_note_response(struct trace_note *note, const uint8_t *bytes, size_t count)
{
    note->exchange.response = bytes;
    note->exchange.response_length = bytes ? count : 0;
}

void trace_note_timed(struct trace_note *note)
{
    note->exchange.duration_ns = clock_now_ns() - note->start_ns;
}

struct trace_note trace_note_begin(const struct trace_sink *sink, const char *call)
{
    struct trace_note note = {.wanted = sink->epoch != 0};
    struct timespec now;

    note.exchange = captured_none();
    if (!note.wanted)
        return note;
    note.exchange.call = call;
    clock_gettime(CLOCK_REALTIME, &now);
    note.exchange.time_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    note.start_ns = clock_now_ns();
    return note;
}

void trace_note_end(struct trace_note *note, struct trace_sink *sink, int rc)
{
    if (!note->wanted)
        return;
    if (!note->exchange.duration_ns)
        trace_note_timed(note);
    note->exchange.rc = rc;
    if (note->words.length && !buffer_append(&note->words, "", 1))
        note->exchange.words = (const char *)note->words.data;
    if (!sink->secrets)
        (void)captured_mask(&note->exchange, &note->masked);
    sink->give(sink, &note->exchange);
    buffer_fini(&note->words);
    buffer_fini(&note->masked);
}

static const char *word(const char *const *words, size_t count, unsigned value)
{
    return value < count ? words[value] : "?";
}

const char *trace_share_word(enum share_mode share)
{
    static const char *const words[] = {"?", "exclusive", "shared", "direct"};

    return word(words, sizeof words / sizeof words[0], share);
}

const char *trace_disposition_word(enum disposition disposition)
{
    static const char *const words[] = {"leave", "reset", "unpower", "eject"};

    return word(words, sizeof words / sizeof words[0], disposition);
}

const char *trace_protocol_word(uint32_t protocols)
{
    static const char *const words[] = {"none", "T=0", "T=1", "T=0|T=1", "raw"};

    return word(words, sizeof words / sizeof words[0], protocols);
}
