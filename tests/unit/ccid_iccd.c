/* SPDX-License-Identifier: MIT */
/* driver/ccid_iccd: devices on control transfers, on a scripted pipe. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_iccd.h"
#include "driver/ccid_link.h"
#include "tests/unit/fake_pipe.h"

#define SENDS(bytes_)                                                                                        \
    {                                                                                                        \
        .what = FAKE_CONTROL, .bytes = bytes_                                                                \
    }
#define READS(bytes_, gives_)                                                                                \
    {                                                                                                        \
        .what = FAKE_CONTROL, .bytes = bytes_, .gives = gives_                                               \
    }
#define FAILS(bytes_, rc_)                                                                                   \
    {                                                                                                        \
        .what = FAKE_CONTROL, .bytes = bytes_, .rc = rc_                                                     \
    }
#define HANG                                                                                                 \
    {                                                                                                        \
        .what = FAKE_HANG                                                                                    \
    }

struct rig {
    struct fake_pipe *fake;
    struct ccid_descriptor descriptor;
    struct ccid_quirk quirk;
    struct ccid_link *link;
};

static void build(struct rig *rig, enum ccid_transport transport)
{
    memset(rig, 0, sizeof *rig);
    rig->descriptor = (struct ccid_descriptor){
        .slots = 1, .busy_slots = 1, .max_message = 65554, .transport = (uint8_t)transport};
    rig->fake = fake_pipe_new();
    assert_int_equal(ccid_link_new(fake_pipe_pipe(rig->fake), &rig->descriptor, &rig->quirk, &rig->link),
                     RC_OK);
}

static void finish(struct rig *rig)
{
    fake_pipe_done(rig->fake);
    ccid_link_free(rig->link);
    fake_pipe_free(rig->fake);
}

static int do_command(struct rig *rig, uint8_t type, uint16_t level, const char *data, uint64_t timeout_ms,
                      struct ccid_answer *ret_answer)
{
    uint8_t bytes[300];
    struct ccid_command command = {.type = type, .level = level, .data = bytes};
    size_t at;

    assert_int_equal(hex_parse(data, strlen(data), bytes, &command.length, &at), RC_OK);
    memset(ret_answer, 0, sizeof *ret_answer);
    return ccid_link_exchange(rig->link, &command, timeout_ms, ret_answer);
}

static void expect(const struct ccid_answer *answer, const char *data)
{
    uint8_t bytes[300];
    size_t length, at;

    assert_int_equal(hex_parse(data, strlen(data), bytes, &length, &at), RC_OK);
    assert_false(answer->failed);
    assert_int_equal(answer->length, length);
    if (length)
        assert_memory_equal(answer->data, bytes, length);
}

static void expect_failure(const struct ccid_answer *answer, uint8_t error, enum ccid_card card)
{
    assert_true(answer->failed);
    assert_int_equal(answer->error, error);
    assert_int_equal(answer->card, card);
    assert_null(answer->data);
}

static void b_powers_and_tells_its_status(void **state)
{
    struct ccid_answer answer;
    struct rig rig;

    (void)state;
    build(&rig, CCID_ICCD_B);
    fake_pipe_steps(rig.fake, READS("A181 0000", "40 01 00"), SENDS("2162 0001"),
                    READS("A16F 0000", "00 3B021450"), SENDS("2163 0000"), READS("A181 0000", "40 01 00"));
    assert_int_equal(do_command(&rig, CCID_GET_SLOT_STATUS, 0, "", 100, &answer), RC_OK);
    assert_int_equal(answer.card, CCID_CARD_INACTIVE);
    assert_int_equal(do_command(&rig, CCID_POWER_ON, 0, "", 100, &answer), RC_OK);
    expect(&answer, "3B021450");
    assert_int_equal(answer.card, CCID_CARD_ACTIVE);
    assert_int_equal(do_command(&rig, CCID_POWER_OFF, 0, "", 100, &answer), RC_OK);
    assert_int_equal(answer.card, CCID_CARD_INACTIVE);
    finish(&rig);
}

static void b_exchanges_in_parts(void **state)
{
    static const struct {
        uint16_t level;
        const char *sends, *gives, *data;
        uint8_t parameter;
    } cases[] = {
        {CCID_WHOLE, "2165 0000 00A4", "00 9000", "9000", CCID_WHOLE},
        {CCID_BEGINS, "2165 0100 00A4", "10", "", CCID_GO_ON},
        {CCID_CONTINUES, "2165 0300 00A4", "10", "", CCID_GO_ON},
        {CCID_ENDS, "2165 0200 00A4", "01 1122", "1122", CCID_BEGINS},
        {CCID_GO_ON, "2165 1000 00A4", "03 33", "33", CCID_CONTINUES},
        {CCID_GO_ON, "2165 1000 00A4", "02 449000", "449000", CCID_ENDS},
    };
    struct ccid_answer answer;
    struct rig rig;

    (void)state;
    build(&rig, CCID_ICCD_B);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        fake_pipe_steps(rig.fake, SENDS(cases[i].sends), READS("A16F 0000", cases[i].gives));
        assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, cases[i].level, "00A4", 100, &answer), RC_OK);
        expect(&answer, cases[i].data);
        assert_int_equal(answer.parameter, cases[i].parameter);
    }
    finish(&rig);
}

static void b_comes_again_when_it_is_asked_to(void **state)
{
    struct ccid_answer answer;
    struct rig rig;
    int64_t begin;

    (void)state;
    build(&rig, CCID_ICCD_B);
    fake_pipe_steps(rig.fake, SENDS("2165 0000 00A4"), READS("A16F 0000", "80 0300"),
                    {.what = FAKE_CONTROL, .bytes = "A16F 0000", .gives = "80 0000", .wait_ms = 20000},
                    {.what = FAKE_CONTROL, .bytes = "A16F 0000", .gives = "00 9000", .wait_ms = 20000});
    begin = clock_now_ns();
    assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00A4", 20000, &answer), RC_OK);
    expect(&answer, "9000");
    assert_true(clock_now_ns() - begin >= 40000000); /* 30 ms, and 10 by our own choice */
    finish(&rig);
}

