/* SPDX-License-Identifier: MIT */
/* Reconnecting: events, share modes, protocols, resets. */
#include "tests/conform/cases.h"

static int reconnect(struct service_handle *handle, uint32_t mask, enum disposition initialization,
                     uint32_t *ret_protocol)
{
    return handle->context->service->ops->reconnect(handle, SHARE_SHARED, mask, initialization, ret_protocol);
}

static void clears_its_own_event_only(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *one = bench_user(bench, reader), *two = bench_user(bench, reader);
    struct service_handle *three = bench_user(bench, reader);

    assert_rc(do_reconnect(one, SHARE_SHARED, CARD_RESET), RC_OK);
    assert_rc(do_transmit(one), RC_OK);
    assert_rc(do_transmit(two), RC_CARD_RESET);
    assert_rc(do_transmit(two), RC_CARD_RESET); /* not consumed by being told */
    assert_rc(do_reconnect(two, SHARE_SHARED, CARD_LEAVE), RC_OK);
    assert_rc(do_transmit(two), RC_OK);
    assert_rc(do_transmit(three), RC_CARD_RESET);
}

static void empty_slot_keeps_the_removal(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *handle = bench_user(bench, reader);

    bench_pull(bench, reader);
    assert_rc(do_status(handle), RC_CARD_REMOVED);
    assert_rc(do_reconnect(handle, SHARE_SHARED, CARD_LEAVE), RC_NO_CARD);
    assert_rc(do_reconnect(handle, SHARE_EXCLUSIVE, CARD_RESET), RC_NO_CARD);
    assert_rc(do_status(handle), RC_CARD_REMOVED);
    bench_insert(bench, reader);
    assert_rc(do_status(handle), RC_CARD_REMOVED);
    assert_rc(do_reconnect(handle, SHARE_SHARED, CARD_LEAVE), RC_OK);
    assert_rc(do_transmit(handle), RC_OK);
    bench_pull(bench, reader);
    assert_rc(do_reconnect(handle, SHARE_DIRECT, CARD_LEAVE), RC_OK);
    assert_int_equal(status_state(handle), CARD_ABSENT);
}

static void initialization_chooses_the_reset(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct reader *device = bench_device(bench, reader);
    struct service_handle *handle = bench_user(bench, reader);
    unsigned warm = test_reader_count(device, OP_WARM), cold = test_reader_count(device, OP_COLD);

    assert_rc(do_reconnect(handle, SHARE_SHARED, CARD_LEAVE), RC_OK);
    assert_int_equal(test_reader_count(device, OP_WARM), warm);
    assert_int_equal(test_reader_count(device, OP_COLD), cold);
    assert_rc(do_reconnect(handle, SHARE_SHARED, CARD_RESET), RC_OK);
    assert_int_equal(test_reader_count(device, OP_WARM), warm + 1);
    assert_int_equal(test_reader_count(device, OP_COLD), cold);
    assert_rc(do_reconnect(handle, SHARE_SHARED, CARD_UNPOWER), RC_OK);
    assert_int_equal(test_reader_count(device, OP_WARM), warm + 1);
    assert_int_equal(test_reader_count(device, OP_COLD), cold + 1);
}

static void protocol_is_kept_or_chosen_anew(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *handle = bench_connect(bench, bench_context(bench), reader, SHARE_SHARED, T1);
    uint32_t protocol = 0;

    assert_rc(reconnect(handle, T0, CARD_LEAVE, &protocol), RC_PROTO_MISMATCH);
    assert_rc(reconnect(handle, ANY, CARD_LEAVE, &protocol), RC_OK);
    assert_int_equal(protocol, T1);
    assert_rc(reconnect(handle, T0, CARD_RESET, &protocol), RC_OK);
    assert_int_equal(protocol, T0);
    assert_rc(reconnect(handle, ANY, CARD_UNPOWER, &protocol), RC_OK);
    assert_int_equal(protocol, T1);
}

static void exclusive_needs_to_be_alone(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *one = bench_user(bench, reader), *two = bench_user(bench, reader), *three;

    assert_rc(do_reconnect(one, SHARE_EXCLUSIVE, CARD_LEAVE), RC_SHARING);
    assert_rc(do_disconnect(two, CARD_LEAVE), RC_OK);
    assert_rc(do_reconnect(one, SHARE_EXCLUSIVE, CARD_LEAVE), RC_OK);
    assert_rc(bench_try_connect(bench, bench_context(bench), reader, SHARE_SHARED, ANY, &three), RC_SHARING);
    assert_int_equal(bench_state(bench, reader) & (STATE_EXCLUSIVE | STATE_INUSE), STATE_EXCLUSIVE);
    /* Down again: the reader is free for others at once. */
    assert_rc(do_reconnect(one, SHARE_SHARED, CARD_LEAVE), RC_OK);
    assert_int_equal(bench_state(bench, reader) & (STATE_EXCLUSIVE | STATE_INUSE), STATE_INUSE);
    assert_rc(bench_try_connect(bench, bench_context(bench), reader, SHARE_SHARED, ANY, &three), RC_OK);
    assert_rc(do_transmit(three), RC_OK);
}

