/* SPDX-License-Identifier: MIT */
#include "capture/print.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/hex.h"
#include "base/rc.h"

int print(struct buffer *out, const char *format, ...)
{
    char *piece;
    va_list arguments;
    int length, rc;

    va_start(arguments, format);
    length = vasprintf(&piece, format, arguments);
    va_end(arguments);
    if (length < 0)
        return RC_NO_MEMORY;
    rc = buffer_append(out, piece, (size_t)length);
    secret_wipe(piece, (size_t)length);
    free(piece);
    return rc;
}

int print_hex(struct buffer *out, const uint8_t *bytes, size_t count)
{
    /* A caller that asks for a length alone has none. */
    if (!bytes || !count)
        return RC_OK;
    if (buffer_reserve(out, 2 * count + 1))
        return RC_NO_MEMORY;
    hex_format(bytes, count, (char *)out->data + out->length);
    out->length += 2 * count;
    return RC_OK;
}

int print_command(struct buffer *out, const struct captured *exchange)
{
    char *hex = captured_command_hex(exchange);
    int rc;

    if (!hex)
        return RC_NO_MEMORY;
    rc = buffer_append(out, hex, strlen(hex));
    secret_wipe(hex, strlen(hex));
    free(hex);
    return rc;
}

int print_time(struct buffer *out, int64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / 1000000000);
    struct tm day = {0};

    gmtime_r(&seconds, &day);
    return print(out, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", day.tm_year + 1900, day.tm_mon + 1, day.tm_mday,
                 day.tm_hour, day.tm_min, day.tm_sec, (int)(time_ns / 1000 % 1000000));
}

int print_ms(struct buffer *out, int64_t duration_ns)
{
    int64_t us = duration_ns > 0 ? duration_ns / 1000 + (duration_ns % 1000 >= 500) : 0;

    return print(out, "%lld.%03d", (long long)(us / 1000), (int)(us % 1000));
}

int print_name(struct buffer *out, const char *name)
{
    int rc = RC_OK;

    for (; *name && !rc; name++)
        rc = print(out, "%c", (unsigned char)*name < ' ' || *name == 0x7F ? '?' : *name);
    return rc;
}
