/* SPDX-License-Identifier: MIT */
#include "tests/unit/t1_card.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "iso/t1.h"
#include "tests/unit/t1_script.h"

uint32_t t1_card_random(struct t1_card *card)
{
    card->random = card->random * 6364136223846793005U + 1442695040888963407U;
    return (uint32_t)(card->random >> 33);
}

static bool chance(struct t1_card *card, unsigned of_256)
{
    return t1_card_random(card) % 256 < of_256;
}

void t1_card_reset(struct t1_card *card)
{
    card->ns = card->nr = 0;
    card->ifsd = 32;
    card->command_length = card->answered = card->cut = card->last_length = 0;
    card->answering = false;
    card->waiting = 0;
}

static void say(struct t1_card *card, unsigned pcb, size_t length)
{
    card->last[0] = 0;
    card->last[1] = (uint8_t)pcb;
    card->last[2] = (uint8_t)length;
    card->last_length = 3 + length;
}

static void say_request(struct t1_card *card, unsigned pcb, uint8_t value)
{
    card->waiting = pcb;
    card->value = value;
    card->last[3] = value;
    say(card, pcb, 1);
}

/* The block at answered, of cut bytes. */
static void say_answer(struct t1_card *card)
{
    bool more = card->answered + card->cut < card->full;

    for (size_t i = 0; i < card->cut; i++)
        card->last[3 + i] = t1_answer_byte(card->answered + i);
    say(card, (unsigned)card->ns << 6 | (more ? 0x20U : 0), card->cut);
}

static void cut_answer(struct t1_card *card)
{
    size_t left = card->full - card->answered, most = left < card->ifsd ? left : card->ifsd;

    card->cut = chance(card, card->chaotic) ? t1_card_random(card) % (most + 1) : most;
}

/* What it had to say, or first a request of its own. */
static void say_something(struct t1_card *card)
{
    if (chance(card, card->wtx))
        say_request(card, 0xc3, (uint8_t)t1_card_random(card));
    else if (chance(card, card->ifs))
        say_request(card, 0xc1, (uint8_t)(1 + t1_card_random(card) % 254));
    else if (card->answering)
        say_answer(card);
    else
        say(card, 0x80U | (unsigned)card->nr << 4, 0);
}

static void execute(struct t1_card *card)
{
    bool right = card->command_length == card->expected;

    for (size_t i = 0; right && i < card->command_length; i++)
        right = card->command[i] == t1_command_byte(i);
    card->executed++;
    card->wrong += !right;
    card->command_length = 0;
    card->answering = true;
    card->full = card->answer_length;
    card->answered = 0;
    cut_answer(card);
}

static void refuse(struct t1_card *card, unsigned code)
{
    /* If its request was not answered it is made again, else it sends an R-block (rules 7.1 to 7.3). */
    if (!card->waiting && !(card->last_length && (card->last[1] & 0xc0) == 0x80))
        say(card, 0x80U | (unsigned)card->nr << 4 | code, 0);
}

static void hear_i(struct t1_card *card, const uint8_t *block)
{
    size_t length = block[2];

    if ((block[1] >> 6 & 1) != card->nr || card->waiting) {
        refuse(card, 2);
        return;
    }
    if (card->answering) { /* a new command: the last block of the answer arrived */
        card->answering = false;
        card->ns ^= 1;
    }
    card->nr ^= 1;
    assert_true(card->command_length + length <= card->command_capacity);
    memcpy(card->command + card->command_length, block + 3, length);
    card->command_length += length;
    if (!(block[1] & 0x20))
        execute(card);
    say_something(card);
}

static void hear_r(struct t1_card *card, const uint8_t *block)
{
    unsigned number = block[1] >> 4 & 1;

    if (card->waiting)
        return;
    if (card->answering && number != card->ns) {
        if (card->answered + card->cut == card->full) {
            /* It is the next command that was damaged, and then the word of it. */
            say(card, 0x80U | (unsigned)card->nr << 4, 0);
            return;
        }
        card->answered += card->cut;
        card->ns ^= 1;
        cut_answer(card);
        say_something(card);
    } else if (card->answering) {
        say_answer(card);
    } else {
        say(card, 0x80U | (unsigned)card->nr << 4, 0);
    }
}

static void hear_s(struct t1_card *card, const uint8_t *block)
{
    if (block[1] == 0xc0) {
        t1_card_reset(card);
        say(card, 0xe0, 0);
    } else if (block[1] == 0xc1) {
        card->ifsd = block[3];
        card->last[3] = block[3];
        say(card, 0xe1, 1);
    } else if (card->waiting && block[1] == (card->waiting | 0x20) && block[3] == card->value) {
        card->waiting = 0;
        say_something(card);
    } else {
        refuse(card, 2);
    }
}

static bool block_is_right(struct t1_card *card, const uint8_t *block, size_t length)
{
    uint8_t copy[300];
    size_t edc = card->crc ? 2 : 1;

    if (length < 3 + edc || length != 3 + block[2] + edc)
        return false;
    memcpy(copy, block, length);
    return t1_script_edc(copy, length - edc, card->crc) == length && memcmp(copy, block, length) == 0;
}

/* Is there damage, and not too much in a row? */
static bool damaged(struct t1_card *card)
{
    if (!chance(card, card->damage) || (card->row_max && card->row >= card->row_max))
        return false;
    card->row++;
    return true;
}

int t1_card_exchange(void *user, const uint8_t *block, size_t length, uint8_t *answer, size_t capacity,
                     size_t *ret_length, unsigned wtx_multiplier)
{
    struct t1_card *card = user;
    uint8_t heard[300];
    bool hurt = damaged(card), hurt_back;

    (void)wtx_multiplier;
    card->exchanges++;
    assert_true(length <= sizeof heard && block_is_right(card, block, length));
    memcpy(heard, block, length);
    if (hurt)
        heard[t1_card_random(card) % length] ^= (uint8_t)(1U << t1_card_random(card) % 8);
    if (!block_is_right(card, heard, length))
        refuse(card, 1);
    else if (!(heard[1] & 0x80))
        hear_i(card, heard);
    else if (!(heard[1] & 0x40))
        hear_r(card, heard);
    else
        hear_s(card, heard);
    memcpy(heard, card->last, card->last_length);
    *ret_length = t1_script_edc(heard, card->last_length, card->crc);
    assert_true(*ret_length <= capacity);
    hurt_back = damaged(card);
    if (!hurt && !hurt_back)
        card->row = 0;
    if (hurt_back) {
        switch (t1_card_random(card) % 4) {
        case 0:
            return T1_TIMEOUT;
        case 1:
            return T1_PARITY;
        case 2:
            --*ret_length;
            break;
        default:
            heard[t1_card_random(card) % *ret_length] ^= (uint8_t)(1U << t1_card_random(card) % 8);
        }
    }
    memcpy(answer, heard, *ret_length);
    return 0;
}
