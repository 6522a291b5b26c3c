/* SPDX-License-Identifier: MIT */
/* Releasing a context while things go on under it. */
#include "tests/conform/cases.h"

/* Waiters may say either; they never get what they waited for. */
static void assert_ended(int rc)
{
    assert_true(rc == RC_CANCELLED || rc == RC_INVALID_HANDLE);
}

static void ends_every_wait_at_once(struct bench *bench)
{
    static const enum verb verbs[] = {V_BEGIN, V_TRANSMIT, V_STATUS, V_RECONNECT};
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader), *handle = bench_user(bench, reader);
    struct reader_watch watch = {.name = bench->readers[reader].name, .current = STATE_PRESENT};
    struct call calls[4], connect, disconnect, wait;

    assert_rc(do_begin(owner), RC_OK);
    for (unsigned i = 0; i < 4; i++)
        call_on(&calls[i], bench, verbs[i], handle);
    call_disposing(&disconnect, bench, V_DISCONNECT, handle, CARD_RESET);
    call_connect(&connect, bench, handle->context, reader, SHARE_SHARED);
    call_wait(&wait, bench, handle->context, &watch, 1);
    bench_await_blocked(bench, 7);
    do_release(handle->context);
    assert_rc(call_join(&wait), RC_CANCELLED);
    for (unsigned i = 0; i < 4; i++)
        assert_ended(call_join(&calls[i]));
    assert_ended(call_join(&connect));
    assert_ended(call_join(&disconnect));
    /* The owner, of another context, has noticed nothing. */
    assert_rc(do_transmit(owner), RC_OK);
    assert_rc(do_end(owner, CARD_LEAVE), RC_OK);
    assert_int_equal(bench_state(bench, reader) & 0xFFFF, STATE_PRESENT | STATE_INUSE);
    assert_rc(do_reconnect(owner, SHARE_EXCLUSIVE, CARD_LEAVE), RC_OK); /* it is alone */
}

static void ends_waits_after_a_cancel(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_context *context = bench_context(bench);
    struct reader_watch watch = {.name = bench->readers[reader].name, .current = STATE_PRESENT};
    struct call wait;

    call_wait(&wait, bench, context, &watch, 1);
    bench_await_blocked(bench, 1);
    assert_rc(do_cancel(context), RC_OK);
    do_release(context);
    assert_rc(call_join(&wait), RC_CANCELLED);
}

static void waits_for_the_exchange_on_the_card(struct bench *bench)
{
    size_t reader = bench_add(bench, true), other_reader = bench_add(bench, true);
    struct reader *device = bench_device(bench, reader);
    struct service_handle *handle = bench_user(bench, reader), *other = bench_user(bench, other_reader);
    struct call transmit, release;

    test_reader_hold(device, OP_TRANSMIT);
    call_on(&transmit, bench, V_TRANSMIT, handle);
    assert_true(test_reader_await_held(device, OP_TRANSMIT));
    call_release(&release, bench, handle->context);
    /* New calls fail at once. */
    while (do_control(handle) != RC_INVALID_HANDLE)
        assert_false(call_is_done(&transmit));
    assert_rc(do_begin(handle), RC_INVALID_HANDLE);
    assert_rc(do_cancel(handle->context), RC_INVALID_HANDLE);
    assert_rc(do_transmit(other), RC_OK);
    assert_false(call_is_done(&release));
    test_reader_let_go(device, OP_TRANSMIT);
    assert_rc(call_join(&transmit), RC_OK); /* its real result */
    assert_rc(call_join(&release), RC_OK);
}

static void does_not_wait_for_others_exchange(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct reader *device = bench_device(bench, reader);
    struct service_handle *handle = bench_user(bench, reader), *other = bench_user(bench, reader);
    struct call transmit, queued;

    test_reader_hold(device, OP_TRANSMIT);
    call_on(&transmit, bench, V_TRANSMIT, other);
    assert_true(test_reader_await_held(device, OP_TRANSMIT));
    call_on(&queued, bench, V_TRANSMIT, handle);
    bench_await_blocked(bench, 1);
    do_release(handle->context);
    assert_ended(call_join(&queued));
    test_reader_let_go(device, OP_TRANSMIT);
    assert_rc(call_join(&transmit), RC_OK);
    assert_int_equal(test_reader_count(device, OP_TRANSMIT), 1);
}

static void does_not_wait_for_a_connect(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct reader *device = bench_device(bench, reader);
    struct service_context *context = bench_context(bench);
    struct call connect;

    assert_rc(do_disconnect(bench_user(bench, reader), CARD_UNPOWER), RC_OK);
    test_reader_hold(device, OP_COLD);
    call_connect(&connect, bench, context, reader, SHARE_SHARED);
    assert_true(test_reader_await_held(device, OP_COLD));
    do_release(context); /* returns though the device does not */
    test_reader_let_go(device, OP_COLD);
    assert_ended(call_join(&connect));
    assert_int_equal(bench_state(bench, reader) & (STATE_INUSE | STATE_EXCLUSIVE), 0);
    /* The card works for the next one. */
    assert_rc(do_transmit(bench_user(bench, reader)), RC_OK);
}

