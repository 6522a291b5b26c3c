/* SPDX-License-Identifier: MIT */
/* Transactions: who owns, who waits, who is refused, how they end. */
#include "tests/conform/cases.h"

static void nests_and_is_counted(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader), *other = bench_user(bench, reader);

    assert_rc(do_end(owner, CARD_LEAVE), RC_NOT_TRANSACTED);
    for (unsigned i = 0; i < 5; i++)
        assert_rc(do_begin(owner), RC_OK);
    for (unsigned i = 0; i < 4; i++)
        assert_rc(do_end(owner, CARD_LEAVE), RC_OK);
    assert_rc(do_end(other, CARD_LEAVE), RC_SHARING);
    assert_rc(do_end(owner, CARD_LEAVE), RC_OK);
    assert_rc(do_end(owner, CARD_LEAVE), RC_NOT_TRANSACTED);
    assert_rc(do_begin(other), RC_OK);
}

static void only_the_owner_resets(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct reader *device = bench_device(bench, reader);
    struct service_handle *owner = bench_user(bench, reader), *other = bench_user(bench, reader);
    unsigned resets = test_reader_count(device, OP_WARM) + test_reader_count(device, OP_COLD);

    assert_rc(do_end(owner, CARD_RESET), RC_NOT_TRANSACTED);
    assert_rc(do_end(owner, CARD_UNPOWER), RC_NOT_TRANSACTED);
    assert_rc(do_begin(owner), RC_OK);
    assert_rc(do_end(other, CARD_RESET), RC_SHARING);
    assert_int_equal(test_reader_count(device, OP_WARM) + test_reader_count(device, OP_COLD), resets);
    assert_rc(do_transmit(owner), RC_OK);
}

/* What others may do while somebody owns the transaction. */
static void others_wait_or_are_refused_or_pass(struct bench *bench)
{
    static const struct {
        enum verb verb;
        enum disposition disposition;
        int rc; /* RC_INTERNAL: waits, then succeeds */
    } rows[] = {
        {V_TRANSMIT, CARD_LEAVE, RC_INTERNAL},     {V_STATUS, CARD_LEAVE, RC_INTERNAL},
        {V_BEGIN, CARD_LEAVE, RC_INTERNAL},        {V_RECONNECT, CARD_LEAVE, RC_INTERNAL},
        {V_RECONNECT, CARD_RESET, RC_INTERNAL},    {V_DISCONNECT, CARD_RESET, RC_INTERNAL},
        {V_DISCONNECT, CARD_UNPOWER, RC_INTERNAL}, {V_DISCONNECT, CARD_EJECT, RC_INTERNAL},
        {V_GET_ATTRIBUTE, CARD_LEAVE, RC_SHARING}, {V_SET_ATTRIBUTE, CARD_LEAVE, RC_SHARING},
        {V_CONTROL, CARD_LEAVE, RC_SHARING},       {V_END, CARD_LEAVE, RC_SHARING},
        {V_DISCONNECT, CARD_LEAVE, RC_OK},
    };
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct service_handle *other = bench_user(bench, reader);
        struct call call;

        assert_rc(do_begin(owner), RC_OK);
        call_disposing(&call, bench, rows[i].verb, other, rows[i].disposition);
        if (rows[i].rc == RC_INTERNAL)
            bench_await_blocked(bench, 1);
        else
            assert_rc(call_join(&call), rows[i].rc);
        assert_rc(do_transmit(owner), RC_OK);
        assert_rc(do_end(owner, CARD_LEAVE), RC_OK);
        if (rows[i].rc == RC_INTERNAL)
            assert_rc(call_join(&call), RC_OK);
        do_disconnect(other, CARD_LEAVE);
        assert_rc(do_reconnect(owner, SHARE_SHARED, CARD_LEAVE), RC_OK);
    }
}

static void connects_wait_and_lookers_pass(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader);
    struct service_context *bystander = bench_context(bench);
    struct call shared, direct;

    assert_rc(do_begin(owner), RC_OK);
    call_connect(&shared, bench, bench_context(bench), reader, SHARE_SHARED);
    call_connect(&direct, bench, bench_context(bench), reader, SHARE_DIRECT);
    bench_await_blocked(bench, 2);
    bench_state(bench, reader);
    do_release(bystander);
    assert_false(call_is_done(&shared));
    assert_false(call_is_done(&direct));
    assert_rc(do_end(owner, CARD_LEAVE), RC_OK);
    assert_rc(call_join(&shared), RC_OK);
    assert_rc(call_join(&direct), RC_OK);
}

