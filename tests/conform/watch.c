/* SPDX-License-Identifier: MIT */
/* Waiting for changes: what counts as changed, timeouts, the list of readers. */
#include <string.h>
#include <strings.h>

#include "tests/conform/cases.h"

static int look(struct bench *bench, struct reader_watch *watches, size_t count)
{
    return bench->service->ops->wait(bench->observer, deadline_in_ms(0), watches, count);
}

enum actual { IS_EMPTY, IS_IDLE, IS_SHARED, IS_EXCLUSIVE, IS_MUTE, IS_FAULTY };
enum counter { NONE, SAME, OTHER };

static void what_counts_as_changed(struct bench *bench)
{
    static const struct {
        enum actual actual;
        uint32_t current;
        enum counter counter;
        bool changed;
    } rows[] = {
        {IS_EMPTY, STATE_UNAWARE, NONE, true},
        {IS_IDLE, STATE_UNAWARE, NONE, true},
        {IS_FAULTY, STATE_UNAWARE, NONE, true},
        {IS_IDLE, STATE_UNAWARE, SAME, false},
        {IS_EMPTY, STATE_EMPTY, NONE, false},
        {IS_EMPTY, STATE_PRESENT, NONE, true},
        {IS_IDLE, STATE_EMPTY, NONE, true},
        {IS_IDLE, STATE_PRESENT, NONE, false},
        {IS_IDLE, STATE_PRESENT, SAME, false},
        {IS_IDLE, STATE_PRESENT, OTHER, true},
        {IS_EMPTY, STATE_EMPTY, OTHER, true},
        {IS_IDLE, STATE_PRESENT | STATE_UNKNOWN, NONE, true},
        {IS_IDLE, STATE_PRESENT | STATE_UNAVAILABLE, NONE, true},
        {IS_EMPTY, STATE_UNKNOWN, NONE, true},
        {IS_FAULTY, STATE_UNAVAILABLE, NONE, false},
        {IS_FAULTY, STATE_PRESENT, NONE, true},
        {IS_FAULTY, STATE_EMPTY, NONE, true},
        {IS_MUTE, STATE_PRESENT, NONE, true},
        {IS_MUTE, STATE_PRESENT | STATE_MUTE, NONE, false},
        {IS_IDLE, STATE_PRESENT | STATE_MUTE, NONE, true},
        {IS_EMPTY, STATE_EMPTY | STATE_MUTE, NONE, false},
        {IS_SHARED, STATE_PRESENT, NONE, false},
        {IS_EXCLUSIVE, STATE_PRESENT, NONE, false},
        {IS_SHARED, STATE_PRESENT | STATE_INUSE, NONE, false},
        {IS_IDLE, STATE_PRESENT | STATE_INUSE, NONE, true},
        {IS_EXCLUSIVE, STATE_PRESENT | STATE_INUSE, NONE, true},
        {IS_EXCLUSIVE, STATE_PRESENT | STATE_EXCLUSIVE, NONE, false},
        {IS_SHARED, STATE_PRESENT | STATE_EXCLUSIVE, NONE, true},
        {IS_IDLE, STATE_PRESENT | STATE_EXCLUSIVE, NONE, true},
        {IS_IDLE, STATE_CHANGED, NONE, false},
        {IS_EMPTY, STATE_CHANGED, NONE, false},
        {IS_IDLE, STATE_PRESENT | STATE_CHANGED, SAME, false},
        {IS_IDLE, STATE_PRESENT | 0x40, NONE, false}, /* ATRMATCH of a LocateCards */
        {IS_IDLE, STATE_PRESENT | 0x400, NONE, false},
    };
    static const uint32_t states[] = {
        STATE_EMPTY,
        STATE_PRESENT,
        STATE_PRESENT | STATE_INUSE,
        STATE_PRESENT | STATE_EXCLUSIVE,
        STATE_PRESENT | STATE_MUTE,
        STATE_UNAVAILABLE,
    };
    size_t readers[6];

    for (unsigned i = 0; i < 6; i++)
        readers[i] = bench_add(bench, i != IS_EMPTY && i != IS_MUTE);
    test_reader_fail(bench_device(bench, readers[IS_MUTE]), OP_COLD, RC_MUTE, 1);
    bench_insert(bench, readers[IS_MUTE]);
    bench_user(bench, readers[IS_SHARED]);
    bench_connect(bench, bench_context(bench), readers[IS_EXCLUSIVE], SHARE_EXCLUSIVE, ANY);
    test_reader_fail(bench_device(bench, readers[IS_FAULTY]), OP_PRESENCE, RC_READER_UNAVAILABLE, 1000);
    test_reader_stir(bench_device(bench, readers[IS_FAULTY]));
    bench_await_state(bench, readers[IS_FAULTY], STATE_UNAVAILABLE, STATE_UNAVAILABLE);

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t reader = readers[rows[i].actual];
        uint32_t actual = bench_state(bench, reader), count = actual >> 16;
        struct reader_watch watch = {.name = bench->readers[reader].name, .current = rows[i].current};
        int rc;

        watch.current |= (rows[i].counter == SAME ? count : rows[i].counter == OTHER ? count + 7 : 0) << 16;
        rc = look(bench, &watch, 1);
        if (rc != (rows[i].changed ? RC_OK : RC_TIMEOUT))
            fail_msg("row %zu: %s", i, rc_name(rc));
        assert_int_equal(watch.event & 0xFFFF,
                         states[rows[i].actual] | (rows[i].changed ? STATE_CHANGED : 0));
        assert_int_equal(watch.event >> 16, rows[i].actual == IS_FAULTY ? 0 : count);
    }
}

