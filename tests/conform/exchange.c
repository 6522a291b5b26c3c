/* SPDX-License-Identifier: MIT */
/* Exchanges with card and reader. */
#include <string.h>

#include "tests/conform/cases.h"

static int transmit(struct service_handle *handle, uint32_t protocol, size_t capacity, size_t *ret_length)
{
    static const uint8_t command[] = {0x00, 0xCA, 0x01, 0x02};
    uint8_t response[64];

    return handle->context->service->ops->transmit(handle, protocol, command, sizeof command, response,
                                                   capacity, ret_length);
}

static void answer_comes_back(struct bench *bench)
{
    static const uint8_t command[] = {0x00, 0xCA, 0x01, 0x02}, expected[] = {0xCA, 0x01, 0x02, 0x90, 0x00};
    size_t reader = bench_add(bench, true), length = 0;
    struct service_handle *handle = bench_user(bench, reader);
    uint8_t response[sizeof expected];

    assert_rc(bench->service->ops->transmit(handle, T1, command, sizeof command, response, sizeof response,
                                            &length),
              RC_OK);
    assert_int_equal(length, sizeof expected);
    assert_memory_equal(response, expected, sizeof expected);
}

static void short_room_tells_the_need_and_the_card_did_it(struct bench *bench)
{
    size_t reader = bench_add(bench, true), length = 0;
    struct service_handle *handle = bench_user(bench, reader);

    assert_rc(transmit(handle, T1, 4, &length), RC_INSUFFICIENT_BUFFER);
    assert_int_equal(length, 5);
    assert_int_equal(test_reader_count(bench_device(bench, reader), OP_TRANSMIT), 1);
    assert_rc(transmit(handle, T1, 5, &length), RC_OK);
}

static void protocol_must_be_the_active_one(struct bench *bench)
{
    size_t reader = bench_add(bench, true), empty = bench_add(bench, false), length;
    struct service_handle *handle = bench_user(bench, reader);
    struct service_handle *direct = bench_connect(bench, bench_context(bench), empty, SHARE_DIRECT, 0);

    assert_rc(transmit(handle, T0, 64, &length), RC_PROTO_MISMATCH);
    assert_rc(transmit(handle, T1, 64, &length), RC_OK);
    assert_rc(transmit(handle, PROTOCOL_RAW, 64, &length), RC_OK);
    assert_rc(transmit(direct, T1, 64, &length), RC_NO_CARD);
    assert_rc(transmit(direct, PROTOCOL_RAW, 64, &length), RC_NO_CARD);
    bench_insert(bench, empty);
    assert_rc(transmit(direct, T1, 64, &length), RC_PROTO_MISMATCH);
    assert_rc(transmit(direct, PROTOCOL_RAW, 64, &length), RC_OK);
}

static void failures_of_an_exchange(struct bench *bench)
{
    static const struct {
        int from, to;
    } rows[] = {
        {RC_MUTE, RC_NOT_TRANSACTED},         {RC_TIMEOUT, RC_NOT_TRANSACTED},
        {RC_IO, RC_NOT_TRANSACTED},           {RC_NOT_TRANSACTED, RC_NOT_TRANSACTED},
        {RC_UNRESPONSIVE, RC_NOT_TRANSACTED},
    };
    size_t reader = bench_add(bench, true);
    struct service_handle *handle = bench_user(bench, reader);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        test_reader_fail(bench_device(bench, reader), OP_TRANSMIT, rows[i].from, 1);
        assert_rc(do_transmit(handle), rows[i].to);
        assert_rc(do_transmit(handle), RC_OK);
    }
}

static void control_needs_no_card(struct bench *bench)
{
    size_t reader = bench_add(bench, false), length = 0;
    struct service_handle *direct = bench_connect(bench, bench_context(bench), reader, SHARE_DIRECT, 0);
    const struct service_ops *ops = bench->service->ops;
    uint8_t out[2];

    assert_rc(do_control(direct), RC_OK);
    assert_rc(ops->control(direct, TEST_CONTROL_ECHO, NULL, 0, NULL, 0, &length), RC_OK);
    assert_int_equal(length, 0);
    assert_rc(ops->control(direct, TEST_CONTROL_ECHO, (const uint8_t *)"abc", 3, out, 2, &length),
              RC_INSUFFICIENT_BUFFER);
    assert_int_equal(length, 3);
    assert_rc(ops->control(direct, 0x42001234, NULL, 0, out, 2, &length), RC_UNSUPPORTED);
}

