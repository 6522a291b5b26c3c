/* SPDX-License-Identifier: MIT */
/*
 * T=1 against a card whose every byte is the input: calls end, counters stay in range, nothing is written
 * outside.
 *
 * Input: IFSC, flags (1 CRC, 2 negotiate IFSD, 4 PIN entry), length of the command (2 bytes), room for the
 * response, then the answers: a byte 00…F9 for the length of what follows (EDC appended), FA the same with
 * the next byte for a length and no EDC, FB parity, FC timeout, FD cancelled, FE no card, FF more bytes than
 * fit. Then the card is gone.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/rc.h"
#include "iso/apdu.h"
#include "iso/t1.h"
#include "tests/fuzz/fuzz.h"

#define COMMAND_MAX 2000

struct card {
    struct bytes input;
    bool crc;
};

static size_t append_edc(uint8_t *block, size_t length, bool crc)
{
    unsigned sum = crc ? 0xffff : 0;

    for (size_t i = 0; i < length; i++) {
        sum ^= block[i];
        for (unsigned bit = 0; crc && bit < 8; bit++)
            sum = sum & 1 ? sum >> 1 ^ 0x8408U : sum >> 1;
    }
    if (crc)
        block[length++] = (uint8_t)(sum >> 8);
    block[length++] = (uint8_t)(sum & 0xff);
    return length;
}

static void check_block(const uint8_t *block, size_t length, bool crc)
{
    uint8_t copy[T1_BLOCK_MAX];
    size_t edc_length = crc ? 2 : 1;

    FUZZ_CHECK(length >= 3 + edc_length && length <= T1_BLOCK_MAX);
    FUZZ_CHECK(block[0] == 0 && length == 3 + block[2] + edc_length);
    memcpy(copy, block, length);
    FUZZ_CHECK(append_edc(copy, length - edc_length, crc) == length && !memcmp(copy, block, length));
}

static int event_of(unsigned head)
{
    static const int events[] = {T1_PARITY, T1_TIMEOUT, RC_CANCELLED, RC_NO_CARD};

    return events[head - 0xfb];
}

static int exchange(void *user, const uint8_t *block, size_t length, uint8_t *answer, size_t capacity,
                    size_t *ret_length, unsigned wtx_multiplier)
{
    struct card *card = user;
    unsigned head = bytes_u8(&card->input), count;
    const uint8_t *data;

    check_block(block, length, card->crc);
    FUZZ_CHECK(wtx_multiplier <= 255 && (!wtx_multiplier || block[1] == 0xe3));
    if (!bytes_ok(&card->input))
        return RC_NO_CARD;
    if (head == 0xff) {
        memset(answer, 0, capacity);
        *ret_length = capacity + 1;
        return 0;
    }
    if (head >= 0xfb)
        return event_of(head);
    count = head == 0xfa ? bytes_u8(&card->input) : head;
    data = bytes_take(&card->input, count);
    if (!data)
        return RC_NO_CARD;
    FUZZ_CHECK(capacity >= 257);
    memcpy(answer, data, count);
    *ret_length = head == 0xfa ? count : append_edc(answer, count, card->crc);
    return 0;
}

static void check_state(const struct t1 *t1)
{
    FUZZ_CHECK(t1->ns <= 1 && t1->nr <= 1);
    FUZZ_CHECK(t1->ifsc >= 1 && t1->ifsc <= 254 && t1->ifsd >= 1 && t1->ifsd <= 254);
}

static int secure(struct t1 *t1, struct card *card, size_t length, uint8_t *response, size_t capacity,
                  size_t *got)
{
    uint8_t first[T1_BLOCK_MAX], block[T1_BLOCK_MAX], prologue[3];
    size_t first_length = 0;
    int rc = t1_secure_prologue(t1, length, prologue);

    if (rc)
        return rc;
    memset(block, 0, sizeof block);
    memcpy(block, prologue, 3);
    FUZZ_CHECK(length <= t1->ifsc);
    length = append_edc(block, 3 + length, card->crc);
    rc = exchange(card, block, length, first, sizeof first, &first_length, 0);
    return t1_secure_answer(t1, rc, first, first_length, response, capacity, got);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    struct card card = {.input = bytes_of(input, size)};
    uint8_t command[COMMAND_MAX] = {0, 0xa4, 4}, ifsc = bytes_u8(&card.input), flags = bytes_u8(&card.input);
    size_t length = bytes_u16be(&card.input) % COMMAND_MAX, capacity = bytes_u8(&card.input);
    uint8_t *response = malloc(capacity ? capacity : 1);
    struct t1 t1;

    FUZZ_CHECK(response);
    card.crc = flags & 1;
    t1_init(&t1, ifsc && ifsc < 255 ? ifsc : 32, card.crc, exchange, &card);
    if (flags & 2)
        (void)t1_negotiate_ifsd(&t1, 254);
    for (unsigned i = 0; i < 3; i++) {
        size_t got = SIZE_MAX;
        int rc = flags & 4 && i == 1 ? secure(&t1, &card, length, response, capacity, &got)
                                     : t1_transceive(&t1, command, length, response, capacity, &got);

        check_state(&t1);
        FUZZ_CHECK((rc == RC_OK || rc == RC_INSUFFICIENT_BUFFER) == (got != SIZE_MAX));
        FUZZ_CHECK(got == SIZE_MAX || (got <= APDU_RESPONSE_MAX && (got > capacity) == (rc != RC_OK)));
        FUZZ_CHECK(rc <= 0);
    }
    free(response);
    return 0;
}
