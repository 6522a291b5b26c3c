/* SPDX-License-Identifier: MIT */
/* driver/ccid_message: messages built, answers matched and checked, errors, parameters, notices. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_message.h"

static const struct ccid_command power_on = {.type = CCID_POWER_ON, .seq = 7, .parameter = 1};
static const struct ccid_command xfr = {.type = CCID_XFR_BLOCK, .slot = 1, .seq = 0xff};

#define CHECK(command, answer, ...)                                                                          \
    check(command, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}), answer)

static int check(const struct ccid_command *command, const uint8_t *bytes, size_t length,
                 struct ccid_answer *answer)
{
    static uint8_t *exact; /* a read past the end is seen; kept for the data of the answer */
    int rc;

    free(exact);
    exact = malloc(length);
    assert_non_null(exact);
    memcpy(exact, bytes, length);
    detail_clear();
    rc = ccid_check(command, exact, length, answer);
    assert_int_equal(*detail_get() != 0, rc < 0);
    return rc;
}

static void building(void **state)
{
    static const uint8_t block[] = {0x00, 0xc1, 0x01, 0xfe, 0x3e};
    struct ccid_command command = power_on;
    uint8_t out[300];
    size_t length = 0;

    (void)state;
    assert_int_equal(ccid_build(&command, out, sizeof out, &length), RC_OK);
    assert_int_equal(length, 10);
    assert_memory_equal(out, ((uint8_t[]){0x62, 0, 0, 0, 0, 0, 7, 1, 0, 0}), 10);
    command = (struct ccid_command){.type = CCID_XFR_BLOCK, .seq = 8, .data = block, .length = sizeof block};
    assert_int_equal(ccid_build(&command, out, 15, &length), RC_OK);
    assert_int_equal(length, 15);
    assert_memory_equal(out, ((uint8_t[]){0x6f, 5, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0xc1, 1, 0xfe, 0x3e}), 15);
    assert_int_equal(ccid_build(&command, out, 14, &length), RC_INSUFFICIENT_BUFFER);
    assert_int_equal(length, 15);
    command =
        (struct ccid_command){.type = CCID_XFR_BLOCK, .slot = 3, .seq = 255, .parameter = 9, .level = 0x1203};
    assert_int_equal(ccid_build(&command, out, 10, &length), RC_OK);
    assert_memory_equal(out, ((uint8_t[]){0x6f, 0, 0, 0, 0, 3, 255, 9, 3, 0x12}), 10);
}

static void long_length(void **state)
{
    uint8_t *data = calloc(1, 65554), *out = malloc(65564);
    struct ccid_command command = {.type = CCID_ESCAPE, .data = data, .length = 65554};
    size_t length;

    (void)state;
    assert_non_null(data);
    assert_non_null(out);
    assert_int_equal(ccid_build(&command, out, 65564, &length), RC_OK);
    assert_memory_equal(out, ((uint8_t[]){0x6b, 0x12, 0x00, 0x01, 0x00}), 5);
    free(out);
    free(data);
}

