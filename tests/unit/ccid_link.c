/* SPDX-License-Identifier: MIT */
/* driver/ccid_link: messages, time, aborts, cancels, several slots, notices - on a scripted pipe. */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_link.h"
#include "tests/unit/fake_pipe.h"

#define OUT(bytes_)                                                                                          \
    {                                                                                                        \
        .what = FAKE_OUT, .bytes = bytes_                                                                    \
    }
#define OUT_RC(bytes_, rc_)                                                                                  \
    {                                                                                                        \
        .what = FAKE_OUT, .bytes = bytes_, .rc = rc_                                                         \
    }
#define IN(bytes_)                                                                                           \
    {                                                                                                        \
        .what = FAKE_IN, .bytes = bytes_                                                                     \
    }
#define IN_RC(rc_)                                                                                           \
    {                                                                                                        \
        .what = FAKE_IN, .rc = rc_                                                                           \
    }
#define IN_AFTER(ms, bytes_)                                                                                 \
    {                                                                                                        \
        .what = FAKE_IN, .bytes = bytes_, .wait_ms = ms                                                      \
    }
#define HANG                                                                                                 \
    {                                                                                                        \
        .what = FAKE_HANG                                                                                    \
    }
#define CONTROL(bytes_)                                                                                      \
    {                                                                                                        \
        .what = FAKE_CONTROL, .bytes = bytes_                                                                \
    }
#define CONTROL_RC(bytes_, rc_)                                                                              \
    {                                                                                                        \
        .what = FAKE_CONTROL, .bytes = bytes_, .rc = rc_                                                     \
    }
#define CLEAR(which)                                                                                         \
    {                                                                                                        \
        .what = FAKE_CLEAR, .bytes = which                                                                   \
    }

/* Of slot 0, whatever the number. */
#define ASKS "65 00000000 00 ?? 000000"
#define ANSWERS "81 00000000 00 qq 000000"
#define ABORTS CONTROL("2101 ??00"), OUT("72 00000000 00 ?? 000000"), IN("81 00000000 00 qq 000000")

struct rig {
    struct fake_pipe *fake;
    struct ccid_descriptor descriptor;
    struct ccid_quirk quirk;
    struct ccid_link *link;
};

static void build(struct rig *rig, unsigned slots, unsigned busy_slots, uint32_t flags)
{
    memset(rig, 0, sizeof *rig);
    rig->descriptor = (struct ccid_descriptor){.slots = slots,
                                               .busy_slots = busy_slots,
                                               .max_message = 271,
                                               .interrupt = {.address = 0x83, .packet = 8}};
    rig->quirk.flags = flags;
    rig->fake = fake_pipe_new();
    assert_int_equal(ccid_link_new(fake_pipe_pipe(rig->fake), &rig->descriptor, &rig->quirk, &rig->link),
                     RC_OK);
}

static void finish(struct rig *rig)
{
    fake_pipe_done(rig->fake);
    assert_int_equal(fake_pipe_held(rig->fake), 0);
    ccid_link_free(rig->link);
    assert_true(fake_pipe_closed(rig->fake));
    fake_pipe_free(rig->fake);
}

static int ask(struct rig *rig, uint8_t slot, uint64_t timeout_ms, struct ccid_answer *ret_answer)
{
    struct ccid_command command = {.type = CCID_GET_SLOT_STATUS, .slot = slot};

    return ccid_link_exchange(rig->link, &command, timeout_ms, ret_answer);
}

/* XfrBlock of the three bytes 01 02 03. */
static int transfer(struct rig *rig, uint8_t slot, uint64_t timeout_ms, struct ccid_answer *ret_answer)
{
    static const uint8_t data[] = {1, 2, 3};
    struct ccid_command command = {.type = CCID_XFR_BLOCK, .slot = slot, .data = data, .length = sizeof data};

    return ccid_link_exchange(rig->link, &command, timeout_ms, ret_answer);
}

#define TRANSFERS "6F 03000000 00 ?? 000000 010203"
#define DATA "80 02000000 00 qq 000000 9000"

/* What every fault has to leave behind. */
static void next_one_works(struct rig *rig)
{
    struct ccid_answer answer = {0};

    fake_pipe_steps(rig->fake, OUT(TRANSFERS), IN(DATA));
    assert_int_equal(transfer(rig, 0, 5000, &answer), RC_OK);
    assert_int_equal(answer.length, 2);
    assert_memory_equal(answer.data, "\x90\x00", 2);
}

static void messages_are_exact_and_numbered(void **state)
{
    static const uint8_t data[] = {0xAA, 0xBB};
    struct ccid_command command = {.type = CCID_XFR_BLOCK,
                                   .slot = 0,
                                   .parameter = 5,
                                   .level = 0x0102,
                                   .data = data,
                                   .length = sizeof data};
    struct ccid_answer answer = {0};
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    fake_pipe_steps(rig.fake, OUT("65 00000000 00 00 000000"), IN("81 00000000 00 00 010003"),
                    OUT("6F 02000000 00 01 05 0201 AABB"), IN("80 03000000 00 01 000010 112233"));
    assert_int_equal(ask(&rig, 0, 100, &answer), RC_OK);
    assert_int_equal(answer.card, CCID_CARD_INACTIVE);
    assert_int_equal(answer.parameter, 3);
    assert_int_equal(ccid_link_exchange(rig.link, &command, 100, &answer), RC_OK);
    assert_int_equal(command.seq, 1);
    assert_int_equal(answer.parameter, 0x10);
    assert_int_equal(answer.length, 3);
    assert_memory_equal(answer.data, "\x11\x22\x33", 3);
    finish(&rig);
}

static void numbers_wrap(void **state)
{
    struct ccid_answer answer;
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    for (int i = 0; i < 255; i++) {
        fake_pipe_steps(rig.fake, OUT(ASKS), IN(ANSWERS));
        assert_int_equal(ask(&rig, 0, 100, &answer), RC_OK);
    }
    fake_pipe_steps(rig.fake, OUT("65 00000000 00 FF 000000"), IN("81 00000000 00 FF 000000"),
                    OUT("65 00000000 00 00 000000"), IN("81 00000000 00 00 000000"));
    assert_int_equal(ask(&rig, 0, 100, &answer), RC_OK);
    assert_int_equal(ask(&rig, 0, 100, &answer), RC_OK);
    finish(&rig);
}

