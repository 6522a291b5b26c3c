/* SPDX-License-Identifier: MIT */
/* Connecting: share modes, protocols, cards that do not answer. */
#include "tests/conform/cases.h"

enum slot_content { EMPTY, CARD, MUTE_CARD };

static void outcome_depends_on_share_and_content(struct bench *bench)
{
    static const struct {
        enum slot_content content;
        enum share_mode share;
        uint32_t protocols;
        int rc;
    } rows[] = {
        {CARD, SHARE_SHARED, ANY, RC_OK},
        {CARD, SHARE_EXCLUSIVE, ANY, RC_OK},
        {CARD, SHARE_DIRECT, 0, RC_OK},
        {EMPTY, SHARE_SHARED, ANY, RC_NO_CARD},
        {EMPTY, SHARE_EXCLUSIVE, ANY, RC_NO_CARD},
        {EMPTY, SHARE_DIRECT, 0, RC_OK},
        {EMPTY, SHARE_DIRECT, ANY, RC_OK},
        {MUTE_CARD, SHARE_SHARED, ANY, RC_MUTE},
        {MUTE_CARD, SHARE_EXCLUSIVE, ANY, RC_MUTE},
        {MUTE_CARD, SHARE_DIRECT, 0, RC_OK},
    };
    struct service_context *context = bench_context(bench);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t reader = bench_add(bench, false);
        struct service_handle *handle;

        if (rows[i].content == MUTE_CARD)
            test_reader_fail(bench_device(bench, reader), OP_COLD, RC_MUTE, 100);
        if (rows[i].content != EMPTY)
            bench_insert(bench, reader);
        assert_rc(bench_try_connect(bench, context, reader, rows[i].share, rows[i].protocols, &handle),
                  rows[i].rc);
        if (!rows[i].rc)
            assert_rc(do_disconnect(handle, CARD_LEAVE), RC_OK);
        /* A failed connect leaves no user behind. */
        assert_int_equal(bench_state(bench, reader) & (STATE_INUSE | STATE_EXCLUSIVE), 0);
        bench_detach(bench, reader);
    }
}

static int connect_mask(struct bench *bench, struct service_context *context, size_t reader, uint32_t mask,
                        uint32_t *ret_protocol, struct service_handle **ret_handle)
{
    int rc = bench->service->ops->connect(context, bench->readers[reader].name, SHARE_SHARED, mask,
                                          ret_handle, ret_protocol);

    if (!rc)
        bench->handles[bench->handle_count++] = *ret_handle;
    return rc;
}

static void protocol_comes_from_card_and_mask(struct bench *bench)
{
    static const struct {
        const uint8_t *atr;
        size_t length;
        uint32_t mask;
        int rc;
        uint32_t protocol;
    } rows[] = {
        {test_atr_t0, sizeof test_atr_t0, ANY, RC_OK, T0},
        {test_atr_t0, sizeof test_atr_t0, T1, RC_PROTO_MISMATCH, 0},
        {test_atr_t1, sizeof test_atr_t1, ANY, RC_OK, T1},
        {test_atr_t1, sizeof test_atr_t1, T0, RC_PROTO_MISMATCH, 0},
        {test_atr_both, sizeof test_atr_both, ANY, RC_OK, T1},
        {test_atr_both, sizeof test_atr_both, T0, RC_OK, T0},
        {test_atr_both, sizeof test_atr_both, PROTOCOL_RAW, RC_OK, PROTOCOL_RAW},
    };
    struct service_context *context = bench_context(bench);
    size_t reader = bench_add(bench, false);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct service_handle *handle;
        uint32_t protocol = 0;

        test_reader_set_atr(bench_device(bench, reader), rows[i].atr, rows[i].length);
        bench_insert(bench, reader);
        assert_rc(connect_mask(bench, context, reader, rows[i].mask, &protocol, &handle), rows[i].rc);
        assert_int_equal(protocol, rows[i].protocol);
        if (!rows[i].rc)
            assert_rc(do_disconnect(handle, CARD_LEAVE), RC_OK);
        bench_pull(bench, reader);
    }
}

static void protocol_in_force_must_be_in_the_mask(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_context *context = bench_context(bench);
    struct service_handle *handle;
    uint32_t protocol = 0;

    bench_connect(bench, context, reader, SHARE_SHARED, T1);
    assert_rc(connect_mask(bench, context, reader, T0, &protocol, &handle), RC_PROTO_MISMATCH);
    assert_rc(connect_mask(bench, context, reader, ANY, &protocol, &handle), RC_OK);
    assert_int_equal(protocol, T1);
    /* A handle without a protocol sees the one in force. */
    assert_rc(bench->service->ops->connect(context, bench->readers[reader].name, SHARE_DIRECT, 0, &handle,
                                           &protocol),
              RC_OK);
    bench->handles[bench->handle_count++] = handle;
    assert_int_equal(protocol, T1);
}