static void answer_types(void **state)
{
    static const uint8_t pairs[][2] = {{0x61, 0x82}, {0x62, 0x80}, {0x63, 0x81}, {0x65, 0x81},
                                       {0x69, 0x80}, {0x6a, 0x81}, {0x6b, 0x83}, {0x6c, 0x82},
                                       {0x6d, 0x82}, {0x6e, 0x81}, {0x6f, 0x80}, {0x71, 0x81},
                                       {0x72, 0x81}, {0x73, 0x84}, {0x60, 0},    {0x80, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        assert_int_equal(ccid_answer_type(pairs[i][0]), pairs[i][1]);
}

static void power_on_answer(void **state)
{
    struct ccid_answer answer;

    (void)state;
    assert_int_equal(CHECK(&power_on, &answer, 0x80, 4, 0, 0, 0, 0, 7, 0, 0, 0, 0x3b, 2, 0x14, 0x50),
                     CCID_ANSWERED);
    assert_true(!answer.failed && answer.card == CCID_CARD_ACTIVE && answer.length == 4);
    assert_memory_equal(answer.data, ((uint8_t[]){0x3b, 2, 0x14, 0x50}), 4);
    assert_int_equal(ccid_rc(&power_on, &answer), RC_OK);
    assert_int_equal(CHECK(&xfr, &answer, 0x80, 0, 0, 0, 0, 1, 255, 0x3d, 0, 0x10), CCID_ANSWERED);
    assert_true(answer.card == CCID_CARD_INACTIVE && !answer.failed && answer.parameter == CCID_GO_ON);
    assert_int_equal(answer.length, 0);
}

/* What is not the answer is dropped or refused, and nothing is taken from it. */
static void not_the_answer(void **state)
{
    struct ccid_answer answer = {.length = 77};

    (void)state;
    assert_int_equal(ccid_check(&xfr, NULL, 0, &answer), CCID_FOREIGN);
    assert_int_equal(CHECK(&xfr, &answer, 0x80, 0, 0, 0, 0, 1, 254, 0, 0, 0), CCID_FOREIGN);
    assert_int_equal(CHECK(&xfr, &answer, 0x80, 0, 0, 0, 0, 0, 255, 0, 0, 0), CCID_FOREIGN);
    assert_int_equal(CHECK(&xfr, &answer, 0x80, 9, 0, 0, 0, 0, 255, 0x80, 0, 0), CCID_FOREIGN);
    assert_int_equal(CHECK(&xfr, &answer, 0x80), RC_IO);
    assert_int_equal(CHECK(&xfr, &answer, 0x80, 0, 0, 0, 0, 1, 255, 0, 0), RC_IO);
    assert_int_equal(CHECK(&xfr, &answer, 0x80, 1, 0, 0, 0, 1, 255, 0, 0, 0), RC_IO);
    assert_int_equal(CHECK(&xfr, &answer, 0x80, 0, 0, 0, 0, 1, 255, 0, 0, 0, 0x90), RC_IO);
    assert_int_equal(CHECK(&xfr, &answer, 0x80, 2, 0, 0, 1, 1, 255, 0, 0, 0, 0x90, 0), RC_IO);
    assert_int_equal(CHECK(&xfr, &answer, 0x80, 0xf6, 0xff, 0xff, 0xff, 1, 255, 0, 0, 0), RC_IO); /* -10 */
    assert_int_equal(CHECK(&xfr, &answer, 0x82, 0, 0, 0, 0, 1, 255, 0, 0, 0), RC_IO);
    assert_int_equal(CHECK(&xfr, &answer, 0x81, 0, 0, 0, 0, 1, 255, 0, 0, 0), RC_IO);
    assert_int_equal(answer.length, 77);
}

static void time_extension(void **state)
{
    struct ccid_answer answer;

    (void)state;
    assert_int_equal(CHECK(&xfr, &answer, 0x80, 0, 0, 0, 0, 1, 255, 0x80, 5, 0), CCID_WAIT);
    assert_int_equal(answer.extension, 5);
    assert_int_equal(CHECK(&xfr, &answer, 0x80, 0, 0, 0, 0, 1, 255, 0xa8, 0, 0), CCID_WAIT);
    assert_int_equal(answer.extension, 1);
    assert_int_equal(CHECK(&xfr, &answer, 0x81, 0, 0, 0, 0, 1, 255, 0x80, 255, 0),
                     CCID_WAIT); /* another type */
    assert_int_equal(answer.extension, 255);
    assert_int_equal(answer.length, 0);
}

static void failed_answers(void **state)
{
    struct ccid_answer answer;

    (void)state;
    /* Data of a failed command is legal, and no data. */
    assert_int_equal(CHECK(&xfr, &answer, 0x80, 2, 0, 0, 0, 1, 255, 0x40, 0xfe, 0, 0x90, 0), CCID_ANSWERED);
    assert_true(answer.failed && answer.error == CCID_MUTE && !answer.length && !answer.data);
    /* A command that the reader does not know. */
    assert_int_equal(CHECK(&xfr, &answer, 0x81, 0, 0, 0, 0, 1, 255, 0x41, 0, 0), CCID_ANSWERED);
    assert_int_equal(ccid_rc(&xfr, &answer), RC_UNSUPPORTED);
    assert_int_equal(CHECK(&xfr, &answer, 0x83, 0, 0, 0, 0, 1, 255, 0x41, 0, 0), RC_IO);
    assert_int_equal(CHECK(&xfr, &answer, 0x80, 0, 0, 0, 0, 1, 255, 0xc0, 0xfe, 0),
                     CCID_ANSWERED); /* reserved */
    assert_true(answer.failed);
}

static void error_codes(void **state)
{
    static const struct {
        uint8_t command, error, card;
        int rc;
    } rows[] = {
        {CCID_XFR_BLOCK, 0x00, 0, RC_UNSUPPORTED},
        {CCID_XFR_BLOCK, 0x05, 0, RC_READER_UNAVAILABLE},
        {CCID_XFR_BLOCK, 0x05, 2, RC_READER_UNAVAILABLE},
        {CCID_XFR_BLOCK, 0x01, 0, RC_NOT_TRANSACTED},
        {CCID_XFR_BLOCK, 0x08, 0, RC_NOT_TRANSACTED},
        {CCID_POWER_ON, 0x07, 1, RC_UNSUPPORTED},
        {CCID_SECURE, 0x0a, 0, RC_UNSUPPORTED},
        {CCID_SET_PARAMETERS, 0x00, 0, RC_UNSUPPORTED},
        {CCID_SET_PARAMETERS, 0x01, 0, RC_UNSUPPORTED},
        {CCID_SET_PARAMETERS, 0x07, 0, CCID_KEPT},
        {CCID_SET_PARAMETERS, 0x7f, 0, CCID_KEPT},
        {CCID_SET_PARAMETERS, 0xf6, 0, RC_PROTO_MISMATCH},
        {CCID_SET_PARAMETERS, 0xfe, 2, RC_NO_CARD},
        {CCID_XFR_BLOCK, 0xe0, 0, CCID_BUSY},
        {CCID_XFR_BLOCK, 0xe0, 2, CCID_BUSY},
        {CCID_POWER_ON, 0xf2, 0, CCID_BUSY},
        {CCID_SECURE, 0xef, 0, RC_CANCELLED},
        {CCID_SECURE, 0xf0, 0, RC_TIMEOUT},
        {CCID_XFR_BLOCK, 0xef, 0, RC_NOT_TRANSACTED},
        {CCID_XFR_BLOCK, 0xf0, 0, RC_NOT_TRANSACTED},
        {CCID_XFR_BLOCK, 0xf3, 0, RC_PROTO_MISMATCH},
        {CCID_XFR_BLOCK, 0xf4, 0, RC_NOT_TRANSACTED},
        {CCID_XFR_BLOCK, 0xf5, 0, RC_NOT_TRANSACTED},
        {CCID_POWER_ON, 0xf7, 1, RC_MUTE},
        {CCID_POWER_ON, 0xf8, 1, RC_MUTE},
        {CCID_POWER_ON, 0xfb, 1, RC_MUTE},
        {CCID_POWER_ON, 0xbb, 1, RC_MUTE},
        {CCID_POWER_ON, 0x99, 1, RC_MUTE},
        {CCID_POWER_ON, 0xfe, 1, RC_MUTE},
        {CCID_POWER_ON, 0xfe, 2, RC_NO_CARD},
        {CCID_XFR_BLOCK, 0xfb, 0, RC_NOT_TRANSACTED},
        {CCID_XFR_BLOCK, 0xfc, 0, RC_NOT_TRANSACTED},
        {CCID_XFR_BLOCK, 0xfd, 0, RC_NOT_TRANSACTED},
        {CCID_XFR_BLOCK, 0xfe, 0, RC_MUTE},
        {CCID_XFR_BLOCK, 0xfe, 2, RC_NO_CARD},
        {CCID_XFR_BLOCK, 0xff, 0, RC_NOT_TRANSACTED},
        {CCID_XFR_BLOCK, 0xa2, 0, RC_NOT_TRANSACTED},
        {CCID_XFR_BLOCK, 0xc1, 0, RC_NOT_TRANSACTED},
        {CCID_GET_SLOT_STATUS, 0xfe, 2, RC_OK},
        {CCID_GET_SLOT_STATUS, 0xfb, 1, RC_OK},
        {CCID_GET_SLOT_STATUS, 0x05, 0, RC_READER_UNAVAILABLE},
        {CCID_ESCAPE, 0x00, 2, RC_UNSUPPORTED}, /* not a matter of the card */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ccid_command command = {.type = rows[i].command};
        struct ccid_answer answer = {
            .failed = true, .error = rows[i].error, .card = (enum ccid_card)rows[i].card};
        int rc;

        detail_clear();
        rc = ccid_rc(&command, &answer);
        if (rc != rows[i].rc)
            fail_msg("command %02x, error %02x: %d instead of %d", rows[i].command, rows[i].error, rc,
                     rows[i].rc);
        assert_int_equal(*detail_get() != 0, rc < 0);
    }
    for (unsigned error = 0; error < 256; error++)
        assert_true(*ccid_error_text((uint8_t)error));
}

static void slots(void **state)
{
    static const uint8_t bytes[CCID_HEADER] = {0x80, 0, 0, 0, 0, 4, 1, 0, 0, 0};

    (void)state;
    assert_int_equal(ccid_slot_of(bytes, 10, 5), 4);
    assert_int_equal(ccid_slot_of(bytes, 10, 256), 4);
    assert_int_equal(ccid_slot_of(bytes, 10, 4), RC_IO);
    assert_int_equal(ccid_slot_of(bytes, 9, 5), RC_IO);
    assert_int_equal(ccid_slot_of(bytes, 0, 5), RC_IO);
}

static void parameters(void **state)
{
    static const uint8_t openpgp[] = {0x3b, 0xfa, 0x13, 0x00, 0xff, 0x81, 0x31, 0x80, 0x45, 0x00,
                                      0x31, 0xc1, 0x73, 0xc0, 0x01, 0x00, 0x00, 0x90, 0x00, 0xb1};
    static const uint8_t french[] = {0x3f, 0x65, 0x25, 0x08, 0x43, 0x04, 0x6c, 0x90, 0x00};
    struct ccid_parameters p, again;
    uint8_t data[CCID_PARAMETERS_MAX];
    struct atr atr;

    (void)state;
    assert_int_equal(atr_parse(openpgp, sizeof openpgp, &atr), RC_OK);
    p = ccid_parameters_of(&atr, 1, 0x13);
    assert_int_equal(ccid_parameters_build(&p, data), 7);
    assert_memory_equal(data, ((uint8_t[]){0x13, 0x10, 0xff, 0x45, 0, 0x80, 0}), 7);
    assert_int_equal(ccid_parameters_parse(1, data, 7, &again), RC_OK);
    assert_true(again.fd == 0x13 && again.guard == 255 && again.bwi == 4 && again.cwi == 5 &&
                again.ifsc == 128);
    assert_int_equal(ccid_parameters_parse(1, data, 6, &again), RC_IO);
    p.crc = p.inverse = true;
    p.clock_stop = 3;
    p.nad = 0x21;
    assert_int_equal(ccid_parameters_build(&p, data), 7);
    assert_memory_equal(data, ((uint8_t[]){0x13, 0x13, 0xff, 0x45, 3, 0x80, 0x21}), 7);
    assert_int_equal(ccid_parameters_parse(1, data, 7, &again), RC_OK);
    assert_true(again.crc && again.inverse && again.clock_stop == 3 && again.nad == 0x21);

    assert_int_equal(atr_parse(french, sizeof french, &atr), RC_OK);
    p = ccid_parameters_of(&atr, 0, 0x11);
    assert_int_equal(ccid_parameters_build(&p, data), 5);
    assert_memory_equal(data, ((uint8_t[]){0x11, 0x02, 8, 10, 0}), 5);
    assert_int_equal(ccid_parameters_parse(0, data, 5, &again), RC_OK);
    assert_true(again.fd == 0x11 && again.inverse && again.guard == 8 && again.wi == 10 && !again.protocol);
    assert_int_equal(ccid_parameters_parse(0, data, 4, &again), RC_IO);
    assert_int_equal(ccid_parameters_parse(0x80, data, 7, &again), RC_UNSUPPORTED);
}

static void notices(void **state)
{
    static const uint8_t five_slots[] = {0x50, 0xc7, 0x02}, hardware[] = {0x51, 2, 9, 1};
    static const struct {
        bool present, changed;
    } expected[] = {{true, true}, {true, false}, {false, false}, {true, true}, {false, true}};
    bool present, changed;
    uint8_t slot, seq, code;

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        assert_true(ccid_notice_slot(five_slots, sizeof five_slots, i, &present, &changed));
        assert_int_equal(present, expected[i].present);
        assert_int_equal(changed, expected[i].changed);
    }
    assert_false(ccid_notice_slot(five_slots, 2, 4, &present, &changed));
    assert_false(ccid_notice_slot(five_slots, 1, 0, &present, &changed));
    assert_false(ccid_notice_slot(five_slots, 0, 0, &present, &changed));
    assert_false(ccid_notice_slot(hardware, sizeof hardware, 0, &present, &changed));
    assert_true(ccid_notice_hardware(hardware, sizeof hardware, &slot, &seq, &code));
    assert_true(slot == 2 && seq == 9 && code == 1);
    assert_false(ccid_notice_hardware(hardware, 3, &slot, &seq, &code));
    assert_false(ccid_notice_hardware(five_slots, 3, &slot, &seq, &code));
}

/* Every prefix of an answer and every changed byte of its header: never more data than came. */
static void damaged(void **state)
{
    static const uint8_t whole[] = {0x80, 4, 0, 0, 0, 1, 0xff, 0, 0, 0, 0xaa, 0xbb, 0x90, 0};

    (void)state;
    for (size_t length = 1; length <= sizeof whole; length++) {
        struct ccid_answer answer;

        assert_int_equal(check(&xfr, whole, length, &answer), length == sizeof whole ? CCID_ANSWERED : RC_IO);
    }
    for (size_t at = 0; at < CCID_HEADER; at++) {
        for (unsigned value = 0; value < 256; value++) {
            uint8_t bytes[sizeof whole];
            struct ccid_answer answer;

            memcpy(bytes, whole, sizeof bytes);
            bytes[at] = (uint8_t)value;
            if (check(&xfr, bytes, sizeof bytes, &answer) == CCID_ANSWERED)
                assert_int_equal(answer.length, answer.failed ? 0 : 4);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(building),        cmocka_unit_test(long_length),    cmocka_unit_test(answer_types),
        cmocka_unit_test(power_on_answer), cmocka_unit_test(not_the_answer), cmocka_unit_test(time_extension),
        cmocka_unit_test(failed_answers),  cmocka_unit_test(error_codes),    cmocka_unit_test(slots),
        cmocka_unit_test(parameters),      cmocka_unit_test(notices),        cmocka_unit_test(damaged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
