/* SPDX-License-Identifier: MIT */
/* iso/t0_host: APDU to TPDU, and procedure bytes at character level. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/rc.h"
#include "iso/t0_host.h"

static void mapping(void **state)
{
    static const struct {
        uint8_t command[10];
        size_t length;
        int rc;
        size_t tpdu_length, lc, le;
    } rows[] = {
        {{0x00, 0x44, 0, 0}, 4, RC_OK, 4, 0, 0},        /* 1: the reader adds P3 */
        {{0x00, 0xb0, 0, 0, 0x10}, 5, RC_OK, 5, 0, 16}, /* 2S */
        {{0x00, 0xb0, 0, 0, 0x00}, 5, RC_OK, 5, 0, 256},
        {{0x00, 0xd6, 0, 0, 2, 1, 2}, 7, RC_OK, 7, 2, 0},          /* 3S */
        {{0x00, 0xa4, 0, 0, 2, 0x3f, 0, 0}, 8, RC_OK, 7, 2, 0},    /* 4S: Le cut */
        {{0x00, 0xc0, 0, 0, 9}, 5, RC_OK, 5, 0, 9},                /* GET RESPONSE is a command as others */
        {{0x00, 0xb0, 0, 0, 0, 1, 0}, 7, RC_UNSUPPORTED, 0, 0, 0}, /* 2E */
        {{0x00, 0xd6, 0, 0, 0, 0, 1, 1}, 8, RC_UNSUPPORTED, 0, 0, 0},        /* 3E */
        {{0x00, 0xd6, 0, 0, 0, 0, 1, 1, 0, 0}, 10, RC_UNSUPPORTED, 0, 0, 0}, /* 4E */
        {{0x00, 0x60, 0, 0}, 4, RC_INVALID_VALUE, 0, 0, 0},
        {{0x00, 0x6f, 0, 0}, 4, RC_INVALID_VALUE, 0, 0, 0},
        {{0x00, 0x90, 0, 0}, 4, RC_INVALID_VALUE, 0, 0, 0},
        {{0x00, 0xa4, 0}, 3, RC_INVALID_VALUE, 0, 0, 0},
        {{0x00, 0xd6, 0, 0, 3, 1, 2}, 7, RC_INVALID_VALUE, 0, 0, 0},
        {{0}, 0, RC_INVALID_VALUE, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct t0_host_tpdu tpdu = {.length = 77};

        detail_clear();
        assert_int_equal(t0_host_map(rows[i].command, rows[i].length, &tpdu), rows[i].rc);
        assert_int_equal(tpdu.length, rows[i].rc ? 77 : rows[i].tpdu_length);
        assert_int_equal(*detail_get() != 0, rows[i].rc != 0);
        if (rows[i].rc)
            continue;
        assert_ptr_equal(tpdu.bytes, rows[i].command);
        assert_true(tpdu.lc == rows[i].lc && tpdu.le == rows[i].le);
        assert_true(tpdu.length <= T0_HOST_TPDU_MAX);
    }
}

/* A card that gives out one stream of bytes whatever it gets; what it gets is written down: the bytes sent,
 * and after each exchange a stroke and the number of bytes asked for. */
struct script {
    const uint8_t *stream;
    size_t length, at;
    uint8_t sent[600];
    size_t sent_length;
    char log[400];
    int fail_at, count; /* RC_TIMEOUT at this exchange */
    size_t cut;         /* so many bytes missing in each answer */
};

static int play(void *user, const uint8_t *send, size_t send_length, uint8_t *receive, size_t receive_length,
                size_t *ret_length)
{
    struct script *script = user;
    size_t used = strlen(script->log); /* full after a few dozen exchanges */

    if (++script->count == script->fail_at)
        return RC_TIMEOUT;
    assert_true(receive_length >= 1);
    assert_true(script->sent_length + send_length <= sizeof script->sent);
    if (send_length)
        memcpy(script->sent + script->sent_length, send, send_length);
    script->sent_length += send_length;
    snprintf(script->log + used, sizeof script->log - used, "%zu/%zu ", send_length, receive_length);
    if (receive_length > script->length - script->at)
        return RC_MUTE; /* the card has nothing more to say */
    memcpy(receive, script->stream + script->at, receive_length);
    script->at += receive_length;
    *ret_length = receive_length - script->cut;
    return RC_OK;
}

