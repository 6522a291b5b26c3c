/* SPDX-License-Identifier: MIT */
#include "sim/slot.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"

static void signal_fd(int fd)
{
    const uint64_t one = 1;

    /* Fails only when the counter is full, and then it is readable already. */
    if (write(fd, &one, sizeof one) < 0)
        return;
}

static void drain_fd(int fd)
{
    uint64_t count;

    if (read(fd, &count, sizeof count) < 0)
        return;
}

void slot_set_present(struct slot *slot, bool present)
{
    unsigned comings = atomic_load(&slot->comings);

    do {
        if ((comings & 1) == present)
            return;
    } while (!atomic_compare_exchange_weak(&slot->comings, &comings, comings + 1));
    signal_fd(slot->changed_fd);
    signal_fd(slot->wake_fd);
}

void slot_cancel(struct slot *slot)
{
    atomic_store(&slot->cancelled, true);
    signal_fd(slot->wake_fd);
}

void slot_begin(struct slot *slot)
{
    drain_fd(slot->wake_fd);
    atomic_store(&slot->cancelled, false);
}

static void on_watch(void *user, bool exists)
{
    slot_set_present(user, exists);
}

unsigned slot_comings(struct slot *slot)
{
    if (slot->watch.fd >= 0)
        watch_read(&slot->watch, on_watch, slot);
    return atomic_load(&slot->comings);
}

bool slot_presence(struct slot *slot)
{
    unsigned comings;

    (void)slot_comings(slot); /* lets the watch speak, so that what it said is drained too */
    drain_fd(slot->changed_fd);
    comings = atomic_load(&slot->comings);
    if (slot->seen & 1 && comings & 1 && slot->seen != comings) {
        slot->seen = comings - 1;
        signal_fd(slot->changed_fd);
    } else {
        slot->seen = comings;
    }
    return slot->seen & 1;
}

static int line_wait(struct sim_line *line, struct deadline deadline)
{
    struct slot *slot = (struct slot *)line;
    unsigned comings = atomic_load(&slot->comings);
    struct pollfd fds[] = {{.fd = slot->wake_fd, .events = POLLIN}, {.fd = slot->watch.fd, .events = POLLIN}};

    for (;;) {
        if (!(comings & 1) || slot_comings(slot) != comings)
            return RC_NO_CARD;
        if (atomic_load(&slot->cancelled))
            return RC_CANCELLED;
        if (deadline_passed(deadline))
            return RC_OK;
        if (poll(fds, 2, deadline_poll_ms(deadline)) < 0 && errno != EINTR)
            return detail_set(RC_IO, "simulated card: poll: %s", strerror(errno));
        drain_fd(slot->wake_fd); /* before the flags are looked at again */
    }
}

static void line_leave(struct sim_line *line)
{
    slot_set_present((struct slot *)line, false);
}

static int out_of_descriptors(void)
{
    return detail_set(RC_NO_MEMORY, "no event descriptor for a simulated reader: %s; raise ulimit -n",
                      strerror(errno));
}

/* event_fd of a slot with a watch: readable when either has news. */
static int open_epoll(struct slot *slot)
{
    struct epoll_event event = {.events = EPOLLIN};

    slot->event_fd = epoll_create1(EPOLL_CLOEXEC);
    if (slot->event_fd < 0 || epoll_ctl(slot->event_fd, EPOLL_CTL_ADD, slot->changed_fd, &event) < 0 ||
        epoll_ctl(slot->event_fd, EPOLL_CTL_ADD, slot->watch.fd, &event) < 0)
        return out_of_descriptors();
    return RC_OK;
}

int slot_open(struct slot *slot, const char *path, bool inserted)
{
    int rc;

    slot->line = (struct sim_line){.wait = line_wait, .leave = line_leave};
    atomic_init(&slot->comings, 0);
    atomic_init(&slot->cancelled, false);
    slot->seen = 0;
    slot->watch.fd = slot->event_fd = -1;
    slot->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    slot->changed_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (slot->wake_fd < 0 || slot->changed_fd < 0)
        return out_of_descriptors();
    if (path) {
        rc = watch_open(&slot->watch, path);
        if (!rc)
            rc = open_epoll(slot);
        if (rc)
            return rc;
        inserted = watch_exists(&slot->watch);
    } else {
        slot->event_fd = slot->changed_fd;
    }
    slot_set_present(slot, inserted);
    return RC_OK;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        close(fd);
}

void slot_forget(struct slot *slot)
{
    if (slot->event_fd != slot->changed_fd)
        close_fd(slot->event_fd);
    close_fd(slot->changed_fd);
    close_fd(slot->wake_fd);
    close_fd(slot->watch.fd);
    slot->watch.fd = -1;
}

void slot_close(struct slot *slot)
{
    slot_forget(slot);
    watch_close(&slot->watch);
}