static void a_command_is_wiped_once_it_was_sent(void **state)
{
    struct ccid_answer answer;
    const uint8_t *sent;
    struct rig rig;
    size_t length;

    (void)state;
    build(&rig, 1, 1, 0);
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), IN(DATA));
    assert_int_equal(transfer(&rig, 0, 100, &answer), RC_OK);
    sent = fake_pipe_last_out(rig.fake, &length);
    assert_int_equal(length, 13);
    for (size_t i = 0; i < length; i++)
        assert_int_equal(sent[i], 0);
    finish(&rig);
}

static void a_command_too_long_is_not_sent(void **state)
{
    uint8_t data[262] = {0};
    struct ccid_command command = {.type = CCID_XFR_BLOCK, .data = data, .length = sizeof data};
    struct ccid_answer answer;
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    detail_clear();
    assert_int_equal(ccid_link_exchange(rig.link, &command, 100, &answer), RC_INVALID_VALUE);
    assert_non_null(strstr(detail_get(), "271"));
    next_one_works(&rig);
    finish(&rig);
}

static void stale_answers_are_dropped(void **state)
{
    struct ccid_answer answer = {0};
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), IN("80 02000000 00 FE 000000 6A82"),
                    IN("81 00000000 00 FF 000000"), IN("80 02000000 01 00 000000 6A82"),
                    IN("80 02000000 FF 00 000000 6A82"), IN(""), IN(DATA));
    assert_int_equal(transfer(&rig, 0, 100, &answer), RC_OK);
    assert_memory_equal(answer.data, "\x90\x00", 2);
    finish(&rig);
}

/* Of stale ones and of empty packets, whatever the time that is left: IccPowerOn has a minute. */
static void ten_answers_for_nobody_are_enough(void **state)
{
    static const char *const kinds[] = {"80 02000000 00 FE 000000 6A82", ""};

    (void)state;
    for (size_t kind = 0; kind < 2; kind++) {
        struct ccid_answer answer = {0};
        struct rig rig;

        build(&rig, 1, 1, 0);
        fake_pipe_steps(rig.fake, OUT(TRANSFERS));
        for (int i = 0; i < 10; i++)
            fake_pipe_steps(rig.fake, IN(kinds[kind]));
        fake_pipe_steps(rig.fake, IN(DATA));
        assert_int_equal(transfer(&rig, 0, 60000, &answer), RC_OK);
        fake_pipe_steps(rig.fake, OUT(TRANSFERS));
        for (int i = 0; i < 11; i++)
            fake_pipe_steps(rig.fake, IN(kinds[kind]));
        fake_pipe_steps(rig.fake, ABORTS);
        assert_int_equal(transfer(&rig, 0, 60000, &answer), RC_IO);
        next_one_works(&rig);
        finish(&rig);
    }
}

static void each_fault_has_its_code_and_the_next_command_works(void **state)
{
    static const struct {
        const char *name;
        struct fake_step in;
        bool aborted; /* no answer came: the command may still be at work */
        int rc;
    } cases[] = {
        {"another type", IN("82 02000000 00 qq 000000 9000"), false, RC_IO},
        {"says more than it has", IN("80 03000000 00 qq 000000 9000"), false, RC_IO},
        {"says less than it has", IN("80 01000000 00 qq 000000 9000"), false, RC_IO},
        {"says far more", IN("80 F6FFFFFF 00 qq 000000 9000"), false, RC_IO},
        {"short", IN("80 02000000 00"), true, RC_IO},
        {"one byte", IN("80"), true, RC_IO},
        {"stall", IN_RC(PIPE_STALLED), true, RC_IO},
        {"overflow", IN_RC(PIPE_OVERFLOW), true, RC_IO},
        {"failed transfer", IN_RC(RC_IO), true, RC_IO},
        {"silence", IN_RC(RC_TIMEOUT), true, RC_TIMEOUT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct ccid_answer answer = {0};
        struct rig rig;

        print_message("%s\n", cases[i].name);
        build(&rig, 1, 1, 0);
        fake_pipe_steps(rig.fake, OUT(TRANSFERS));
        fake_pipe_script(rig.fake, &cases[i].in, 1);
        if (cases[i].aborted)
            fake_pipe_steps(rig.fake, ABORTS);
        detail_clear();
        assert_int_equal(transfer(&rig, 0, 100, &answer), cases[i].rc);
        if (cases[i].in.rc != RC_IO) /* the pipe itself says what is the matter */
            assert_true(detail_get()[0]);
        assert_null(answer.data);
        next_one_works(&rig);
        finish(&rig);
    }
}

static void faults_of_sending_too(void **state)
{
    static const struct {
        int fault, rc;
    } faults[] = {{PIPE_STALLED, RC_IO}, {RC_IO, RC_IO}, {RC_TIMEOUT, RC_TIMEOUT}, {RC_CANCELLED, RC_IO}};

    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct ccid_answer answer = {0};
        struct rig rig;

        build(&rig, 1, 1, 0);
        fake_pipe_steps(rig.fake, OUT_RC(TRANSFERS, faults[i].fault), ABORTS);
        assert_int_equal(transfer(&rig, 0, 100, &answer), faults[i].rc);
        next_one_works(&rig);
        finish(&rig);
    }
}

static void a_question_is_asked_again(void **state)
{
    struct ccid_answer answer = {0};
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    fake_pipe_steps(rig.fake, OUT("65 00000000 00 00 000000"), IN_RC(PIPE_STALLED), ABORTS,
                    OUT("65 00000000 00 02 000000"), IN("81 00000000 00 02 020000"));
    assert_int_equal(ask(&rig, 0, 100, &answer), RC_OK);
    assert_int_equal(answer.card, CCID_CARD_ABSENT);
    /* Once; and words of the fault, not of what was done about it. */
    fake_pipe_steps(rig.fake, OUT(ASKS), IN_RC(PIPE_STALLED), ABORTS, OUT(ASKS), IN_RC(PIPE_STALLED),
                    CONTROL_RC("2101 ??00", PIPE_STALLED), OUT_RC("72 00000000 00 ?? 000000", PIPE_STALLED),
                    CLEAR("bulk"));
    detail_clear();
    assert_int_equal(ask(&rig, 0, 100, &answer), RC_IO);
    assert_non_null(strstr(detail_get(), "lost"));
    next_one_works(&rig);
    finish(&rig);
}

