/* SPDX-License-Identifier: MIT */
/* Readers that come and go, and what is said of them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "manager/local.h"
#include "tests/conform/cases.h"

/* Cases about what only the local service can be told. */
static void need_machine(const struct bench *bench)
{
    assert_non_null(bench->machine);
}

static void names_make_a_multi_string(struct bench *bench)
{
    char *names = NULL;
    size_t length = 0, at = 0;

    assert_rc(bench->service->ops->list(bench->observer, &names, &length), RC_NO_READERS);
    for (unsigned i = 0; i < 3; i++)
        bench_add(bench, false);
    assert_rc(bench->service->ops->list(bench->observer, &names, &length), RC_OK);
    for (unsigned i = 0; i < 3; i++) {
        assert_string_equal(names + at, bench->readers[i].name);
        at += strlen(names + at) + 1;
    }
    assert_int_equal(names[at], 0);
    assert_int_equal(length, at + 1);
    free(names);
}

static void lowest_free_number_is_taken(struct bench *bench)
{
    char first[128];
    size_t again;

    bench_add(bench, false);
    bench_add(bench, false);
    memcpy(first, bench->readers[0].name, sizeof first);
    bench_detach(bench, 0);
    again = bench_add(bench, false);
    assert_string_equal(bench->readers[again].name, first);
}

static void slots_of_a_device_share_the_number(struct bench *bench)
{
    struct reader *slots[3];
    char *names;
    size_t length;

    for (unsigned i = 0; i < 3; i++) {
        slots[i] = test_reader_new(i);
        bench->readers[bench->reader_count].device = slots[i];
        snprintf(bench->readers[bench->reader_count++].name, 128, "Test 00 %02X", i);
    }
    assert_rc(local_add(bench->machine, slots, 3), RC_OK);
    assert_rc(bench->service->ops->list(bench->observer, &names, &length), RC_OK);
    assert_int_equal(length, 3 * sizeof "Test 00 00" + 1);
    assert_memory_equal(names, "Test 00 00\0Test 00 01\0Test 00 02\0", length);
    free(names);
}

/* Programs have 128 bytes for a name. What is cut off is not what tells readers apart, and no half character.
 */
static void long_name_is_cut(struct bench *bench)
{
    static const char serial[] =
        "123456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789 "
        "123456789 123456789 123456789 123\u20AC89 123456789 123456789 123456789";
    struct reader *slots[2];

    for (unsigned i = 0; i < 2; i++) {
        struct bench_reader *reader = &bench->readers[bench->reader_count++];

        slots[i] = test_reader_new(i);
        slots[i]->serial = serial;
        reader->device = slots[i];
        snprintf(reader->name, sizeof reader->name, "Test (%.113s 00 %02X", serial, i);
        test_reader_insert(slots[i]);
    }
    assert_rc(local_add(bench->machine, slots, 2), RC_OK);
    bench_await_state(bench, 0, STATE_PRESENT, STATE_PRESENT);
    bench_await_state(bench, 1, STATE_PRESENT, STATE_PRESENT);
}

static void gone_reader_is_unavailable_to_its_handles(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *handle = bench_user(bench, reader), *other;

    assert_rc(do_begin(handle), RC_OK);
    bench_detach(bench, reader);
    assert_rc(do_transmit(handle), RC_READER_UNAVAILABLE);
    assert_rc(do_status(handle), RC_READER_UNAVAILABLE);
    assert_rc(do_begin(handle), RC_READER_UNAVAILABLE);
    assert_rc(do_end(handle, CARD_RESET), RC_READER_UNAVAILABLE);
    assert_rc(do_control(handle), RC_READER_UNAVAILABLE);
    assert_rc(do_get_attribute(handle), RC_READER_UNAVAILABLE);
    assert_rc(do_set_attribute(handle), RC_READER_UNAVAILABLE);
    assert_rc(do_reconnect(handle, SHARE_SHARED, CARD_RESET), RC_READER_UNAVAILABLE);
    assert_rc(do_reconnect(handle, SHARE_DIRECT, CARD_LEAVE), RC_READER_UNAVAILABLE);
    assert_rc(bench_try_connect(bench, handle->context, reader, SHARE_SHARED, ANY, &other),
              RC_UNKNOWN_READER);
    assert_rc(do_disconnect(handle, CARD_UNPOWER), RC_OK);
}

