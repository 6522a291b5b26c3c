/* SPDX-License-Identifier: MIT */
/* iso/t1: a table of conversations; then an honest card, with and without damage on the line; a hostile card.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/rc.h"
#include "iso/apdu.h"
#include "iso/atr.h"
#include "iso/t1.h"
#include "tests/unit/t1_card.h"
#include "tests/unit/t1_script.h"

static void scenarios(void **state)
{
    (void)state;
    assert_true(t1_scenario_count >= 60);
    for (size_t i = 0; i < t1_scenario_count; i++)
        t1_scenario_play(&t1_scenarios[i]);
}

static void values_of_atr(void **state)
{
    static const struct {
        uint8_t bytes[32];
        size_t length;
        uint8_t ifsc;
        bool crc;
    } atrs[] = {
        {{0x3b, 0x80, 0x81, 0x11, 0xfe, 0xee}, 6, 254, false},
        {{0x3b, 0x80, 0x81, 0x01, 0x00}, 5, 32, false},
        {{0x3b, 0x80, 0x81, 0x51, 0x10, 0x01, 0x51}, 7, 16, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof atrs / sizeof *atrs; i++) {
        struct atr atr;
        struct t1 t1;

        assert_int_equal(atr_parse(atrs[i].bytes, atrs[i].length, &atr), RC_OK);
        t1_init_atr(&t1, &atr, t1_card_exchange, NULL);
        assert_int_equal(t1.ifsc, atrs[i].ifsc);
        assert_int_equal(t1.ifsd, 32);
        assert_int_equal(t1.crc, atrs[i].crc);
        assert_int_equal(t1_edc_length(&t1), atrs[i].crc ? 2 : 1);
    }
}

/* LEN FF is reserved, even where all that it announces is there. */
static void len_ff(void **state)
{
    uint8_t bytes[3 + 255 + 1] = {0, 0, 0xff};
    struct t1_block block;

    (void)state;
    assert_int_equal(t1_script_edc(bytes, 3 + 255, false), sizeof bytes);
    assert_int_equal(t1_block_read(bytes, sizeof bytes, 0, false, &block), T1_FAULT_OTHER);
    bytes[2] = 0xfe;
    assert_int_equal(t1_script_edc(bytes, 3 + 254, false), sizeof bytes - 1);
    assert_int_equal(t1_block_read(bytes, sizeof bytes - 1, 0, false, &block), T1_FAULT_NONE);
    assert_int_equal(block.length, 254);
}

/* One command of length bytes, answered by card->answer_length; the result. */
static int round_trip(struct t1 *t1, struct t1_card *card, size_t length, size_t *ret_length)
{
    uint8_t *command = malloc(length), *response = malloc(card->answer_length);
    int rc;

    assert_true(command && response);
    for (size_t i = 0; i < length; i++)
        command[i] = t1_command_byte(i);
    card->expected = length;
    card->executed = card->wrong = card->exchanges = 0;
    rc = t1_transceive(t1, command, length, response, card->answer_length, ret_length);
    for (size_t i = 0; rc == RC_OK && i < card->answer_length; i++)
        assert_int_equal(response[i], t1_answer_byte(i));
    free(command);
    free(response);
    return rc;
}

static void card_new(struct t1_card *card, uint64_t seed)
{
    *card = (struct t1_card){.random = seed, .command_capacity = APDU_COMMAND_MAX, .row_max = 1};
    card->command = malloc(card->command_capacity);
    assert_non_null(card->command);
    t1_card_reset(card);
}

/* The longest command and the longest response there are, in blocks of each size. */
static void lengths_at_the_limit(void **state)
{
    static const uint8_t sizes[] = {1, 32, 254};
    struct t1_card card;

    (void)state;
    card_new(&card, 1);
    for (unsigned i = 0; i < 6; i++) {
        uint8_t size = sizes[i % 3];
        size_t got = 0;
        struct t1 t1;

        t1_card_reset(&card);
        card.crc = i >= 3;
        card.answer_length = APDU_RESPONSE_MAX;
        t1_init(&t1, size, card.crc, t1_card_exchange, &card);
        assert_int_equal(t1_negotiate_ifsd(&t1, size), RC_OK);
        assert_int_equal(t1.ifsd, size);
        assert_int_equal(round_trip(&t1, &card, APDU_COMMAND_MAX, &got), RC_OK);
        assert_int_equal(got, APDU_RESPONSE_MAX);
        assert_int_equal(card.executed, 1);
        assert_int_equal(card.wrong, 0);
        assert_int_equal(card.exchanges,
                         (APDU_COMMAND_MAX + size - 1) / size + (APDU_RESPONSE_MAX + size - 1) / size - 1);
    }
    free(card.command);
}

