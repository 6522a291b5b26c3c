/* SPDX-License-Identifier: MIT */
/* driver/ccid_pin, ccid_pin_data: structures of programs to Secure, quirks, and what comes of an entry. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_pin.h"
#include "driver/ccid_pin_data.h"
#include "tests/unit/ccid_slot_script.h"

/* bTimerOut 30, 2 s, ASCII, block 8 bytes, no length field, 4 to 8 digits, key or maximum, one message,
 * English, index 7, APDU of 13 bytes. */
#define VERIFY_HEAD 30, 2, 0x82, 0x08, 0x00, 8, 4, 3, 1, 0x09, 0x04, 7, 0xaa, 0xbb, 0xcc
#define APDU_13 0x00, 0x20, 0x00, 0x81, 8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff
static const uint8_t verify[] = {VERIFY_HEAD, 13, 0, 0, 0, APDU_13};
static const uint8_t verify_case_1[] = {30, 2, 0x82, 0x00, 0x00, 8, 4, 2, 0,    9, 4, 7,
                                        0,  0, 0,    4,    0,    0, 0, 0, 0x20, 0, 1};

#define MODIFY_HEAD(messages)                                                                                \
    0, 0, 0x82, 0x08, 0x10, 5, 6, 8, 4, 3, 2, messages, 0x09, 0x04, 0x11, 0x22, 0x33, 0xaa, 0xbb, 0xcc
#define APDU_5 0x00, 0x24, 0x00, 0x81, 0x00
#define MODIFY(messages) ((const uint8_t[]){MODIFY_HEAD(messages), 5, 0, 0, 0, APDU_5})
#define MODIFY_SIZE 29

static struct ccid_device device;
static struct ccid_slot slot;
static uint8_t out[300];
static size_t out_length;

static int setup(void **state)
{
    (void)state;
    script_begin(&device, &slot);
    out_length = 0;
    return 0;
}

static int run(bool modify, const uint8_t *in, size_t length)
{
    uint8_t *exact = malloc(length); /* a read past the end is seen */
    int rc;

    assert_true(exact || !length);
    if (length)
        memcpy(exact, in, length);
    detail_clear();
    rc = ccid_pin(&slot, modify, exact, length, out, sizeof out, &out_length);
    free(exact);
    assert_true(rc == RC_OK || rc == RC_CANCELLED || *detail_get());
    return rc;
}

/* The data of Secure for a structure, without prologue. */
static size_t build(uint32_t flags, bool modify, const uint8_t *in, size_t length)
{
    struct ccid_quirk quirk = {.flags = flags};
    struct ccid_pin_request request;
    size_t built;

    assert_int_equal(ccid_pin_read(modify, in, length, &request), RC_OK);
    assert_true(ccid_pin_room(&request) <= sizeof out);
    built = ccid_pin_write(&quirk, &request, (const uint8_t[3]){0}, out);
    assert_true(built <= ccid_pin_room(&request));
    return built;
}

static void reading(void **state)
{
    uint8_t other[sizeof verify];
    struct ccid_pin_request request;

    (void)state;
    assert_int_equal(ccid_pin_read(false, verify, sizeof verify, &request), RC_OK);
    assert_int_equal(request.apdu_length, 13);
    assert_ptr_equal(request.apdu, verify + 19);
    assert_int_equal(request.max_digits, 8);
    assert_int_equal(request.min_digits, 4);
    assert_int_equal(ccid_pin_read(false, verify_case_1, sizeof verify_case_1, &request), RC_OK);
    /* Cut anywhere, it is malformed; so it is with a byte more. */
    for (size_t length = 0; length < sizeof verify; length++)
        assert_int_equal(ccid_pin_read(false, verify, length, &request), RC_INVALID_VALUE);
    for (size_t length = 0; length < MODIFY_SIZE; length++)
        assert_int_equal(ccid_pin_read(true, MODIFY(0), length, &request), RC_INVALID_VALUE);
    memcpy(other, verify, sizeof other);
    other[15] = 12;
    assert_int_equal(ccid_pin_read(false, other, sizeof other, &request), RC_INVALID_VALUE);
    other[15] = 13, other[18] = 1;
    assert_int_equal(ccid_pin_read(false, other, sizeof other, &request), RC_INVALID_VALUE);
    assert_int_equal(ccid_pin_read(true, MODIFY(4), MODIFY_SIZE, &request), RC_INVALID_VALUE);
    assert_int_equal(ccid_pin_read(true, MODIFY(0xff), MODIFY_SIZE, &request), RC_OK);
}