static void own_reset_is_an_event_for_all(struct bench *bench)
{
    static const enum disposition how[] = {CARD_RESET, CARD_UNPOWER};

    for (size_t i = 0; i < 2; i++) {
        size_t reader = bench_add(bench, true);
        struct service_handle *owner = bench_user(bench, reader), *other = bench_user(bench, reader);
        struct service_handle *third;

        assert_rc(do_begin(owner), RC_OK);
        assert_rc(do_end(owner, how[i]), RC_OK);
        assert_rc(do_transmit(owner), RC_CARD_RESET);
        assert_rc(do_transmit(other), RC_CARD_RESET);
        /* The card is powered, and its protocol is open again. */
        third = bench_connect(bench, bench_context(bench), reader, SHARE_DIRECT, 0);
        assert_int_equal(status_state(third), 0x34);
        assert_rc(do_reconnect(owner, SHARE_SHARED, CARD_LEAVE), RC_OK);
        assert_rc(do_begin(owner), RC_OK);
    }
}

static void reset_inside_a_nest_ends_it(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader), *other = bench_user(bench, reader);

    assert_rc(do_begin(owner), RC_OK);
    assert_rc(do_begin(owner), RC_OK);
    assert_rc(do_end(owner, CARD_RESET), RC_OK); /* acts now */
    assert_rc(do_end(other, CARD_LEAVE), RC_CARD_RESET);
    assert_rc(do_end(owner, CARD_LEAVE), RC_CARD_RESET); /* and lets go */
    assert_rc(do_reconnect(other, SHARE_SHARED, CARD_LEAVE), RC_OK);
    assert_rc(do_begin(other), RC_OK);
}

static void removal_ends_it(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader), *other = bench_user(bench, reader);
    struct call begin, connect;

    assert_rc(do_begin(owner), RC_OK);
    call_on(&begin, bench, V_BEGIN, other);
    call_connect(&connect, bench, bench_context(bench), reader, SHARE_SHARED);
    bench_await_blocked(bench, 2);
    bench_pull_only(bench, reader);
    assert_rc(call_join(&begin), RC_CARD_REMOVED);
    assert_rc(call_join(&connect), RC_NO_CARD);
    assert_rc(do_end(owner, CARD_LEAVE), RC_CARD_REMOVED);
    bench_insert(bench, reader);
    assert_rc(do_reconnect(other, SHARE_SHARED, CARD_LEAVE), RC_OK);
    assert_rc(do_begin(other), RC_OK);
}

static void works_on_an_empty_reader(struct bench *bench)
{
    size_t reader = bench_add(bench, false);
    struct service_handle *direct = bench_connect(bench, bench_context(bench), reader, SHARE_DIRECT, 0);

    assert_rc(do_begin(direct), RC_OK);
    bench_insert(bench, reader); /* a card that comes is no event */
    assert_int_equal(status_state(direct), 0x34);
    assert_rc(do_end(direct, CARD_LEAVE), RC_OK);
}

/* Ending with a disposition while others wait: they learn of the reset and do not get a card in unknown
 * state. */
static void waiting_begin_learns_of_the_reset(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader), *other = bench_user(bench, reader);
    struct call call;

    assert_rc(do_begin(owner), RC_OK);
    call_on(&call, bench, V_BEGIN, other);
    bench_await_blocked(bench, 1);
    assert_rc(do_end(owner, CARD_RESET), RC_OK);
    assert_rc(call_join(&call), RC_CARD_RESET);
    assert_rc(do_reconnect(owner, SHARE_SHARED, CARD_LEAVE), RC_OK);
    assert_rc(do_begin(owner), RC_OK);
}

const struct conform_case transaction_cases[] = {
    CASE(nests_and_is_counted),
    SCRIPTED(only_the_owner_resets),
    SCRIPTED(others_wait_or_are_refused_or_pass),
    CASE(connects_wait_and_lookers_pass),
    CASE(own_reset_is_an_event_for_all),
    CASE(reset_inside_a_nest_ends_it),
    CASE(removal_ends_it),
    CASE(works_on_an_empty_reader),
    CASE(waiting_begin_learns_of_the_reset),
    {0},
};
