/* SPDX-License-Identifier: MIT */
#include "iso/t0_host.h"

#include <stdbool.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/rc.h"
#include "iso/apdu.h"

#define PROCEDURE_NULL 0x60
#define HEADER 5 /* CLA INS P1 P2 P3 */

/* 10.3.3: 6x but 60, and 9x, begin the status. */
static bool is_sw1(uint8_t byte)
{
    return (byte & 0xF0) == 0x90 || ((byte & 0xF0) == 0x60 && byte != PROCEDURE_NULL);
}

int t0_host_map(const uint8_t *command, size_t length, struct t0_host_tpdu *ret_tpdu)
{
    struct t0_host_tpdu tpdu = {.bytes = command, .length = length};
    struct apdu apdu;
    int rc = apdu_parse(command, length, &apdu, NULL);

    if (rc)
        return rc;
    if (is_sw1(apdu.ins) || apdu.ins == PROCEDURE_NULL)
        return detail_set(RC_INVALID_VALUE, "INS %02X cannot be sent with T=0: it looks like a status byte",
                          (unsigned)apdu.ins);
    if (apdu.extended)
        return detail_set(RC_UNSUPPORTED,
                          "extended APDU: with T=0 this reader carries at most 255 data bytes to the "
                          "card and 256 back; use command chaining or GET RESPONSE");
    if (apdu.kind == APDU_4S)
        tpdu.length = HEADER + apdu.lc;
    else
        tpdu.le = apdu.le;
    tpdu.lc = apdu.lc;
    *ret_tpdu = tpdu;
    return RC_OK;
}

/* A command under way. */
struct line {
    t0_host_exchange_fn *exchange;
    void *user;
    uint8_t ins;
    const uint8_t *out; /* data still to be sent */
    size_t out_left;
    size_t in_left; /* data still expected */
    uint8_t got[T0_HOST_RESPONSE_MAX];
    size_t length;
    uint8_t ahead[2]; /* received with the data, from ahead_at on not yet looked at */
    size_t ahead_at;
};

static int swap(struct line *line, const uint8_t *send, size_t send_length, uint8_t *receive, size_t count)
{
    size_t came = 0;
    int rc = line->exchange(line->user, send, send_length, receive, count, &came);

    if (!rc && came != count)
        rc = detail_set(RC_IO, "reader brought %zu bytes of the card where %zu were asked for", came, count);
    return rc;
}

static int next_byte(struct line *line, uint8_t *ret_byte)
{
    if (line->ahead_at < sizeof line->ahead) {
        *ret_byte = line->ahead[line->ahead_at++];
        return RC_OK;
    }
    return swap(line, NULL, 0, ret_byte, 1);
}

static int send_data(struct line *line, size_t count, uint8_t *ret_procedure)
{
    int rc = swap(line, line->out, count, ret_procedure, 1);

    if (!rc) {
        line->out += count;
        line->out_left -= count;
    }
    return rc;
}

/* All remaining data, and SW1 SW2 or what stands before them: two bytes follow in any case. One byte: at
 * least one follows. */
static int receive_data(struct line *line, size_t count, uint8_t *ret_procedure)
{
    size_t more = count == line->in_left ? 2 : 1;
    uint8_t bytes[T0_HOST_RESPONSE_MAX];
    int rc = swap(line, NULL, 0, bytes, count + more);

    if (!rc) {
        memcpy(line->got + line->length, bytes, count);
        line->length += count;
        line->in_left -= count;
        *ret_procedure = bytes[count];
        if (more == 2) {
            line->ahead[1] = bytes[count + 1];
            line->ahead_at = 1;
        }
    }
    secret_wipe(bytes, sizeof bytes);
    return rc;
}

static int transfer(struct line *line, size_t count, uint8_t *ret_procedure)
{
    return line->out_left ? send_data(line, count, ret_procedure) : receive_data(line, count, ret_procedure);
}

/* 10.3.3, table 11. */
static int obey(struct line *line, uint8_t *procedure)
{
    size_t left = line->out_left ? line->out_left : line->in_left;

    if (*procedure == PROCEDURE_NULL)
        return next_byte(line, procedure);
    if (left && (*procedure ^ line->ins) <= 1) /* INS, and INS xor 01 of the time of programming voltage */
        return transfer(line, left, procedure);
    if (left && (*procedure ^ line->ins) >= 0xFE)
        return transfer(line, 1, procedure);
    return detail_set(
        RC_NOT_TRANSACTED,
        "card answered INS %02X with procedure byte %02X, which is out of place; reset the card",
        (unsigned)line->ins, (unsigned)*procedure);
}

static int hand_over(const struct line *line, const uint8_t sw[2], uint8_t *response, size_t capacity,
                     size_t *ret_length)
{
    *ret_length = line->length + 2;
    if (*ret_length > capacity)
        return detail_set(RC_INSUFFICIENT_BUFFER, "response has %zu bytes, the buffer %zu", *ret_length,
                          capacity);
    memcpy(response, line->got, line->length);
    memcpy(response + line->length, sw, 2);
    return RC_OK;
}

int t0_host_transceive(const struct t0_host_tpdu *tpdu, t0_host_exchange_fn *exchange, void *user,
                       uint8_t *response, size_t capacity, size_t *ret_length)
{
    struct line line = {
        .exchange = exchange,
        .user = user,
        .ins = tpdu->bytes[1],
        .out = tpdu->lc ? tpdu->bytes + HEADER : NULL,
        .out_left = tpdu->lc,
        .in_left = tpdu->le,
        .ahead_at = sizeof line.ahead,
    };
    uint8_t header[HEADER] = {0}, sw[2]; /* 12.2.2: P3 of case 1 is 00 */
    int rc;

    memcpy(header, tpdu->bytes, tpdu->length < HEADER ? tpdu->length : HEADER);
    rc = swap(&line, header, sizeof header, &sw[0], 1);
    while (!rc && !is_sw1(sw[0]))
        rc = obey(&line, &sw[0]);
    if (!rc)
        rc = next_byte(&line, &sw[1]);
    if (!rc)
        rc = hand_over(&line, sw, response, capacity, ret_length);
    secret_wipe(line.got, sizeof line.got);
    return rc;
}