static void entries_are_filled_whatever_the_result(struct bench *bench)
{
    size_t with_card = bench_add(bench, true), empty = bench_add(bench, false);
    struct reader_watch watches[2] = {
        {.name = bench->readers[with_card].name, .current = STATE_PRESENT, .atr_length = 33},
        {.name = bench->readers[empty].name, .current = STATE_EMPTY, .atr_length = 33},
    };

    assert_rc(look(bench, watches, 2), RC_TIMEOUT);
    assert_int_equal(watches[0].event, 0x00010020);
    assert_int_not_equal(watches[0].atr_length, 0);
    assert_int_equal(watches[1].event, 0x00000010);
    assert_int_equal(watches[1].atr_length, 0);
    watches[1].current = STATE_UNAWARE;
    assert_rc(look(bench, watches, 2), RC_OK);
    assert_int_equal(watches[0].event, 0x00010020); /* not the one that changed */
    assert_int_equal(watches[1].event, 0x00000012);
}

static void unknown_names_and_ignored_entries(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct reader_watch watches[3] = {
        {.name = bench->readers[reader].name, .current = STATE_UNAWARE, .event = 0x1234},
        {.name = "Nobody 00 00", .current = STATE_UNAWARE, .event = 0x1234},
        {.name = bench->readers[reader].name, .current = STATE_IGNORE, .event = 0x1234},
    };

    assert_rc(look(bench, watches, 3), RC_UNKNOWN_READER);
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(watches[i].event, 0x1234);
    watches[1].current = STATE_IGNORE;
    assert_rc(look(bench, watches, 3), RC_OK);
    assert_int_equal(watches[0].event & 0xFFFF, STATE_PRESENT | STATE_CHANGED);
    assert_int_equal(watches[1].event, 0);
    assert_int_equal(watches[2].event, 0);
    /* Nothing but entries to skip, or none at all: nothing to do, at once. */
    watches[1].event = 0x1234;
    assert_rc(bench->service->ops->wait(bench->observer, deadline_never(), watches + 1, 2), RC_OK);
    assert_int_equal(watches[1].event, 0x1234);
    assert_rc(bench->service->ops->wait(bench->observer, deadline_never(), NULL, 0), RC_OK);
}

