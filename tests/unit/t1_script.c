/* SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rc.h"
#include "tests/unit/t1_script.h"

struct player {
    const struct t1_scenario *scenario;
    const char *at;
    unsigned step;
};

uint8_t t1_command_byte(size_t at)
{
    return (uint8_t)(at * 7 + at / 256 + 1);
}

uint8_t t1_answer_byte(size_t at)
{
    return (uint8_t)(at * 5 + at / 256 + 3);
}

/* The CRC as a division of the bit string, lowest bit of each byte first. */
static unsigned crc_of(const uint8_t *bytes, size_t length)
{
    unsigned rest = 0xffff, reflected = 0;

    for (size_t i = 0; i < length * 8; i++) {
        unsigned bit = ((unsigned)bytes[i / 8] >> (i % 8) & 1) ^ (rest >> 15);

        rest = (rest << 1 & 0xffff) ^ (bit ? 0x1021 : 0);
    }
    for (unsigned i = 0; i < 16; i++)
        reflected |= (rest >> i & 1) << (15 - i);
    return reflected;
}

size_t t1_script_edc(uint8_t *block, size_t length, bool crc)
{
    unsigned sum = 0;

    if (crc) {
        sum = crc_of(block, length);
        block[length++] = (uint8_t)(sum >> 8);
    } else {
        for (size_t i = 0; i < length; i++)
            sum ^= block[i];
    }
    block[length++] = (uint8_t)sum;
    return length;
}

static size_t read_hex(const char *text, uint8_t *out)
{
    size_t count = 0;
    unsigned byte;

    for (; sscanf(text, "%2x", &byte) == 1; text += 2)
        out[count++] = (uint8_t)byte;
    return count;
}

/* PCB LEN INF of a token; the length, 0 if it is none. */
static size_t write_token(const char *token, uint8_t (*data)(size_t), uint8_t *out)
{
    static const char *const types[] = {"RESYNCH", "IFS", "ABORT", "WTX"};
    unsigned a, b, value;
    size_t offset, length = 0;
    char type[8], mark;
    int fields = sscanf(token, "I(%u,%u)@%zu+%zu", &a, &b, &offset, &length);

    if (fields >= 2) {
        out[0] = (uint8_t)(a << 6 | b << 5);
        out[1] = (uint8_t)length;
        for (size_t i = 0; i < length; i++)
            out[2 + i] = data(offset + i);
        return 2 + length;
    }
    out[1] = 0;
    if (sscanf(token, "R(%u,%u)", &a, &b) == 2) {
        out[0] = (uint8_t)(0x80 | a << 4 | b);
        return 2;
    }
    fields = sscanf(token, "S(%7[A-Z]%c%2x)", type, &mark, &value);
    for (unsigned i = 0; fields >= 2 && i < 4; i++) {
        if (strcmp(type, types[i]) != 0)
            continue;
        out[0] = (uint8_t)((mark == '?' ? 0xc0 : 0xe0) | i);
        out[1] = fields == 3;
        if (fields == 3)
            out[2] = (uint8_t)value;
        return 2 + out[1];
    }
    return 0;
}

static size_t write_block(const struct t1_scenario *scenario, const char *token, bool host, uint8_t *out)
{
    uint8_t nad = scenario->nad;
    size_t length;

    if (token[0] == '#')
        return read_hex(token + 1, out);
    out[0] = (uint8_t)(host ? nad : nad << 4 | nad >> 4);
    if (strstr(token, "~nad"))
        out[0] ^= 0x21;
    length = write_token(token, host ? t1_command_byte : t1_answer_byte, out + 1);
    if (!length)
        fail_msg("%s: '%s' is no block", scenario->name, token);
    length = t1_script_edc(out, 1 + length, scenario->crc);
    if (strstr(token, "~edc"))
        out[length - 1] ^= 0x10;
    if (strstr(token, "~short"))
        length--;
    if (strstr(token, "~cut"))
        length -= 2;
    if (strstr(token, "~long"))
        out[length++] = 0;
    return length;
}

static bool next_token(struct player *player, char token[static 600])
{
    int count = 0;

    if (sscanf(player->at, " %599s%n", token, &count) != 1)
        return false;
    player->at += count;
    player->step++;
    return true;
}

/* What the card does by the script. */
static int answer(struct player *player, uint8_t *out, size_t *ret_length)
{
    static const struct {
        const char *name;
        int event;
    } events[] = {{"parity", T1_PARITY}, {"timeout", T1_TIMEOUT},     {"nocard", RC_NO_CARD},
                  {"io", RC_IO},         {"cancelled", RC_CANCELLED}, {"late", RC_TIMEOUT}};
    uint8_t block[T1_BLOCK_MAX + 60];
    char token[600];

    if (!next_token(player, token))
        fail_msg("%s: the card has no answer in step %u", player->scenario->name, player->step);
    for (size_t i = 0; i < sizeof events / sizeof *events; i++) {
        if (strcmp(token, events[i].name) == 0)
            return events[i].event;
    }
    *ret_length = write_block(player->scenario, token, false, block);
    memcpy(out, block, *ret_length < T1_BLOCK_MAX ? *ret_length : T1_BLOCK_MAX);
    return 0;
}

