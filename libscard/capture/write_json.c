/* SPDX-License-Identifier: MIT */
/*
 * "jsonl": an object per line. "session" begins a connection, "apdu" is an exchange of it, "event" the reset
 * of its card, "control" a command to the reader. Hex is in upper case without blanks, a secret is "**".
 * read_json.c reads it.
 */
#include "capture/formats.h"

#include "base/rc.h"
#include "capture/print.h"
#include "iso/apdu.h"

/* RFC 8259, 7. Bytes that are no UTF-8 go as they are: names of readers have none. */
static int text(struct buffer *out, const char *key, const char *value)
{
    int rc = print(out, ",\"%s\":\"", key);

    for (; *value && !rc; value++) {
        if (*value == '"' || *value == '\\')
            rc = print(out, "\\%c", *value);
        else if ((unsigned char)*value < ' ' || *value == 0x7F)
            rc = print(out, "\\u%04x", (unsigned)*value);
        else
            rc = buffer_append(out, value, 1);
    }
    return rc ? rc : print(out, "\"");
}

static int hex(struct buffer *out, const char *key, const uint8_t *bytes, size_t count)
{
    int rc = print(out, ",\"%s\":\"", key);

    if (!rc)
        rc = print_hex(out, bytes, count);
    return rc ? rc : print(out, "\"");
}

static int time_of(struct buffer *out, const struct captured *exchange)
{
    int rc = print(out, ",\"time\":\"");

    if (!rc)
        rc = print_time(out, exchange->time_ns);
    return rc ? rc : print(out, "\"}\n");
}

static int session(const struct captured *exchange, struct buffer *out)
{
    const char *protocol = captured_protocol(exchange);
    bool connects = exchange->kind == CAPTURED_CONNECT;
    int rc = print(out, "{\"v\":1,\"t\":\"session\",\"tool\":\"scard " SCARD_VERSION "\"");

    if (!rc)
        rc = text(out, "reader", exchange->reader);
    if (!rc && exchange->device[0])
        rc = text(out, "device", exchange->device);
    if (!rc && connects)
        rc = hex(out, "atr", exchange->response, exchange->response_length);
    if (!rc && protocol)
        rc = text(out, "proto", protocol);
    if (!rc)
        rc = print(out, ",\"pid\":%u,\"handle\":\"%u.%u\"", exchange->process, exchange->context,
                   exchange->card);
    return rc ? rc : time_of(out, exchange);
}

static int reset(const struct capture_writer *writer, const struct captured *exchange, struct buffer *out)
{
    int rc = print(out, "{\"v\":1,\"t\":\"event\",\"what\":\"card-reset\",\"n\":%u", writer->number);

    return rc ? rc : time_of(out, exchange);
}

static int command(const struct captured *exchange, struct buffer *out)
{
    int rc = print(out, ",\"c\":\"");

    if (!rc)
        rc = print_command(out, exchange);
    return rc ? rc : print(out, "\"");
}

static int duration(const struct captured *exchange, struct buffer *out)
{
    int rc = print(out, ",\"ms\":");

    return rc ? rc : print_ms(out, exchange->duration_ns);
}

static int apdu(const struct capture_writer *writer, const struct captured *exchange, struct buffer *out)
{
    const char *name = exchange->command_length >= 4
                           ? apdu_instruction_name(exchange->command[0], exchange->command[1])
                           : NULL;
    size_t data = exchange->rc ? 0 : exchange->response_length;
    uint16_t sw = 0;
    bool has_status = captured_status(exchange, &sw, &data);
    int rc = print(out, "{\"v\":1,\"t\":\"apdu\",\"n\":%u", writer->number);

    if (!rc)
        rc = command(exchange, out);
    if (!rc)
        rc = exchange->rc ? print(out, ",\"r\":null") : hex(out, "r", exchange->response, data);
    if (!rc)
        rc = has_status ? print(out, ",\"sw\":\"%04X\"", sw) : print(out, ",\"sw\":null");
    if (!rc && exchange->rc)
        rc = text(out, "error", rc_name(exchange->rc));
    if (!rc)
        rc = duration(exchange, out);
    if (!rc)
        rc = print(out, ",\"auto\":%s", exchange->flags & CAPTURED_AUTOMATIC ? "true" : "false");
    if (!rc && name)
        rc = text(out, "name", name);
    if (!rc)
        rc = print(out, ",\"masked\":%s", exchange->flags & CAPTURED_MASKED ? "true" : "false");
    return rc ? rc : time_of(out, exchange);
}

static int control(const struct capture_writer *writer, const struct captured *exchange, struct buffer *out)
{
    int rc =
        print(out, "{\"v\":1,\"t\":\"control\",\"n\":%u,\"code\":\"%08X\"", writer->number, exchange->code);

    if (!rc)
        rc = command(exchange, out);
    if (!rc)
        rc = exchange->rc ? text(out, "error", rc_name(exchange->rc))
                          : hex(out, "r", exchange->response, exchange->response_length);
    if (!rc)
        rc = duration(exchange, out);
    return rc ? rc : time_of(out, exchange);
}

static int add(struct capture_writer *writer, const struct captured *exchange, struct buffer *out)
{
    int turns, rc = RC_OK;

    if (exchange->kind == CAPTURED_CALL || (exchange->kind == CAPTURED_CONNECT && exchange->rc))
        return RC_OK;
    if (exchange->kind == CAPTURED_CONNECT && exchange->code && writer->reader)
        rc = reset(writer, exchange, out);
    turns = rc ? rc : capture_writer_turns(writer, exchange);
    if (turns < 0)
        return turns;
    if (turns || exchange->kind == CAPTURED_CONNECT)
        rc = session(exchange, out);
    if (rc || exchange->kind == CAPTURED_CONNECT)
        return rc;
    if (exchange->kind == CAPTURED_RESET)
        return reset(writer, exchange, out);
    return exchange->kind == CAPTURED_APDU ? apdu(writer, exchange, out) : control(writer, exchange, out);
}

const struct capture_format format_json = {.name = "jsonl", .endings = ".jsonl .json .ndjson ", .add = add};