struct exchange {
    const char *what;
    uint8_t command[12];
    size_t command_length;
    uint8_t stream[16];
    size_t stream_length;
    int rc;
    const char *log;
    uint8_t response[12];
    size_t response_length;
};

static const struct exchange exchanges[] = {
    {"case 1", {0, 0x44, 1, 2}, 4, {0x90, 0}, 2, RC_OK, "5/1 0/1 ", {0x90, 0}, 2},
    {"case 1, waiting",
     {0, 0x44, 1, 2},
     4,
     {0x60, 0x60, 0x90, 0},
     4,
     RC_OK,
     "5/1 0/1 0/1 0/1 ",
     {0x90, 0},
     2},
    {"case 2, all",
     {0, 0xb0, 0, 0, 3},
     5,
     {0xb0, 1, 2, 3, 0x90, 0},
     6,
     RC_OK,
     "5/1 0/5 ",
     {1, 2, 3, 0x90, 0},
     5},
    {"case 2, old form",
     {0, 0xb0, 0, 0, 3},
     5,
     {0xb1, 1, 2, 3, 0x90, 0},
     6,
     RC_OK,
     "5/1 0/5 ",
     {1, 2, 3, 0x90, 0},
     5},
    {"case 2, one by one",
     {0, 0xb0, 0, 0, 3},
     5,
     {0x4f, 1, 0x4f, 2, 0x4e, 3, 0x90, 0},
     8,
     RC_OK,
     "5/1 0/2 0/2 0/3 ",
     {1, 2, 3, 0x90, 0},
     5},
    {"case 2, one, then all",
     {0, 0xb0, 0, 0, 3},
     5,
     {0x4f, 1, 0x60, 0xb0, 2, 3, 0x90, 0},
     8,
     RC_OK,
     "5/1 0/2 0/1 0/4 ",
     {1, 2, 3, 0x90, 0},
     5},
    {"waiting before the status",
     {0, 0xb0, 0, 0, 1},
     5,
     {0xb0, 1, 0x60, 0x60, 0x61, 5},
     6,
     RC_OK,
     "5/1 0/3 0/1 0/1 ",
     {1, 0x61, 5},
     3},
    {"data that look like procedure bytes",
     {0, 0xb0, 0, 0, 3},
     5,
     {0xb0, 0x60, 0x90, 0xb0, 0x90, 0x60},
     6,
     RC_OK,
     "5/1 0/5 ",
     {0x60, 0x90, 0xb0, 0x90, 0x60},
     5},
    {"6Cxx is not repeated", {0, 0xb0, 0, 0, 3}, 5, {0x6c, 2}, 2, RC_OK, "5/1 0/1 ", {0x6c, 2}, 2},
    {"status after a part",
     {0, 0xb0, 0, 0, 3},
     5,
     {0x4f, 1, 0x62, 0x82},
     4,
     RC_OK,
     "5/1 0/2 0/1 ",
     {1, 0x62, 0x82},
     3},
    {"case 3, all", {0, 0xd6, 0, 0, 2, 8, 9}, 7, {0xd6, 0x90, 0}, 3, RC_OK, "5/1 2/1 0/1 ", {0x90, 0}, 2},
    {"case 3, one by one",
     {0, 0xd6, 0, 0, 2, 8, 9},
     7,
     {0x29, 0x28, 0x90, 0},
     4,
     RC_OK,
     "5/1 1/1 1/1 0/1 ",
     {0x90, 0},
     2},
    {"case 3, refused", {0, 0xd6, 0, 0, 2, 8, 9}, 7, {0x69, 0x82}, 2, RC_OK, "5/1 0/1 ", {0x69, 0x82}, 2},
    {"case 4, no GET RESPONSE",
     {0, 0xa4, 0, 0, 2, 0x3f, 0, 0},
     8,
     {0xa4, 0x61, 0x10},
     3,
     RC_OK,
     "5/1 2/1 0/1 ",
     {0x61, 0x10},
     2},
    {"GSM status",
     {0xa0, 0xa4, 0, 0, 2, 0x3f, 0},
     7,
     {0xa4, 0x9f, 0x16},
     3,
     RC_OK,
     "5/1 2/1 0/1 ",
     {0x9f, 0x16},
     2},
    {"ACK of nothing", {0, 0x44, 1, 2}, 4, {0x44, 0x90, 0}, 3, RC_NOT_TRANSACTED, "5/1 ", {0}, 0},
    {"ACK after all data",
     {0, 0xb0, 0, 0, 1},
     5,
     {0xb0, 1, 0xb0, 0x90, 0},
     5,
     RC_NOT_TRANSACTED,
     "5/1 0/3 ",
     {0},
     0},
    {"ACK of one too many",
     {0, 0xd6, 0, 0, 1, 8},
     6,
     {0x29, 0x29, 0x90},
     3,
     RC_NOT_TRANSACTED,
     "5/1 1/1 ",
     {0},
     0},
    {"another INS", {0, 0xb0, 0, 0, 1}, 5, {0xb2, 1}, 2, RC_NOT_TRANSACTED, "5/1 ", {0}, 0},
    {"silent", {0, 0xb0, 0, 0, 1}, 5, {0}, 0, RC_MUTE, "5/1 ", {0}, 0},
    {"silent after ACK", {0, 0xb0, 0, 0, 1}, 5, {0xb0}, 1, RC_MUTE, "5/1 0/3 ", {0}, 0},
    {"silent after SW1", {0, 0xb0, 0, 0, 1}, 5, {0x90}, 1, RC_MUTE, "5/1 0/1 ", {0}, 0},
};

