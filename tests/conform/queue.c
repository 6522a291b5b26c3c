/* SPDX-License-Identifier: MIT */
/* Waiting for a reader: order, cancelling, who does not wait. */
#include "tests/conform/cases.h"

#define WAITERS 8

static void transaction_passes_in_order_of_arrival(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader), *waiters[WAITERS];
    struct call calls[WAITERS];

    for (unsigned i = 0; i < WAITERS; i++)
        waiters[i] = bench_user(bench, reader);
    assert_rc(do_begin(owner), RC_OK);
    for (unsigned i = 0; i < WAITERS; i++) {
        call_on(&calls[i], bench, V_BEGIN, waiters[i]);
        bench_await_blocked(bench, i + 1);
    }
    for (unsigned i = 0; i < WAITERS; i++) {
        assert_rc(do_end(i ? waiters[i - 1] : owner, CARD_LEAVE), RC_OK);
        assert_rc(call_join(&calls[i]), RC_OK);
        bench_await_blocked(bench, WAITERS - 1 - i);
        assert_rc(do_transmit(waiters[i]), RC_OK);
    }
}

/* The former owner wants it again at once: it queues behind those who came before. */
static void nobody_overtakes(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader), *other = bench_user(bench, reader);
    struct call first, again;

    assert_rc(do_begin(owner), RC_OK);
    call_on(&first, bench, V_BEGIN, other);
    bench_await_blocked(bench, 1);
    assert_rc(do_end(owner, CARD_LEAVE), RC_OK);
    call_on(&again, bench, V_BEGIN, owner);
    bench_await_blocked(bench, 1);
    assert_rc(call_join(&first), RC_OK);
    assert_false(call_is_done(&again));
    assert_rc(do_end(other, CARD_LEAVE), RC_OK);
    assert_rc(call_join(&again), RC_OK);
}

static void transaction_waits_for_the_exchange_on_the_card(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct reader *device = bench_device(bench, reader);
    struct service_handle *one = bench_user(bench, reader), *two = bench_user(bench, reader);
    struct call transmit, begin;

    test_reader_hold(device, OP_TRANSMIT);
    call_on(&transmit, bench, V_TRANSMIT, one);
    assert_true(test_reader_await_held(device, OP_TRANSMIT));
    call_on(&begin, bench, V_BEGIN, two);
    bench_await_blocked(bench, 1);
    test_reader_let_go(device, OP_TRANSMIT);
    assert_rc(call_join(&transmit), RC_OK);
    assert_rc(call_join(&begin), RC_OK);
}

/* Calls that do not wait behind a transaction do not either when it begins while they wait for the device. */
static void refusals_reach_those_who_wait_already(struct bench *bench)
{
    static const enum verb verbs[] = {V_CONTROL, V_GET_ATTRIBUTE, V_SET_ATTRIBUTE};
    size_t reader = bench_add(bench, true);
    struct reader *device = bench_device(bench, reader);
    struct service_handle *one = bench_user(bench, reader), *two = bench_user(bench, reader);
    struct service_handle *three = bench_user(bench, reader);
    struct service_handle *hasty =
        bench_connect(bench, bench_context_no_wait(bench), reader, SHARE_SHARED, ANY);
    struct call transmit, begin, calls[3], hurry;

    test_reader_hold(device, OP_TRANSMIT);
    call_on(&transmit, bench, V_TRANSMIT, one);
    assert_true(test_reader_await_held(device, OP_TRANSMIT));
    call_on(&begin, bench, V_BEGIN, two);
    bench_await_blocked(bench, 1);
    for (unsigned i = 0; i < 3; i++)
        call_on(&calls[i], bench, verbs[i], three);
    call_on(&hurry, bench, V_TRANSMIT, hasty);
    bench_await_blocked(bench, 5);
    test_reader_let_go(device, OP_TRANSMIT);
    assert_rc(call_join(&transmit), RC_OK);
    assert_rc(call_join(&begin), RC_OK);
    for (unsigned i = 0; i < 3; i++)
        assert_rc(call_join(&calls[i]), RC_SHARING);
    assert_rc(call_join(&hurry), RC_SHARING);
}

static void cancel_ends_every_wait_of_its_context(struct bench *bench)
{
    static const enum verb verbs[] = {V_BEGIN, V_TRANSMIT, V_STATUS, V_RECONNECT};
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader), *handle = bench_user(bench, reader);
    struct service_handle *bystander = bench_user(bench, reader);
    struct reader_watch watch = {.name = bench->readers[reader].name};
    struct call calls[4], connect, wait, other;

    watch.current = bench_state(bench, reader);
    assert_rc(do_begin(owner), RC_OK);
    for (unsigned i = 0; i < 4; i++)
        call_on(&calls[i], bench, verbs[i], handle);
    call_connect(&connect, bench, handle->context, reader, SHARE_SHARED);
    call_wait(&wait, bench, handle->context, &watch, 1);
    call_on(&other, bench, V_BEGIN, bystander);
    bench_await_blocked(bench, 7);
    assert_rc(do_cancel(handle->context), RC_OK);
    for (unsigned i = 0; i < 4; i++)
        assert_rc(call_join(&calls[i]), RC_CANCELLED);
    assert_rc(call_join(&connect), RC_CANCELLED);
    assert_rc(call_join(&wait), RC_CANCELLED);
    assert_int_equal(watch.event, watch.current);
    assert_int_not_equal(watch.atr_length, 0);
    bench_await_blocked(bench, 1);
    assert_false(call_is_done(&other));
    assert_rc(do_end(owner, CARD_LEAVE), RC_OK);
    assert_rc(call_join(&other), RC_OK);
    /* The handle is as good as before. */
    assert_rc(do_end(bystander, CARD_LEAVE), RC_OK);
    assert_rc(do_transmit(handle), RC_OK);
}

