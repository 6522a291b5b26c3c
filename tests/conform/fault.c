/* SPDX-License-Identifier: MIT */
/* Readers that stop working, and work again. */
#include "tests/conform/cases.h"

static void break_reader(struct bench *bench, size_t reader)
{
    test_reader_fail(bench_device(bench, reader), OP_PRESENCE, RC_READER_UNAVAILABLE, 1000000);
    test_reader_stir(bench_device(bench, reader));
    bench_await_state(bench, reader, STATE_UNAVAILABLE, STATE_UNAVAILABLE);
}

static void mend_reader(struct bench *bench, size_t reader)
{
    test_reader_fail(bench_device(bench, reader), OP_PRESENCE, RC_OK, 0);
}

static void broken_reader_is_unavailable(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *handle = bench_user(bench, reader), *other;

    break_reader(bench, reader);
    assert_int_equal(bench_state(bench, reader), STATE_UNAVAILABLE);
    assert_rc(do_transmit(handle), RC_READER_UNAVAILABLE);
    assert_rc(do_status(handle), RC_READER_UNAVAILABLE);
    assert_rc(do_control(handle), RC_READER_UNAVAILABLE);
    assert_rc(bench_try_connect(bench, bench_context(bench), reader, SHARE_SHARED, ANY, &other),
              RC_READER_UNAVAILABLE);
    assert_rc(bench_try_connect(bench, bench_context(bench), reader, SHARE_DIRECT, 0, &other),
              RC_READER_UNAVAILABLE);
    assert_rc(do_disconnect(handle, CARD_RESET), RC_OK);
}

static void exchange_finds_the_fault(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *handle = bench_user(bench, reader);

    test_reader_fail(bench_device(bench, reader), OP_TRANSMIT, RC_READER_UNAVAILABLE, 1);
    assert_rc(do_transmit(handle), RC_READER_UNAVAILABLE);
    assert_rc(do_transmit(handle), RC_READER_UNAVAILABLE);
    assert_int_equal(bench_state(bench, reader), STATE_UNAVAILABLE);
}

/* A connect that finds the reader mended: from then on its cards are noticed again. */
static void mended_reader_is_watched_again_after_a_connect(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *handle;

    break_reader(bench, reader);
    mend_reader(bench, reader);
    handle = bench_user(bench, reader);
    assert_rc(do_transmit(handle), RC_OK);
    bench_pull(bench, reader);
    assert_rc(do_transmit(handle), RC_CARD_REMOVED);
    bench_insert(bench, reader);
}

/* And without one, when the reader has something to tell. */
static void mended_reader_is_noticed_by_itself(struct bench *bench)
{
    size_t reader = bench_add(bench, true);

    break_reader(bench, reader);
    mend_reader(bench, reader);
    test_reader_stir(bench_device(bench, reader));
    bench_await_state(bench, reader, STATE_PRESENT, STATE_PRESENT | STATE_UNAVAILABLE);
    bench_pull(bench, reader);
}

/* A reader that cries without end is not listened to without end. */
static void broken_reader_costs_no_time(struct bench *bench)
{
    size_t reader = bench_add(bench, true), other = bench_add(bench, false);
    struct reader *device = bench_device(bench, reader);
    unsigned looks;

    break_reader(bench, reader);
    looks = test_reader_count(device, OP_PRESENCE);
    for (unsigned i = 0; i < 20; i++) {
        bench_insert(bench, other);
        bench_pull(bench, other);
    }
    assert_true(test_reader_count(device, OP_PRESENCE) < looks + 4);
}

/* Whatever the driver says: the codes that PC/SC has for it, and the next try works. */
static void power_up_failures(struct bench *bench)
{
    static const struct {
        enum test_op op;
        int from, to;
    } rows[] = {
        {OP_COLD, RC_MUTE, RC_MUTE},
        {OP_COLD, RC_IO, RC_MUTE},
        {OP_COLD, RC_TIMEOUT, RC_MUTE},
        {OP_COLD, RC_NOT_TRANSACTED, RC_MUTE},
        {OP_COLD, RC_UNSUPPORTED, RC_MUTE},
        {OP_PRESENCE, RC_IO, RC_READER_UNAVAILABLE},
        {OP_PRESENCE, RC_TIMEOUT, RC_READER_UNAVAILABLE},
    };
    size_t reader = bench_add(bench, true);
    struct service_context *context = bench_context(bench);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct service_handle *handle = bench_connect(bench, context, reader, SHARE_SHARED, ANY);

        assert_rc(do_disconnect(handle, CARD_UNPOWER), RC_OK);
        test_reader_fail(bench_device(bench, reader), rows[i].op, rows[i].from, 1);
        assert_rc(bench_try_connect(bench, context, reader, SHARE_SHARED, ANY, &handle), rows[i].to);
        assert_int_equal(bench_state(bench, reader) & STATE_UNAVAILABLE, 0);
    }
    bench_connect(bench, context, reader, SHARE_SHARED, ANY);
}

/* A reset that failed leaves the card off: its user is told, and reconnects. */
static void failed_reset_is_told(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *handle = bench_user(bench, reader);

    test_reader_fail(bench_device(bench, reader), OP_WARM, RC_IO, 1);
    assert_rc(do_reconnect(handle, SHARE_SHARED, CARD_RESET), RC_UNRESPONSIVE);
    assert_rc(do_transmit(handle), RC_NOT_TRANSACTED);
    assert_rc(do_reconnect(handle, SHARE_SHARED, CARD_RESET), RC_OK);
    assert_rc(do_transmit(handle), RC_OK);
}

const struct conform_case fault_cases[] = {
    SCRIPTED(power_up_failures),
    SCRIPTED(failed_reset_is_told),
    SCRIPTED(broken_reader_is_unavailable),
    SCRIPTED(exchange_finds_the_fault),
    SCRIPTED(mended_reader_is_watched_again_after_a_connect),
    SCRIPTED(mended_reader_is_noticed_by_itself),
    SCRIPTED(broken_reader_costs_no_time),
    {0},
};
