/* SPDX-License-Identifier: MIT */
/* Events of a handle: who gets them, what they stop, how they end. */
#include "tests/conform/cases.h"

static void assert_stopped(struct service_handle *handle, int rc)
{
    assert_rc(do_transmit(handle), rc);
    assert_rc(do_status(handle), rc);
    assert_rc(do_begin(handle), rc);
    assert_rc(do_end(handle, CARD_LEAVE), rc);
    assert_rc(do_get_attribute(handle), rc);
    assert_rc(do_set_attribute(handle), rc);
    assert_rc(do_control(handle), RC_OK);
    /* Nothing of this took the event away. */
    assert_rc(do_transmit(handle), rc);
}

static void event_stops_what_needs_the_card(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *one = bench_user(bench, reader), *two = bench_user(bench, reader);

    assert_rc(do_reconnect(one, SHARE_SHARED, CARD_RESET), RC_OK);
    assert_stopped(two, RC_CARD_RESET);
    assert_rc(do_reconnect(two, SHARE_SHARED, CARD_LEAVE), RC_OK);
    assert_rc(do_transmit(two), RC_OK);
    bench_pull(bench, reader);
    assert_stopped(one, RC_CARD_REMOVED);
    assert_stopped(two, RC_CARD_REMOVED);
    assert_rc(do_disconnect(two, CARD_LEAVE), RC_OK);
}

static void removal_wins_over_reset(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *one = bench_user(bench, reader), *two = bench_user(bench, reader);

    /* RESET, then REMOVED. */
    assert_rc(do_reconnect(one, SHARE_SHARED, CARD_RESET), RC_OK);
    assert_rc(do_transmit(two), RC_CARD_RESET);
    bench_pull(bench, reader);
    assert_rc(do_transmit(two), RC_CARD_REMOVED);
    /* REMOVED, then RESET of the next card. */
    bench_insert(bench, reader);
    assert_rc(do_reconnect(one, SHARE_SHARED, CARD_RESET), RC_OK);
    assert_rc(do_transmit(two), RC_CARD_REMOVED);
    /* A reset that fails for want of a card is none. */
    bench_pull(bench, reader);
    assert_rc(do_reconnect(one, SHARE_SHARED, CARD_RESET), RC_NO_CARD);
    assert_rc(do_transmit(two), RC_CARD_REMOVED);
    assert_rc(do_transmit(one), RC_CARD_REMOVED);
}

static void removal_outlives_the_next_insertion(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *handle = bench_user(bench, reader);

    bench_pull(bench, reader);
    bench_insert(bench, reader);
    assert_rc(do_transmit(handle), RC_CARD_REMOVED);
    assert_rc(do_reconnect(handle, SHARE_SHARED, CARD_LEAVE), RC_OK);
    assert_rc(do_transmit(handle), RC_OK);
}

/* Pulled and plugged before anybody looked: still a removal. */
static void swap_between_looks_is_a_removal(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct reader *device = bench_device(bench, reader);
    struct service_handle *handle = bench_user(bench, reader);
    uint32_t before = bench_state(bench, reader) >> 16;

    test_reader_hold(device, OP_PRESENCE);
    test_reader_remove(device);
    test_reader_insert(device);
    assert_true(test_reader_await_held(device, OP_PRESENCE));
    test_reader_let_go(device, OP_PRESENCE);
    bench_await_state(bench, reader, (before + 2) << 16 | STATE_PRESENT, 0xFFFF0000 | STATE_PRESENT);
    assert_rc(do_transmit(handle), RC_CARD_REMOVED);
}

static void users_of_other_readers_notice_nothing(struct bench *bench)
{
    size_t one = bench_add(bench, true), two = bench_add(bench, true);
    struct service_context *context = bench_context(bench);
    struct service_handle *there = bench_connect(bench, context, one, SHARE_SHARED, ANY);
    struct service_handle *here = bench_connect(bench, context, two, SHARE_SHARED, ANY);

    assert_rc(do_disconnect(there, CARD_RESET), RC_OK);
    bench_pull(bench, one);
    assert_rc(do_transmit(here), RC_OK);
    bench_detach(bench, one);
    assert_rc(do_transmit(here), RC_OK);
}

static void removal_in_an_exchange(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct reader *device = bench_device(bench, reader);
    struct service_handle *handle = bench_user(bench, reader);
    struct call call;

    test_reader_hold(device, OP_TRANSMIT);
    call_on(&call, bench, V_TRANSMIT, handle);
    assert_true(test_reader_await_held(device, OP_TRANSMIT));
    test_reader_remove(device);
    assert_rc(call_join(&call), RC_NO_CARD);
    assert_rc(do_transmit(handle), RC_CARD_REMOVED);
    test_reader_let_go(device, OP_TRANSMIT);
    /* One removal is counted once, though exchange and reader both tell. */
    bench_insert(bench, reader);
    assert_int_equal(bench_state(bench, reader) >> 16, 3);
}

/* Whoever notices first, the manager or the exchange that fails: it is told as what it is. */
static void swap_is_told_by_the_next_exchange(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *handle = bench_user(bench, reader);

    for (int i = 0; i < 50; i++) {
        bench_pull_only(bench, reader);
        bench_insert_only(bench, reader);
        int rc = do_transmit(handle);

        /* The exchange itself met an empty slot, or the card of before is known to be gone. */
        if (rc != RC_NO_CARD)
            assert_rc(rc, RC_CARD_REMOVED);
        assert_rc(do_transmit(handle), RC_CARD_REMOVED);
        assert_rc(do_reconnect(handle, SHARE_SHARED, CARD_LEAVE), RC_OK);
    }
}

const struct conform_case event_cases[] = {
    SCRIPTED(event_stops_what_needs_the_card), CASE(removal_wins_over_reset),
    CASE(removal_outlives_the_next_insertion), SCRIPTED(swap_between_looks_is_a_removal),
    CASE(swap_is_told_by_the_next_exchange),   CASE(users_of_other_readers_notice_nothing),
    SCRIPTED(removal_in_an_exchange),          {0},
};
