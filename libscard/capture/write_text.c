/* SPDX-License-Identifier: MIT */
/*
 * "text": a line for each call.
 *
 *     12:00:00.000001 4711 SCardTransmit #1.1 00A40000 > 6D00  0.123 ms
 *
 * Time of day, process, call, context and card handle, what went in, behind > what came out, behind ! what
 * went wrong, how long it took.
 */
#include "capture/formats.h"

#include <string.h>
#include <time.h>

#include "base/rc.h"
#include "capture/print.h"

static int head(const struct captured *exchange, struct buffer *out)
{
    time_t seconds = (time_t)(exchange->time_ns / 1000000000);
    struct tm day = {0};
    int rc;

    localtime_r(&seconds, &day);
    rc = print(out, "%02d:%02d:%02d.%06d %u %s", day.tm_hour, day.tm_min, day.tm_sec,
               (int)(exchange->time_ns / 1000 % 1000000), exchange->process, exchange->call);
    if (!rc && exchange->context)
        rc = print(out, " #%u", exchange->context);
    /* SCardConnect is a call of the context. */
    if (!rc && exchange->card && strcmp(exchange->call, "SCardConnect") != 0)
        rc = print(out, ".%u", exchange->card);
    return rc;
}

static int body(const struct captured *exchange, struct buffer *out)
{
    bool apdu = exchange->kind == CAPTURED_APDU;
    bool came = !exchange->rc && (apdu || exchange->kind == CAPTURED_CONTROL);
    int rc = print(out, "%s", exchange->words);

    if (!rc && apdu)
        rc = print(out, " ");
    if (!rc && apdu)
        rc = print_command(out, exchange);
    if (!rc && came)
        rc = print(out, " > ");
    if (!rc && came)
        rc = print_hex(out, exchange->response, exchange->response_length);
    if (!rc && exchange->rc)
        rc = print(out, " ! %s", rc_name(exchange->rc));
    return rc;
}

static int add(struct capture_writer *writer, const struct captured *exchange, struct buffer *out)
{
    int rc = head(exchange, out);

    (void)writer;
    if (!rc)
        rc = body(exchange, out);
    if (!rc)
        rc = print(out, "  ");
    if (!rc)
        rc = print_ms(out, exchange->duration_ns);
    return rc ? rc : print(out, " ms\n");
}

const struct capture_format format_text = {.name = "text", .endings = ".txt .log .trace ", .add = add};