static void b_fails_as_a_reader_does(void **state)
{
    struct ccid_answer answer;
    struct rig rig;

    (void)state;
    build(&rig, CCID_ICCD_B);
    fake_pipe_steps(rig.fake, SENDS("2165 0000 00A4"), READS("A16F 0000", "40 42 FE"), SENDS("2162 0001"),
                    READS("A16F 0000", "40 41 FE"));
    assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00A4", 100, &answer), RC_OK);
    expect_failure(&answer, CCID_MUTE, CCID_CARD_ABSENT);
    assert_int_equal(do_command(&rig, CCID_POWER_ON, 0, "", 100, &answer), RC_OK);
    expect_failure(&answer, CCID_MUTE, CCID_CARD_INACTIVE);
    finish(&rig);
}

static void b_nonsense_is_an_error_and_the_next_command_works(void **state)
{
    static const struct fake_step responses[] = {
        READS("A16F 0000", ""),      READS("A16F 0000", "80 01"),      READS("A16F 0000", "40 01"),
        READS("A16F 0000", "05 90"), FAILS("A16F 0000", PIPE_STALLED),
    };
    struct ccid_answer answer;
    struct rig rig;

    (void)state;
    build(&rig, CCID_ICCD_B);
    for (size_t i = 0; i < sizeof responses / sizeof *responses; i++) {
        fake_pipe_steps(rig.fake, SENDS("2165 0000 00A4"));
        fake_pipe_script(rig.fake, &responses[i], 1);
        detail_clear();
        assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00A4", 100, &answer), RC_IO);
        assert_true(detail_get()[0]);
        fake_pipe_steps(rig.fake, SENDS("2165 0000 00A4"), READS("A16F 0000", "00 9000"));
        assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00A4", 100, &answer), RC_OK);
    }
    fake_pipe_steps(rig.fake, READS("A181 0000", "40 01"), FAILS("2165 0000 00A4", PIPE_STALLED),
                    FAILS("2165 0000 00A4", RC_READER_UNAVAILABLE));
    assert_int_equal(do_command(&rig, CCID_GET_SLOT_STATUS, 0, "", 100, &answer), RC_IO);
    assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00A4", 100, &answer), RC_IO);
    assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00A4", 100, &answer), RC_READER_UNAVAILABLE);
    finish(&rig);
}

/* To the callers: this device keeps the parameters that it has; and it can do no more than is in the table.
 */
static void what_there_is_no_request_for(void **state)
{
    static const enum ccid_transport transports[] = {CCID_ICCD_A, CCID_ICCD_B};
    struct ccid_command command = {.type = CCID_SET_PARAMETERS};
    struct ccid_answer answer;
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        build(&rig, transports[i]);
        assert_int_equal(do_command(&rig, CCID_SET_PARAMETERS, 0, "1100000A00", 100, &answer), RC_OK);
        assert_int_equal(ccid_rc(&command, &answer), CCID_KEPT);
        assert_int_equal(do_command(&rig, CCID_ESCAPE, 0, "01", 100, &answer), RC_OK);
        expect_failure(&answer, CCID_NOT_SUPPORTED, CCID_CARD_ACTIVE);
        assert_int_equal(do_command(&rig, CCID_GET_PARAMETERS, 0, "", 100, &answer), RC_OK);
        expect_failure(&answer, CCID_NOT_SUPPORTED, CCID_CARD_ACTIVE);
        finish(&rig);
    }
}

