/* SPDX-License-Identifier: MIT */
/* driver/ccid_link: four slots at work and being cancelled all the time, on a device that answers in whatever
 * order it likes, asks for more time, or does not answer at all. Every answer is the right one's. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/rc.h"
#include "driver/ccid_link.h"

#define SLOTS 4
#define ROUNDS 500
#define QUEUE 64

struct message {
    uint8_t bytes[16];
    size_t length;
};

struct device {
    struct pipe pipe; /* the first member */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct message queue[QUEUE];
    size_t count;
    struct message in; /* told last */
    bool interrupted;
    uint32_t random;
    unsigned reading, sending, controlling; /* calls under way: one each at most */
    unsigned faults;
};

static uint32_t any(struct device *device)
{
    device->random = device->random * 1664525 + 1013904223;
    return device->random >> 16;
}

static struct device *device_of(struct pipe *pipe)
{
    return (struct device *)(void *)pipe;
}

static void put(struct device *device, uint8_t type, const uint8_t *command, uint8_t status, bool data)
{
    struct message *message = &device->queue[device->count];

    if (device->count == QUEUE) {
        device->faults++;
        return;
    }
    device->count++;
    *message = (struct message){.bytes = {type}, .length = CCID_HEADER};
    message->bytes[5] = command[5];
    message->bytes[6] = command[6];
    message->bytes[7] = status;
    if (!data)
        return;
    message->bytes[1] = 4;
    memcpy(message->bytes + CCID_HEADER, command + CCID_HEADER, 4);
    message->length += 4;
}

static void take(struct device *device, size_t at, struct message *ret_message)
{
    *ret_message = device->queue[at];
    device->count--;
    memmove(&device->queue[at], &device->queue[at + 1], (device->count - at) * sizeof device->queue[0]);
}

static int device_bulk_out(struct pipe *pipe, const uint8_t *bytes, size_t length, struct deadline deadline)
{
    struct device *device = device_of(pipe);

    (void)length;
    (void)deadline;
    pthread_mutex_lock(&device->lock);
    device->faults += device->sending++ > 0;
    if (bytes[0] == CCID_ABORT) {
        put(device, CCID_SLOT_STATUS, bytes, 0, false); /* behind what is on its way */
    } else if (any(device) % 16) {                      /* else: silence */
        for (unsigned i = any(device) % 4; i > 2; i--)
            put(device, CCID_DATA_BLOCK, bytes, 0x80, false);
        put(device, CCID_DATA_BLOCK, bytes, 0, true);
    }
    device->sending--;
    pthread_cond_broadcast(&device->changed);
    pthread_mutex_unlock(&device->lock);
    return RC_OK;
}

static int device_bulk_in(struct pipe *pipe, const uint8_t **ret_bytes, size_t *ret_length,
                          struct deadline deadline)
{
    struct device *device = device_of(pipe);
    int rc = RC_OK;
    size_t at;

    (void)deadline;
    pthread_mutex_lock(&device->lock);
    device->faults += device->reading++ > 0;
    while (!device->count && !device->interrupted)
        pthread_cond_wait(&device->changed, &device->lock);
    if (device->interrupted) {
        device->interrupted = false;
        rc = RC_CANCELLED;
    } else {
        /* Any slot's, but each slot's in order. */
        at = any(device) % device->count;
        for (size_t i = 0; i < at; i++)
            if (device->queue[i].bytes[5] == device->queue[at].bytes[5])
                at = i;
        take(device, at, &device->in);
        *ret_bytes = device->in.bytes;
        *ret_length = device->in.length;
    }
    device->reading--;
    pthread_mutex_unlock(&device->lock);
    return rc;
}

static int device_control(struct pipe *pipe, uint8_t request_type, uint8_t request, uint16_t value,
                          uint8_t *bytes, size_t length, size_t *ret_length, struct deadline deadline)
{
    struct device *device = device_of(pipe);
    int rc = RC_OK;

    (void)request_type, (void)request, (void)value, (void)bytes, (void)length, (void)ret_length;
    (void)deadline;
    pthread_mutex_lock(&device->lock);
    device->faults += device->controlling++ > 0;
    if (device->interrupted)
        rc = RC_CANCELLED;
    else if (any(device) % 2)
        rc = PIPE_STALLED;
    device->interrupted = false;
    device->controlling--;
    pthread_mutex_unlock(&device->lock);
    return rc;
}

