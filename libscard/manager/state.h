/* SPDX-License-Identifier: MIT */
/*
 * The state of the local service. Everything here is read and written under manager.lock, except what is
 * marked constant and the device of a slot, which belongs to whoever has the slot's turn.
 */
#ifndef MANAGER_STATE_H
#define MANAGER_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/ids.h"
#include "base/list.h"
#include "manager/service.h"

struct slot;
struct wake_later;

struct manager {
    struct service service;
    pthread_mutex_t lock;
    pthread_condattr_t monotonic;  /* for conditions with a deadline */
    struct wake_later *wake_later; /* or NULL; see wait_defer */

    struct list slots;   /* struct slot.link, in order of arrival */
    void *slots_by_name; /* tsearch tree over slot.name */
    size_t slot_count;
    uint16_t list_events; /* arrivals and departures of readers, 1 … 65535 round */
    struct list watches;  /* struct watch.link: waits for a change */
    void (*observer)(void *user);
    void *observer_user;
    uint32_t idle_power_ms;

    /* monitor.c */
    int epoll_fd, wake_fd, timer_fd;
    struct list to_look; /* struct slot.look_link */
    struct ids slot_ids; /* struct slot.id, for epoll */
    unsigned threads, threads_waiting;
    bool stopping;
    pthread_cond_t changed; /* a thread ended, or a slot settled */
};

struct context {
    struct service_context base;
    struct list handles; /* struct handle.context_link */
    struct list waits;   /* struct wait.context_link */
    bool closed, no_wait;
    unsigned exchanges;   /* calls of this context on a device */
    pthread_cond_t quiet; /* exchanges became 0 after closing */
};

/* A thread that waits for something under a context. On the stack of that thread. */
struct wait {
    struct list context_link;
    struct manager *manager;
    _Atomic uint32_t wakes; /* a futex */
    bool stirred;
    bool done;
    int result; /* once done */
};

enum card_event { EVENT_NONE = 0, EVENT_RESET = 1, EVENT_REMOVED = 2 };

struct handle {
    struct service_handle base;
    struct slot *slot;
    struct list context_link, slot_link;
    enum share_mode share;
    enum card_event event;
    bool closed;
};

struct slot {
    struct manager *manager;
    char *name;            /* constant */
    struct reader *device; /* NULL: an unusable reader, see problem */
    char *device_id, *problem;
    char *facts;         /* or NULL */
    unsigned index;      /* NN of the name */
    uint32_t id;         /* in manager.slot_ids while watched, else 0 */
    unsigned references; /* attached, handles, watched entries, calls */
    struct list link, look_link;
    bool attached, settled, faulty;
    bool edge; /* epoll tells of each new event once, not of a lasting one */

    /* the card */
    bool present, powered, mute;
    uint8_t atr[ATR_MAX];
    size_t atr_length;
    uint32_t protocol;       /* in force since the last reset; 0: none */
    uint16_t counter;        /* insertions and removals, 1 … 65535 round after the first */
    struct deadline idle_at; /* when to power off */
    uint32_t transmissions;  /* exchanges that were answered, since the reader was attached */

    /* its users */
    struct list handles; /* struct handle.slot_link */
    struct handle *exclusive;
    struct handle *owner; /* of the transaction */
    unsigned depth;

    /* the turn (turn.h) */
    bool busy;
    struct context *busy_context;
    bool busy_counts;  /* in busy_context->exchanges */
    struct list queue; /* struct turn_wait.link */
    bool look_again;
};

static inline struct manager *manager_of(struct service *service)
{
    return (struct manager *)(void *)service;
}

static inline struct context *context_of(struct service_context *context)
{
    return (struct context *)(void *)context;
}

static inline struct handle *handle_of(struct service_handle *handle)
{
    return (struct handle *)(void *)handle;
}

static inline struct manager *context_manager(const struct context *context)
{
    return manager_of(context->base.service);
}

static inline struct context *handle_context(const struct handle *handle)
{
    return context_of(handle->base.context);
}

/* wait.c: the pieces of a cancellable wait. All under the lock. */

/* RC_INVALID_HANDLE when the context is closed. */
int wait_begin(struct wait *wait, struct context *context);
/* Sleeps until wait_finish from another thread (its result), wait_stir (RC_OK), or RC_TIMEOUT. */
int wait_sleep(struct wait *wait, struct manager *manager, struct deadline deadline);
/* Ends one sleep, not the wait: a cancel that comes before the thread has woken up is not lost. */
void wait_stir(struct wait *wait);
/* Must follow wait_begin. */
void wait_end(struct wait *wait);

/* Threads to wake when the lock is no longer held, so that they do not run into it. */
struct wake_later {
    _Atomic uint32_t *wakes[8];
    size_t count;
};
/* Until wait_unlock, which must come before the lock is let go of in any other way, threads that are woken
 * are collected there. */
void wait_defer(struct manager *manager, struct wake_later *later);
/* Lets go of the lock and wakes them. */
void wait_unlock(struct manager *manager);

/* Wakes the waiting thread; the first result counts. */
void wait_finish(struct wait *wait, int result);
/* Ends every wait of the context. */
void wait_finish_all(struct context *context, int result);

#endif