static int run(const struct exchange *row, struct script *script, uint8_t *response, size_t capacity,
               size_t *length)
{
    struct t0_host_tpdu tpdu;

    script->stream = row->stream;
    script->length = row->stream_length;
    assert_int_equal(t0_host_map(row->command, row->command_length, &tpdu), RC_OK);
    return t0_host_transceive(&tpdu, play, script, response, capacity, length);
}

static void procedure_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof exchanges / sizeof *exchanges; i++) {
        const struct exchange *row = &exchanges[i];
        struct script script = {0};
        uint8_t *response = malloc(row->response_length + 1);
        size_t length = 77;
        int rc;

        assert_non_null(response);
        rc = run(row, &script, response, row->response_length, &length);
        if (rc != row->rc || strcmp(script.log, row->log) != 0)
            fail_msg("%s: %d, \"%s\"", row->what, rc, script.log);
        assert_int_equal(length, rc ? 77 : row->response_length);
        if (!rc)
            assert_memory_equal(response, row->response, length);
        assert_memory_equal(script.sent, row->command, row->command_length < 5 ? 4 : 5);
        assert_int_equal(row->command_length < 5 ? script.sent[4] : 0, 0);
        assert_memory_equal(script.sent + 5, row->command + 5, script.sent_length - 5);
        free(response);
    }
}

/* Wherever the exchange fails, its code comes up and nothing more is sent. */
static void every_failure(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof exchanges / sizeof *exchanges; i++) {
        struct script whole = {0};
        uint8_t response[16];
        size_t length;

        (void)run(&exchanges[i], &whole, response, sizeof response, &length);
        for (int at = 1; at <= whole.count; at++) {
            struct script script = {.fail_at = at};

            length = 77;
            assert_int_equal(run(&exchanges[i], &script, response, sizeof response, &length), RC_TIMEOUT);
            assert_int_equal(script.count, at);
            assert_int_equal(length, 77);
        }
    }
}