/* A program that wrote its numbers in the other byte order means the same. */
static void other_order(void **state)
{
    uint8_t other[sizeof verify], expected[64];
    size_t length = build(0, false, verify, sizeof verify);

    (void)state;
    memcpy(expected, out, length);
    memcpy(other, verify, sizeof other);
    other[15] = 0, other[18] = 13;
    other[5] = 4, other[6] = 8;
    other[9] = 4, other[10] = 9;
    assert_int_equal(build(0, false, other, sizeof other), length);
    assert_memory_equal(out, expected, length);
}

static void writing(void **state)
{
    static const uint8_t expected[] = {0, 30, 0x82, 8, 0, 8, 4, 3, 1, 9, 4, 7, 0, 0, 0, APDU_13};

    (void)state;
    assert_int_equal(build(0, false, verify, sizeof verify), sizeof expected);
    assert_memory_equal(out, expected, sizeof expected);
}

/* CCID 1.1, 6.1.11.2: the number of messages says how many indexes there are. */
static void writing_indexes(void **state)
{
#define HEAD(messages) 1, 0, 0x82, 8, 0x10, 5, 6, 8, 4, 3, 2, messages, 9, 4, 0x11
    static const uint8_t one[] = {HEAD(0), 0, 0, 0, APDU_5};
    static const uint8_t two[] = {HEAD(1), 0x22, 0, 0, 0, APDU_5};
    static const uint8_t three[] = {HEAD(3), 0x22, 0x33, 0, 0, 0, APDU_5};
    static const uint8_t all[] = {HEAD(0xff), 0x22, 0x33, 0, 0, 0, APDU_5};
    static const uint8_t forced[] = {HEAD(0), 0x22, 0x33, 0, 0, 0, APDU_5};

    (void)state;
    assert_int_equal(build(0, true, MODIFY(0), MODIFY_SIZE), sizeof one);
    assert_memory_equal(out, one, sizeof one);
    assert_int_equal(build(0, true, MODIFY(1), MODIFY_SIZE), sizeof two);
    assert_memory_equal(out, two, sizeof two);
    assert_int_equal(build(0, true, MODIFY(2), MODIFY_SIZE), sizeof two);
    assert_int_equal(out[11], 2);
    assert_int_equal(build(0, true, MODIFY(3), MODIFY_SIZE), sizeof three);
    assert_memory_equal(out, three, sizeof three);
    assert_int_equal(build(0, true, MODIFY(0xff), MODIFY_SIZE), sizeof all);
    assert_memory_equal(out, all, sizeof all);
    assert_int_equal(build(CCID_PIN_ALL_INDEXES, true, MODIFY(0), MODIFY_SIZE), sizeof forced);
    assert_memory_equal(out, forced, sizeof forced);
    assert_int_equal(build(CCID_PIN_ALL_MESSAGES, true, MODIFY(1), MODIFY_SIZE), sizeof three);
    assert_memory_equal(out, three, sizeof three);
    assert_int_equal(build(CCID_PIN_FF_MESSAGES, true, MODIFY(0), MODIFY_SIZE), sizeof all);
    assert_memory_equal(out, all, sizeof all);
    assert_int_equal(build(CCID_PIN_FF_MESSAGES, true, MODIFY(1), MODIFY_SIZE), sizeof two);
    assert_int_equal(build(CCID_PIN_NO_MESSAGES | CCID_PIN_ALL_INDEXES, true, MODIFY(3), MODIFY_SIZE),
                     sizeof forced);
    assert_memory_equal(out, forced, sizeof forced);
    assert_int_equal(build(CCID_PIN_NO_MESSAGES, true, MODIFY(3), MODIFY_SIZE), sizeof one);
    assert_memory_equal(out, one, sizeof one);
    assert_int_equal(build(CCID_PIN_ONE_MESSAGE, true, MODIFY(3), MODIFY_SIZE), sizeof two);
    assert_memory_equal(out, two, sizeof two);
#undef HEAD
}

