/* SPDX-License-Identifier: MIT */
#include <string.h>
#include <time.h>

#include "ipc/remote_state.h"
#include "manager/state.h"
#include "tests/conform/bench.h"

static const struct service_ops *ops_of(struct service_handle *handle)
{
    return handle->context->service->ops;
}

int do_begin(struct service_handle *handle)
{
    return ops_of(handle)->begin(handle);
}

int do_end(struct service_handle *handle, enum disposition disposition)
{
    return ops_of(handle)->end(handle, disposition);
}

int do_transmit(struct service_handle *handle)
{
    static const uint8_t command[] = {0x00, 0xA4, 0x00, 0x00};
    uint8_t response[16];
    size_t length;
    int rc = ops_of(handle)->transmit(handle, PROTOCOL_RAW, command, sizeof command, response,
                                      sizeof response, &length);

    /* Every simulated card answers with a status word. */
    if (!rc)
        assert_true(length >= 2);
    return rc;
}

int do_status(struct service_handle *handle)
{
    struct handle_status status;

    return ops_of(handle)->status(handle, &status);
}

uint32_t status_state(struct service_handle *handle)
{
    struct handle_status status;

    assert_rc(ops_of(handle)->status(handle, &status), RC_OK);
    return status.state & 0xFFFF;
}

int do_control(struct service_handle *handle)
{
    uint8_t in[2] = {1, 2}, out[2];
    size_t length;

    return ops_of(handle)->control(handle, TEST_CONTROL_ECHO, in, sizeof in, out, sizeof out, &length);
}

int do_get_attribute(struct service_handle *handle)
{
    static uint8_t out[TEST_ATTRIBUTE_LENGTH];
    size_t length;

    return ops_of(handle)->get_attribute(handle, TEST_ATTRIBUTE_LONG, out, sizeof out, &length);
}

int do_set_attribute(struct service_handle *handle)
{
    return ops_of(handle)->set_attribute(handle, TEST_ATTRIBUTE_LONG, (const uint8_t *)"x", 1);
}

int do_reconnect(struct service_handle *handle, enum share_mode share, enum disposition initialization)
{
    uint32_t protocol;

    return ops_of(handle)->reconnect(handle, share, ANY, initialization, &protocol);
}

int do_disconnect(struct service_handle *handle, enum disposition disposition)
{
    return ops_of(handle)->disconnect(handle, disposition);
}

void do_release(struct service_context *context)
{
    context->service->ops->release(context);
}

int do_cancel(struct service_context *context)
{
    return context->service->ops->cancel(context);
}

static int perform(struct call *call)
{
    const struct service_ops *ops = call->bench->service->ops;
    struct deadline deadline =
        call->timeout_ms == UINT32_MAX ? deadline_never() : deadline_in_ms(call->timeout_ms);
    uint32_t protocol;

    switch (call->verb) {
    case V_BEGIN:
        return do_begin(call->handle);
    case V_END:
        return do_end(call->handle, call->disposition);
    case V_TRANSMIT:
        return do_transmit(call->handle);
    case V_STATUS:
        return do_status(call->handle);
    case V_CONTROL:
        return do_control(call->handle);
    case V_GET_ATTRIBUTE:
        return do_get_attribute(call->handle);
    case V_SET_ATTRIBUTE:
        return do_set_attribute(call->handle);
    case V_RECONNECT:
        return do_reconnect(call->handle, call->share, call->disposition);
    case V_DISCONNECT:
        return do_disconnect(call->handle, call->disposition);
    case V_CONNECT:
        return ops->connect(call->context, call->bench->readers[call->reader].name, call->share, ANY,
                            &call->handle, &protocol);
    case V_WAIT:
        return ops->wait(call->context, deadline, call->watches, call->count);
    case V_RELEASE:
        ops->release(call->context);
        return RC_OK;
    }
    return RC_INTERNAL;
}

static void *call_thread(void *argument)
{
    struct call *call = argument;
    int rc = perform(call);

    pthread_mutex_lock(&call->lock);
    call->rc = rc;
    call->done = true;
    pthread_cond_broadcast(&call->changed);
    pthread_mutex_unlock(&call->lock);
    return NULL;
}