static void owners_card_is_reset(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader), *other = bench_user(bench, reader);
    struct call begin, connect;

    assert_rc(do_begin(owner), RC_OK);
    assert_rc(do_begin(owner), RC_OK);
    call_on(&begin, bench, V_BEGIN, other);
    call_connect(&connect, bench, bench_context(bench), reader, SHARE_SHARED);
    bench_await_blocked(bench, 2);
    do_release(owner->context);
    assert_int_equal(test_reader_count(bench_device(bench, reader), OP_WARM), 1);
    assert_rc(call_join(&begin), RC_CARD_RESET);
    assert_rc(call_join(&connect), RC_OK);
    assert_rc(do_transmit(other), RC_CARD_RESET);
    assert_rc(do_reconnect(other, SHARE_SHARED, CARD_LEAVE), RC_OK);
    assert_rc(do_begin(other), RC_OK);
}

static void without_transaction_the_card_is_left_alone(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct reader *device = bench_device(bench, reader);
    struct service_handle *goes = bench_user(bench, reader), *other = bench_user(bench, reader);
    unsigned powers = test_reader_count(device, OP_WARM) + test_reader_count(device, OP_COLD);

    bench_connect(bench, goes->context, reader, SHARE_DIRECT, 0);
    do_release(goes->context);
    assert_rc(do_transmit(other), RC_OK);
    assert_int_equal(test_reader_count(device, OP_WARM) + test_reader_count(device, OP_COLD), powers);
    assert_int_equal(test_reader_count(device, OP_OFF), 0);
    assert_rc(do_reconnect(other, SHARE_EXCLUSIVE, CARD_LEAVE), RC_OK);
}

static void exclusive_use_ends(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_context *context = bench_context(bench);

    bench_connect(bench, context, reader, SHARE_EXCLUSIVE, ANY);
    do_release(context);
    assert_int_equal(bench_state(bench, reader) & (STATE_INUSE | STATE_EXCLUSIVE), 0);
    bench_user(bench, reader);
}

static void everything_of_it_is_invalid_after(struct bench *bench)
{
    size_t reader = bench_add(bench, true), length;
    struct service_handle *handle = bench_user(bench, reader), *other;
    struct reader_watch watch = {.name = bench->readers[reader].name};
    char *names;

    do_release(handle->context);
    assert_rc(do_transmit(handle), RC_INVALID_HANDLE);
    assert_rc(do_disconnect(handle, CARD_RESET), RC_INVALID_HANDLE);
    assert_rc(do_cancel(handle->context), RC_INVALID_HANDLE);
    assert_rc(bench->service->ops->abort(handle->context), RC_INVALID_HANDLE);
    assert_rc(bench->service->ops->list(handle->context, &names, &length), RC_INVALID_HANDLE);
    assert_rc(bench->service->ops->fact(handle->context, watch.name, "device", &names), RC_INVALID_HANDLE);
    assert_rc(bench->service->ops->wait(handle->context, deadline_never(), &watch, 1), RC_INVALID_HANDLE);
    assert_rc(bench->service->ops->wait(handle->context, deadline_never(), NULL, 0), RC_INVALID_HANDLE);
    assert_rc(bench_try_connect(bench, handle->context, reader, SHARE_SHARED, ANY, &other),
              RC_INVALID_HANDLE);
}

/* Many at once, each owning a transaction on a reader that the next one waits for. */
static void releases_side_by_side(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *handles[6];
    struct call begins[6], releases[6];

    for (unsigned i = 0; i < 6; i++)
        handles[i] = bench_user(bench, reader);
    for (unsigned i = 0; i < 6; i++)
        call_on(&begins[i], bench, V_BEGIN, handles[i]);
    bench_await_blocked(bench, 5);
    for (unsigned i = 0; i < 6; i++)
        call_release(&releases[i], bench, handles[i]->context);
    for (unsigned i = 0; i < 6; i++) {
        call_join(&begins[i]);
        assert_rc(call_join(&releases[i]), RC_OK);
    }
    assert_int_equal(bench_state(bench, reader) & (STATE_INUSE | STATE_EXCLUSIVE), 0);
    assert_rc(do_begin(bench_user(bench, reader)), RC_OK);
}

const struct conform_case release_cases[] = {
    CASE(ends_every_wait_at_once),
    CASE(ends_waits_after_a_cancel),
    SCRIPTED(waits_for_the_exchange_on_the_card),
    SCRIPTED(does_not_wait_for_others_exchange),
    SCRIPTED(does_not_wait_for_a_connect),
    SCRIPTED(owners_card_is_reset),
    SCRIPTED(without_transaction_the_card_is_left_alone),
    CASE(exclusive_use_ends),
    CASE(everything_of_it_is_invalid_after),
    CASE(releases_side_by_side),
    {0},
};