#define A_STATUS(value) READS("A1A0 0000", value)

static void a_powers_and_tells_its_status(void **state)
{
    struct ccid_answer answer;
    struct rig rig;

    (void)state;
    build(&rig, CCID_ICCD_A);
    fake_pipe_steps(rig.fake, A_STATUS("00"), A_STATUS("80"), SENDS("2163 0000"), A_STATUS("40"),
                    A_STATUS("40"), A_STATUS("00"), READS("A162 0000", "3B021450"), SENDS("2163 0000"),
                    A_STATUS("00"));
    assert_int_equal(do_command(&rig, CCID_GET_SLOT_STATUS, 0, "", 1000, &answer), RC_OK);
    assert_int_equal(answer.card, CCID_CARD_ACTIVE);
    assert_int_equal(do_command(&rig, CCID_GET_SLOT_STATUS, 0, "", 1000, &answer), RC_OK);
    assert_int_equal(answer.card, CCID_CARD_ABSENT);
    assert_int_equal(do_command(&rig, CCID_POWER_ON, 0, "", 10000, &answer), RC_OK);
    expect(&answer, "3B021450");
    assert_int_equal(do_command(&rig, CCID_POWER_OFF, 0, "", 1000, &answer), RC_OK);
    assert_int_equal(answer.card, CCID_CARD_INACTIVE);
    finish(&rig);
}

static void a_exchanges_each_case_of_t0(void **state)
{
    struct ccid_answer answer;
    struct rig rig;

    (void)state;
    build(&rig, CCID_ICCD_A);
    /* Case 1: P3 is added. */
    fake_pipe_steps(rig.fake, SENDS("2165 0000 0020000100"), A_STATUS("20"), READS("A16F 0000", "63C3"));
    assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00200001", 10000, &answer), RC_OK);
    expect(&answer, "63C3");
    /* Case 2, the card at work meanwhile. */
    fake_pipe_steps(rig.fake, SENDS("2165 0000 00B0000004"), A_STATUS("40"), A_STATUS("10"),
                    READS("A16F 0000", "11223344"), A_STATUS("20"), READS("A16F 0000", "9000"));
    assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00B0000004", 10000, &answer), RC_OK);
    expect(&answer, "112233449000");
    /* Case 2, the card gives less, or nothing. */
    fake_pipe_steps(rig.fake, SENDS("2165 0000 00B0000000"), A_STATUS("10"), READS("A16F 0000", "11"),
                    A_STATUS("20"), READS("A16F 0000", "6282"), SENDS("2165 0000 00B0000000"), A_STATUS("20"),
                    READS("A16F 0000", "6C05"));
    assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00B0000000", 10000, &answer), RC_OK);
    expect(&answer, "116282");
    assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00B0000000", 10000, &answer), RC_OK);
    expect(&answer, "6C05");
    /* Case 3, taken and refused. */
    fake_pipe_steps(rig.fake, SENDS("2165 0000 00D6000002"), A_STATUS("10"), SENDS("2165 0000 AABB"),
                    A_STATUS("20"), READS("A16F 0000", "9000"), SENDS("2165 0000 00D6000002"), A_STATUS("20"),
                    READS("A16F 0000", "6D00"));
    assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00D6000002AABB", 10000, &answer), RC_OK);
    expect(&answer, "9000");
    assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00D6000002AABB", 10000, &answer), RC_OK);
    expect(&answer, "6D00");
    finish(&rig);
}

static void a_faults(void **state)
{
    struct ccid_answer answer;
    struct rig rig;

    (void)state;
    build(&rig, CCID_ICCD_A);
    /* Not a TPDU: nothing is sent. */
    assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00D600", 100, &answer), RC_OK);
    expect_failure(&answer, CCID_BAD_LENGTH, CCID_CARD_ACTIVE);
    assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00D6000003AABB", 100, &answer), RC_OK);
    expect_failure(&answer, CCID_BAD_LENGTH, CCID_CARD_ACTIVE);
    /* Wants data for ever. */
    fake_pipe_steps(rig.fake, SENDS("2165 0000 00D6000001"), A_STATUS("10"), SENDS("2165 0000 AA"),
                    A_STATUS("10"));
    assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00D6000001AA", 1000, &answer), RC_OK);
    expect_failure(&answer, CCID_PROCEDURE_BYTE, CCID_CARD_ACTIVE);
    /* Mute; an unknown status; half a status word. */
    fake_pipe_steps(rig.fake, SENDS("2165 0000 00B0000001"), A_STATUS("80"));
    assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00B0000001", 1000, &answer), RC_OK);
    expect_failure(&answer, CCID_MUTE, CCID_CARD_INACTIVE);
    fake_pipe_steps(rig.fake, SENDS("2165 0000 00B0000001"), A_STATUS("00"));
    assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00B0000001", 1000, &answer), RC_OK);
    expect_failure(&answer, CCID_PROCEDURE_BYTE, CCID_CARD_ACTIVE);
    fake_pipe_steps(rig.fake, SENDS("2165 0000 00B0000001"), A_STATUS("20"), READS("A16F 0000", "90"),
                    SENDS("2163 0000"));
    assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00B0000001", 1000, &answer), RC_IO);
    fake_pipe_steps(rig.fake, SENDS("2165 0000 00B0000001"), A_STATUS(""), SENDS("2163 0000"));
    assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00B0000001", 1000, &answer), RC_IO);
    /* Mute at power-on. */
    fake_pipe_steps(rig.fake, SENDS("2163 0000"), A_STATUS("00"), FAILS("A162 0000", PIPE_STALLED));
    assert_int_equal(do_command(&rig, CCID_POWER_ON, 0, "", 1000, &answer), RC_OK);
    expect_failure(&answer, CCID_MUTE, CCID_CARD_INACTIVE);
    finish(&rig);
}