static void quirks(void **state)
{
    uint8_t in[sizeof verify];

    (void)state;
    memcpy(in, verify, sizeof in);
    for (unsigned validation = 0; validation < 256; validation++) {
        in[7] = (uint8_t)validation;
        build(CCID_PIN_VALIDATION, false, in, sizeof in);
        assert_int_equal(out[7], validation >= 1 && validation <= 7 ? validation : 2);
        build(CCID_PIN_KEY_ONLY, false, in, sizeof in);
        assert_int_equal(out[7], 2);
    }
    build(CCID_PIN_NO_MESSAGES, false, verify, sizeof verify);
    assert_int_equal(out[8], 0);
    in[8] = 0xff;
    build(CCID_PIN_ONE_MESSAGE, false, in, sizeof in);
    assert_int_equal(out[8], 1);
    build(CCID_PIN_ALL_MESSAGES | CCID_PIN_FF_MESSAGES, false, verify, sizeof verify);
    assert_int_equal(out[8], 1); /* for modify */
    build(CCID_PIN_SWAP_DIGITS, false, verify, sizeof verify);
    assert_int_equal(out[5], 4);
    assert_int_equal(out[6], 8);
}

/* A reader that takes 4 to 8 digits is never asked for others. */
static void quirk_digits(void **state)
{
    static const uint8_t cases[][4] = {
        /* maximum, minimum, and what is sent */
        {8, 4, 8, 4}, {12, 0, 8, 4}, {6, 5, 6, 5}, {2, 1, 4, 4}, {0, 0, 8, 4}, {20, 12, 8, 8},
    };
    const struct ccid_quirk quirk = {.pin_min = 4, .pin_max = 8};
    struct ccid_pin_request request;
    uint8_t in[sizeof verify];

    (void)state;
    memcpy(in, verify, sizeof in);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        in[5] = cases[i][0];
        in[6] = cases[i][1];
        assert_int_equal(ccid_pin_read(false, in, sizeof in, &request), RC_OK);
        (void)ccid_pin_write(&quirk, &request, (const uint8_t[3]){0}, out);
        assert_int_equal(out[5], cases[i][2]);
        assert_int_equal(out[6], cases[i][3]);
    }
}

static void entry(void **state)
{
    static const uint8_t expected[] = {0, 30, 0x82, 8, 0, 8, 4, 3, 1, 9, 4, 7, 0, 0, 0, APDU_13};
    uint8_t in[sizeof verify];

    (void)state;
    SCRIPT_DATA(0x90, 0x00);
    assert_int_equal(run(false, verify, sizeof verify), RC_OK);
    assert_int_equal(out_length, 2);
    assert_memory_equal(out, ((uint8_t[]){0x90, 0x00}), 2);
    assert_int_equal(script.commands_count, 1);
    assert_int_equal(script.commands[0].type, CCID_SECURE);
    assert_int_equal(script.commands[0].level, 0);
    assert_int_equal(script.commands[0].timeout_ms, 90000);
    assert_int_equal(script.commands[0].length, sizeof expected);
    assert_memory_equal(script.commands[0].data, expected, sizeof expected);
    assert_int_equal(script.paused_ms, 0);
    memcpy(in, verify, sizeof in);
    in[0] = 255;
    SCRIPT_DATA(0x63, 0xc2);
    assert_int_equal(run(false, in, sizeof in), RC_OK);
    assert_memory_equal(out, ((uint8_t[]){0x63, 0xc2}), 2);
    assert_int_equal(script.commands[1].timeout_ms, 265000);
    SCRIPT_DATA(0x69, 0x83);
    assert_int_equal(run(true, MODIFY(3), MODIFY_SIZE), RC_OK);
    assert_int_equal(script.commands[2].data[0], 1);
}

static void ended_by_user(void **state)
{
    (void)state;
    script_add((struct script_answer){.failed = true, .error = CCID_PIN_CANCELLED});
    assert_int_equal(run(false, verify, sizeof verify), RC_OK);
    assert_int_equal(out_length, 2);
    assert_memory_equal(out, ((uint8_t[]){0x64, 0x01}), 2);
    script_add((struct script_answer){.failed = true, .error = CCID_PIN_TIMEOUT});
    assert_int_equal(run(false, verify, sizeof verify), RC_OK);
    assert_memory_equal(out, ((uint8_t[]){0x64, 0x00}), 2);
}