/* One byte more than a response can have: the card is stopped, and the next command works. */
static void longer_than_a_response(void **state)
{
    struct t1_card card;
    size_t got = 77;
    struct t1 t1;

    (void)state;
    card_new(&card, 1);
    card.answer_length = APDU_RESPONSE_MAX + 1;
    t1_init(&t1, 32, false, t1_card_exchange, &card);
    assert_int_equal(round_trip(&t1, &card, 5, &got), RC_IO);
    assert_int_equal(got, 77);
    card.answer_length = 2;
    assert_int_equal(round_trip(&t1, &card, 5, &got), RC_OK);
    assert_int_equal(got, 2);
    free(card.command);
}

/*
 * Commands and answers of random length through a random line. A single damage at a time is always made good;
 * with more, each command is executed once or an error is told, and never twice.
 */
static void random_lines(void **state)
{
    unsigned errors = 0, repaired = 0;

    (void)state;
    for (unsigned seed = 1; seed <= 600; seed++) {
        struct t1_card card;
        struct t1 t1;

        card_new(&card, seed);
        card.crc = seed % 3 == 0;
        card.wtx = seed % 5 * 20;
        card.ifs = seed % 7 * 10;
        card.chaotic = seed % 2 * 128;
        card.damage = seed % 4 * 30;
        card.row_max = seed % 8 < 4 ? 1 : 0;
        t1_init(&t1, (uint8_t)(1 + t1_card_random(&card) % 254), card.crc, t1_card_exchange, &card);
        if (t1_negotiate_ifsd(&t1, 1 + t1_card_random(&card) % 254)) {
            t1_reset(&t1);
            t1_card_reset(&card);
        }
        for (unsigned i = 0; i < 12; i++) {
            size_t got = 0;
            int rc;

            card.answer_length = 2 + t1_card_random(&card) % 600;
            rc = round_trip(&t1, &card, 4 + t1_card_random(&card) % 600, &got);
            assert_int_equal(card.wrong, 0);
            assert_true(card.executed <= 1);
            if (rc == RC_OK) {
                assert_int_equal(card.executed, 1);
                assert_int_equal(got, card.answer_length);
                repaired += card.damage != 0;
                continue;
            }
            assert_int_equal(rc, RC_IO);
            assert_true(card.damage && !card.row_max);
            errors++;
            if (t1.dead) {
                t1_reset(&t1);
                t1_card_reset(&card);
            }
        }
        free(card.command);
    }
    /* Both happened, or nothing was tested. */
    assert_true(errors > 50 && repaired > 1000);
}

/* A card that answers anything, well-formed more often than not. */
static int hostile_exchange(void *user, const uint8_t *block, size_t length, uint8_t *answer, size_t capacity,
                            size_t *ret_length, unsigned wtx_multiplier)
{
    static const uint8_t pcbs[] = {0x00, 0x40, 0x20, 0x60, 0x80, 0x90, 0x81, 0x92,
                                   0xc0, 0xc1, 0xc2, 0xc3, 0xe0, 0xe1, 0xe2, 0xe3};
    struct t1_card *card = user;
    unsigned dice = t1_card_random(card) % 64;
    uint8_t out[300] = {0};

    (void)wtx_multiplier;
    card->exchanges++;
    assert_true(length >= 4 && length <= T1_BLOCK_MAX && length == 3U + block[2] + (card->crc ? 2 : 1));
    if (dice < 2)
        return dice ? T1_PARITY : T1_TIMEOUT;
    if (dice == 2) { /* the whole buffer, or more than that */
        memset(answer, (int)dice, capacity);
        *ret_length = capacity + t1_card_random(card) % 2 * 1000;
        return 0;
    }
    out[1] = dice < 4 ? (uint8_t)t1_card_random(card) : pcbs[t1_card_random(card) % card->wtx];
    if (block[1] == 0xc0 && dice % 4)
        out[1] = 0xe0;
    if (!(out[1] & 0x80))
        out[2] = (uint8_t)(t1_card_random(card) % 40);
    else if ((out[1] & 0xc0) == 0xc0 && (out[1] & 1))
        out[2] = 1;
    for (unsigned i = 0; i < out[2]; i++)
        out[3 + i] = (uint8_t)t1_card_random(card);
    *ret_length = t1_script_edc(out, 3U + out[2], card->crc);
    memcpy(answer, out, *ret_length);
    return 0;
}

/* Whatever it answers, each call ends, and leaves the room behind the response alone. */
static void hostile_card(void **state)
{
    unsigned counts[2] = {0};

    (void)state;
    for (unsigned seed = 1; seed <= 4000; seed++) {
        struct t1_card card = {.random = seed, .crc = seed % 2, .wtx = 2 + seed % 15};
        uint8_t command[100] = {0};
        uint8_t *response = malloc(20);
        size_t got;
        struct t1 t1;

        assert_non_null(response);
        t1_init(&t1, (uint8_t)(1 + seed % 254), card.crc, hostile_exchange, &card);
        (void)t1_negotiate_ifsd(&t1, 254);
        for (unsigned i = 0; i < 4; i++) {
            int rc;

            card.exchanges = 0;
            rc = t1_transceive(&t1, command, sizeof command, response, 20, &got);
            assert_true(rc == RC_OK || rc == RC_IO || rc == RC_INSUFFICIENT_BUFFER);
            assert_true(card.exchanges < 1000000);
            assert_true(t1.ns <= 1 && t1.nr <= 1 && t1.ifsc >= 1 && t1.ifsc <= 254);
            if (t1.dead)
                t1_reset(&t1);
            counts[rc == RC_IO]++;
        }
        free(response);
    }
    assert_true(counts[0] > 100 && counts[1] > 100);
}