static void time_extensions_do_not_add_up(void **state)
{
    struct ccid_answer answer = {0};
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), IN_AFTER(20000, "80 00000000 00 qq 80 03 00"),
                    IN_AFTER(60000, "80 00000000 00 qq 80 02 00"),
                    /* of another type, and 0 for 1 */
                    IN_AFTER(40000, "81 00000000 00 qq 80 00 00"),
                    IN_AFTER(20000, "80 00000000 00 qq 80 FF 00"), IN_AFTER(5100000, DATA));
    assert_int_equal(transfer(&rig, 0, 20000, &answer), RC_OK);
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), IN_AFTER(FAKE_NEVER, "80 00000000 00 qq 80 03 00"),
                    IN_AFTER(FAKE_NEVER, DATA));
    assert_int_equal(transfer(&rig, 0, 0, &answer), RC_OK);
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), IN_AFTER(FAKE_NEVER, "80 00000000 00 qq 80 03 00"),
                    IN_AFTER(FAKE_NEVER, DATA));
    assert_int_equal(transfer(&rig, 0, UINT64_MAX / 2, &answer), RC_OK);
    finish(&rig);
}

static void the_quirk_adds_its_time(void **state)
{
    struct ccid_answer answer = {0};
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    rig.quirk.extra_ms = 300000;
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), IN_AFTER(302000, "80 00000000 00 qq 80 03 00"),
                    IN_AFTER(306000, DATA));
    assert_int_equal(transfer(&rig, 0, 2000, &answer), RC_OK);
    finish(&rig);
}

static void extensions_have_no_limit(void **state)
{
    struct ccid_answer answer = {0};
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    fake_pipe_steps(rig.fake, OUT(TRANSFERS));
    for (int i = 0; i < 200; i++)
        fake_pipe_steps(rig.fake, IN("80 00000000 00 qq 80 01 00"));
    fake_pipe_steps(rig.fake, IN(DATA));
    assert_int_equal(transfer(&rig, 0, 20000, &answer), RC_OK);
    finish(&rig);
}

/* Both parts with one number, and everything thrown away before its SlotStatus (5.3.1). */
static void an_abort_is_as_the_standard_says(void **state)
{
    struct ccid_answer answer = {0};
    struct rig rig;

    (void)state;
    build(&rig, 2, 2, 0);
    fake_pipe_steps(rig.fake, OUT("6F 03000000 01 00 000000 010203"), IN_RC(RC_TIMEOUT), CONTROL("2101 0101"),
                    OUT("72 00000000 01 01 000000"), IN("80 00000000 01 00 40FF00"), IN(""),
                    IN("80 02000000 01 00 000000 9000"), IN_RC(PIPE_STALLED), IN("81 00000000 01 01 000000"));
    assert_int_equal(transfer(&rig, 1, 100, &answer), RC_TIMEOUT);
    assert_non_null(strstr(detail_get(), "6F"));
    fake_pipe_steps(rig.fake, OUT("65 00000000 01 02 000000"), IN("81 00000000 01 02 000000"));
    assert_int_equal(ask(&rig, 1, 100, &answer), RC_OK);
    finish(&rig);
}

static void an_abort_that_fails_leaves_the_pipes_clear(void **state)
{
    struct ccid_answer answer = {0};
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), IN_RC(RC_TIMEOUT), CONTROL_RC("2101 0100", RC_TIMEOUT),
                    OUT("72 00000000 00 01 000000"), IN_RC(RC_TIMEOUT), CONTROL_RC("2101 0100", RC_TIMEOUT),
                    CLEAR("bulk"));
    assert_int_equal(transfer(&rig, 0, 100, &answer), RC_TIMEOUT);
    /* Both late answers come after all. */
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), IN("80 02000000 00 00 000000 6A82"),
                    IN("81 00000000 00 01 000000"), IN(DATA));
    assert_int_equal(transfer(&rig, 0, 100, &answer), RC_OK);
    assert_memory_equal(answer.data, "\x90\x00", 2);
    finish(&rig);
}

/* The request was lost: the reader waits for it behind the message. */
static void an_abort_is_asked_for_again(void **state)
{
    struct ccid_answer answer = {0};
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), IN_RC(RC_TIMEOUT), CONTROL_RC("2101 0100", PIPE_STALLED),
                    OUT("72 00000000 00 01 000000"), {.what = FAKE_IN, .rc = RC_TIMEOUT, .wait_ms = 1000},
                    CONTROL("2101 0100"), IN_AFTER(3000, "81 00000000 00 01 000000"));
    assert_int_equal(transfer(&rig, 0, 100, &answer), RC_TIMEOUT);
    next_one_works(&rig);
    finish(&rig);
}

/* Somebody who had the reader before, or a transfer that was lost, left it between the two parts of an abort.
 */
static void a_reader_is_not_left_in_an_abort(void **state)
{
    struct ccid_answer answer = {0};
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    fake_pipe_steps(rig.fake, OUT("65 00000000 00 00 000000"), IN("81 00000000 00 00 40FF00"),
                    CONTROL("2101 0100"), OUT("72 00000000 00 01 000000"), IN("81 00000000 00 01 000000"),
                    OUT("65 00000000 00 02 000000"), IN("81 00000000 00 02 000000"));
    assert_int_equal(ask(&rig, 0, 100, &answer), RC_OK);
    assert_false(answer.failed);

    /* What goes to the card is not sent twice: the caller hears that it did not go. */
    fake_pipe_steps(rig.fake, OUT("6F 03000000 00 03 000000 010203"), IN("80 00000000 00 03 40FF00"),
                    CONTROL("2101 0400"), OUT("72 00000000 00 04 000000"), IN("81 00000000 00 04 000000"));
    assert_int_equal(transfer(&rig, 0, 100, &answer), RC_OK);
    assert_true(answer.failed);
    assert_int_equal(answer.error, CCID_ABORTED);
    finish(&rig);
}