static void attributes(struct bench *bench)
{
    size_t reader = bench_add(bench, true), length = 0;
    struct service_handle *handle = bench_user(bench, reader);
    const struct service_ops *ops = bench->service->ops;
    static uint8_t out[TEST_ATTRIBUTE_LENGTH];

    assert_rc(ops->get_attribute(handle, TEST_ATTRIBUTE_LONG, NULL, 0, &length), RC_INSUFFICIENT_BUFFER);
    assert_int_equal(length, TEST_ATTRIBUTE_LENGTH);
    assert_rc(ops->get_attribute(handle, TEST_ATTRIBUTE_LONG, out, sizeof out, &length), RC_OK);
    assert_rc(ops->get_attribute(handle, 0x00090303, out, sizeof out, &length), RC_OK);
    assert_int_equal(length, sizeof test_atr_both);
    assert_memory_equal(out, test_atr_both, length);
    assert_rc(ops->get_attribute(handle, 0x7FFF0003, out, sizeof out, &length), RC_OK);
    assert_int_equal(length, strlen(bench->readers[reader].name) + 1);
    assert_string_equal((char *)out, bench->readers[reader].name);
    assert_rc(ops->get_attribute(handle, 0x7FFF0005, out, sizeof out, &length), RC_UNSUPPORTED);
    assert_rc(do_set_attribute(handle), RC_OK);
    assert_rc(ops->set_attribute(handle, 0x00090303, out, 1), RC_UNSUPPORTED);
}

/* One device, one exchange at a time; the bench checks the reader for that. */
static void exchanges_on_a_reader_take_turns(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct reader *device = bench_device(bench, reader);
    struct service_context *context = bench_context(bench);
    struct service_handle *handles[6];
    struct call calls[6];

    for (unsigned i = 0; i < 6; i++)
        handles[i] = bench_connect(bench, context, reader, SHARE_SHARED, ANY);
    test_reader_hold(device, OP_TRANSMIT);
    for (unsigned i = 0; i < 6; i++)
        call_on(&calls[i], bench, V_TRANSMIT, handles[i]);
    bench_await_blocked(bench, 5);
    test_reader_let_go(device, OP_TRANSMIT);
    for (unsigned i = 0; i < 6; i++)
        assert_rc(call_join(&calls[i]), RC_OK);
    assert_int_equal(test_reader_count(device, OP_TRANSMIT), 6);
}

static void exchanges_on_two_readers_do_not(struct bench *bench)
{
    size_t one = bench_add(bench, true), two = bench_add(bench, true);
    struct service_context *context = bench_context(bench);
    struct service_handle *first = bench_connect(bench, context, one, SHARE_SHARED, ANY);
    struct service_handle *second = bench_connect(bench, context, two, SHARE_SHARED, ANY);
    struct call calls[2];

    test_reader_hold(bench_device(bench, one), OP_TRANSMIT);
    test_reader_hold(bench_device(bench, two), OP_TRANSMIT);
    call_on(&calls[0], bench, V_TRANSMIT, first);
    call_on(&calls[1], bench, V_TRANSMIT, second);
    assert_true(test_reader_await_held(bench_device(bench, one), OP_TRANSMIT));
    assert_true(test_reader_await_held(bench_device(bench, two), OP_TRANSMIT));
    test_reader_let_go(bench_device(bench, two), OP_TRANSMIT);
    assert_rc(call_join(&calls[1]), RC_OK);
    assert_false(call_is_done(&calls[0]));
    test_reader_let_go(bench_device(bench, one), OP_TRANSMIT);
    assert_rc(call_join(&calls[0]), RC_OK);
}

const struct conform_case exchange_cases[] = {
    SCRIPTED(answer_comes_back),
    SCRIPTED(short_room_tells_the_need_and_the_card_did_it),
    SCRIPTED(protocol_must_be_the_active_one),
    SCRIPTED(failures_of_an_exchange),
    SCRIPTED(control_needs_no_card),
    SCRIPTED(attributes),
    SCRIPTED(exchanges_on_a_reader_take_turns),
    SCRIPTED(exchanges_on_two_readers_do_not),
    {0},
};