/* Cards that never come to an end, each in its way: the number of blocks that they get is bounded. */
static int endless_exchange(void *user, const uint8_t *block, size_t length, uint8_t *answer, size_t capacity,
                            size_t *ret_length, unsigned wtx_multiplier)
{
    struct t1_card *card = user;
    uint8_t out[300] = {0, card->value, 0, 1};

    (void)length;
    (void)capacity;
    (void)wtx_multiplier;
    card->exchanges++;
    if (block[1] == 0xc0) {
        out[1] = 0xe0;
        card->ns = 0;
    } else if (card->value == 0x20) { /* empty blocks in a chain */
        out[1] = (uint8_t)(0x20 | card->ns << 6);
        card->ns ^= 1;
    } else if (card->value == 0x80) { /* never content with the command */
        out[1] = (uint8_t)(0x80 | (block[1] >> 6 & 1) << 4);
        if (block[1] & 0x80)
            out[1] = 0x80;
    } else {
        out[2] = 1;
    }
    *ret_length = t1_script_edc(out, 3U + out[2], false);
    memcpy(answer, out, *ret_length);
    return 0;
}

static void endless_cards(void **state)
{
    static const struct {
        uint8_t pcb;
        unsigned most;
    } cards[] = {{0x20, APDU_RESPONSE_MAX + 1}, {0x80, 11}, {0xc1, 65537}, {0xc3, 65537}};

    (void)state;
    for (size_t i = 0; i < sizeof cards / sizeof *cards; i++) {
        struct t1_card card = {.value = cards[i].pcb};
        uint8_t command[5] = {0}, response[2];
        size_t got;
        struct t1 t1;

        t1_init(&t1, 32, false, endless_exchange, &card);
        assert_int_equal(t1_transceive(&t1, command, 5, response, 2, &got), RC_IO);
        assert_int_equal(card.exchanges, cards[i].most);
        assert_false(t1.dead);
        assert_true(t1.resynch_due);
    }
}

/* A caller may have command and response in one place. */
static void in_place(void **state)
{
    struct t1_card card;
    uint8_t both[100];
    size_t got = 0;
    struct t1 t1;

    (void)state;
    card_new(&card, 1);
    card.damage = 100;
    for (unsigned round = 0; round < 50; round++) {
        card.answer_length = sizeof both;
        card.expected = sizeof both;
        card.executed = 0;
        t1_card_reset(&card);
        t1_init(&t1, 32, false, t1_card_exchange, &card);
        for (size_t i = 0; i < sizeof both; i++)
            both[i] = t1_command_byte(i);
        assert_int_equal(t1_transceive(&t1, both, sizeof both, both, sizeof both, &got), RC_OK);
        assert_int_equal(card.executed, 1);
        assert_int_equal(card.wrong, 0);
        for (size_t i = 0; i < sizeof both; i++)
            assert_int_equal(both[i], t1_answer_byte(i));
    }
    free(card.command);
}

static void pin_too_long_for_a_block(void **state)
{
    uint8_t prologue[3] = {9, 9, 9};
    struct t1 t1;

    (void)state;
    t1_init(&t1, 16, false, NULL, NULL); /* no block is exchanged */
    assert_int_equal(t1_secure_prologue(&t1, 17, prologue), RC_UNSUPPORTED);
    assert_int_equal(prologue[0], 9);
    t1.ifsc_max = 15;
    assert_int_equal(t1_secure_prologue(&t1, 16, prologue), RC_UNSUPPORTED);
    assert_non_null(strstr(detail_get(), "15 bytes with this reader"));
    t1.ifsc_max = 0;
    assert_int_equal(t1_secure_prologue(&t1, 16, prologue), RC_OK);
    assert_int_equal(prologue[2], 16);
    /* The reader never sent it: the same numbers again. */
    assert_int_equal(t1_secure_prologue(&t1, 16, prologue), RC_OK);
    assert_int_equal(prologue[1], 0);
    t1.dead = true;
    assert_int_equal(t1_secure_prologue(&t1, 16, prologue), RC_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scenarios),
        cmocka_unit_test(values_of_atr),
        cmocka_unit_test(len_ff),
        cmocka_unit_test(lengths_at_the_limit),
        cmocka_unit_test(longer_than_a_response),
        cmocka_unit_test(random_lines),
        cmocka_unit_test(hostile_card),
        cmocka_unit_test(endless_cards),
        cmocka_unit_test(in_place),
        cmocka_unit_test(pin_too_long_for_a_block),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
