/* SPDX-License-Identifier: MIT */
/*
 * Sessions as other programs keep them, all text:
 *
 *   "gp"        GlobalPlatformPro's -d:  A>> T=1 (4+0008) 80500000 08 0102030405060708 00
 *                                        A<< (0028+2) (17ms) 00005026… 9000
 *   "apdu4j"    its dump: "# ATR: …", "# PROTOCOL: T=1", then command and response in turn, "# 17ms" between
 *   "cardpeek"  its trace: "R:ATR", "C:command:status word:data"
 *
 * The last two have no word for a secret that is left out: a comment, which those programs skip, says which
 * bytes of the command behind it are stars.
 */
#include "capture/formats.h"

#include "base/rc.h"
#include "capture/print.h"
#include "iso/apdu.h"

static int gp_command(const struct captured *exchange, struct buffer *out)
{
    const char *protocol = captured_protocol(exchange);
    const uint8_t *command = exchange->command;
    size_t length = exchange->command_length;
    struct apdu apdu;
    int rc;

    if (apdu_parse(command, length, &apdu, NULL) || exchange->secret_length) {
        rc = print(out, "A>> %s (%04zu) ", protocol ? protocol : "T=1", length);
        if (!rc)
            rc = print_command(out, exchange);
        return rc ? rc : print(out, "\n");
    }
    rc = print(out, "A>> %s (4+%04zu) ", protocol ? protocol : "T=1", apdu.lc);
    if (!rc)
        rc = print_hex(out, command, 4);
    if (!rc && apdu.lc) {
        size_t from = (size_t)(apdu.data - command);

        rc = print(out, " ");
        if (!rc)
            rc = print_hex(out, command + 4, from - 4);
        if (!rc)
            rc = print(out, " ");
        if (!rc)
            rc = print_hex(out, apdu.data, apdu.lc);
        command += from + apdu.lc - 4;
        length -= from + apdu.lc - 4;
    }
    if (!rc && length > 4)
        rc = print(out, " ");
    if (!rc && length > 4)
        rc = print_hex(out, command + 4, length - 4);
    return rc ? rc : print(out, "\n");
}

static int gp_response(const struct captured *exchange, struct buffer *out)
{
    double ms = (double)exchange->duration_ns / 1e6;
    uint16_t sw;
    size_t data;
    int rc;

    if (exchange->rc)
        return print(out, "# no response (%.0fms): %s\n", ms, rc_name(exchange->rc));
    if (!captured_status(exchange, &sw, &data))
        return print(out, "# a response of %zu bytes (%.0fms)\n", exchange->response_length, ms);
    rc = print(out, "A<< (%04zu+2) (%.0fms) ", data, ms);
    if (!rc)
        rc = print_hex(out, exchange->response, data);
    return rc ? rc : print(out, "%s%04X\n", data ? " " : "", sw);
}

static int gp_add(struct capture_writer *writer, const struct captured *exchange, struct buffer *out)
{
    int rc = RC_OK;

    (void)writer;
    if (exchange->kind == CAPTURED_CONNECT && !exchange->rc) {
        rc = print(out, "# Reader: ");
        if (!rc)
            rc = print_name(out, exchange->reader);
        if (!rc)
            rc = print(out, "\n# ATR: ");
        if (!rc)
            rc = print_hex(out, exchange->response, exchange->response_length);
        return rc ? rc : print(out, "\n");
    }
    if (exchange->kind != CAPTURED_APDU)
        return RC_OK;
    rc = gp_command(exchange, out);
    return rc ? rc : gp_response(exchange, out);
}

/* Stars are no hex for other programs: their own bytes, and a comment for us. */
static int secret(const struct captured *exchange, struct buffer *out)
{
    if (!exchange->secret_length || !(exchange->flags & CAPTURED_MASKED))
        return RC_OK;
    return print(out, "# SECRET: %zu %zu\n", exchange->secret_offset, exchange->secret_length);
}

static int connection(struct capture_writer *writer, const struct captured *exchange, struct buffer *out)
{
    const char *protocol = captured_protocol(exchange);
    int rc = print(out, "# ATR: ");

    (void)writer;
    if (!rc)
        rc = print_hex(out, exchange->response, exchange->response_length);
    if (!rc && protocol)
        rc = print(out, "\n# PROTOCOL: %s", protocol);
    if (!rc)
        rc = print(out, "\n# READER: ");
    if (!rc)
        rc = print_name(out, exchange->reader);
    return rc ? rc : print(out, "\n");
}

static int apdu4j_add(struct capture_writer *writer, const struct captured *exchange, struct buffer *out)
{
    int rc;

    if (exchange->kind == CAPTURED_CONNECT && !exchange->rc)
        return connection(writer, exchange, out);
    if (exchange->kind != CAPTURED_APDU)
        return RC_OK;
    /* The format is pairs: what got no answer is told in a comment. */
    if (exchange->rc)
        return print(out, "# a command got no response: %s\n", rc_name(exchange->rc));
    rc = secret(exchange, out);
    if (!rc)
        rc = print_hex(out, exchange->command, exchange->command_length);
    if (!rc)
        rc = print(out, "\n# %.0fms\n", (double)exchange->duration_ns / 1e6);
    if (!rc)
        rc = print_hex(out, exchange->response, exchange->response_length);
    return rc ? rc : print(out, "\n");
}

static int cardpeek_begin(struct capture_writer *writer, struct buffer *out)
{
    (void)writer;
    return print(out, "# cardpeek trace file\n# version 0\n");
}

static int cardpeek_exchange(const struct captured *exchange, struct buffer *out)
{
    uint16_t sw;
    size_t data;
    int rc;

    if (!captured_status(exchange, &sw, &data))
        return print(out, "# a command got no response: %s\n", rc_name(exchange->rc));
    rc = secret(exchange, out);
    if (!rc)
        rc = print(out, "C:");
    if (!rc)
        rc = print_hex(out, exchange->command, exchange->command_length);
    if (!rc)
        rc = print(out, ":%04X:", sw);
    if (!rc)
        rc = print_hex(out, exchange->response, data);
    return rc ? rc : print(out, "\n");
}

static int cardpeek_add(struct capture_writer *writer, const struct captured *exchange, struct buffer *out)
{
    int rc;

    (void)writer;
    if (exchange->kind == CAPTURED_APDU)
        return cardpeek_exchange(exchange, out);
    if (exchange->kind != CAPTURED_CONNECT || exchange->rc)
        return RC_OK;
    rc = print(out, "R:");
    if (!rc)
        rc = print_hex(out, exchange->response, exchange->response_length);
    return rc ? rc : print(out, "\n");
}

static int cardpeek_end(struct capture_writer *writer, struct buffer *out)
{
    (void)writer;
    return print(out, "# end\n");
}

const struct capture_format format_gp = {.name = "gp", .endings = ".gp ", .add = gp_add};
const struct capture_format format_apdu4j = {
    .name = "apdu4j", .endings = ".dump .apdu4j ", .add = apdu4j_add};
const struct capture_format format_cardpeek = {.name = "cardpeek",
                                               .endings = ".cardpeek ",
                                               .begin = cardpeek_begin,
                                               .add = cardpeek_add,
                                               .end = cardpeek_end};
