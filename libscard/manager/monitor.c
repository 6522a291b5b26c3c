/* SPDX-License-Identifier: MIT */
#include "manager/monitor.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "base/thread.h"
#include "manager/slot.h"
#include "manager/turn.h"

/* Threads that stay waiting when there is nothing to do: one to take an event, one to go on waiting. */
#define THREADS_WAITING_MAX 2

/* Numbers for epoll that are not slot ids. */
#define EVENT_WAKE (UINT64_C(1) << 32)
#define EVENT_TIMER (UINT64_C(2) << 32)

static void *monitor_thread(void *argument);

/* Under the lock. */
static int spawn(struct manager *manager)
{
    int rc = thread_start(monitor_thread, manager);

    manager->threads += !rc;
    return rc;
}

static int arm(struct manager *manager, int operation, int fd, uint64_t number)
{
    /* One shot: an event goes to one thread, and comes again only after that thread has dealt with it. */
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.u64 = number};

    return epoll_ctl(manager->epoll_fd, operation, fd, &event);
}

/* Once the slot was looked at. The descriptor of a broken reader may be readable for good, so that one is
 * only listened to when there is something new. */
static void arm_slot(struct slot *slot)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u64 = slot->id};
    int fd = slot->device->event_fd;

    if (fd < 0 || (slot->faulty && slot->edge))
        return;
    if (slot->faulty)
        epoll_ctl(slot->manager->epoll_fd, EPOLL_CTL_MOD, fd, &event);
    else
        arm(slot->manager, EPOLL_CTL_MOD, fd, slot->id);
    slot->edge = slot->faulty;
}

static void arm_timer(struct manager *manager, struct deadline at)
{
    struct itimerspec time = {0};

    if (!deadline_is_never(at))
        time.it_value = deadline_timespec(at);
    timerfd_settime(manager->timer_fd, TFD_TIMER_ABSTIME, &time, NULL);
}

/* One look, with the slot's turn; a busy slot is looked at when its turn is given back. */
static void look(struct slot *slot)
{
    slot_reference(slot);
    if (slot->attached && turn_try(slot)) {
        slot_look(slot);
        turn_give(slot);
    } else {
        slot->look_again = true;
    }
    if (slot->attached && !slot->look_again)
        arm_slot(slot);
    slot_release(slot);
}

static void wake_event(struct manager *manager)
{
    struct slot *slot = NULL;
    uint64_t count;

    if (!list_empty(&manager->to_look)) {
        slot = list_entry(manager->to_look.next, struct slot, look_link);
        list_remove(&slot->look_link);
    }
    if (list_empty(&manager->to_look) && read(manager->wake_fd, &count, sizeof count) < 0 && errno != EAGAIN)
        log_debug("eventfd cannot be read: error %d", errno);
    arm(manager, EPOLL_CTL_MOD, manager->wake_fd, EVENT_WAKE);
    if (slot)
        look(slot);
}

static void power_off_idle(struct slot *slot)
{
    /* Whoever is at the device now starts the time anew when giving the turn back. */
    if (!list_empty(&slot->handles) || !slot->powered || !turn_try(slot))
        return;
    slot_reference(slot);
    slot_power(slot, POWER_OFF, NULL);
    turn_give(slot);
    slot_release(slot);
}

/* One slot each time, and only once another thread can take the next. */
static void timer_event(struct manager *manager)
{
    struct deadline next = deadline_never();
    struct slot *due = NULL;
    uint64_t count;

    if (read(manager->timer_fd, &count, sizeof count) < 0 && errno != EAGAIN)
        log_debug("timer cannot be read: error %d", errno);
    list_each(node, &manager->slots)
    {
        struct slot *slot = list_entry(node, struct slot, link);

        if (!due && deadline_passed(slot->idle_at)) {
            due = slot;
            slot->idle_at = deadline_never();
        }
        next = deadline_min(next, slot->idle_at);
    }
    arm_timer(manager, next);
    arm(manager, EPOLL_CTL_MOD, manager->timer_fd, EVENT_TIMER);
    if (due)
        power_off_idle(due);
}

static void dispatch(struct manager *manager, uint64_t number)
{
    struct slot *slot;

    if (number == EVENT_WAKE) {
        wake_event(manager);
    } else if (number == EVENT_TIMER) {
        timer_event(manager);
    } else {
        slot = ids_get(&manager->slot_ids, (uint32_t)number);
        if (slot)
            look(slot);
    }
}