static void failures(void **state)
{
    (void)state;
    script_add((struct script_answer){.rc = RC_CANCELLED});
    assert_int_equal(run(false, verify, sizeof verify), RC_CANCELLED);
    script_add((struct script_answer){.failed = true, .error = CCID_NOT_SUPPORTED});
    assert_int_equal(run(false, verify, sizeof verify), RC_UNSUPPORTED);
    script_add((struct script_answer){.failed = true, .error = CCID_SLOT_BUSY});
    assert_int_equal(run(false, verify, sizeof verify), RC_NOT_TRANSACTED);
    script_add((struct script_answer){.data = (const uint8_t[]){0x90}, .length = 1});
    assert_int_equal(run(false, verify, sizeof verify), RC_IO);
    assert_false(slot.left);
    script_add((struct script_answer){.failed = true, .error = CCID_MUTE, .card = CCID_CARD_ABSENT});
    assert_int_equal(run(false, verify, sizeof verify), RC_NO_CARD);
    assert_true(slot.left);
}

/* Nothing is sent, and nobody is asked to type, when it cannot come to anything. */
static void not_ready(void **state)
{
    static const uint8_t extended[] = {VERIFY_HEAD, 8, 0, 0, 0, 0, 0x20, 0, 0x81, 0, 0, 1, 0xff};
    size_t length;

    (void)state;
    assert_int_equal(run(false, verify, 18), RC_INVALID_VALUE);
    assert_int_equal(run(false, NULL, 0), RC_INVALID_VALUE);
    assert_int_equal(ccid_pin(&slot, false, verify, sizeof verify, out, 1, &length), RC_INSUFFICIENT_BUFFER);
    assert_int_equal(length, 2);
    assert_int_equal(ccid_pin(&slot, false, verify, sizeof verify, NULL, 0, &length), RC_INSUFFICIENT_BUFFER);
    device.pin_modify = false;
    assert_int_equal(run(true, MODIFY(0), MODIFY_SIZE), RC_UNSUPPORTED);
    device.pin_modify = true, device.pin_verify = false;
    assert_int_equal(run(false, verify, sizeof verify), RC_UNSUPPORTED);
    device.pin_verify = true;
    device.descriptor.max_message = CCID_HEADER + 27;
    assert_int_equal(run(false, verify, sizeof verify), RC_UNSUPPORTED);
    assert_non_null(strstr(detail_get(), "37"));
    device.descriptor.max_message = 271;
    slot.warm_due = true;
    assert_int_equal(run(false, verify, sizeof verify), RC_NOT_TRANSACTED);
    slot.warm_due = false;
    device.descriptor.level = CCID_TPDU;
    slot.protocol = PROTOCOL_NONE;
    assert_int_equal(run(false, verify, sizeof verify), RC_PROTO_MISMATCH);
    slot.protocol = PROTOCOL_T0;
    assert_int_equal(run(false, extended, sizeof extended), RC_UNSUPPORTED);
    device.descriptor.level = CCID_CHARACTER;
    assert_int_equal(run(false, verify, sizeof verify), RC_UNSUPPORTED);
    device.descriptor.level = CCID_SHORT_APDU;
    slot.left = true;
    assert_int_equal(run(false, verify, sizeof verify), RC_NO_CARD);
    slot.left = false;
    slot.powered = false;
    assert_int_equal(run(false, verify, sizeof verify), RC_NOT_TRANSACTED);
    assert_int_equal(script.commands_count, 0);
}

