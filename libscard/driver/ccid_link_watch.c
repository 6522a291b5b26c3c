/* SPDX-License-Identifier: MIT */
/* When a slot should be looked at: notices of the interrupt endpoint, or a timer where there is none. */
#include "driver/ccid_link.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_link_state.h"

#define POLL_NS 400000000 /* as long as a person takes to see that nothing happens */
#define NOTICE_ROOM 1024  /* longest packet of an interrupt endpoint (USB 2.0, 5.7.3) */
#define NOTICES_MAX 64    /* read at a time: a reader that never stops must not keep us */

static int listen_to(const struct link_slot *slot, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};

    if (epoll_ctl(slot->event_fd, EPOLL_CTL_ADD, fd, &event))
        return detail_set(RC_NO_MEMORY, "cannot listen to a reader: %s", strerror(errno));
    return RC_OK;
}

/* One shot each time the slot is looked at, so that a reader in use, or one that nobody watches, costs no
 * wake-up. */
static void arm_timer(const struct link_slot *slot)
{
    struct itimerspec in = {.it_value.tv_nsec = POLL_NS};

    if (slot->timer_fd >= 0)
        timerfd_settime(slot->timer_fd, 0, &in, NULL);
}

static int timer_init(struct link_slot *slot)
{
    int rc;

    slot->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (slot->timer_fd < 0)
        return detail_set(RC_NO_MEMORY, "no timer for a reader: %s", strerror(errno));
    rc = listen_to(slot, slot->timer_fd);
    arm_timer(slot);
    return rc;
}

int link_watch_init(struct ccid_link *link, struct link_slot *slot)
{
    int rc = RC_OK;

    slot->look_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    slot->event_fd = epoll_create1(EPOLL_CLOEXEC);
    if (slot->look_fd < 0 || slot->event_fd < 0)
        return detail_set(RC_NO_MEMORY, "no descriptor for a reader: %s", strerror(errno));
    rc = listen_to(slot, slot->look_fd);
    if (!rc && link->pipe->event_fd >= 0)
        rc = listen_to(slot, link->pipe->event_fd);
    if (!rc && link->polling)
        rc = timer_init(slot);
    return rc;
}

void link_watch_fini(struct link_slot *slot)
{
    int *fds[] = {&slot->event_fd, &slot->look_fd, &slot->timer_fd};

    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
}

int ccid_link_event_fd(const struct ccid_link *link, uint8_t slot)
{
    return link->slots[slot].event_fd;
}

void ccid_link_look_again(struct ccid_link *link, uint8_t slot)
{
    eventfd_write(link->slots[slot].look_fd, 1);
}

/* Under the lock. The interrupt endpoint is of no use. */
static void start_polling(struct ccid_link *link)
{
    if (link->polling)
        return;
    link->polling = true;
    log_debug("CCID: no notices from the reader, its slots are looked at regularly");
    for (size_t i = 0; i < link->slot_count; i++)
        timer_init(&link->slots[i]);
}

/* What the message says of cards that came and went. */
static void take_note(struct ccid_link *link, bool is_old, const uint8_t *notice, size_t length)
{
    bool present, changed;

    pthread_mutex_lock(&link->lock);
    for (unsigned i = 0; i < link->slot_count; i++) {
        struct link_slot *slot = &link->slots[i];

        if (!ccid_notice_slot(notice, length, i, &present, &changed))
            break;
        if (changed && slot->noticed && !is_old)
            slot->left = true;
        slot->noticed = present;
    }
    pthread_mutex_unlock(&link->lock);
}

/* A message that names no slot as changed, or that cannot be read, is about all of them. */
static void pass_on(struct ccid_link *link, const struct link_slot *self, const uint8_t *notice,
                    size_t length)
{
    bool present, changed, named = false;
    uint8_t slot, seq, code;

    if (ccid_notice_hardware(notice, length, &slot, &seq, &code))
        log_debug("CCID: hardware error %02X in slot %u, number %u", (unsigned)code, (unsigned)slot,
                  (unsigned)seq);
    for (unsigned i = 0; i < link->slot_count && !named; i++)
        named = ccid_notice_slot(notice, length, i, &present, &changed) && changed;
    for (unsigned i = 0; i < link->slot_count; i++)
        if (&link->slots[i] != self &&
            (!named || (ccid_notice_slot(notice, length, i, &present, &changed) && changed)))
            eventfd_write(link->slots[i].look_fd, 1);
}

void link_read_notices(struct ccid_link *link, const struct link_slot *self)
{
    uint8_t notice[NOTICE_ROOM];
    size_t length;
    int rc = RC_OK;

    pthread_mutex_lock(&link->lock);
    /* Who reads them already passes them on to this slot, too. */
    if (link->noticing || link->gone) {
        pthread_mutex_unlock(&link->lock);
        return;
    }
    link->noticing = true;
    pthread_mutex_unlock(&link->lock);
    for (unsigned i = 0; i < NOTICES_MAX; i++) {
        length = 0;
        rc = link->pipe->ops->notice(link->pipe, notice, sizeof notice, &length);
        if (rc || !length)
            break;
        take_note(link, !self, notice, length);
        if (self)
            pass_on(link, self, notice, length);
    }
    pthread_mutex_lock(&link->lock);
    link->noticing = false;
    if (rc == RC_UNSUPPORTED)
        start_polling(link);
    else if (rc == RC_READER_UNAVAILABLE)
        link_gone(link);
    pthread_mutex_unlock(&link->lock);
}

bool ccid_link_seen(struct ccid_link *link, uint8_t slot)
{
    struct link_slot *self = &link->slots[slot];
    eventfd_t count;
    bool left;

    pthread_mutex_lock(&link->lock);
    if (!link->gone)
        eventfd_read(self->look_fd, &count);
    arm_timer(self);
    pthread_mutex_unlock(&link->lock);
    link_read_notices(link, self);
    pthread_mutex_lock(&link->lock);
    left = self->left;
    self->left = false;
    pthread_mutex_unlock(&link->lock);
    return left;
}