/* One of the same name is another reader. */
static void handle_does_not_move_to_the_next_reader(struct bench *bench)
{
    size_t reader = bench_add(bench, true), again;
    struct service_handle *handle = bench_user(bench, reader);

    bench_detach(bench, reader);
    again = bench_add(bench, true);
    assert_string_equal(bench->readers[again].name, bench->readers[reader].name);
    assert_rc(do_transmit(handle), RC_READER_UNAVAILABLE);
    assert_int_equal(bench_state(bench, again), 0x00010020); /* its counter begins anew, and nobody uses it */
}

static void removal_ends_waits(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    struct service_handle *owner = bench_user(bench, reader), *other = bench_user(bench, reader);
    struct reader_watch watch = {.name = bench->readers[reader].name, .current = STATE_PRESENT};
    struct call begin, reset, connect, wait;

    assert_rc(do_begin(owner), RC_OK);
    call_on(&begin, bench, V_BEGIN, other);
    call_disposing(&reset, bench, V_RECONNECT, other, CARD_RESET);
    call_connect(&connect, bench, bench_context(bench), reader, SHARE_SHARED);
    call_wait(&wait, bench, other->context, &watch, 1);
    bench_await_blocked(bench, 4);
    bench_detach(bench, reader);
    assert_rc(call_join(&begin), RC_READER_UNAVAILABLE);
    assert_rc(call_join(&reset), RC_READER_UNAVAILABLE);
    assert_rc(call_join(&connect), RC_UNKNOWN_READER);
    assert_rc(call_join(&wait), RC_OK);
    assert_int_equal(watch.event, STATE_UNKNOWN | STATE_UNAVAILABLE | STATE_CHANGED);
    assert_int_equal(watch.atr_length, 0);
    watch.current = watch.event;
    assert_rc(bench->service->ops->wait(bench->observer, deadline_in_ms(0), &watch, 1), RC_UNKNOWN_READER);
}

static void removal_ends_the_exchange(struct bench *bench)
{
    static const struct {
        enum verb verb;
        enum disposition disposition;
        enum test_op op;
    } rows[] = {
        {V_TRANSMIT, CARD_LEAVE, OP_TRANSMIT},
        {V_CONTROL, CARD_LEAVE, OP_CONTROL},
        {V_RECONNECT, CARD_RESET, OP_WARM},
        {V_RECONNECT, CARD_RESET, OP_PRESENCE},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t reader = bench_add(bench, true);
        struct reader *device = bench_device(bench, reader);
        struct service_handle *handle = bench_user(bench, reader);
        struct call call;

        test_reader_hold(device, rows[i].op);
        call_disposing(&call, bench, rows[i].verb, handle, rows[i].disposition);
        assert_true(test_reader_await_held(device, rows[i].op));
        bench_detach(bench, reader);
        /* Whatever the cancelled call says: the reader has gone. */
        assert_rc(call_join(&call), RC_READER_UNAVAILABLE);
    }
}

/* A reader that goes while a connect is in its first steps is not taken through the others. */
static void removal_ends_a_connect_between_steps(struct bench *bench)
{
    size_t reader = bench_add(bench, false);
    struct reader *device = bench_device(bench, reader);
    unsigned cold;
    struct call call;

    /* A look at the empty slot asks twice. Once it is over only the insertion is looked at, and no look of
     * the manager's own can be the one that is held. */
    assert_true(test_reader_await_count(device, OP_PRESENCE, 2));
    bench_insert(bench, reader);
    cold = test_reader_count(device, OP_COLD);
    assert_rc(do_disconnect(bench_user(bench, reader), CARD_UNPOWER), RC_OK);
    test_reader_hold(device, OP_PRESENCE);
    test_reader_hold(device, OP_COLD);
    call_connect(&call, bench, bench_context(bench), reader, SHARE_SHARED);
    assert_true(test_reader_await_held(device, OP_PRESENCE));
    bench_detach(bench, reader);
    assert_rc(call_join(&call), RC_READER_UNAVAILABLE);
    assert_int_equal(test_reader_count(device, OP_COLD), cold);
}

static void facts(struct bench *bench)
{
    size_t reader = bench_add(bench, true);
    char *value;

    assert_rc(bench->service->ops->fact(bench->observer, bench->readers[reader].name, "device", &value),
              RC_OK);
    need_machine(bench);
    assert_string_equal(value, bench->readers[reader].device->device);
    free(value);
    assert_rc(bench->service->ops->fact(bench->observer, bench->readers[reader].name, "problem", &value),
              RC_OK);
    assert_string_equal(value, "");
    free(value);
    assert_rc(bench->service->ops->fact(bench->observer, bench->readers[reader].name, "colour", &value),
              RC_UNSUPPORTED);
    assert_rc(bench->service->ops->fact(bench->observer, "Nobody", "device", &value), RC_UNKNOWN_READER);
}