/* T=0 has no place for the Le of case 4; what only the reader completes may look malformed. */
static void t0(void **state)
{
    static const uint8_t case_4[] = {VERIFY_HEAD, 8, 0, 0, 0, 0, 0x20, 0, 0x81, 2, 0xff, 0xff, 0};
    static const uint8_t odd[] = {VERIFY_HEAD, 7, 0, 0, 0, 0, 0x20, 0, 0x81, 8, 0xff, 0xff};

    (void)state;
    device.descriptor.level = CCID_TPDU;
    slot.protocol = PROTOCOL_T0;
    SCRIPT_DATA(0x90, 0x00);
    assert_int_equal(run(false, case_4, sizeof case_4), RC_OK);
    assert_int_equal(script.commands[0].length, 15 + 7);
    assert_memory_equal(script.commands[0].data + 15, case_4 + 19, 7);
    SCRIPT_DATA(0x90, 0x00);
    assert_int_equal(run(false, odd, sizeof odd), RC_OK);
    assert_int_equal(script.commands[1].length, 15 + 7);
    assert_memory_equal(script.commands[1].data + 12, ((uint8_t[]){0, 0, 0}), 3);
    script_add((struct script_answer){.failed = true, .error = CCID_PIN_CANCELLED});
    assert_int_equal(run(false, case_4, sizeof case_4), RC_OK);
    assert_false(slot.warm_due);
    script_add((struct script_answer){.rc = RC_CANCELLED});
    assert_int_equal(run(false, case_4, sizeof case_4), RC_CANCELLED);
    assert_true(slot.warm_due); /* in the middle of a command, perhaps */
}

/* The other blocks of a T=1 exchange with PIN entry. */
static struct {
    uint8_t sent[4][16];
    size_t sent_count;
    const uint8_t *answers[4];
    size_t lengths[4];
} blocks;

static int exchange_block(void *user, const uint8_t *block, size_t length, uint8_t *answer, size_t capacity,
                          size_t *ret_length, unsigned multiplier)
{
    size_t i = blocks.sent_count++;

    (void)user;
    (void)multiplier;
    assert_true(i < 4 && blocks.answers[i] && blocks.lengths[i] <= capacity && length <= 16);
    memcpy(blocks.sent[i], block, length);
    memcpy(answer, blocks.answers[i], blocks.lengths[i]);
    *ret_length = blocks.lengths[i];
    return 0;
}

static void t1_begin(void)
{
    memset(&blocks, 0, sizeof blocks);
    device.descriptor.level = CCID_TPDU;
    slot.protocol = PROTOCOL_T1;
    t1_init(&slot.t1, 32, false, exchange_block, NULL);
}

static void block_answer(size_t i, const uint8_t *bytes, size_t length)
{
    blocks.answers[i] = bytes;
    blocks.lengths[i] = length;
}

static const uint8_t i0_9000[] = {0x00, 0x00, 0x02, 0x90, 0x00, 0x92};
static const uint8_t i1_9000[] = {0x00, 0x40, 0x02, 0x90, 0x00, 0xd2};

static void add_block(const uint8_t *block, size_t length)
{
    script_add((struct script_answer){.data = block, .length = length});
}

static const uint8_t *prologue(size_t command)
{
    return script.commands[command].data + 12;
}

/* The counters go on through the entry as if it had been sent by us. */
static void t1_counters(void **state)
{
    (void)state;
    t1_begin();
    add_block(i0_9000, sizeof i0_9000);
    assert_int_equal(run(false, verify, sizeof verify), RC_OK);
    assert_int_equal(out_length, 2);
    assert_memory_equal(out, ((uint8_t[]){0x90, 0x00}), 2);
    assert_memory_equal(prologue(0), ((uint8_t[]){0x00, 0x00, 13}), 3);
    assert_int_equal(script.commands[0].data[15], 0x00);
    add_block(i1_9000, sizeof i1_9000);
    assert_int_equal(run(false, verify, sizeof verify), RC_OK);
    assert_memory_equal(prologue(1), ((uint8_t[]){0x00, 0x40, 13}), 3);
    assert_int_equal(slot.t1.ns, 0);
    assert_int_equal(slot.t1.nr, 0);
    assert_int_equal(blocks.sent_count, 0);
}