static void too_few_bytes(void **state)
{
    struct script script = {.cut = 1};
    uint8_t response[8];
    size_t length;

    (void)state;
    assert_int_equal(run(&exchanges[2], &script, response, sizeof response, &length), RC_IO);
    assert_int_equal(script.count, 1);
}

static void no_room(void **state)
{
    struct script script = {0};
    uint8_t response[5] = {0xee, 0xee, 0xee, 0xee, 0xee};
    size_t length = 0;

    (void)state;
    assert_int_equal(run(&exchanges[2], &script, response, 4, &length), RC_INSUFFICIENT_BUFFER);
    assert_int_equal(length, 5);
    assert_int_equal(response[0], 0xee);
    assert_int_equal(script.at, script.length); /* the card is not left in the middle */
}

/* 256 bytes in each form, 255 out; response into the command's own buffer. */
static void longest(void **state)
{
    uint8_t stream[1 + 2 * 256 + 2], buffer[T0_HOST_RESPONSE_MAX], command[5 + 255] = {0, 0xd6, 0, 0, 255};
    struct script script = {.stream = stream};
    struct t0_host_tpdu tpdu;
    size_t length;

    (void)state;
    for (unsigned single = 0; single < 2; single++) {
        size_t at = 0;

        for (unsigned i = 0; i < 256; i++) {
            if (single || !i)
                stream[at++] = single ? 0x4f : 0xb0;
            stream[at++] = (uint8_t)i;
        }
        stream[at++] = 0x90;
        stream[at++] = 0x01;
        memset(&script, 0, sizeof script);
        script.stream = stream;
        script.length = at;
        memcpy(buffer, ((uint8_t[]){0, 0xb0, 0, 0, 0}), 5);
        assert_int_equal(t0_host_map(buffer, 5, &tpdu), RC_OK);
        assert_int_equal(t0_host_transceive(&tpdu, play, &script, buffer, sizeof buffer, &length), RC_OK);
        assert_int_equal(length, 258);
        for (unsigned i = 0; i < 256; i++)
            assert_int_equal(buffer[i], i);
        assert_int_equal(buffer[257], 1);
    }
    memcpy(stream, ((uint8_t[]){0xd6, 0x90, 0}), 3);
    memset(&script, 0, sizeof script);
    script.stream = stream;
    script.length = 3;
    memset(command + 5, 0xaa, 255);
    assert_int_equal(t0_host_map(command, sizeof command, &tpdu), RC_OK);
    assert_int_equal(t0_host_transceive(&tpdu, play, &script, buffer, sizeof buffer, &length), RC_OK);
    assert_int_equal(script.sent_length, 260);
    assert_memory_equal(script.sent, command, 260);
}

/* Every procedure byte in every place ends in a status or a code, inside the buffers. */
static void any_procedure_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof exchanges / sizeof *exchanges; i++) {
        for (size_t at = 0; at < exchanges[i].stream_length; at++) {
            for (unsigned value = 0; value < 256; value++) {
                struct exchange row = exchanges[i];
                struct script script = {0};
                uint8_t response[16];
                size_t length = 0;
                int rc;

                row.stream[at] = (uint8_t)value;
                rc = run(&row, &script, response, sizeof response, &length);
                assert_true(rc == RC_OK || rc == RC_MUTE || rc == RC_NOT_TRANSACTED);
                assert_true(rc || (length >= 2 && length <= 5));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mapping),
        cmocka_unit_test(procedure_bytes),
        cmocka_unit_test(every_failure),
        cmocka_unit_test(too_few_bytes),
        cmocka_unit_test(no_room),
        cmocka_unit_test(longest),
        cmocka_unit_test(any_procedure_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