/* It has the message of an older abort: the request of the next one completes that, and its message is the
 * first half again. */
static void halves_of_two_aborts_are_put_right(void **state)
{
    struct ccid_answer answer = {0};
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    fake_pipe_steps(rig.fake, OUT("65 00000000 00 00 000000"), IN("81 00000000 00 00 40FF00"),
                    CONTROL("2101 0100"), OUT("72 00000000 00 01 000000"), IN("81 00000000 00 77 000000"),
                    {.what = FAKE_IN, .rc = RC_TIMEOUT, .wait_ms = 1000}, CONTROL("2101 0100"),
                    IN("81 00000000 00 01 000000"), OUT("65 00000000 00 02 000000"),
                    IN("81 00000000 00 02 000000"));
    assert_int_equal(ask(&rig, 0, 100, &answer), RC_OK);
    assert_false(answer.failed);
    finish(&rig);
}

/* A chain that makes no sense is aborted, and so is one whose answer cannot be read. */
static void a_chain_is_not_left_in_the_middle(void **state)
{
    struct ccid_answer answer = {0};
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    rig.descriptor.level = CCID_EXTENDED_APDU;
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), IN("83 00000000 00 qq 000000"), ABORTS);
    assert_int_equal(transfer(&rig, 0, 100, &answer), RC_IO);
    next_one_works(&rig);
    fake_pipe_steps(rig.fake, ABORTS);
    assert_int_equal(ccid_link_abandon(rig.link, 0), RC_OK);
    next_one_works(&rig);
    finish(&rig);
}

static void an_abort_takes_bounded_time(void **state)
{
    struct ccid_answer answer = {0};
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), IN_RC(RC_TIMEOUT),
                    {.what = FAKE_CONTROL, .bytes = "2101 0100", .wait_ms = 1000},
                    {.what = FAKE_OUT, .bytes = "72 00000000 00 01 000000", .wait_ms = 3000},
                    IN_AFTER(3000, "81 00000000 00 qq 80FF00"), IN_AFTER(3000, "81 00000000 00 qq 000000"));
    assert_int_equal(transfer(&rig, 0, 0, &answer), RC_TIMEOUT);
    finish(&rig);
}

/* A slot used by a thread of its own. */
struct worker {
    struct rig *rig;
    uint8_t slot;
    uint64_t timeout_ms;
    bool pauses;
    struct ccid_answer answer;
    uint8_t data[16]; /* of the answer */
    int rc;
    pthread_t thread;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct ccid_link *link = worker->rig->link;

    ccid_link_begin(link, worker->slot);
    if (worker->pauses)
        worker->rc = ccid_link_pause(link, worker->slot, worker->timeout_ms);
    else
        worker->rc = transfer(worker->rig, worker->slot, worker->timeout_ms, &worker->answer);
    if (!worker->rc && worker->answer.length <= sizeof worker->data && worker->answer.length)
        memcpy(worker->data, worker->answer.data, worker->answer.length);
    ccid_link_end(link, worker->slot);
    return NULL;
}

static void start(struct worker *worker)
{
    assert_int_equal(pthread_create(&worker->thread, NULL, work, worker), 0);
}

static int join(struct worker *worker)
{
    assert_int_equal(pthread_join(worker->thread, NULL), 0);
    return worker->rc;
}

static void a_cancel_ends_the_wait_for_an_answer(void **state)
{
    struct worker worker = {.timeout_ms = 0};
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    worker.rig = &rig;
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), HANG, ABORTS);
    start(&worker);
    fake_pipe_wait_hang(rig.fake);
    ccid_link_cancel(rig.link, 0);
    assert_int_equal(join(&worker), RC_CANCELLED);
    next_one_works(&rig);
    finish(&rig);
}

/* The cancel reaches the abort of a command that timed out: that goes on, and the call ends with the time. */
static void a_cancel_does_not_end_an_abort(void **state)
{
    struct worker worker = {.timeout_ms = 100};
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    worker.rig = &rig;
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), IN_RC(RC_TIMEOUT), CONTROL("2101 0100"),
                    OUT("72 00000000 00 01 000000"), HANG, IN("81 00000000 00 01 000000"));
    start(&worker);
    fake_pipe_wait_hang(rig.fake);
    ccid_link_cancel(rig.link, 0);
    assert_int_equal(join(&worker), RC_TIMEOUT);
    next_one_works(&rig);
    finish(&rig);
}

static void a_cancel_between_two_exchanges_ends_the_next(void **state)
{
    struct ccid_answer answer;
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    ccid_link_cancel(rig.link, 0); /* nothing is under way */
    ccid_link_begin(rig.link, 0);
    next_one_works(&rig);
    ccid_link_cancel(rig.link, 0);
    assert_int_equal(transfer(&rig, 0, 100, &answer), RC_CANCELLED); /* nothing sent */
    next_one_works(&rig);                                            /* once */
    ccid_link_cancel(rig.link, 0);
    assert_int_equal(ccid_link_pause(rig.link, 0, 60000), RC_CANCELLED);
    ccid_link_cancel(rig.link, 0);
    assert_int_equal(ccid_link_control(rig.link, 0, 0xA1, 3, 0, NULL, 0, NULL, 100), RC_CANCELLED);
    ccid_link_cancel(rig.link, 0);
    ccid_link_end(rig.link, 0);
    ccid_link_begin(rig.link, 0);
    next_one_works(&rig); /* another call */
    ccid_link_end(rig.link, 0);
    assert_int_equal(fake_pipe_interrupts(rig.fake), 0);
    finish(&rig);
}

