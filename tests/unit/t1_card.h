/* SPDX-License-Identifier: MIT */
/* An honest card's side of T=1, with damage on the line, and a hostile card. */
#ifndef UNIT_T1_CARD_H
#define UNIT_T1_CARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct t1_card {
    bool crc;
    uint64_t random;
    /* out of 256 */
    unsigned damage;  /* that a block is damaged or lost, each way */
    unsigned wtx;     /* that it asks for time */
    unsigned ifs;     /* that it changes its IFSC */
    unsigned chaotic; /* that blocks of its answer are shorter than they could be, or empty */
    unsigned row;     /* damaged receptions in a row so far */
    unsigned row_max; /* and at most: 0 = no limit */

    uint8_t ns, nr; /* of its next I-block; expected */
    uint8_t ifsd;   /* what it may send */
    uint8_t *command;
    size_t command_length, command_capacity;
    size_t answer_length;       /* of what it is to answer to the next command, the bytes t1_answer_byte */
    size_t full, answered, cut; /* the answer that it is giving */
    bool answering;
    uint8_t last[260]; /* its last block, without EDC */
    size_t last_length;
    unsigned waiting; /* 0, or the type of its own request and 0xc0 */
    uint8_t value;
    unsigned executed; /* complete commands */
    unsigned wrong;    /* of these, how many were not t1_command_byte */
    size_t expected;   /* length of the command */
    unsigned exchanges;
};

void t1_card_reset(struct t1_card *card);

/* t1_exchange_fn, with a struct t1_card. */
int t1_card_exchange(void *user, const uint8_t *block, size_t length, uint8_t *answer, size_t capacity,
                     size_t *ret_length, unsigned wtx_multiplier);

uint32_t t1_card_random(struct t1_card *card);

#endif