static void assert_fact(struct bench *bench, const char *reader, const char *key, const char *expected)
{
    char *value;

    assert_rc(bench->service->ops->fact(bench->observer, reader, key, &value), RC_OK);
    assert_string_equal(value, expected);
    free(value);
}

static const struct local_unusable broken = {
    .model = "Broken",
    .device = "broken:1",
    .problem = "it lies in pieces",
    .facts = "pieces=7\n",
};

static void unusable_reader_is_listed_with_its_problem(struct bench *bench)
{
    struct service_handle *handle;
    struct reader_watch watch = {.name = "Broken 00 00"};
    struct service_context *context = bench_context(bench);
    uint32_t protocol;
    struct slot *slot;

    need_machine(bench);
    assert_rc(local_add_unusable(bench->machine, &broken, &slot), RC_OK);
    assert_rc(bench->service->ops->connect(context, watch.name, SHARE_SHARED, ANY, &handle, &protocol),
              RC_READER_UNAVAILABLE);
    assert_rc(bench->service->ops->connect(context, watch.name, SHARE_DIRECT, 0, &handle, &protocol),
              RC_READER_UNAVAILABLE);
    assert_rc(bench->service->ops->wait(context, deadline_in_ms(0), &watch, 1), RC_OK);
    assert_int_equal(watch.event, STATE_UNAVAILABLE | STATE_CHANGED);
    assert_fact(bench, watch.name, "device", "broken:1");
    assert_fact(bench, watch.name, "problem", "it lies in pieces");
    assert_fact(bench, watch.name, "facts", "pieces=7\n");
    assert_rc(local_set_problem(bench->machine, slot, "it is being glued"), RC_OK);
    assert_fact(bench, watch.name, "problem", "it is being glued");
}

/* It gives its place to the reader that it has become, though a lower number is free by then. */
static void unusable_reader_keeps_its_number_when_it_works(struct bench *bench)
{
    size_t first = bench_add(bench, true);
    char name[READER_NAME_MAX], *value;
    struct reader *device;
    struct slot *slot;

    need_machine(bench);
    assert_rc(local_add_unusable(bench->machine, &broken, &slot), RC_OK);
    bench_detach(bench, first);
    device = bench->target->readers->make();
    assert_rc(local_add_device(bench->machine, &device, 1, "pieces=1\n", slot), RC_OK);
    assert_rc(bench->service->ops->fact(bench->observer, "Broken 01 00", "device", &value),
              RC_UNKNOWN_READER);
    snprintf(name, sizeof name, "%s%s%s%s 01 %02X", device->model, device->serial ? " (" : "",
             device->serial ? device->serial : "", device->serial ? ")" : "", device->slot);
    assert_fact(bench, name, "facts", "pieces=1\n");
    assert_fact(bench, name, "problem", "");
    local_remove(bench->machine, device);
    if (bench_is_scripted(bench))
        test_reader_free(device);
}

/* Somebody who waits for a change of it is told that it has gone. */
static void unusable_reader_goes(struct bench *bench)
{
    struct reader_watch watch = {.name = "Broken 00 00"};
    struct service_context *context = bench_context(bench);
    struct slot *slot;

    need_machine(bench);
    assert_rc(local_add_unusable(bench->machine, &broken, &slot), RC_OK);
    assert_rc(bench->service->ops->wait(context, deadline_in_ms(0), &watch, 1), RC_OK);
    local_remove_unusable(bench->machine, slot);
    assert_rc(bench->service->ops->wait(context, deadline_in_ms(0), &watch, 1), RC_UNKNOWN_READER);
    need_machine(bench);
    assert_rc(local_add_unusable(bench->machine, &broken, &slot), RC_OK);
    assert_fact(bench, "Broken 00 00", "device", "broken:1");
}

const struct conform_case plug_cases[] = {
    CASE(names_make_a_multi_string),
    CASE(lowest_free_number_is_taken),
    SCRIPTED(slots_of_a_device_share_the_number),
    SCRIPTED(long_name_is_cut),
    CASE(gone_reader_is_unavailable_to_its_handles),
    CASE(handle_does_not_move_to_the_next_reader),
    CASE(removal_ends_waits),
    SCRIPTED(removal_ends_the_exchange),
    SCRIPTED(removal_ends_a_connect_between_steps),
    CASE(facts),
    CASE(unusable_reader_is_listed_with_its_problem),
    CASE(unusable_reader_keeps_its_number_when_it_works),
    CASE(unusable_reader_goes),
    {0},
};
