/* SPDX-License-Identifier: MIT */
#include "base/rc.h"
#include "manager/state.h"

int wait_begin(struct wait *wait, struct context *context)
{
    if (context->closed)
        return RC_INVALID_HANDLE;
    wait->done = wait->stirred = false;
    wait->result = RC_OK;
    pthread_cond_init(&wait->wake, &context_manager(context)->monotonic);
    list_append(&context->waits, &wait->context_link);
    return RC_OK;
}

int wait_sleep(struct wait *wait, struct manager *manager, struct deadline deadline)
{
    struct timespec at = deadline_is_never(deadline) ? (struct timespec){0} : deadline_timespec(deadline);

    while (!wait->done && !wait->stirred) {
        if (deadline_is_never(deadline))
            pthread_cond_wait(&wait->wake, &manager->lock);
        else if (pthread_cond_timedwait(&wait->wake, &manager->lock, &at) && !wait->done && !wait->stirred)
            return RC_TIMEOUT;
    }
    wait->stirred = false;
    return wait->done ? wait->result : RC_OK;
}

void wait_stir(struct wait *wait)
{
    wait->stirred = true;
    pthread_cond_signal(&wait->wake);
}

void wait_end(struct wait *wait)
{
    list_remove(&wait->context_link);
    pthread_cond_destroy(&wait->wake);
}

void wait_finish(struct wait *wait, int result)
{
    if (wait->done)
        return;
    wait->done = true;
    wait->result = result;
    pthread_cond_signal(&wait->wake);
}

void wait_finish_all(struct context *context, int result)
{
    list_each(node, &context->waits) wait_finish(list_entry(node, struct wait, context_link), result);
}
