/* SPDX-License-Identifier: MIT */
#include "tests/conform/bench.h"

#include <stdlib.h>
#include <string.h>

#include "manager/local.h"

void bench_open(struct bench *bench, const struct conform_target *target)
{
    *bench = (struct bench){.target = target};
    target->open(bench);
    assert_rc(bench->service->ops->establish(bench->service, false, &bench->observer), RC_OK);
}

void bench_close(struct bench *bench)
{
    const struct service_ops *ops = bench->service->ops;
    bool scripted = bench_is_scripted(bench);

    for (size_t i = 0; scripted && i < bench->reader_count; i++)
        for (unsigned op = 0; op < OP_COUNT; op++)
            test_reader_let_go(bench->readers[i].device, (enum test_op)op);
    for (size_t i = 0; i < bench->context_count; i++)
        ops->release(bench->contexts[i]);
    ops->release(bench->observer);
    for (size_t i = 0; i < bench->handle_count; i++)
        ops->handle_free(bench->handles[i]);
    for (size_t i = 0; i < bench->context_count; i++)
        ops->context_free(bench->contexts[i]);
    ops->context_free(bench->observer);
    bench->target->close(bench);
    for (size_t i = 0; scripted && i < bench->reader_count; i++) {
        assert_false(test_reader_was_abused(bench->readers[i].device));
        assert_true(test_reader_is_closed(bench->readers[i].device));
        test_reader_free(bench->readers[i].device);
    }
}

/* The name of the reader that was added last. */
static void last_name(struct bench *bench, char *name, size_t size)
{
    char *names, *last = NULL;
    size_t length;

    assert_rc(bench->service->ops->list(bench->observer, &names, &length), RC_OK);
    for (char *at = names; *at; at += strlen(at) + 1)
        last = at;
    assert_non_null(last);
    assert_true(strlen(last) < size);
    memcpy(name, last, strlen(last) + 1);
    free(names);
}

size_t bench_add(struct bench *bench, bool with_card)
{
    size_t number = bench->reader_count++;
    struct bench_reader *reader = &bench->readers[number];

    assert_true(number < BENCH_READERS);
    if (bench->target->outside) {
        bench->target->outside->attach(bench, number, with_card);
    } else {
        reader->device = bench->target->readers->make();
        if (with_card)
            bench->target->readers->insert(reader->device);
        assert_rc(local_add(bench->machine, &reader->device, 1), RC_OK);
        local_settle(bench->machine, deadline_in_ms(PATIENCE_MS));
    }
    reader->attached = true;
    if (!bench->target->outside)
        last_name(bench, reader->name, sizeof reader->name);
    return number;
}

void bench_detach(struct bench *bench, size_t reader)
{
    if (bench->target->outside)
        bench->target->outside->detach(bench, reader);
    else
        local_remove(bench->machine, bench->readers[reader].device);
    bench->readers[reader].attached = false;
}

bool bench_is_scripted(const struct bench *bench)
{
    return bench->target->readers && bench->target->readers->scripted;
}

void bench_insert_only(struct bench *bench, size_t reader)
{
    if (bench->target->outside)
        bench->target->outside->insert(bench, reader);
    else
        bench->target->readers->insert(bench->readers[reader].device);
}

void bench_pull_only(struct bench *bench, size_t reader)
{
    if (bench->target->outside)
        bench->target->outside->remove(bench, reader);
    else
        bench->target->readers->remove(bench->readers[reader].device);
}

void bench_insert(struct bench *bench, size_t reader)
{
    bench_insert_only(bench, reader);
    bench_await_state(bench, reader, STATE_PRESENT, STATE_PRESENT);
}

void bench_pull(struct bench *bench, size_t reader)
{
    bench_pull_only(bench, reader);
    bench_await_state(bench, reader, STATE_EMPTY, STATE_EMPTY);
}

struct reader *bench_device(struct bench *bench, size_t reader)
{
    assert_true(bench_is_scripted(bench));
    return bench->readers[reader].device;
}

uint32_t bench_state(struct bench *bench, size_t reader)
{
    struct reader_watch watch = {.name = bench->readers[reader].name, .current = STATE_UNAWARE};

    assert_rc(bench->service->ops->wait(bench->observer, deadline_in_ms(0), &watch, 1), RC_OK);
    return watch.event & ~(uint32_t)STATE_CHANGED;
}

uint32_t bench_await_state(struct bench *bench, size_t reader, uint32_t bits, uint32_t mask)
{
    struct reader_watch watch = {.name = bench->readers[reader].name, .current = STATE_UNAWARE};
    struct deadline deadline = deadline_in_ms(PATIENCE_MS);

    do {
        /* Users that come do not wake a wait, so those are looked for at intervals. */
        int rc =
            bench->service->ops->wait(bench->observer, deadline_min(deadline, deadline_in_ms(5)), &watch, 1);

        if (rc != RC_TIMEOUT)
            assert_rc(rc, RC_OK);
        watch.current = watch.event;
    } while ((watch.event & mask) != bits && !deadline_passed(deadline));
    assert_int_equal(watch.event & mask, bits);
    return watch.event & ~(uint32_t)STATE_CHANGED;
}

static struct service_context *new_context(struct bench *bench, bool no_wait)
{
    struct service_context *context;

    assert_true(bench->context_count < BENCH_CONTEXTS);
    assert_rc(bench->service->ops->establish(bench->service, no_wait, &context), RC_OK);
    bench->contexts[bench->context_count++] = context;
    return context;
}

struct service_context *bench_context(struct bench *bench)
{
    return new_context(bench, false);
}

struct service_context *bench_context_no_wait(struct bench *bench)
{
    return new_context(bench, true);
}

int bench_try_connect(struct bench *bench, struct service_context *context, size_t reader,
                      enum share_mode share, uint32_t protocols, struct service_handle **ret_handle)
{
    uint32_t protocol;
    int rc = bench->service->ops->connect(context, bench->readers[reader].name, share, protocols, ret_handle,
                                          &protocol);

    if (!rc) {
        assert_true(bench->handle_count < BENCH_HANDLES);
        bench->handles[bench->handle_count++] = *ret_handle;
    }
    return rc;
}

struct service_handle *bench_connect(struct bench *bench, struct service_context *context, size_t reader,
                                     enum share_mode share, uint32_t protocols)
{
    struct service_handle *handle = NULL;

    assert_rc(bench_try_connect(bench, context, reader, share, protocols, &handle), RC_OK);
    return handle;
}

struct service_handle *bench_user(struct bench *bench, size_t reader)
{
    return bench_connect(bench, bench_context(bench), reader, SHARE_SHARED, ANY);
}
