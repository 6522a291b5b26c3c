/* SPDX-License-Identifier: MIT */
/* Power between users: an idle card is powered off after a while. */
#include "manager/local.h"
#include "tests/conform/cases.h"

static void idle_card_goes_off_and_comes_back(struct bench *bench)
{
    size_t reader;
    struct reader *device;
    struct service_handle *handle;
    struct reader_watch watch;

    local_set_idle_power_ms(bench->machine, 1);
    reader = bench_add(bench, true);
    device = bench_device(bench, reader);
    assert_true(test_reader_await_count(device, OP_OFF, 1));
    /* The card is still known. */
    watch = (struct reader_watch){.name = bench->readers[reader].name};
    assert_rc(bench->service->ops->wait(bench->observer, deadline_in_ms(0), &watch, 1), RC_OK);
    assert_int_equal(watch.event, 0x00010022);
    assert_int_equal(watch.atr_length, sizeof test_atr_both);
    handle = bench_user(bench, reader);
    assert_int_equal(test_reader_count(device, OP_COLD), 2);
    assert_rc(do_transmit(handle), RC_OK);
    assert_rc(do_disconnect(handle, CARD_LEAVE), RC_OK);
    assert_true(test_reader_await_count(device, OP_OFF, 2));
    /* The next user may choose the protocol anew. */
    handle = bench_connect(bench, bench_context(bench), reader, SHARE_SHARED, T0);
    do_release(handle->context);
    assert_true(test_reader_await_count(device, OP_OFF, 3));
}

static void card_in_use_stays_on(struct bench *bench)
{
    size_t used, idle;
    struct service_handle *handle;

    local_set_idle_power_ms(bench->machine, 1);
    used = bench_add(bench, true);
    handle = bench_connect(bench, bench_context(bench), used, SHARE_SHARED, ANY);
    /* Once another reader's card went off twice, this one's time is long over. */
    idle = bench_add(bench, true);
    for (unsigned i = 1; i <= 2; i++) {
        assert_true(test_reader_await_count(bench_device(bench, idle), OP_OFF, i));
        assert_rc(do_disconnect(bench_user(bench, idle), CARD_LEAVE), RC_OK);
    }
    assert_rc(do_transmit(handle), RC_OK);
    assert_int_equal(status_state(handle), 0x34);
}

/* Whoever powers a card up and is refused leaves it to go off again. */
static void failed_connect_leaves_no_card_on(struct bench *bench)
{
    size_t reader;
    struct reader *device;
    struct service_handle *handle;

    local_set_idle_power_ms(bench->machine, 1);
    reader = bench_add(bench, false);
    device = bench_device(bench, reader);
    test_reader_set_atr(device, test_atr_t1, sizeof test_atr_t1);
    bench_insert(bench, reader);
    assert_true(test_reader_await_count(device, OP_OFF, 1));
    assert_rc(bench_try_connect(bench, bench_context(bench), reader, SHARE_SHARED, T0, &handle),
              RC_PROTO_MISMATCH);
    assert_int_equal(test_reader_count(device, OP_COLD), 2);
    assert_true(test_reader_await_count(device, OP_OFF, 2));
}

/* Whoever loses patience with a power-up has learned nothing about the card. */
static void aborted_power_up_makes_no_card_mute(struct bench *bench)
{
    struct service_context *context = bench_context(bench);
    size_t reader;
    struct reader *device;
    struct call connect;

    local_set_idle_power_ms(bench->machine, 1);
    reader = bench_add(bench, true);
    device = bench_device(bench, reader);
    assert_true(test_reader_await_count(device, OP_OFF, 1));
    test_reader_hold(device, OP_COLD);
    call_connect(&connect, bench, context, reader, SHARE_SHARED);
    assert_true(test_reader_await_held(device, OP_COLD));
    assert_rc(bench->service->ops->abort(context), RC_OK);
    assert_rc(call_join(&connect), RC_CANCELLED);
    test_reader_let_go(device, OP_COLD);
    /* A server may still be about to take its connection back. */
    assert_int_equal(bench_await_state(bench, reader, 0, STATE_INUSE), 0x00010020);
}

/* A card whose time has come while the device is busy goes off when it is not. */
static void busy_device_is_powered_off_later(struct bench *bench)
{
    size_t reader;
    struct reader *device;

    local_set_idle_power_ms(bench->machine, 1);
    reader = bench_add(bench, true);
    device = bench_device(bench, reader);
    assert_true(test_reader_await_count(device, OP_OFF, 1));
    for (unsigned i = 2; i < 10; i++) {
        struct service_handle *handle = bench_user(bench, reader);

        test_reader_hold(device, OP_PRESENCE);
        test_reader_stir(device);
        assert_true(test_reader_await_held(device, OP_PRESENCE));
        assert_rc(do_disconnect(handle, CARD_LEAVE), RC_OK);
        test_reader_let_go(device, OP_PRESENCE);
        assert_true(test_reader_await_count(device, OP_OFF, i));
    }
}

/* A card that takes its time to go off keeps no other from it. */
static void slow_power_off_delays_no_other(struct bench *bench)
{
    struct reader *device[2];

    local_set_idle_power_ms(bench->machine, 1);
    for (unsigned i = 0; i < 2; i++) {
        size_t reader = bench_add(bench, false);

        device[i] = bench_device(bench, reader);
        test_reader_hold(device[i], OP_OFF);
        bench_insert(bench, reader);
    }
    for (unsigned i = 0; i < 2; i++)
        assert_true(test_reader_await_held(device[i], OP_OFF));
    for (unsigned i = 0; i < 2; i++)
        test_reader_let_go(device[i], OP_OFF);
}

static void released_readers_card_is_not_touched(struct bench *bench)
{
    size_t gone, stays;

    local_set_idle_power_ms(bench->machine, 1);
    gone = bench_add(bench, true);
    bench_detach(bench, gone);
    stays = bench_add(bench, true);
    assert_true(test_reader_await_count(bench_device(bench, stays), OP_OFF, 1));
    assert_true(test_reader_is_closed(bench_device(bench, gone)));
}

const struct conform_case power_cases[] = {
    SCRIPTED(idle_card_goes_off_and_comes_back),    SCRIPTED(card_in_use_stays_on),
    SCRIPTED(failed_connect_leaves_no_card_on),     SCRIPTED(aborted_power_up_makes_no_card_mute),
    SCRIPTED(busy_device_is_powered_off_later),     SCRIPTED(slow_power_off_delays_no_other),
    SCRIPTED(released_readers_card_is_not_touched), {0},
};