static void cancel_is_not_sticky(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader), *handle = bench_user(bench, reader);
    struct reader_watch watch = {.name = bench->readers[reader].name, .current = STATE_PRESENT};
    struct call call;

    assert_rc(do_cancel(handle->context), RC_OK);
    assert_rc(bench->service->ops->wait(handle->context, deadline_in_ms(1), &watch, 1), RC_TIMEOUT);
    assert_rc(do_begin(owner), RC_OK);
    assert_rc(do_cancel(handle->context), RC_OK);
    call_on(&call, bench, V_BEGIN, handle);
    bench_await_blocked(bench, 1);
    assert_rc(do_end(owner, CARD_LEAVE), RC_OK);
    assert_rc(call_join(&call), RC_OK);
}

static void cancel_leaves_the_exchange_alone(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct reader *device = bench_device(bench, reader);
    struct service_handle *handle = bench_user(bench, reader);
    struct call call;

    test_reader_hold(device, OP_TRANSMIT);
    call_on(&call, bench, V_TRANSMIT, handle);
    assert_true(test_reader_await_held(device, OP_TRANSMIT));
    assert_rc(do_cancel(handle->context), RC_OK);
    assert_false(call_is_done(&call));
    test_reader_let_go(device, OP_TRANSMIT);
    assert_rc(call_join(&call), RC_OK);
}

static void abort_ends_the_exchange(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct reader *device = bench_device(bench, reader);
    struct service_handle *handle = bench_user(bench, reader), *other = bench_user(bench, reader);
    struct call call;

    test_reader_hold(device, OP_TRANSMIT);
    call_on(&call, bench, V_TRANSMIT, handle);
    assert_true(test_reader_await_held(device, OP_TRANSMIT));
    assert_rc(bench->service->ops->abort(other->context), RC_OK);
    assert_false(call_is_done(&call));
    assert_rc(bench->service->ops->abort(handle->context), RC_OK);
    assert_rc(call_join(&call), RC_CANCELLED);
    test_reader_let_go(device, OP_TRANSMIT);
    assert_rc(do_transmit(handle), RC_OK);
}

/* A stuck reader is nobody else's matter. */
static void stuck_reader_delays_no_other(struct bench *bench)
{
    size_t stuck = bench_add(bench, true), free_one = bench_add(bench, true), empty = bench_add(bench, false);
    struct service_handle *on_stuck = bench_user(bench, stuck), *handle = bench_user(bench, free_one);
    struct call call;

    test_reader_hold(bench_device(bench, stuck), OP_TRANSMIT);
    call_on(&call, bench, V_TRANSMIT, on_stuck);
    assert_true(test_reader_await_held(bench_device(bench, stuck), OP_TRANSMIT));
    assert_rc(do_transmit(handle), RC_OK);
    assert_rc(do_begin(handle), RC_OK);
    assert_rc(do_end(handle, CARD_LEAVE), RC_OK);
    bench_insert(bench, empty);
    bench_connect(bench, on_stuck->context, empty, SHARE_SHARED, ANY); /* the same context, another thread */
    bench_state(bench, stuck);
    test_reader_let_go(bench_device(bench, stuck), OP_TRANSMIT);
    assert_rc(call_join(&call), RC_OK);
}

/* Nor is one whose card takes long to power up. */
static void slow_power_up_delays_no_other_card(struct bench *bench)
{
    size_t slow[3], quick;

    for (unsigned i = 0; i < 3; i++) {
        slow[i] = bench_add(bench, false);
        test_reader_hold(bench_device(bench, slow[i]), OP_COLD);
    }
    quick = bench_add(bench, false);
    for (unsigned i = 0; i < 3; i++) {
        test_reader_insert(bench_device(bench, slow[i]));
        assert_true(test_reader_await_held(bench_device(bench, slow[i]), OP_COLD));
    }
    bench_insert(bench, quick);
    bench_pull(bench, quick);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(bench_state(bench, slow[i]), STATE_EMPTY);
        test_reader_let_go(bench_device(bench, slow[i]), OP_COLD);
        bench_await_state(bench, slow[i], STATE_PRESENT, STATE_PRESENT);
    }
}

const struct conform_case queue_cases[] = {
    CASE(transaction_passes_in_order_of_arrival),
    CASE(nobody_overtakes),
    SCRIPTED(transaction_waits_for_the_exchange_on_the_card),
    SCRIPTED(refusals_reach_those_who_wait_already),
    CASE(cancel_ends_every_wait_of_its_context),
    CASE(cancel_is_not_sticky),
    SCRIPTED(cancel_leaves_the_exchange_alone),
    SCRIPTED(abort_ends_the_exchange),
    SCRIPTED(stuck_reader_delays_no_other),
    SCRIPTED(slow_power_up_delays_no_other_card),
    {0},
};