static void failed_reset_is_no_event_for_the_caller(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct reader *device = bench_device(bench, reader);
    struct service_handle *caller = bench_user(bench, reader), *other = bench_user(bench, reader);

    test_reader_fail(device, OP_WARM, RC_MUTE, 1);
    assert_rc(do_reconnect(caller, SHARE_SHARED, CARD_RESET), RC_UNRESPONSIVE);
    assert_rc(do_status(other), RC_CARD_RESET);
    assert_int_equal(status_state(caller), CARD_PRESENT | CARD_SWALLOWED);
    assert_int_equal(bench_state(bench, reader) & STATE_MUTE, STATE_MUTE);
    /* It answers again. */
    assert_rc(do_reconnect(caller, SHARE_SHARED, CARD_RESET), RC_OK);
    assert_int_equal(status_state(caller), 0x34);
    assert_int_equal(bench_state(bench, reader) & STATE_MUTE, 0);
    test_reader_fail(device, OP_COLD, RC_MUTE, 2);
    assert_rc(do_reconnect(caller, SHARE_SHARED, CARD_UNPOWER), RC_UNRESPONSIVE);
    assert_rc(do_reconnect(caller, SHARE_SHARED, CARD_LEAVE), RC_UNRESPONSIVE);
    assert_rc(do_reconnect(caller, SHARE_DIRECT, CARD_LEAVE), RC_OK);
}

/* A card that somebody powered off is powered up, not warm reset. The bench checks the reader for that. */
static void card_that_is_off_is_powered_up(struct bench *bench)
{
    static const enum disposition how[] = {CARD_LEAVE, CARD_RESET, CARD_UNPOWER};

    for (size_t i = 0; i < 3; i++) {
        size_t reader = bench_add(bench, true);
        struct service_handle *stays = bench_user(bench, reader), *goes = bench_user(bench, reader);

        assert_rc(do_disconnect(goes, CARD_UNPOWER), RC_OK);
        assert_rc(do_reconnect(stays, SHARE_SHARED, how[i]), RC_OK);
        assert_int_equal(status_state(stays), 0x34);
        assert_rc(do_transmit(stays), RC_OK);
    }
}

static void transaction_goes_on(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader), *other = bench_user(bench, reader);
    struct call call;

    assert_rc(do_begin(owner), RC_OK);
    assert_rc(do_reconnect(owner, SHARE_SHARED, CARD_LEAVE), RC_OK);
    call_on(&call, bench, V_BEGIN, other);
    bench_await_blocked(bench, 1);
    assert_rc(do_reconnect(owner, SHARE_EXCLUSIVE, CARD_LEAVE), RC_SHARING);
    assert_false(call_is_done(&call));
    assert_rc(do_end(owner, CARD_LEAVE), RC_OK);
    assert_rc(call_join(&call), RC_OK);
    assert_rc(do_end(other, CARD_LEAVE), RC_OK);
    /* A reset does not end it either: it is still there to be ended. */
    assert_rc(do_begin(owner), RC_OK);
    assert_rc(do_reconnect(owner, SHARE_SHARED, CARD_RESET), RC_OK);
    assert_rc(do_end(owner, CARD_LEAVE), RC_OK);
    assert_rc(do_end(owner, CARD_LEAVE), RC_NOT_TRANSACTED);
}

/* The wait is for the reader: what happens to the card meanwhile is what a reconnect is for. */
static void waits_behind_a_transaction_that_resets(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader), *other = bench_user(bench, reader);
    struct call call;

    assert_rc(do_begin(owner), RC_OK);
    call_on(&call, bench, V_RECONNECT, other);
    bench_await_blocked(bench, 1);
    assert_rc(do_end(owner, CARD_RESET), RC_OK);
    assert_rc(call_join(&call), RC_OK);
    assert_rc(do_transmit(other), RC_OK);

    assert_rc(do_reconnect(owner, SHARE_SHARED, CARD_LEAVE), RC_OK);
    assert_rc(do_begin(owner), RC_OK);
    call_on(&call, bench, V_RECONNECT, other);
    bench_await_blocked(bench, 1);
    bench_pull_only(bench, reader);
    assert_rc(call_join(&call), RC_NO_CARD);
}

static void does_not_wait_when_told_so(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader);
    struct service_handle *other =
        bench_connect(bench, bench_context_no_wait(bench), reader, SHARE_SHARED, ANY);

    assert_rc(do_begin(owner), RC_OK);
    assert_rc(do_reconnect(other, SHARE_SHARED, CARD_LEAVE), RC_SHARING);
    assert_rc(do_transmit(other), RC_SHARING);
    assert_rc(do_status(other), RC_SHARING);
    assert_rc(do_end(owner, CARD_LEAVE), RC_OK);
    assert_rc(do_transmit(other), RC_OK);
    assert_rc(do_status(other), RC_OK);
}

const struct conform_case reconnect_cases[] = {
    CASE(clears_its_own_event_only),
    CASE(empty_slot_keeps_the_removal),
    SCRIPTED(initialization_chooses_the_reset),
    SCRIPTED(protocol_is_kept_or_chosen_anew),
    CASE(exclusive_needs_to_be_alone),
    SCRIPTED(failed_reset_is_no_event_for_the_caller),
    CASE(card_that_is_off_is_powered_up),
    CASE(transaction_goes_on),
    CASE(waits_behind_a_transaction_that_resets),
    CASE(does_not_wait_when_told_so),
    {0},
};