static void refused_protocol_falls_back(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_context *context = bench_context(bench);
    struct service_handle *handle;
    uint32_t protocol = 0;

    test_reader_refuse_protocols(bench_device(bench, reader), T1);
    assert_rc(connect_mask(bench, context, reader, T1, &protocol, &handle), RC_UNRESPONSIVE);
    assert_rc(connect_mask(bench, context, reader, ANY, &protocol, &handle), RC_OK);
    assert_int_equal(protocol, T0);
    assert_rc(do_disconnect(handle, CARD_UNPOWER), RC_OK);

    test_reader_refuse_protocols(bench_device(bench, reader), ANY);
    assert_rc(connect_mask(bench, context, reader, ANY, &protocol, &handle), RC_UNRESPONSIVE);
    assert_int_equal(bench_state(bench, reader) & STATE_INUSE, 0);
    test_reader_refuse_protocols(bench_device(bench, reader), 0);
    assert_rc(connect_mask(bench, context, reader, ANY, &protocol, &handle), RC_OK);
    assert_int_equal(protocol, T1);
}

/* A reader that does not speak it is no fault of the card. */
static void mismatch_is_passed_on(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_context *context = bench_context(bench);
    struct service_handle *handle;
    uint32_t protocol = 0;

    test_reader_fail(bench_device(bench, reader), OP_PROTOCOL, RC_PROTO_MISMATCH, 1);
    assert_rc(connect_mask(bench, context, reader, T1, &protocol, &handle), RC_PROTO_MISMATCH);
    test_reader_fail(bench_device(bench, reader), OP_PROTOCOL, RC_PROTO_MISMATCH, 1);
    assert_rc(connect_mask(bench, context, reader, ANY, &protocol, &handle), RC_OK);
    assert_int_equal(protocol, T0);
}

/* ISO 7816-3:2006, 9: after a failed PPS exchange the card does not listen before it is reset. */
static void card_is_reset_before_the_fallback(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct reader *device = bench_device(bench, reader);
    unsigned resets = test_reader_count(device, OP_COLD) + test_reader_count(device, OP_WARM);

    test_reader_refuse_protocols(device, T1);
    bench_user(bench, reader);
    assert_int_equal(test_reader_count(device, OP_COLD) + test_reader_count(device, OP_WARM), resets + 1);
}

static void raw_needs_no_protocol_setup(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *handle;

    handle = bench_connect(bench, bench_context(bench), reader, SHARE_SHARED, PROTOCOL_RAW);
    assert_int_equal(test_reader_count(bench_device(bench, reader), OP_PROTOCOL), 0);
    assert_rc(do_transmit(handle), RC_OK);
}

static void exclusive_excludes_everybody(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_context *context = bench_context(bench);
    struct service_handle *mine = bench_connect(bench, context, reader, SHARE_EXCLUSIVE, ANY), *other;

    assert_rc(bench_try_connect(bench, bench_context(bench), reader, SHARE_SHARED, ANY, &other), RC_SHARING);
    assert_rc(bench_try_connect(bench, bench_context(bench), reader, SHARE_DIRECT, 0, &other), RC_SHARING);
    assert_rc(bench_try_connect(bench, bench_context(bench), reader, SHARE_EXCLUSIVE, ANY, &other),
              RC_SHARING);
    /* The same context's handles count too. */
    assert_rc(bench_try_connect(bench, context, reader, SHARE_SHARED, ANY, &other), RC_SHARING);
    assert_rc(do_disconnect(mine, CARD_LEAVE), RC_OK);
    mine = bench_connect(bench, context, reader, SHARE_DIRECT, 0);
    assert_rc(bench_try_connect(bench, context, reader, SHARE_EXCLUSIVE, ANY, &other), RC_SHARING);
    assert_rc(bench_try_connect(bench, context, reader, SHARE_SHARED, ANY, &other), RC_OK);
}