/* The block was never sent, so that the next one has the same number. */
static void t1_ended_by_user(void **state)
{
    (void)state;
    t1_begin();
    script_add((struct script_answer){.failed = true, .error = CCID_PIN_CANCELLED});
    assert_int_equal(run(false, verify, sizeof verify), RC_OK);
    assert_memory_equal(out, ((uint8_t[]){0x64, 0x01}), 2);
    script_add((struct script_answer){.failed = true, .error = CCID_PIN_TIMEOUT});
    assert_int_equal(run(false, verify, sizeof verify), RC_OK);
    script_add((struct script_answer){.failed = true, .error = 22});
    assert_int_equal(run(false, verify, sizeof verify), RC_UNSUPPORTED);
    assert_false(slot.t1.resynch_due);
    add_block(i0_9000, sizeof i0_9000);
    assert_int_equal(run(false, verify, sizeof verify), RC_OK);
    assert_memory_equal(prologue(3), ((uint8_t[]){0x00, 0x00, 13}), 3);
    assert_int_equal(blocks.sent_count, 0);
}

static void t1_waiting_time(void **state)
{
    static const uint8_t wtx[] = {0x00, 0xc3, 0x01, 0x05, 0xc7};
    static const uint8_t wtx_response[] = {0x00, 0xe3, 0x01, 0x05, 0xe7};

    (void)state;
    t1_begin();
    add_block(wtx, sizeof wtx);
    block_answer(0, i0_9000, sizeof i0_9000);
    assert_int_equal(run(false, verify, sizeof verify), RC_OK);
    assert_memory_equal(out, ((uint8_t[]){0x90, 0x00}), 2);
    assert_int_equal(blocks.sent_count, 1);
    assert_memory_equal(blocks.sent[0], wtx_response, sizeof wtx_response);
    assert_int_equal(slot.t1.ns, 1);
}

/* Damage, silence and nonsense instead of an answer: it is asked for again, the PIN is not. */
static void t1_damage(void **state)
{
    static const uint8_t long_block[300] = {0};
    static const struct script_answer answers[] = {
        {.failed = true, .error = CCID_PARITY}, {.failed = true, .error = CCID_MUTE},
        {.data = i0_9000, .length = 5},         {.data = i0_9000, .length = 3},
        {.data = i0_9000, .length = 0},         {.data = long_block, .length = sizeof long_block},
    };

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        script_begin(&device, &slot);
        t1_begin();
        script_add(answers[i]);
        block_answer(0, i0_9000, sizeof i0_9000);
        assert_int_equal(run(false, verify, sizeof verify), RC_OK);
        assert_memory_equal(out, ((uint8_t[]){0x90, 0x00}), 2);
        assert_int_equal(blocks.sent_count, 1);
        assert_int_equal(blocks.sent[0][1] & 0xf0, 0x80); /* R(0) */
        assert_int_equal(script.commands_count, 1);
    }
}

/* The card may or may not have the block: the next exchange begins by RESYNCH. */
static void t1_in_doubt(void **state)
{
    static const uint8_t resynch[] = {0x00, 0xc0, 0x00, 0xc0}, response[] = {0x00, 0xe0, 0x00, 0xe0};
    static const struct script_answer answers[] = {
        {.rc = RC_CANCELLED},
        {.rc = RC_TIMEOUT},
        {.failed = true, .error = CCID_HARDWARE},
        {.failed = true, .error = CCID_ABORTED},
    };
    static const int results[] = {RC_CANCELLED, RC_TIMEOUT, RC_NOT_TRANSACTED, RC_NOT_TRANSACTED};

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        script_begin(&device, &slot);
        t1_begin();
        script_add(answers[i]);
        assert_int_equal(ccid_pin(&slot, false, verify, sizeof verify, out, sizeof out, &out_length),
                         results[i]);
        assert_true(slot.t1.resynch_due);
        block_answer(0, response, sizeof response);
        add_block(i0_9000, sizeof i0_9000);
        assert_int_equal(run(false, verify, sizeof verify), RC_OK);
        assert_memory_equal(blocks.sent[0], resynch, sizeof resynch);
    }
}

static void t1_longer_than_a_block(void **state)
{
    (void)state;
    t1_begin();
    slot.t1.ifsc = 12;
    assert_int_equal(run(false, verify, sizeof verify), RC_UNSUPPORTED);
    assert_int_equal(script.commands_count, 0);
}