static void a_cancel_ends_a_pause(void **state)
{
    struct worker worker = {.timeout_ms = 600000, .pauses = true};
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    worker.rig = &rig;
    start(&worker);
    while (!fake_pipe_held(rig.fake)) /* in the call, in or before the pause: both have to do */
        sched_yield();
    ccid_link_cancel(rig.link, 0);
    assert_int_equal(join(&worker), RC_CANCELLED);
    assert_int_equal(ccid_link_pause(rig.link, 0, 1), RC_OK);
    finish(&rig);
}

static void a_cancel_ends_a_control_transfer(void **state)
{
    struct ccid_answer answer;
    struct rig rig;
    uint8_t rates[8];
    size_t length = 0;

    (void)state;
    build(&rig, 1, 1, 0);
    fake_pipe_steps(
        rig.fake, {.what = FAKE_CONTROL, .bytes = "A103 0000", .gives = "0102030405060708", .wait_ms = 3000});
    assert_int_equal(ccid_link_control(rig.link, 0, 0xA1, 3, 0, rates, sizeof rates, &length, 3000), RC_OK);
    assert_int_equal(length, 8);
    assert_int_equal(rates[7], 8);
    fake_pipe_steps(rig.fake, CONTROL_RC("A103 0000", PIPE_STALLED));
    assert_int_equal(ccid_link_control(rig.link, 0, 0xA1, 3, 0, rates, sizeof rates, &length, 3000),
                     PIPE_STALLED);
    fake_pipe_steps(rig.fake, OUT(ASKS), IN(ANSWERS));
    assert_int_equal(ask(&rig, 0, 100, &answer), RC_OK);
    finish(&rig);
}

/* An interrupt that came when the call that it was for had just ended. */
static void a_late_interrupt_hurts_nobody(void **state)
{
    struct pipe *pipe;
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    pipe = fake_pipe_pipe(rig.fake);
    pipe->ops->interrupt(pipe);
    next_one_works(&rig);
    pipe->ops->interrupt(pipe);
    fake_pipe_steps(rig.fake, CONTROL("A103 0000"));
    assert_int_equal(ccid_link_control(rig.link, 0, 0xA1, 3, 0, NULL, 0, &(size_t){0}, 3000), RC_OK);
    finish(&rig);
}

#define TRANSFERS_1 "6F 03000000 01 ?? 000000 010203"

static void answers_of_two_slots_come_in_any_order(void **state)
{
    struct worker first = {.slot = 0, .timeout_ms = 20000}, second = {.slot = 1, .timeout_ms = 30000};
    struct rig rig;

    (void)state;
    build(&rig, 2, 2, 0);
    first.rig = second.rig = &rig;
    fake_pipe_steps(rig.fake, OUT("6F 03000000 00 00 000000 010203"), HANG,
                    OUT("6F 03000000 01 01 000000 010203"), IN("80 02000000 01 01 000000 6101"),
                    IN("80 02000000 00 00 000000 6100"));
    start(&first);
    fake_pipe_wait_hang(rig.fake);
    start(&second);
    fake_pipe_wait_steps(rig.fake, 3);
    fake_pipe_release(rig.fake);
    assert_int_equal(join(&second), RC_OK);
    assert_int_equal(join(&first), RC_OK);
    assert_memory_equal(first.data, "\x61\x00", 2);
    assert_memory_equal(second.data, "\x61\x01", 2);
    finish(&rig);
}

/* The first reads until it has its own; then the second must read itself, with its extended time. */
static void the_one_that_waits_reads_on(void **state)
{
    struct worker first = {.slot = 0, .timeout_ms = 20000}, second = {.slot = 1, .timeout_ms = 30000};
    struct rig rig;

    (void)state;
    build(&rig, 2, 2, 0);
    first.rig = second.rig = &rig;
    fake_pipe_steps(rig.fake, OUT("6F 03000000 00 00 000000 010203"), HANG,
                    OUT("6F 03000000 01 01 000000 010203"), IN("80 00000000 01 01 80 04 00"),
                    IN_AFTER(20000, "80 02000000 00 00 000000 6100"),
                    IN_AFTER(120000, "80 02000000 01 01 000000 6101"));
    start(&first);
    fake_pipe_wait_hang(rig.fake);
    start(&second);
    fake_pipe_wait_steps(rig.fake, 3);
    fake_pipe_release(rig.fake);
    assert_int_equal(join(&first), RC_OK);
    assert_int_equal(join(&second), RC_OK);
    assert_memory_equal(second.data, "\x61\x01", 2);
    finish(&rig);
}

static void an_answer_stays_while_the_other_slot_goes_on(void **state)
{
    struct ccid_answer first = {0}, second = {0};
    struct rig rig;

    (void)state;
    build(&rig, 2, 1, 0);
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), IN("80 02000000 00 qq 000000 6100"), OUT(TRANSFERS_1),
                    IN("80 02000000 01 qq 000000 6101"));
    assert_int_equal(transfer(&rig, 0, 100, &first), RC_OK);
    assert_int_equal(transfer(&rig, 1, 100, &second), RC_OK);
    assert_memory_equal(first.data, "\x61\x00", 2);
    assert_memory_equal(second.data, "\x61\x01", 2);
    finish(&rig);
}

/* bMaxCCIDBusySlots 1: the second is not even sent before the first has its answer. */
static void busy_slots_are_a_limit_and_waiting_for_one_can_be_cancelled(void **state)
{
    struct worker first = {.slot = 0, .timeout_ms = 20000}, second = {.slot = 1, .timeout_ms = 20000};
    struct worker third = {.slot = 2, .timeout_ms = 20000};
    struct rig rig;

    (void)state;
    build(&rig, 3, 1, 0);
    first.rig = second.rig = third.rig = &rig;
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), HANG, IN(DATA), OUT("6F 03000000 02 ?? 000000 010203"),
                    IN("80 02000000 02 qq 000000 6102"));
    start(&first);
    fake_pipe_wait_hang(rig.fake);
    start(&second);
    start(&third);
    while (fake_pipe_held(rig.fake) < 3)
        sched_yield();
    ccid_link_cancel(rig.link, 1);
    assert_int_equal(join(&second), RC_CANCELLED);
    assert_int_equal(fake_pipe_interrupts(rig.fake), 0);
    fake_pipe_release(rig.fake);
    assert_int_equal(join(&first), RC_OK);
    assert_int_equal(join(&third), RC_OK);
    finish(&rig);
}

