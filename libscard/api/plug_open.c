/* SPDX-License-Identifier: MIT */
/* Opening readers in threads of their own, and giving them to the manager. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/plug_state.h"
#include "base/log.h"
#include "base/rc.h"
#include "base/thread.h"
#include "manager/local.h"

/* How long a reader waits for those that were found before it. */
#define ORDER_MS 1000

void plug_wake(struct plug *plug)
{
    const uint64_t one = 1;

    if (write(plug->wake_fd, &one, sizeof one) < 0)
        log_debug("eventfd cannot be written: error %d", errno);
}

/* The reader cannot be opened, for the reason in this thread's detail. */
static void attach_unusable(struct plug *plug, struct plug_reader *reader, int rc)
{
    char problem[DETAIL_ROOM];

    reader->failure = rc;
    strcpy(problem, detail_get()[0] ? detail_get() : rc_name(rc));
    log_debug("%s: %s", reader->device, problem);
    if (reader->unusable)
        rc = local_set_problem(plug->service, reader->unusable, problem);
    else
        rc = local_add_unusable(plug->service,
                                &(struct local_unusable){
                                    .model = reader->model,
                                    .serial = reader->serial,
                                    .device = reader->device,
                                    .problem = problem,
                                    .facts = reader->facts,
                                },
                                &reader->unusable);
    if (rc)
        log_debug("%s: not listed: %s", reader->device, rc_name(rc));
}

/* Takes over the slots. */
static void attach(struct plug *plug, struct plug_reader *reader, struct reader **slots, size_t count)
{
    int rc = local_add_device(plug->service, slots, count, reader->facts, reader->unusable);

    reader->unusable = NULL;
    if (rc) {
        free(slots);
        attach_unusable(plug, reader, rc);
        return;
    }
    reader->failure = RC_OK;
    reader->slots = slots;
    reader->slot_count = count;
}

/* Has a device that was there before this one not been tried yet? */
static bool is_overtaking(const struct plug *plug, const struct plug_device *device)
{
    list_each(node, &plug->devices)
    {
        const struct plug_device *other = list_entry(node, struct plug_device, link);

        if (other == device)
            return false;
        if (!other->tried)
            return true;
    }
    return false;
}

/* Readers are numbered in the order in which they were found, so that a program that has been told a name
 * finds the same reader by it each time. A slow one gives way. */
static void await_order(struct plug *plug, const struct plug_device *device)
{
    struct timespec end = deadline_timespec(deadline_in_ms(ORDER_MS));

    while (!device->tried && !device->gone && !plug->stopping && is_overtaking(plug, device))
        if (pthread_cond_timedwait(&plug->changed, &plug->lock, &end))
            return;
}

static void close_slots(struct reader **slots, size_t count)
{
    for (size_t i = 0; i < count; i++)
        slots[i]->ops->close(slots[i]);
    free(slots);
}

/* Lets go of the lock while the device is opened. It may be unplugged meanwhile. */
static void open_reader(struct plug *plug, struct plug_device *device, struct plug_reader *reader)
{
    struct reader **slots = NULL;
    size_t count = 0;
    int rc;

    pthread_mutex_unlock(&plug->lock);
    detail_clear();
    rc = plug_reader_open(reader, &device->usb, &slots, &count);
    pthread_mutex_lock(&plug->lock);
    await_order(plug, device);
    if (!rc && !device->gone && !plug->stopping) {
        attach(plug, reader, slots, count);
    } else if (!rc) {
        pthread_mutex_unlock(&plug->lock);
        close_slots(slots, count);
        pthread_mutex_lock(&plug->lock);
    } else if (!device->gone) {
        attach_unusable(plug, reader, rc);
        device->may_ease |= rc == RC_DENIED || rc == RC_SHARING;
    }
}

/* Opens what is not open. */
static void open_device(struct plug *plug, struct plug_device *device)
{
    do {
        device->again = false;
        for (size_t i = 0; i < device->reader_count && !device->gone && !plug->stopping; i++)
            if (plug_reader_may_open(&device->readers[i]))
                open_reader(plug, device, &device->readers[i]);
    } while (device->again && !device->gone && !plug->stopping);
    device->tried = true;
    device->busy = false;
    pthread_cond_broadcast(&plug->changed);
    if (device->gone && !device->leaving)
        plug_device_free(device);
    else if (!plug->stopping && device->may_ease && !device->easing)
        plug_wake(plug);
}

void plug_free(struct plug *plug)
{
    pthread_cond_destroy(&plug->changed);
    pthread_mutex_destroy(&plug->lock);
    plug_choices_fini(&plug->choices);
    free(plug);
}

static void *opening_thread(void *argument)
{
    struct plug_device *device = argument;
    struct plug *plug = device->plug;
    bool last;

    pthread_mutex_lock(&plug->lock);
    open_device(plug, device);
    last = --plug->opening == 0 && plug->abandoned;
    pthread_cond_broadcast(&plug->changed);
    pthread_mutex_unlock(&plug->lock);
    if (last)
        plug_free(plug);
    return NULL;
}

void plug_open(struct plug *plug, struct plug_device *device)
{
    device->again = true;
    if (device->busy)
        return;
    device->busy = true;
    plug->opening++;
    if (!thread_start(opening_thread, device))
        return;
    /* No memory for a thread: others have to wait for this device. */
    plug->opening--;
    open_device(plug, device);
}
