/* SPDX-License-Identifier: MIT */
/*
 * "scard": a script for `scard run` that sends the same commands and expects the same answers:
 *
 *     00B0000004 =[01020304]9000
 *
 * A secret that was masked is asked for by the script, {pin}; where a command holds more than that, it is a
 * comment.
 */
#include "capture/formats.h"

#include "base/rc.h"
#include "capture/print.h"

#define INS_VERIFY 0x20

static int connection(const struct captured *exchange, struct buffer *out)
{
    int rc = print(out, "# ");

    if (!rc)
        rc = print_name(out, exchange->reader);
    if (!rc)
        rc = print(out, "\n# ATR: ");
    if (!rc)
        rc = print_hex(out, exchange->response, exchange->response_length);
    return rc ? rc : print(out, "\n");
}

/* VERIFY with a short Lc: the number of bytes is that of Lc (captured_mask). */
static bool asks_for_pin(const struct captured *exchange)
{
    return exchange->command[1] == INS_VERIFY && exchange->secret_offset == 5 &&
           exchange->command_length == 5 + exchange->secret_length;
}

static int command(const struct captured *exchange, struct buffer *out)
{
    int rc;

    if (!exchange->secret_length || !(exchange->flags & CAPTURED_MASKED))
        return print_hex(out, exchange->command, exchange->command_length);
    if (!asks_for_pin(exchange)) {
        rc = print(out, "# not recorded, for it holds a secret: ");
        return rc ? rc : print_command(out, exchange);
    }
    rc = print_hex(out, exchange->command, 4);
    return rc ? rc : print(out, ":{pin:%zu}", exchange->secret_length);
}

/* Short of four bytes it is no APDU that a script can hold. */
static int apdu(const struct captured *exchange, struct buffer *out)
{
    uint16_t sw;
    size_t data;
    int rc;

    if (!captured_status(exchange, &sw, &data))
        return print(out, "# a command got no response: %s\n", rc_name(exchange->rc));
    if (exchange->command_length < 4)
        return print(out, "# a command of %zu bytes is no APDU\n", exchange->command_length);
    rc = command(exchange, out);
    if (!rc)
        rc = print(out, " =");
    if (!rc && data)
        rc = print(out, "[");
    if (!rc)
        rc = print_hex(out, exchange->response, data);
    return rc ? rc : print(out, "%s%04X\n", data ? "]" : "", sw);
}

static int begin(struct capture_writer *writer, struct buffer *out)
{
    (void)writer;
    return print(out, "# scard script: scard run sends this and expects the same answers\n");
}

static int add(struct capture_writer *writer, const struct captured *exchange, struct buffer *out)
{
    int rc;

    switch (exchange->kind) {
    case CAPTURED_CONNECT:
        if (exchange->rc)
            return RC_OK;
        rc = exchange->code && writer->number ? print(out, "reset\n") : RC_OK;
        return rc ? rc : connection(exchange, out);
    case CAPTURED_RESET:
        return print(out, "reset\n");
    case CAPTURED_APDU:
        /* What scard adds by itself it adds again: the command before it says what came of all. */
        return apdu(exchange, out);
    default:
        return RC_OK;
    }
}

const struct capture_format format_script = {
    .name = "scard", .endings = ".scard ", .begin = begin, .add = add};
