/* SPDX-License-Identifier: MIT */
#include "manager/trace_line.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/hex.h"
#include "base/rc.h"
#include "iso/apdu.h"

void trace_line_add(struct trace_line *line, const char *format, ...)
{
    char *piece;
    va_list arguments;
    int length;

    va_start(arguments, format);
    length = vasprintf(&piece, format, arguments);
    va_end(arguments);
    if (length < 0)
        return;
    (void)buffer_append(&line->text, piece, (size_t)length);
    free(piece);
}

void trace_line_hex(struct trace_line *line, const uint8_t *bytes, size_t count)
{
    /* A caller that asks for a length alone has none. */
    if (!bytes || buffer_reserve(&line->text, 2 * count + 1))
        return;
    hex_format(bytes, count, (char *)line->text.data + line->text.length);
    line->text.length += 2 * count;
}

void trace_line_command(struct trace_line *line, const uint8_t *bytes, size_t count)
{
    size_t offset = 0, length = 0;
    char *hex;

    if (!apdu_secret_range(bytes, count, &offset, &length))
        length = 0;
    hex = hex_new_masked(bytes, count, offset, length);
    if (hex)
        trace_line_add(line, " %s", hex);
    free(hex);
}

/* Names come from programs and readers: one line stays one line. */
void trace_line_name(struct trace_line *line, const char *name)
{
    trace_line_add(line, " \"");
    for (; *name; name++)
        trace_line_add(line, "%c", (unsigned char)*name < ' ' || *name == 0x7F ? '?' : *name);
    trace_line_add(line, "\"");
}

struct trace_line trace_line_begin(const char *call, unsigned context, unsigned handle)
{
    struct trace_line line = {.start_ns = clock_now_ns()};
    struct timespec now;
    struct tm day;

    clock_gettime(CLOCK_REALTIME, &now);
    localtime_r(&now.tv_sec, &day);
    trace_line_add(&line, "%02d:%02d:%02d.%06ld %d %s #%u", day.tm_hour, day.tm_min, day.tm_sec,
                   now.tv_nsec / 1000, (int)getpid(), call, context);
    if (handle)
        trace_line_add(&line, ".%u", handle);
    return line;
}

void trace_line_end(struct trace_line *line, int rc)
{
    double ms = (double)(clock_now_ns() - line->start_ns) / 1e6;

    if (rc)
        trace_line_add(line, " ! %s", rc_name(rc));
    trace_line_add(line, "  %.3f ms\n", ms);
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
