/* SPDX-License-Identifier: MIT */
#include "driver/ccid_link.h"

#include <stdlib.h>
#include <sys/eventfd.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_iccd.h"
#include "driver/ccid_link_state.h"

static int lock_init(struct ccid_link *link)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);

    if (error)
        return RC_NO_MEMORY;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    error = pthread_cond_init(&link->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (error)
        return RC_NO_MEMORY;
    if (pthread_mutex_init(&link->lock, NULL)) {
        pthread_cond_destroy(&link->changed);
        return RC_NO_MEMORY;
    }
    return RC_OK;
}

static void release(struct ccid_link *link)
{
    for (size_t i = 0; link->slots && i < link->slot_count; i++) {
        link_watch_fini(&link->slots[i]);
        buffer_fini(&link->slots[i].box);
    }
    free(link->slots);
    free(link->out);
    buffer_fini(&link->pieces);
    pthread_cond_destroy(&link->changed);
    pthread_mutex_destroy(&link->lock);
    free(link);
}

static int slots_init(struct ccid_link *link)
{
    int rc = RC_OK;

    link->slots = calloc(link->slot_count, sizeof *link->slots);
    if (!link->slots)
        return RC_NO_MEMORY;
    for (size_t i = 0; i < link->slot_count; i++) {
        link->slots[i].index = (uint8_t)i;
        link->slots[i].look_fd = link->slots[i].timer_fd = link->slots[i].event_fd = -1;
    }
    link->out = malloc(link->descriptor->max_message);
    if (!link->out)
        return RC_NO_MEMORY;
    link->polling = !link->descriptor->interrupt.address;
    for (size_t i = 0; i < link->slot_count && !rc; i++)
        rc = link_watch_init(link, &link->slots[i]);
    if (!rc && link->descriptor->transport != CCID_BULK)
        rc = buffer_reserve(&link->slots[0].box, ICCD_ROOM);
    return rc;
}

int ccid_link_new(struct pipe *pipe, const struct ccid_descriptor *descriptor, const struct ccid_quirk *quirk,
                  struct ccid_link **ret_link)
{
    struct ccid_link *link = calloc(1, sizeof *link);
    int rc;

    if (!link)
        return RC_NO_MEMORY;
    link->pipe = pipe;
    link->descriptor = descriptor;
    link->quirk = quirk;
    link->slot_count = descriptor->slots;
    rc = lock_init(link);
    if (rc) {
        free(link);
        return rc;
    }
    rc = slots_init(link);
    if (rc) {
        release(link);
        return rc;
    }
    *ret_link = link;
    return RC_OK;
}

void ccid_link_free(struct ccid_link *link)
{
    if (!link)
        return;
    link->pipe->ops->close(link->pipe);
    release(link);
}

void ccid_link_forget(struct ccid_link *link)
{
    /* No lock: a thread of the parent may have had it when the fork was made. */
    if (link->forgotten)
        return;
    link->forgotten = true;
    for (size_t i = 0; i < link->slot_count; i++)
        link_watch_fini(&link->slots[i]);
    link->pipe->ops->forget(link->pipe);
}

void link_gone(struct ccid_link *link)
{
    if (link->gone)
        return;
    link->gone = true;
    for (size_t i = 0; i < link->slot_count; i++)
        eventfd_write(link->slots[i].look_fd, 1);
    pthread_cond_broadcast(&link->changed);
}

int link_say_gone(void)
{
    return detail_set(RC_READER_UNAVAILABLE, "the reader has been unplugged");
}

bool link_take_cancel(struct link_slot *slot)
{
    bool cancelled = slot->cancelled;

    slot->cancelled = false;
    return cancelled;
}

bool link_wait_change(struct ccid_link *link, struct deadline deadline)
{
    struct timespec until;

    if (deadline_is_never(deadline)) {
        pthread_cond_wait(&link->changed, &link->lock);
        return true;
    }
    until = deadline_timespec(deadline);
    return !pthread_cond_timedwait(&link->changed, &link->lock, &until);
}