/* The first reads for both; the second is cancelled, aborts, and the first gets its answer as if nothing
 * were. */
static void one_slot_is_aborted_while_the_other_waits(void **state)
{
    struct worker first = {.slot = 0, .timeout_ms = 20000}, second = {.slot = 1, .timeout_ms = 20000};
    struct rig rig;

    (void)state;
    build(&rig, 2, 2, 0);
    first.rig = second.rig = &rig;
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), HANG, OUT(TRANSFERS_1), CONTROL("2101 0201"),
                    OUT("72 00000000 01 02 000000"), IN("81 00000000 01 02 000000"),
                    IN("80 02000000 00 00 000000 6100"));
    start(&first);
    fake_pipe_wait_hang(rig.fake);
    start(&second);
    fake_pipe_wait_steps(rig.fake, 3);
    ccid_link_cancel(rig.link, 1);
    fake_pipe_wait_steps(rig.fake, 5);
    fake_pipe_release(rig.fake);
    assert_int_equal(join(&second), RC_CANCELLED);
    assert_int_equal(join(&first), RC_OK);
    assert_memory_equal(first.data, "\x61\x00", 2);
    finish(&rig);
}

/* What cannot be read may have been anybody's. */
static void a_lost_answer_is_an_error_for_all(void **state)
{
    struct worker first = {.slot = 0}, second = {.slot = 1};
    struct rig rig;

    (void)state;
    build(&rig, 2, 2, 0);
    first.rig = second.rig = &rig;
    fake_pipe_patient(rig.fake);
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), HANG, OUT(TRANSFERS_1), IN_RC(PIPE_OVERFLOW));
    /* Both abort, in either order: some of these are nobody's. */
    fake_pipe_steps(rig.fake, CONTROL("2101 ????"), CONTROL("2101 ????"), OUT("72 00000000 ?? ?? 000000"),
                    OUT("72 00000000 ?? ?? 000000"), IN("81 00000000 00 02 000000"),
                    IN("81 00000000 01 03 000000"), IN("81 00000000 00 03 000000"),
                    IN("81 00000000 01 02 000000"));
    start(&first);
    fake_pipe_wait_hang(rig.fake);
    start(&second);
    fake_pipe_wait_steps(rig.fake, 3);
    fake_pipe_release(rig.fake);
    assert_int_equal(join(&first), RC_IO);
    assert_int_equal(join(&second), RC_IO);
    ccid_link_free(rig.link);
    fake_pipe_free(rig.fake);
}

static bool readable(int fd, int ms)
{
    return poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, ms) == 1;
}

static void when_the_device_goes_everybody_hears_of_it(void **state)
{
    struct worker first = {.slot = 0}, second = {.slot = 1}, third = {.slot = 2};
    struct ccid_answer answer;
    struct rig rig;

    (void)state;
    build(&rig, 4, 2, 0);
    first.rig = second.rig = third.rig = &rig;
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), HANG, OUT(TRANSFERS_1));
    start(&first);
    fake_pipe_wait_hang(rig.fake);
    start(&second);
    fake_pipe_wait_steps(rig.fake, 3);
    start(&third); /* waits for its turn */
    while (fake_pipe_held(rig.fake) < 3)
        sched_yield();
    fake_pipe_unplug(rig.fake);
    assert_int_equal(join(&first), RC_READER_UNAVAILABLE);
    assert_int_equal(join(&second), RC_READER_UNAVAILABLE);
    assert_int_equal(join(&third), RC_READER_UNAVAILABLE);
    detail_clear();
    assert_int_equal(transfer(&rig, 3, 100, &answer), RC_READER_UNAVAILABLE);
    assert_true(detail_get()[0]);
    assert_int_equal(ccid_link_pause(rig.link, 3, 60000), RC_READER_UNAVAILABLE);
    for (uint8_t i = 0; i < 4; i++) {
        assert_true(readable(ccid_link_event_fd(rig.link, i), 0));
        ccid_link_seen(rig.link, i);
        assert_true(readable(ccid_link_event_fd(rig.link, i), 0));
    }
    finish(&rig);
}

static void a_notice_is_passed_on_to_the_slots_it_speaks_of(void **state)
{
    struct rig rig;

    (void)state;
    build(&rig, 3, 1, 0);
    for (uint8_t i = 0; i < 3; i++)
        assert_false(readable(ccid_link_event_fd(rig.link, i), 0));
    fake_pipe_notice(rig.fake, "50 38"); /* slot 1 empty and changed; slot 2 taken and changed */
    for (uint8_t i = 0; i < 3; i++)      /* whoever looks first reads it for all */
        assert_true(readable(ccid_link_event_fd(rig.link, i), 0));
    ccid_link_seen(rig.link, 1);
    assert_false(readable(ccid_link_event_fd(rig.link, 0), 0));
    assert_false(readable(ccid_link_event_fd(rig.link, 1), 0));
    assert_true(readable(ccid_link_event_fd(rig.link, 2), 0));
    ccid_link_seen(rig.link, 2);
    assert_false(readable(ccid_link_event_fd(rig.link, 2), 0));
    /* Nonsense, hardware errors, and bitmaps without a change are about all. */
    for (int i = 0; i < 3; i++) {
        static const char *const notices[] = {"7E", "51 00 00 01", "50 15"};

        fake_pipe_notice(rig.fake, notices[i]);
        ccid_link_seen(rig.link, 0);
        assert_false(readable(ccid_link_event_fd(rig.link, 0), 0));
        for (uint8_t slot = 1; slot < 3; slot++) {
            assert_true(readable(ccid_link_event_fd(rig.link, slot), 0));
            ccid_link_seen(rig.link, slot);
        }
    }
    finish(&rig);
}