static void start(struct call *call)
{
    pthread_condattr_t monotonic;

    pthread_mutex_init(&call->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&call->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    assert_int_equal(pthread_create(&call->thread, NULL, call_thread, call), 0);
}

void call_on(struct call *call, struct bench *bench, enum verb verb, struct service_handle *handle)
{
    call_disposing(call, bench, verb, handle, CARD_LEAVE);
}

void call_disposing(struct call *call, struct bench *bench, enum verb verb, struct service_handle *handle,
                    enum disposition disposition)
{
    *call = (struct call){
        .bench = bench, .verb = verb, .handle = handle, .disposition = disposition, .share = SHARE_SHARED};
    start(call);
}

void call_connect(struct call *call, struct bench *bench, struct service_context *context, size_t reader,
                  enum share_mode share)
{
    *call = (struct call){
        .bench = bench, .verb = V_CONNECT, .context = context, .reader = reader, .share = share};
    start(call);
}

void call_wait(struct call *call, struct bench *bench, struct service_context *context,
               struct reader_watch *watches, size_t count)
{
    *call = (struct call){.bench = bench,
                          .verb = V_WAIT,
                          .context = context,
                          .watches = watches,
                          .count = count,
                          .timeout_ms = UINT32_MAX};
    start(call);
}

void call_release(struct call *call, struct bench *bench, struct service_context *context)
{
    *call = (struct call){.bench = bench, .verb = V_RELEASE, .context = context};
    start(call);
}

bool call_is_done(struct call *call)
{
    bool done;

    pthread_mutex_lock(&call->lock);
    done = call->done;
    pthread_mutex_unlock(&call->lock);
    return done;
}

int call_join(struct call *call)
{
    struct timespec at = deadline_timespec(deadline_in_ms(PATIENCE_MS));
    int error = 0;

    pthread_mutex_lock(&call->lock);
    while (!call->done && !error)
        error = pthread_cond_timedwait(&call->changed, &call->lock, &at);
    pthread_mutex_unlock(&call->lock);
    if (error)
        fail_msg("a call hangs (verb %d)", (int)call->verb);
    pthread_join(call->thread, NULL);
    pthread_cond_destroy(&call->changed);
    pthread_mutex_destroy(&call->lock);
    if (call->verb == V_CONNECT && !call->rc) {
        assert_true(call->bench->handle_count < BENCH_HANDLES);
        call->bench->handles[call->bench->handle_count++] = call->handle;
    }
    return call->rc;
}

/* The one place where the tests look inside: sleeping calls of the services. */
unsigned bench_blocked_in_machine(struct bench *bench)
{
    struct manager *manager = manager_of(bench->machine);
    unsigned count = 0;

    pthread_mutex_lock(&manager->lock);
    list_each(node, &manager->watches) count++;
    list_each(node, &manager->slots) list_each(wait, &list_entry(node, struct slot, link)->queue) count++;
    pthread_mutex_unlock(&manager->lock);
    return count;
}

unsigned bench_blocked_in_remote(struct bench *bench, bool answers_count)
{
    struct remote *remote = remote_of(bench->service);
    unsigned count = 0;

    pthread_mutex_lock(&remote->lock);
    list_each(node, &remote->contexts)
    {
        list_each(call_node, &list_entry(node, struct remote_context, link)->calls)
        {
            enum remote_sleep sleep = list_entry(call_node, struct remote_call, context_link)->sleep;

            count += sleep != AWAKE && (answers_count || sleep != SLEEP_ANSWER);
        }
    }
    pthread_mutex_unlock(&remote->lock);
    return count;
}

void bench_await_blocked(struct bench *bench, unsigned count)
{
    struct deadline deadline = deadline_in_ms(PATIENCE_MS);

    while (bench->target->blocked(bench) != count) {
        if (deadline_passed(deadline))
            fail_msg("%u calls sleep, expected are %u", bench->target->blocked(bench), count);
        nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
    }
}
