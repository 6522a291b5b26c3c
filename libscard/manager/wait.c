/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/rc.h"
#include "manager/state.h"

/* A futex and not a condition, because it may be woken when the lock is no longer held: only its address
 * counts then, which may be another's by that time, who looks why he was woken. A condition must not have
 * gone. */
static void wake(_Atomic uint32_t *wakes)
{
    syscall(SYS_futex, wakes, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static bool sleep_until(_Atomic uint32_t *wakes, uint32_t seen, const struct timespec *at)
{
    return syscall(SYS_futex, wakes, FUTEX_WAIT_BITSET_PRIVATE, seen, at, NULL, FUTEX_BITSET_MATCH_ANY) ==
               0 ||
           errno != ETIMEDOUT;
}

static void wake_or_defer(struct wait *wait)
{
    struct wake_later *later = wait->manager->wake_later;

    atomic_fetch_add(&wait->wakes, 1);
    if (later && later->count < sizeof later->wakes / sizeof *later->wakes)
        later->wakes[later->count++] = &wait->wakes;
    else
        wake(&wait->wakes);
}

void wait_defer(struct manager *manager, struct wake_later *later)
{
    later->count = 0;
    manager->wake_later = later;
}

void wait_unlock(struct manager *manager)
{
    struct wake_later *later = manager->wake_later;

    manager->wake_later = NULL;
    pthread_mutex_unlock(&manager->lock);
    for (size_t i = 0; later && i < later->count; i++)
        wake(later->wakes[i]);
}

int wait_begin(struct wait *wait, struct context *context)
{
    if (context->closed)
        return RC_INVALID_HANDLE;
    wait->done = wait->stirred = false;
    wait->result = RC_OK;
    wait->manager = context_manager(context);
    atomic_init(&wait->wakes, 0);
    list_append(&context->waits, &wait->context_link);
    return RC_OK;
}

int wait_sleep(struct wait *wait, struct manager *manager, struct deadline deadline)
{
    bool never = deadline_is_never(deadline);
    struct timespec at = never ? (struct timespec){0} : deadline_timespec(deadline);

    while (!wait->done && !wait->stirred) {
        uint32_t seen = atomic_load(&wait->wakes);
        bool in_time;

        pthread_mutex_unlock(&manager->lock);
        in_time = sleep_until(&wait->wakes, seen, never ? NULL : &at);
        pthread_mutex_lock(&manager->lock);
        if (!in_time && !wait->done && !wait->stirred)
            return RC_TIMEOUT;
    }
    wait->stirred = false;
    return wait->done ? wait->result : RC_OK;
}

void wait_stir(struct wait *wait)
{
    wait->stirred = true;
    wake_or_defer(wait);
}

void wait_end(struct wait *wait)
{
    list_remove(&wait->context_link);
}

void wait_finish(struct wait *wait, int result)
{
    if (wait->done)
        return;
    wait->done = true;
    wait->result = result;
    wake_or_defer(wait);
}

void wait_finish_all(struct context *context, int result)
{
    list_each(node, &context->waits) wait_finish(list_entry(node, struct wait, context_link), result);
}
