/* SPDX-License-Identifier: MIT */
/* Disconnecting: what happens to the card, the others, the transaction. */
#include "tests/conform/cases.h"

static void disposition_acts_on_the_card(struct bench *bench)
{
    static const struct {
        enum disposition disposition;
        unsigned warm, off;
        int others;
    } rows[] = {
        {CARD_LEAVE, 0, 0, RC_OK},
        {CARD_RESET, 1, 0, RC_CARD_RESET},
        {CARD_UNPOWER, 0, 1, RC_CARD_RESET},
        {CARD_EJECT, 0, 1, RC_CARD_RESET},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t reader = bench_add(bench, true);
        struct service_handle *goes = bench_user(bench, reader), *stays = bench_user(bench, reader);
        struct reader *device = bench_device(bench, reader);

        assert_rc(do_disconnect(goes, rows[i].disposition), RC_OK);
        assert_int_equal(test_reader_count(device, OP_WARM), rows[i].warm);
        assert_int_equal(test_reader_count(device, OP_OFF), rows[i].off);
        assert_rc(do_transmit(stays), rows[i].others);
        /* The card can be had again. */
        assert_rc(do_reconnect(stays, SHARE_SHARED, CARD_LEAVE), RC_OK);
        assert_rc(do_transmit(stays), RC_OK);
    }
}

static void closed_handle_is_invalid(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *handle = bench_user(bench, reader);

    assert_rc(do_disconnect(handle, CARD_LEAVE), RC_OK);
    assert_rc(do_disconnect(handle, CARD_LEAVE), RC_INVALID_HANDLE);
    assert_rc(do_disconnect(handle, CARD_RESET), RC_INVALID_HANDLE);
    assert_rc(do_transmit(handle), RC_INVALID_HANDLE);
    assert_rc(do_status(handle), RC_INVALID_HANDLE);
    assert_rc(do_begin(handle), RC_INVALID_HANDLE);
    assert_rc(do_end(handle, CARD_LEAVE), RC_INVALID_HANDLE);
    assert_rc(do_control(handle), RC_INVALID_HANDLE);
    assert_rc(do_get_attribute(handle), RC_INVALID_HANDLE);
    assert_rc(do_set_attribute(handle), RC_INVALID_HANDLE);
    assert_rc(do_reconnect(handle, SHARE_SHARED, CARD_LEAVE), RC_INVALID_HANDLE);
}

static void owner_frees_the_whole_nest(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader), *other = bench_user(bench, reader);
    struct call call;

    for (unsigned i = 0; i < 3; i++)
        assert_rc(do_begin(owner), RC_OK);
    call_on(&call, bench, V_BEGIN, other);
    bench_await_blocked(bench, 1);
    assert_rc(do_disconnect(owner, CARD_LEAVE), RC_OK);
    assert_rc(call_join(&call), RC_OK);
    assert_rc(do_transmit(other), RC_OK);
    assert_rc(do_end(other, CARD_LEAVE), RC_OK);
}

static void leave_passes_a_transaction_reset_waits(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader), *leaves = bench_user(bench, reader);
    struct service_handle *resets = bench_user(bench, reader);
    struct call call;

    assert_rc(do_begin(owner), RC_OK);
    assert_rc(do_disconnect(leaves, CARD_LEAVE), RC_OK);
    call_disposing(&call, bench, V_DISCONNECT, resets, CARD_RESET);
    bench_await_blocked(bench, 1);
    assert_rc(do_transmit(owner), RC_OK);
    assert_rc(do_end(owner, CARD_LEAVE), RC_OK);
    assert_rc(call_join(&call), RC_OK);
    assert_rc(do_transmit(owner), RC_CARD_RESET);
}

/* It keeps its place in the queue even when the owner resets the card meanwhile. */
static void waiting_reset_outlives_events(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader), *resets = bench_user(bench, reader);
    struct call call;

    assert_rc(do_begin(owner), RC_OK);
    call_disposing(&call, bench, V_DISCONNECT, resets, CARD_UNPOWER);
    bench_await_blocked(bench, 1);
    assert_rc(do_reconnect(owner, SHARE_SHARED, CARD_RESET), RC_OK);
    bench_await_blocked(bench, 1);
    assert_false(call_is_done(&call));
    assert_rc(do_end(owner, CARD_RESET), RC_OK);
    assert_rc(call_join(&call), RC_OK);
}

static void cancelled_disconnect_keeps_the_handle(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader), *resets = bench_user(bench, reader);
    struct call call;

    assert_rc(do_begin(owner), RC_OK);
    call_disposing(&call, bench, V_DISCONNECT, resets, CARD_RESET);
    bench_await_blocked(bench, 1);
    assert_rc(do_cancel(resets->context), RC_OK);
    assert_rc(call_join(&call), RC_CANCELLED);
    assert_rc(do_end(owner, CARD_LEAVE), RC_OK);
    assert_rc(do_transmit(resets), RC_OK);
}

static void succeeds_whatever_became_of_card_and_reader(struct bench *bench)
{
    for (unsigned i = 0; i < 4; i++) {
        size_t reader = bench_add(bench, true);
        struct service_handle *handle = bench_user(bench, reader);

        bench_pull(bench, reader);
        assert_rc(do_disconnect(handle, (enum disposition)i), RC_OK);
        bench_insert(bench, reader);
        handle = bench_user(bench, reader);
        bench_detach(bench, reader);
        assert_rc(do_disconnect(handle, (enum disposition)i), RC_OK);
    }
}

const struct conform_case disconnect_cases[] = {
    SCRIPTED(disposition_acts_on_the_card),
    CASE(closed_handle_is_invalid),
    CASE(owner_frees_the_whole_nest),
    CASE(leave_passes_a_transaction_reset_waits),
    CASE(waiting_reset_outlives_events),
    CASE(cancelled_disconnect_keeps_the_handle),
    CASE(succeeds_whatever_became_of_card_and_reader),
    {0},
};