uint8_t link_next_seq(struct ccid_link *link)
{
    uint8_t seq;

    pthread_mutex_lock(&link->lock);
    seq = link->seq++;
    pthread_mutex_unlock(&link->lock);
    return seq;
}

void ccid_link_begin(struct ccid_link *link, uint8_t slot)
{
    pthread_mutex_lock(&link->lock);
    link->slots[slot].in_call = true;
    link->slots[slot].cancelled = false;
    pthread_mutex_unlock(&link->lock);
    link->pipe->ops->hold(link->pipe, true);
}

void ccid_link_end(struct ccid_link *link, uint8_t slot)
{
    struct link_slot *self = &link->slots[slot];

    link->pipe->ops->hold(link->pipe, false);
    pthread_mutex_lock(&link->lock);
    self->in_call = false;
    self->cancelled = false;
    pthread_mutex_unlock(&link->lock);
    link_forget_answer(link, self);
}

void ccid_link_cancel(struct ccid_link *link, uint8_t slot)
{
    struct link_slot *self = &link->slots[slot];

    pthread_mutex_lock(&link->lock);
    if (self->in_call && !self->cancelled) {
        self->cancelled = true;
        if (link->reader == self || link->controller == self)
            link->pipe->ops->interrupt(link->pipe);
        else
            pthread_cond_broadcast(&link->changed);
    }
    pthread_mutex_unlock(&link->lock);
}

int ccid_link_pause(struct ccid_link *link, uint8_t slot, uint64_t ms)
{
    struct deadline deadline = deadline_in_ms(ms);
    struct link_slot *self = &link->slots[slot];
    int rc = RC_OK;
    bool over = false;

    pthread_mutex_lock(&link->lock);
    while (!over && !self->cancelled && !link->gone)
        over = !link_wait_change(link, deadline);
    if (link->gone)
        rc = link_say_gone();
    else if (link_take_cancel(self))
        rc = RC_CANCELLED;
    pthread_mutex_unlock(&link->lock);
    return rc;
}

/* The slot that may make a control transfer now. */
static int take_control(struct ccid_link *link, struct link_slot *slot, bool cancellable)
{
    int rc = RC_OK;

    pthread_mutex_lock(&link->lock);
    while (link->controller && !link->gone && !(cancellable && slot->cancelled))
        link_wait_change(link, deadline_never());
    if (link->gone)
        rc = link_say_gone();
    else if (cancellable && link_take_cancel(slot))
        rc = RC_CANCELLED;
    else
        link->controller = slot;
    pthread_mutex_unlock(&link->lock);
    return rc;
}

int link_control(struct ccid_link *link, struct link_slot *slot, bool cancellable, uint8_t request_type,
                 uint8_t request, uint16_t value, uint8_t *bytes, size_t length, size_t *ret_length,
                 struct deadline deadline)
{
    int rc = take_control(link, slot, cancellable);
    bool again;

    if (rc)
        return rc;
    do {
        rc = link->pipe->ops->control(link->pipe, request_type, request, value, bytes, length, ret_length,
                                      deadline);
        pthread_mutex_lock(&link->lock);
        /* An interrupt that came too late for one transfer ends the next, whose business it is not. */
        again = rc == RC_CANCELLED && !(cancellable && link_take_cancel(slot));
        if (!again) {
            link->controller = NULL;
            pthread_cond_broadcast(&link->changed);
        }
        if (rc == RC_READER_UNAVAILABLE)
            link_gone(link);
        pthread_mutex_unlock(&link->lock);
    } while (again);
    return rc == RC_READER_UNAVAILABLE ? link_say_gone() : rc;
}

int ccid_link_control(struct ccid_link *link, uint8_t slot, uint8_t request_type, uint8_t request,
                      uint16_t value, uint8_t *bytes, size_t length, size_t *ret_length, uint64_t timeout_ms)
{
    return link_control(link, &link->slots[slot], true, request_type, request, value, bytes, length,
                        ret_length, timeout_ms ? deadline_in_ms(timeout_ms) : deadline_never());
}