/* The first notice, and one of a card that came, are no swap; each slot is told once. */
static void a_card_that_was_out_between_two_notices_is_told(void **state)
{
    static const struct {
        const char *notices[3];
        bool left[3]; /* by slot 0's and slot 1's look */
    } rows[] = {
        {{"50 03"}, {false, false}},                  /* as many readers do when they are opened */
        {{"50 03"}, {true, false}},                   /* it was in before */
        {{"50 01"}, {false, false}},                  /* no change */
        {{"50 02"}, {true, false}},                   /* gone */
        {{"50 03"}, {false, false}},                  /* and back: has been told */
        {{"50 02", "50 03"}, {true, false}},          /* both at once */
        {{"50 0D", "50 07", "50 05"}, {true, false}}, /* slot 1 comes, slot 0 was away */
        {{"50 08"}, {false, true}},
        {{"7E", "51 00 00 01", "50"}, {false, false}}, /* nonsense, hardware errors */
    };
    struct rig rig;

    (void)state;
    build(&rig, 2, 1, 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        for (size_t j = 0; j < 3 && rows[i].notices[j]; j++)
            fake_pipe_notice(rig.fake, rows[i].notices[j]);
        for (uint8_t slot = 0; slot < 2; slot++) {
            assert_int_equal(ccid_link_seen(rig.link, slot), rows[i].left[slot]);
            assert_false(ccid_link_seen(rig.link, slot));
        }
    }
    finish(&rig);
}

static void a_call_keeps_notices_quiet_until_it_ends(void **state)
{
    struct rig rig;

    (void)state;
    build(&rig, 2, 2, 0);
    ccid_link_begin(rig.link, 0);
    ccid_link_begin(rig.link, 1);
    fake_pipe_notice(rig.fake, "50 03");
    ccid_link_end(rig.link, 1);
    assert_false(readable(ccid_link_event_fd(rig.link, 0), 0));
    ccid_link_end(rig.link, 0);
    assert_true(readable(ccid_link_event_fd(rig.link, 0), 0));
    ccid_link_seen(rig.link, 0);
    assert_false(readable(ccid_link_event_fd(rig.link, 0), 0));
    ccid_link_look_again(rig.link, 1);
    assert_false(readable(ccid_link_event_fd(rig.link, 0), 0));
    assert_true(readable(ccid_link_event_fd(rig.link, 1), 0));
    ccid_link_seen(rig.link, 1);
    assert_false(readable(ccid_link_event_fd(rig.link, 1), 0));
    finish(&rig);
}

static void without_interrupt_endpoint_slots_are_looked_at_regularly(void **state)
{
    struct rig rig;

    (void)state;
    build(&rig, 2, 1, 0);
    assert_false(readable(ccid_link_event_fd(rig.link, 0), 600)); /* with one: never */
    fake_pipe_notice_rc(rig.fake, RC_UNSUPPORTED);                /* it works no longer */
    ccid_link_seen(rig.link, 0);
    for (int i = 0; i < 2; i++) {
        for (uint8_t slot = 0; slot < 2; slot++)
            assert_true(readable(ccid_link_event_fd(rig.link, slot), 10000));
        for (uint8_t slot = 0; slot < 2; slot++) {
            ccid_link_seen(rig.link, slot);
            assert_false(readable(ccid_link_event_fd(rig.link, slot), 0));
        }
    }
    finish(&rig);
}

static void a_reader_without_interrupt_endpoint_has_its_timer_from_the_start(void **state)
{
    struct ccid_link *link;
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    rig.descriptor.interrupt.address = 0;
    assert_int_equal(ccid_link_new(fake_pipe_pipe(rig.fake), &rig.descriptor, &rig.quirk, &link), RC_OK);
    assert_true(readable(ccid_link_event_fd(link, 0), 10000));
    ccid_link_seen(link, 0);
    assert_false(readable(ccid_link_event_fd(link, 0), 0));
    ccid_link_free(link);
    finish(&rig);
}

static void opening_asks_until_there_is_an_answer(void **state)
{
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    fake_pipe_notice(rig.fake, "50 03"); /* old */
    fake_pipe_steps(rig.fake, OUT(ASKS), IN_AFTER(3000, "81 00000000 00 77 000000"), IN_RC(RC_TIMEOUT),
                    CLEAR("bulk"), OUT(ASKS), IN_RC(PIPE_STALLED), CLEAR("bulk"), OUT(ASKS),
                    IN_AFTER(3000, ANSWERS), OUT(ASKS), {.what = FAKE_IN, .rc = RC_TIMEOUT, .wait_ms = 100},
                    CLEAR("bulk"), OUT(ASKS), IN_AFTER(100, ANSWERS));
    assert_int_equal(ccid_link_start(rig.link), RC_OK);
    assert_false(readable(ccid_link_event_fd(rig.link, 0), 0));
    next_one_works(&rig);
    assert_false(ccid_link_seen(rig.link, 0));
    fake_pipe_notice(rig.fake, "50 03"); /* the card of the old one was out */
    assert_true(ccid_link_seen(rig.link, 0));
    finish(&rig);
}

static void opening_gives_up_after_three_times(void **state)
{
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    for (int i = 0; i < 3; i++)
        fake_pipe_steps(rig.fake, OUT(ASKS), IN_RC(RC_TIMEOUT), CLEAR("bulk"));
    detail_clear();
    assert_int_equal(ccid_link_start(rig.link), RC_READER_UNAVAILABLE);
    assert_non_null(strstr(detail_get(), "does not answer"));
    finish(&rig);
}

static void opening_heeds_the_quirks(void **state)
{
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, CCID_ABORT_AT_OPEN | CCID_CLEAR_INTERRUPT);
    rig.quirk.open_times = 10;
    fake_pipe_steps(rig.fake, CLEAR("interrupt"), CONTROL_RC("2101 0000", PIPE_STALLED),
                    OUT("72 00000000 00 00 000000"), {.what = FAKE_IN, .rc = RC_TIMEOUT, .wait_ms = 1000},
                    CONTROL_RC("2101 0000", PIPE_STALLED), CONTROL("2101 0100"),
                    OUT("72 00000000 00 01 000000"), IN_AFTER(1000, "81 00000000 00 01 000000"), OUT(ASKS),
                    IN_AFTER(30000, ANSWERS), OUT(ASKS), IN_AFTER(1000, ANSWERS), OUT(ASKS),
                    IN_AFTER(1000, ANSWERS));
    assert_int_equal(ccid_link_start(rig.link), RC_OK);
    finish(&rig);
}