static int device_notice(struct pipe *pipe, uint8_t *bytes, size_t capacity, size_t *ret_length)
{
    (void)pipe, (void)bytes, (void)capacity;
    *ret_length = 0;
    return RC_OK;
}

static void device_hold(struct pipe *pipe, bool on)
{
    (void)pipe, (void)on;
}

static int device_clear(struct pipe *pipe, bool interrupt)
{
    (void)interrupt;
    device_of(pipe)->faults++; /* each abort is answered */
    return RC_OK;
}

static void device_interrupt(struct pipe *pipe)
{
    struct device *device = device_of(pipe);

    pthread_mutex_lock(&device->lock);
    device->interrupted = true;
    pthread_cond_broadcast(&device->changed);
    pthread_mutex_unlock(&device->lock);
}

static void device_close(struct pipe *pipe)
{
    (void)pipe;
}

static const struct pipe_ops device_ops = {
    .bulk_out = device_bulk_out,
    .bulk_in = device_bulk_in,
    .control = device_control,
    .notice = device_notice,
    .hold = device_hold,
    .clear = device_clear,
    .interrupt = device_interrupt,
    .close = device_close,
    .forget = device_close,
};

struct worker {
    struct ccid_link *link;
    uint8_t slot;
    unsigned answered, cancelled, wrong;
    pthread_t thread;
};

static atomic_uint at_work;

static void *work(void *argument)
{
    struct worker *worker = argument;

    for (unsigned i = 0; i < ROUNDS; i++) {
        uint8_t data[4] = {worker->slot, (uint8_t)i, (uint8_t)(i >> 8), 0x5A};
        struct ccid_command command = {
            .type = CCID_XFR_BLOCK, .slot = worker->slot, .data = data, .length = 4};
        struct ccid_answer answer = {0};
        int rc;

        ccid_link_begin(worker->link, worker->slot);
        rc = ccid_link_exchange(worker->link, &command, 0, &answer);
        if (rc == RC_CANCELLED)
            worker->cancelled++;
        else if (!rc && answer.length == 4 && !memcmp(answer.data, data, 4))
            worker->answered++;
        else
            worker->wrong++;
        ccid_link_end(worker->link, worker->slot);
    }
    at_work--;
    return NULL;
}

static void run(unsigned busy_slots)
{
    struct ccid_descriptor descriptor = {
        .slots = SLOTS, .busy_slots = busy_slots, .max_message = 271, .interrupt = {.address = 0x83}};
    struct device device = {.pipe = {.ops = &device_ops, .event_fd = -1}, .random = busy_slots};
    struct worker workers[SLOTS];
    struct ccid_quirk quirk = {0};
    struct ccid_link *link;

    pthread_mutex_init(&device.lock, NULL);
    pthread_cond_init(&device.changed, NULL);
    assert_int_equal(ccid_link_new(&device.pipe, &descriptor, &quirk, &link), RC_OK);
    at_work = SLOTS;
    for (uint8_t i = 0; i < SLOTS; i++) {
        workers[i] = (struct worker){.link = link, .slot = i};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (uint8_t i = 0; at_work; i++) {
        ccid_link_cancel(link, i % SLOTS);
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    for (uint8_t i = 0; i < SLOTS; i++) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
        assert_int_equal(workers[i].wrong, 0);
        assert_int_equal(workers[i].answered + workers[i].cancelled, ROUNDS);
        assert_true(workers[i].answered > 0);
    }
    assert_int_equal(device.faults, 0);
    ccid_link_free(link);
    pthread_cond_destroy(&device.changed);
    pthread_mutex_destroy(&device.lock);
}

static void each_slot_gets_its_own_answers(void **state)
{
    (void)state;
    run(SLOTS);
}

static void so_too_with_fewer_busy_slots(void **state)
{
    (void)state;
    run(2);
    run(1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_slot_gets_its_own_answers),
        cmocka_unit_test(so_too_with_fewer_busy_slots),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