static void insertion_and_removal_wake(struct bench *bench)
{
    size_t reader = bench_add(bench, false);
    struct service_context *context = bench_context(bench);
    struct reader_watch watch = {.name = bench->readers[reader].name, .current = STATE_EMPTY};
    struct call call;

    for (unsigned i = 0; i < 20; i++) {
        bool insert = i % 2 == 0;

        call_wait(&call, bench, context, &watch, 1);
        bench_await_blocked(bench, 1);
        if (insert)
            bench_insert_only(bench, reader);
        else
            bench_pull_only(bench, reader);
        assert_rc(call_join(&call), RC_OK);
        assert_int_equal(watch.event, (i + 1) << 16 | STATE_CHANGED | (insert ? STATE_PRESENT : STATE_EMPTY));
        assert_int_equal(watch.atr_length != 0, insert); /* whoever sees the card sees its ATR */
        watch.current = watch.event;
    }
}

static void many_waits_on_one_context(struct bench *bench)
{
    size_t reader = bench_add(bench, false);
    struct service_context *context = bench_context(bench);
    struct reader_watch watches[4];
    struct call calls[4];

    for (unsigned i = 0; i < 4; i++) {
        watches[i] = (struct reader_watch){.name = bench->readers[reader].name, .current = STATE_EMPTY};
        call_wait(&calls[i], bench, context, &watches[i], 1);
    }
    bench_await_blocked(bench, 4);
    /* Other calls on the context run. */
    assert_rc(bench->service->ops->wait(context, deadline_in_ms(0), &watches[0], 0), RC_OK);
    bench_connect(bench, context, reader, SHARE_DIRECT, 0);
    assert_rc(do_cancel(context), RC_OK);
    for (unsigned i = 0; i < 4; i++) {
        assert_rc(call_join(&calls[i]), RC_CANCELLED);
        assert_int_equal(watches[i].event & 0xFFFF, STATE_EMPTY | STATE_INUSE);
    }
}

/* A wait that was stirred by something else and is cancelled before it looked is cancelled all the same. */
static void cancel_is_not_lost_among_other_events(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_context *context = bench_context(bench);
    struct reader_watch watch = {.name = bench->readers[reader].name, .current = STATE_PRESENT};
    struct service_handle *handle = bench_user(bench, reader);
    struct call call;

    for (unsigned i = 0; i < 300; i++) {
        call_wait(&call, bench, context, &watch, 1);
        bench_await_blocked(bench, 1);
        assert_rc(do_reconnect(handle, SHARE_SHARED, CARD_LEAVE), RC_OK); /* stirs, changes nothing */
        assert_rc(do_cancel(context), RC_OK);
        assert_rc(call_join(&call), RC_CANCELLED);
    }
}

/* The counter goes round from 65535 to 1: 0 would mean "do not compare". */
static void counter_skips_zero(struct bench *bench)
{
    size_t reader = bench_add(bench, false);
    struct reader *device = bench_device(bench, reader);
    struct reader_watch watch = {.name = bench->readers[reader].name, .current = STATE_EMPTY};
    struct service_context *context = bench_context(bench);

    for (unsigned i = 1; i <= 65540; i++) {
        if (i % 2)
            test_reader_insert(device);
        else
            test_reader_remove(device);
        assert_rc(bench->service->ops->wait(context, deadline_in_ms(PATIENCE_MS), &watch, 1), RC_OK);
        assert_int_equal(watch.event >> 16, i < 65536 ? i : i - 65535);
        watch.current = watch.event;
    }
}