static void *monitor_thread(void *argument)
{
    struct manager *manager = argument;

    pthread_mutex_lock(&manager->lock);
    while (!manager->stopping) {
        struct epoll_event event;
        int count;

        manager->threads_waiting++;
        pthread_mutex_unlock(&manager->lock);
        count = epoll_wait(manager->epoll_fd, &event, 1, -1);
        pthread_mutex_lock(&manager->lock);
        manager->threads_waiting--;
        if (manager->stopping || count < 1)
            continue;
        if (!manager->threads_waiting)
            spawn(manager); /* without memory for it this thread still comes back */
        dispatch(manager, event.data.u64);
        if (manager->threads_waiting >= THREADS_WAITING_MAX)
            break;
    }
    manager->threads--;
    pthread_cond_broadcast(&manager->changed);
    pthread_mutex_unlock(&manager->lock);
    return NULL;
}

int monitor_start(struct manager *manager)
{
    int rc;

    manager->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    manager->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    manager->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (manager->epoll_fd < 0 || manager->wake_fd < 0 || manager->timer_fd < 0 ||
        arm(manager, EPOLL_CTL_ADD, manager->wake_fd, EVENT_WAKE) ||
        arm(manager, EPOLL_CTL_ADD, manager->timer_fd, EVENT_TIMER))
        return detail_set(RC_NO_MEMORY,
                          "no file descriptor left for watching readers (error %d); raise ulimit -n", errno);
    pthread_mutex_lock(&manager->lock);
    rc = spawn(manager);
    pthread_mutex_unlock(&manager->lock);
    return rc;
}

void monitor_stop(struct manager *manager)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = EVENT_WAKE};
    const uint64_t one = 1;

    pthread_mutex_lock(&manager->lock);
    manager->stopping = true;
    if (manager->threads) {
        /* Not one shot, never read again: wakes every thread. */
        epoll_ctl(manager->epoll_fd, EPOLL_CTL_MOD, manager->wake_fd, &event);
        if (write(manager->wake_fd, &one, sizeof one) < 0)
            log_debug("eventfd cannot be written: error %d", errno);
    }
    while (manager->threads)
        pthread_cond_wait(&manager->changed, &manager->lock);
    pthread_mutex_unlock(&manager->lock);
    monitor_close(manager);
}

void monitor_close(struct manager *manager)
{
    if (manager->epoll_fd >= 0)
        close(manager->epoll_fd);
    if (manager->wake_fd >= 0)
        close(manager->wake_fd);
    if (manager->timer_fd >= 0)
        close(manager->timer_fd);
}

int monitor_add(struct slot *slot)
{
    struct manager *manager = slot->manager;
    int rc = ids_add(&manager->slot_ids, slot, &slot->id);

    if (rc)
        return rc;
    if (slot->device->event_fd >= 0 && arm(manager, EPOLL_CTL_ADD, slot->device->event_fd, slot->id)) {
        rc = detail_set(RC_NO_MEMORY, "%s cannot be watched (error %d)", slot->name, errno);
        ids_remove(&manager->slot_ids, slot->id);
        slot->id = 0;
        return rc;
    }
    monitor_look(slot);
    return RC_OK;
}

void monitor_remove(struct slot *slot)
{
    list_remove(&slot->look_link);
    if (!slot->id)
        return;
    ids_remove(&slot->manager->slot_ids, slot->id);
    if (slot->device->event_fd >= 0)
        epoll_ctl(slot->manager->epoll_fd, EPOLL_CTL_DEL, slot->device->event_fd, NULL);
}

void monitor_look(struct slot *slot)
{
    const uint64_t one = 1;

    list_remove(&slot->look_link);
    if (!slot->attached || !slot->device)
        return;
    list_append(&slot->manager->to_look, &slot->look_link);
    if (write(slot->manager->wake_fd, &one, sizeof one) < 0 && errno != EAGAIN)
        log_debug("eventfd cannot be written: error %d", errno);
}

void monitor_arm_idle(struct slot *slot)
{
    struct itimerspec time;

    /* A timer that is set already comes no later than this one, unless it was made shorter for tests; when it
     * comes it finds the next time by itself. */
    if (timerfd_gettime(slot->manager->timer_fd, &time) || time.it_value.tv_sec || time.it_value.tv_nsec)
        return;
    arm_timer(slot->manager, slot->idle_at);
}