static void in_parts(void **state)
{
    (void)state;
    script_add(
        (struct script_answer){.parameter = CCID_BEGINS, .data = (const uint8_t[]){1, 2}, .length = 2});
    script_add(
        (struct script_answer){.parameter = CCID_CONTINUES, .data = (const uint8_t[]){3}, .length = 1});
    script_add(
        (struct script_answer){.parameter = CCID_ENDS, .data = (const uint8_t[]){0x90, 0}, .length = 2});
    assert_int_equal(run(false, verify, sizeof verify), RC_OK);
    assert_int_equal(out_length, 5);
    assert_memory_equal(out, ((uint8_t[]){1, 2, 3, 0x90, 0}), 5);
    assert_int_equal(script.commands[1].type, CCID_XFR_BLOCK);
    assert_int_equal(script.commands[1].level, CCID_GO_ON);
    assert_int_equal(script.commands[1].length, 0);
    /* More than there is room for: read to the end, and said how much. */
    script_begin(&device, &slot);
    script_add(
        (struct script_answer){.parameter = CCID_BEGINS, .data = (const uint8_t[]){1, 2}, .length = 2});
    script_add(
        (struct script_answer){.parameter = CCID_ENDS, .data = (const uint8_t[]){0x90, 0}, .length = 2});
    assert_int_equal(ccid_pin(&slot, false, verify, sizeof verify, out, 3, &out_length),
                     RC_INSUFFICIENT_BUFFER);
    assert_int_equal(out_length, 4);
    script_add((struct script_answer){.parameter = CCID_BEGINS});
    assert_int_equal(run(false, verify, sizeof verify), RC_IO);
}

static void pause_first(void **state)
{
    (void)state;
    device.quirk.flags = CCID_PIN_PAUSE;
    SCRIPT_DATA(0x90, 0x00);
    assert_int_equal(run(false, verify, sizeof verify), RC_OK);
    assert_int_equal(script.paused_ms, 250);
    script.pause_rc = RC_CANCELLED;
    assert_int_equal(run(false, verify, sizeof verify), RC_CANCELLED);
    assert_int_equal(script.commands_count, 1);
}

/* Only for an APDU without data, and no entry if the reader does not agree: padding would cost a try. */
static void no_padding(void **state)
{
    (void)state;
    device.quirk.flags = CCID_PIN_NO_PADDING;
    SCRIPT_DATA(0x00);
    SCRIPT_DATA(0x90, 0x00);
    assert_int_equal(run(false, verify_case_1, sizeof verify_case_1), RC_OK);
    assert_int_equal(script.commands[0].type, CCID_ESCAPE);
    assert_int_equal(script.commands[0].length, 3);
    assert_memory_equal(script.commands[0].data, ((uint8_t[]){0x80, 0x02, 0x00}), 3);
    assert_int_equal(script.commands[1].type, CCID_SECURE);
    SCRIPT_DATA(0x90, 0x00);
    assert_int_equal(run(false, verify, sizeof verify), RC_OK);
    assert_int_equal(script.commands[2].type, CCID_SECURE);
    script_add((struct script_answer){.failed = true, .error = CCID_NOT_SUPPORTED});
    assert_int_equal(run(false, verify_case_1, sizeof verify_case_1), RC_UNSUPPORTED);
    assert_int_equal(script.commands_count, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(reading, setup),
        cmocka_unit_test_setup(other_order, setup),
        cmocka_unit_test_setup(writing, setup),
        cmocka_unit_test_setup(writing_indexes, setup),
        cmocka_unit_test_setup(quirks, setup),
        cmocka_unit_test_setup(quirk_digits, setup),
        cmocka_unit_test_setup(entry, setup),
        cmocka_unit_test_setup(ended_by_user, setup),
        cmocka_unit_test_setup(failures, setup),
        cmocka_unit_test_setup(not_ready, setup),
        cmocka_unit_test_setup(t0, setup),
        cmocka_unit_test_setup(t1_counters, setup),
        cmocka_unit_test_setup(t1_ended_by_user, setup),
        cmocka_unit_test_setup(t1_waiting_time, setup),
        cmocka_unit_test_setup(t1_damage, setup),
        cmocka_unit_test_setup(t1_in_doubt, setup),
        cmocka_unit_test_setup(t1_longer_than_a_block, setup),
        cmocka_unit_test_setup(in_parts, setup),
        cmocka_unit_test_setup(pause_first, setup),
        cmocka_unit_test_setup(no_padding, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