static void a_busy_device_has_its_time(void **state)
{
    struct ccid_answer answer;
    struct rig rig;

    (void)state;
    build(&rig, CCID_ICCD_A);
    fake_pipe_steps(rig.fake, SENDS("2165 0000 00B0000001"), A_STATUS("40"), A_STATUS("40"), A_STATUS("40"),
                    SENDS("2163 0000"));
    /* Some of these, by the clock. */
    assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00B0000001", 15, &answer), RC_TIMEOUT);
    assert_non_null(strstr(detail_get(), "busy"));
    ccid_link_free(rig.link);
    fake_pipe_free(rig.fake);
}

struct worker {
    struct rig *rig;
    int rc;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct ccid_answer answer;

    ccid_link_begin(worker->rig->link, 0);
    worker->rc = do_command(worker->rig, CCID_XFR_BLOCK, 0, "00A4", 0, &answer);
    ccid_link_end(worker->rig->link, 0);
    return NULL;
}

static void a_cancel_ends_a_transfer_or_the_wait_between_two(void **state)
{
    static const struct fake_step waits[] = {HANG, READS("A16F 0000", "80 FFFF")};
    struct ccid_answer answer;
    pthread_t thread;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct rig rig;
        struct worker worker = {.rig = &rig};

        build(&rig, CCID_ICCD_B);
        fake_pipe_steps(rig.fake, SENDS("2165 0000 00A4"));
        fake_pipe_script(rig.fake, &waits[i], 1);
        fake_pipe_steps(rig.fake, SENDS("2163 0000")); /* late answers die with the card's power */
        assert_int_equal(pthread_create(&thread, NULL, work, &worker), 0);
        fake_pipe_wait_steps(rig.fake, 2);
        ccid_link_cancel(rig.link, 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(worker.rc, RC_CANCELLED);
        fake_pipe_steps(rig.fake, SENDS("2165 0000 00A4"), READS("A16F 0000", "00 9000"));
        assert_int_equal(do_command(&rig, CCID_XFR_BLOCK, 0, "00A4", 100, &answer), RC_OK);
        finish(&rig);
    }
}

static void opening_switches_off_on_and_off(void **state)
{
    struct rig rig;

    (void)state;
    build(&rig, CCID_ICCD_B);
    fake_pipe_steps(rig.fake, SENDS("2163 0000"), READS("A181 0000", "40 01 00"), SENDS("2162 0001"),
                    FAILS("A16F 0000", PIPE_STALLED), SENDS("2163 0000"), READS("A181 0000", "40 01 00"));
    for (int i = 0; i < 3; i++)
        fake_pipe_steps(rig.fake, READS("A181 0000", "40 01 00"));
    assert_int_equal(ccid_link_start(rig.link), RC_OK);
    finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(b_powers_and_tells_its_status),
        cmocka_unit_test(b_exchanges_in_parts),
        cmocka_unit_test(b_comes_again_when_it_is_asked_to),
        cmocka_unit_test(b_fails_as_a_reader_does),
        cmocka_unit_test(b_nonsense_is_an_error_and_the_next_command_works),
        cmocka_unit_test(what_there_is_no_request_for),
        cmocka_unit_test(a_powers_and_tells_its_status),
        cmocka_unit_test(a_exchanges_each_case_of_t0),
        cmocka_unit_test(a_faults),
        cmocka_unit_test(a_busy_device_has_its_time),
        cmocka_unit_test(a_cancel_ends_a_transfer_or_the_wait_between_two),
        cmocka_unit_test(opening_switches_off_on_and_off),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