static int exchange(void *user, const uint8_t *block, size_t length, uint8_t *out, size_t capacity,
                    size_t *ret_length, unsigned wtx_multiplier)
{
    struct player *player = user;
    uint8_t want[T1_BLOCK_MAX + 60];
    char token[600];
    unsigned value, multiplier = 0;
    size_t want_length;

    if (!next_token(player, token))
        fail_msg("%s: a block too many after step %u, PCB %02X", player->scenario->name, player->step,
                 block[1]);
    want_length = write_block(player->scenario, token, true, want);
    if (length != want_length || memcmp(block, want, length) != 0)
        fail_msg("%s: step %u: %02X %02X %02X, %zu bytes, instead of %s", player->scenario->name,
                 player->step, block[0], block[1], block[2], length, token);
    /* Time is extended for the answer to S(WTX response), and for no other. */
    if (sscanf(token, "S(WTX!%2x)", &value) == 1)
        multiplier = value ? value : 1;
    if (wtx_multiplier != multiplier)
        fail_msg("%s: step %u: multiplier %u", player->scenario->name, player->step, wtx_multiplier);
    assert_int_equal(capacity, T1_BLOCK_MAX);
    return answer(player, out, ret_length);
}

/* Command and response in blocks of exactly their size, for the address sanitizer. */
static void play_command(struct player *player, struct t1 *t1, size_t length, bool secure, size_t capacity,
                         int rc, size_t received)
{
    uint8_t *command = malloc(length), *response = malloc(capacity);
    const char *name = player->scenario->name;
    size_t got = 12345;
    int result;

    assert_true(command && response);
    for (size_t i = 0; i < length; i++)
        command[i] = t1_command_byte(i);
    if (secure) {
        uint8_t first[T1_BLOCK_MAX + 60], prologue[3];
        size_t first_length = 0;
        int event;

        assert_int_equal(t1_secure_prologue(t1, length, prologue), RC_OK);
        assert_int_equal(prologue[0], t1->nad);
        assert_int_equal(prologue[1], t1->ns << 6);
        assert_int_equal(prologue[2], length);
        event = answer(player, first, &first_length);
        result = t1_secure_answer(t1, event, first, first_length, response, capacity, &got);
    } else {
        result = t1_transceive(t1, command, length, response, capacity, &got);
    }
    if (result != rc)
        fail_msg("%s: %s instead of %s", name, rc_name(result), rc_name(rc));
    if (got != (rc == RC_OK || rc == RC_INSUFFICIENT_BUFFER ? received : 12345))
        fail_msg("%s: %zu bytes", name, got);
    for (size_t i = 0; rc == RC_OK && i < received && i < capacity; i++) {
        if (response[i] != t1_answer_byte(i))
            fail_msg("%s: byte %zu of the response is wrong", name, i);
    }
    free(command);
    free(response);
}

static void play_end(const struct player *player)
{
    if (player->at[strspn(player->at, " ")])
        fail_msg("%s: not played: %s", player->scenario->name, player->at);
}

void t1_scenario_play(const struct t1_scenario *scenario)
{
    struct player player = {.scenario = scenario, .at = scenario->script};
    unsigned ifsc = scenario->ifsc ? scenario->ifsc : 32;
    struct t1 t1;

    t1_init(&t1, (uint8_t)ifsc, scenario->crc, exchange, &player);
    t1.ifsc_max = (uint8_t)scenario->ifsc_max;
    t1.nad = scenario->nad;
    if (scenario->reader_ifsd)
        t1_set_ifsd(&t1, (uint8_t)scenario->reader_ifsd);
    if (scenario->negotiate) {
        int rc = t1_negotiate_ifsd(&t1, scenario->negotiate);

        if (rc != (scenario->command ? RC_OK : scenario->rc))
            fail_msg("%s: negotiation: %s", scenario->name, rc_name(rc));
    }
    if (scenario->command)
        play_command(&player, &t1, scenario->command, scenario->secure,
                     scenario->capacity ? scenario->capacity : T1_SCRIPT_DATA, scenario->rc,
                     scenario->received);
    play_end(&player);
    if (t1.ns != scenario->ns || t1.nr != scenario->nr)
        fail_msg("%s: counters %u %u", scenario->name, t1.ns, t1.nr);
    if (t1.ifsc != (scenario->ifsc_after ? scenario->ifsc_after : ifsc) ||
        t1.ifsd != (scenario->ifsd_after ? scenario->ifsd_after : 32))
        fail_msg("%s: IFSC %u, IFSD %u", scenario->name, t1.ifsc, t1.ifsd);
    if (t1.dead != scenario->dead)
        fail_msg("%s: dead or not", scenario->name);
    if (scenario->dead) { /* and stays so, without a block, until the reset */
        play_command(&player, &t1, 5, false, 300, RC_IO, 0);
        t1_reset(&t1);
        assert_false(t1.dead || t1.alive || t1.ns || t1.nr);
        player.at = "I(0,0)@0+5 I(0,0)@0+2";
        play_command(&player, &t1, 5, false, 300, RC_OK, 2);
    }
    if (scenario->next) {
        player.at = scenario->next;
        play_command(&player, &t1, 5, false, 300, scenario->next_rc, scenario->next_received);
        play_end(&player);
    }
}