static void list_entry_wakes_on_readers_only(struct bench *bench)
{
    struct reader_watch watch = {.name = PNP_READER, .current = STATE_UNAWARE};
    struct service_context *context = bench_context(bench);
    struct call call;
    size_t reader;

    /* Unaware is no reason to return, and the entry is known though no reader is there. */
    assert_rc(look(bench, &watch, 1), RC_TIMEOUT);
    assert_int_equal(watch.event & 0xFFFF, 0);
    watch.name = "\\\\?pNp?\\NOTIFICATION";
    watch.current = STATE_UNKNOWN;
    assert_rc(look(bench, &watch, 1), RC_TIMEOUT);
    assert_int_equal(watch.event & 0xFFFF, 0);

    call_wait(&call, bench, context, &watch, 1);
    bench_await_blocked(bench, 1);
    reader = bench_add(bench, false);
    assert_rc(call_join(&call), RC_OK);
    assert_int_equal(watch.event & 0xFFFF, STATE_CHANGED);
    assert_int_equal(watch.atr_length, 0);

    /* A card is no reader. */
    watch.current = watch.event;
    bench_insert(bench, reader);
    assert_rc(look(bench, &watch, 1), RC_TIMEOUT);
    call_wait(&call, bench, context, &watch, 1);
    bench_await_blocked(bench, 1);
    bench_detach(bench, reader);
    assert_rc(call_join(&call), RC_OK);
    assert_int_equal(watch.event & 0xFFFF, STATE_CHANGED);
}

static void list_entry_tells_what_happened_between_calls(struct bench *bench)
{
    struct reader_watch watch = {.name = PNP_READER, .current = STATE_UNAWARE};
    size_t reader = bench_add(bench, false);

    assert_rc(look(bench, &watch, 1), RC_TIMEOUT);
    assert_int_not_equal(watch.event >> 16, 0);
    watch.current = watch.event;
    assert_rc(look(bench, &watch, 1), RC_TIMEOUT);
    /* One goes, one comes: the number is the same, the list is not. */
    bench_detach(bench, reader);
    bench_add(bench, false);
    assert_rc(look(bench, &watch, 1), RC_OK);
    assert_int_equal(watch.event & 0xFFFF, STATE_CHANGED);
}

static void list_entry_beside_a_reader(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct reader_watch watches[2] = {{.name = PNP_READER}, {.name = bench->readers[reader].name}};

    assert_rc(look(bench, watches, 2), RC_OK);
    assert_int_equal(watches[0].event & STATE_CHANGED, 0);
    assert_int_equal(watches[1].event & 0xFFFF, STATE_PRESENT | STATE_CHANGED);
}

static void time_runs_out(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct reader_watch watch = {.name = bench->readers[reader].name, .current = STATE_PRESENT};
    int64_t start = clock_now_ns();

    assert_rc(bench->service->ops->wait(bench->observer, deadline_in_ms(30), &watch, 1), RC_TIMEOUT);
    assert_true(clock_now_ns() - start >= 30 * 1000000);
}

static void more_entries_than_a_few(struct bench *bench)
{
    static struct reader_watch watches[64];
    size_t reader = bench_add(bench, true);

    for (unsigned i = 0; i < 64; i++)
        watches[i] = (struct reader_watch){.name = bench->readers[reader].name, .current = STATE_PRESENT};
    assert_rc(look(bench, watches, 64), RC_TIMEOUT);
    watches[63].current = STATE_EMPTY;
    assert_rc(look(bench, watches, 64), RC_OK);
    assert_int_equal(watches[62].event & STATE_CHANGED, 0);
    assert_int_equal(watches[63].event & STATE_CHANGED, STATE_CHANGED);
    /* The last name is unknown: nothing is left behind of the others. */
    watches[63].name = "Nobody";
    assert_rc(look(bench, watches, 64), RC_UNKNOWN_READER);
}

const struct conform_case watch_cases[] = {
    SCRIPTED(what_counts_as_changed),
    CASE(entries_are_filled_whatever_the_result),
    CASE(unknown_names_and_ignored_entries),
    CASE(insertion_and_removal_wake),
    CASE(many_waits_on_one_context),
    CASE(cancel_is_not_lost_among_other_events),
    SCRIPTED(counter_skips_zero),
    CASE(list_entry_wakes_on_readers_only),
    CASE(list_entry_tells_what_happened_between_calls),
    CASE(list_entry_beside_a_reader),
    CASE(time_runs_out),
    CASE(more_entries_than_a_few),
    {0},
};