static void unknown_reader(struct bench *bench)
{
    struct service_context *context = bench_context(bench);
    struct service_handle *handle;
    uint32_t protocol;

    bench_add(bench, true);
    assert_rc(bench->service->ops->connect(context, "Nobody 00 00", SHARE_SHARED, ANY, &handle, &protocol),
              RC_UNKNOWN_READER);
    assert_rc(bench->service->ops->connect(context, "", SHARE_SHARED, ANY, &handle, &protocol),
              RC_UNKNOWN_READER);
    assert_rc(bench->service->ops->connect(context, PNP_READER, SHARE_DIRECT, 0, &handle, &protocol),
              RC_UNKNOWN_READER);
}

static void status_bits(struct bench *bench)
{
    size_t with_card = bench_add(bench, true), empty = bench_add(bench, false),
           mute = bench_add(bench, false);
    struct service_context *context = bench_context(bench);
    struct service_handle *handle;
    struct handle_status status;

    test_reader_fail(bench_device(bench, mute), OP_COLD, RC_MUTE, 100);
    bench_insert(bench, mute);
    handle = bench_connect(bench, context, with_card, SHARE_SHARED, ANY);
    assert_rc(bench->service->ops->status(handle, &status), RC_OK);
    assert_int_equal(status.state, 0x00010034);
    assert_int_equal(status.protocol, T1);
    assert_int_equal(status.atr_length, sizeof test_atr_both);
    assert_memory_equal(status.atr, test_atr_both, sizeof test_atr_both);
    assert_string_equal(status.reader, bench->readers[with_card].name);

    handle = bench_connect(bench, context, empty, SHARE_DIRECT, 0);
    assert_rc(bench->service->ops->status(handle, &status), RC_OK);
    assert_int_equal(status.state, CARD_ABSENT);
    assert_int_equal(status.atr_length, 0);

    handle = bench_connect(bench, context, mute, SHARE_DIRECT, 0);
    assert_rc(bench->service->ops->status(handle, &status), RC_OK);
    assert_int_equal(status.state & 0xFFFF, CARD_PRESENT | CARD_SWALLOWED);
    assert_int_equal(status.atr_length, 0);
    assert_int_equal(bench_state(bench, mute) & 0xFFFF, STATE_PRESENT | STATE_MUTE | STATE_INUSE);
}

/* Somebody who tries to connect to a card that is off disturbs nobody: there was no card state to lose. */
static void powering_up_is_no_reset(struct bench *bench)
{
    size_t reader = bench_add(bench, false);
    struct service_handle *direct, *other;

    test_reader_fail(bench_device(bench, reader), OP_COLD, RC_MUTE, 2);
    bench_insert(bench, reader);
    direct = bench_connect(bench, bench_context(bench), reader, SHARE_DIRECT, 0);
    assert_rc(bench_try_connect(bench, bench_context(bench), reader, SHARE_SHARED, ANY, &other), RC_MUTE);
    assert_rc(do_status(direct), RC_OK);
    other = bench_user(bench, reader);
    assert_rc(do_status(direct), RC_OK);
    assert_int_equal(status_state(other), 0x34);
}

/* A card that left and another that came, unnoticed until now: the connect finds the one that is in. */
static void connect_finds_the_card_that_is_in(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct reader *device = bench_device(bench, reader);
    struct service_handle *old = bench_user(bench, reader);
    uint32_t before = bench_state(bench, reader) >> 16;
    struct call call;

    test_reader_hold(device, OP_PRESENCE);
    call_connect(&call, bench, bench_context(bench), reader, SHARE_SHARED);
    assert_true(test_reader_await_held(device, OP_PRESENCE));
    test_reader_remove(device);
    test_reader_insert(device);
    test_reader_let_go(device, OP_PRESENCE);
    assert_rc(call_join(&call), RC_OK);
    assert_rc(do_transmit(call.handle), RC_OK);
    assert_rc(do_transmit(old), RC_CARD_REMOVED);
    assert_int_equal(bench_state(bench, reader) >> 16, before + 2);
}

const struct conform_case connect_cases[] = {
    SCRIPTED(outcome_depends_on_share_and_content),
    SCRIPTED(protocol_comes_from_card_and_mask),
    SCRIPTED(protocol_in_force_must_be_in_the_mask),
    SCRIPTED(refused_protocol_falls_back),
    SCRIPTED(mismatch_is_passed_on),
    SCRIPTED(card_is_reset_before_the_fallback),
    SCRIPTED(raw_needs_no_protocol_setup),
    CASE(exclusive_excludes_everybody),
    CASE(unknown_reader),
    SCRIPTED(status_bits),
    SCRIPTED(powering_up_is_no_reset),
    SCRIPTED(connect_finds_the_card_that_is_in),
    {0},
};