static void opening_ends_when_the_device_goes(void **state)
{
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, 0);
    fake_pipe_steps(rig.fake, OUT(ASKS), IN_RC(RC_READER_UNAVAILABLE));
    assert_int_equal(ccid_link_start(rig.link), RC_READER_UNAVAILABLE);
    finish(&rig);
}

static void pieces_are_put_together(void **state)
{
    struct ccid_answer answer = {0};
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, CCID_PIECES);
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), IN("80 0400"), IN("0000 00 qq 000000 01"), IN("02"),
                    IN("9000"));
    assert_int_equal(transfer(&rig, 0, 100, &answer), RC_OK);
    assert_int_equal(answer.length, 4);
    assert_memory_equal(answer.data, "\x01\x02\x90\x00", 4);
    /* A whole stale one, an extension, and one whose rest never comes. */
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), IN("80 02000000 00 00 000000 9000"),
                    IN("80 00000000 00 qq 800100"), IN("80 04000000 00 qq 000000 01"), IN_RC(RC_TIMEOUT),
                    ABORTS);
    assert_int_equal(transfer(&rig, 0, 100, &answer), RC_TIMEOUT);
    next_one_works(&rig);
    /* A length that cannot be is not waited for. */
    fake_pipe_steps(rig.fake, OUT(TRANSFERS), IN("80 FFFFFFFF 00 qq 000000 01"));
    assert_int_equal(transfer(&rig, 0, 100, &answer), RC_IO);
    next_one_works(&rig);
    finish(&rig);
}

static void empty_packets_are_read_away_first(void **state)
{
    struct ccid_answer answer = {0};
    struct rig rig;

    (void)state;
    build(&rig, 1, 1, CCID_EMPTY_PACKETS);
    fake_pipe_steps(rig.fake, IN(""), OUT(TRANSFERS), IN(DATA), IN_RC(RC_TIMEOUT), OUT(TRANSFERS), IN(DATA));
    assert_int_equal(transfer(&rig, 0, 100, &answer), RC_OK);
    assert_int_equal(transfer(&rig, 0, 100, &answer), RC_OK);
    /* One that comes later than the look for it. */
    fake_pipe_steps(rig.fake, IN_RC(RC_TIMEOUT), OUT(TRANSFERS), IN(""), IN(DATA));
    assert_int_equal(transfer(&rig, 0, 100, &answer), RC_OK);
    finish(&rig);
}

static void a_child_only_closes_descriptors(void **state)
{
    struct rig rig;

    (void)state;
    build(&rig, 2, 1, 0);
    ccid_link_forget(rig.link);
    ccid_link_forget(rig.link); /* for each slot */
    assert_true(fake_pipe_forgotten(rig.fake));
    assert_false(fake_pipe_closed(rig.fake));
    assert_int_equal(ccid_link_event_fd(rig.link, 1), -1);
    finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_exact_and_numbered),
        cmocka_unit_test(numbers_wrap),
        cmocka_unit_test(a_command_is_wiped_once_it_was_sent),
        cmocka_unit_test(a_command_too_long_is_not_sent),
        cmocka_unit_test(stale_answers_are_dropped),
        cmocka_unit_test(ten_answers_for_nobody_are_enough),
        cmocka_unit_test(each_fault_has_its_code_and_the_next_command_works),
        cmocka_unit_test(faults_of_sending_too),
        cmocka_unit_test(a_question_is_asked_again),
        cmocka_unit_test(time_extensions_do_not_add_up),
        cmocka_unit_test(the_quirk_adds_its_time),
        cmocka_unit_test(extensions_have_no_limit),
        cmocka_unit_test(an_abort_is_as_the_standard_says),
        cmocka_unit_test(an_abort_that_fails_leaves_the_pipes_clear),
        cmocka_unit_test(an_abort_is_asked_for_again),
        cmocka_unit_test(a_reader_is_not_left_in_an_abort),
        cmocka_unit_test(halves_of_two_aborts_are_put_right),
        cmocka_unit_test(a_chain_is_not_left_in_the_middle),
        cmocka_unit_test(an_abort_takes_bounded_time),
        cmocka_unit_test(a_cancel_ends_the_wait_for_an_answer),
        cmocka_unit_test(a_cancel_does_not_end_an_abort),
        cmocka_unit_test(a_cancel_between_two_exchanges_ends_the_next),
        cmocka_unit_test(a_cancel_ends_a_pause),
        cmocka_unit_test(a_cancel_ends_a_control_transfer),
        cmocka_unit_test(a_late_interrupt_hurts_nobody),
        cmocka_unit_test(answers_of_two_slots_come_in_any_order),
        cmocka_unit_test(the_one_that_waits_reads_on),
        cmocka_unit_test(an_answer_stays_while_the_other_slot_goes_on),
        cmocka_unit_test(busy_slots_are_a_limit_and_waiting_for_one_can_be_cancelled),
        cmocka_unit_test(one_slot_is_aborted_while_the_other_waits),
        cmocka_unit_test(a_lost_answer_is_an_error_for_all),
        cmocka_unit_test(when_the_device_goes_everybody_hears_of_it),
        cmocka_unit_test(a_notice_is_passed_on_to_the_slots_it_speaks_of),
        cmocka_unit_test(a_card_that_was_out_between_two_notices_is_told),
        cmocka_unit_test(a_call_keeps_notices_quiet_until_it_ends),
        cmocka_unit_test(without_interrupt_endpoint_slots_are_looked_at_regularly),
        cmocka_unit_test(a_reader_without_interrupt_endpoint_has_its_timer_from_the_start),
        cmocka_unit_test(opening_asks_until_there_is_an_answer),
        cmocka_unit_test(opening_gives_up_after_three_times),
        cmocka_unit_test(opening_heeds_the_quirks),
        cmocka_unit_test(opening_ends_when_the_device_goes),
        cmocka_unit_test(pieces_are_put_together),
        cmocka_unit_test(empty_packets_are_read_away_first),
        cmocka_unit_test(a_child_only_closes_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
