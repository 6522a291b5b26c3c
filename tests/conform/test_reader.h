/* SPDX-License-Identifier: MIT */
/*
 * A reader for tests behind the reader seam: it does what it is told, counts what it is asked to do, and can
 * hold a call "on the device" until the test lets it go. All functions may be called from any thread.
 */
#ifndef CONFORM_TEST_READER_H
#define CONFORM_TEST_READER_H

#include "driver/reader.h"

/* The operations that can be held, failed and counted. */
enum test_op {
    OP_PRESENCE,
    OP_OFF,
    OP_COLD,
    OP_WARM,
    OP_PROTOCOL,
    OP_TRANSMIT,
    OP_CONTROL,
    OP_GET_ATTRIBUTE,
    OP_SET_ATTRIBUTE,
    OP_COUNT
};

/* Answers of transmit: the command without its first byte, then 9000. */
#define TEST_CONTROL_ECHO 0x42000010 /* answers its input */
#define TEST_ATTRIBUTE_LONG 0x00010100
#define TEST_ATTRIBUTE_LENGTH 1000

extern const uint8_t test_atr_t0[2], test_atr_t1[4], test_atr_both[5];

/* slot: number of the slot in its device. With a card that offers T=0 and T=1, not inserted. */
struct reader *test_reader_new(unsigned slot);

void test_reader_insert(struct reader *reader);
void test_reader_remove(struct reader *reader);

/* The next card to be powered has this ATR. */
void test_reader_set_atr(struct reader *reader, const uint8_t *atr, size_t length);

/* The next `times` calls of the operation fail with rc, without an effect. */
void test_reader_fail(struct reader *reader, enum test_op op, int rc, unsigned times);

/* set_protocol fails with RC_UNRESPONSIVE for the protocols of the mask. */
void test_reader_refuse_protocols(struct reader *reader, uint32_t mask);

/* From now on calls of the operation wait for test_reader_let_go. A cancel ends them, a removal of the card
 * ends a held transmit. */
void test_reader_hold(struct reader *reader, enum test_op op);
/* Waits until a call is held. False if none comes within seconds. */
bool test_reader_await_held(struct reader *reader, enum test_op op);
void test_reader_let_go(struct reader *reader, enum test_op op);

unsigned test_reader_count(struct reader *reader, enum test_op op);
/* Waits until the operation was done that often. False if it is not within seconds. */
bool test_reader_await_count(struct reader *reader, enum test_op op, unsigned count);

/* What must never happen: two calls at once, a command to a card that is off, a warm reset of a card that is
 * off, calls after close. */
bool test_reader_was_abused(struct reader *reader);

/* Makes event_fd readable without a change. */
void test_reader_stir(struct reader *reader);

/* Once closed, the memory stays until this call, so that the counts can be read. */
bool test_reader_is_closed(struct reader *reader);
void test_reader_free(struct reader *reader);

#endif
