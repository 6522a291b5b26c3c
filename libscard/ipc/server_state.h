/* SPDX-License-Identifier: MIT */
/*
 * The state of the server. Locks, in this order: notify_lock, then a client's output_lock; server.lock is
 * held briefly, never across I/O, and no other is taken with it but the service's.
 *
 * A client is served by one thread at a time, the one that has made it busy; what only that thread touches
 * has no lock. What it sends meanwhile wakes nobody: libpcsclite writes each request in pieces. From its
 * first card on it is watched in another way all the time, so that a client that goes away while its request
 * waits is noticed by another thread.
 */
#ifndef IPC_SERVER_STATE_H
#define IPC_SERVER_STATE_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/list.h"
#include "ipc/server.h"
#include "ipc/wire.h"

struct server {
    struct service *service; /* constant, as are the options and the descriptors */
    struct server_options options;
    int epoll_fd, watch_fd, listener, wake_fd, timer_fd, table_fd, event_fd;
    size_t others_max; /* connections of one user who is neither root nor the server's own */

    pthread_mutex_t lock;
    pthread_cond_t changed; /* a thread ended, or the last client left */
    unsigned threads, threads_waiting;
    bool stopping;         /* no new clients */
    bool ending;           /* threads end */
    bool accepting;        /* a thread takes new clients */
    int incoming;          /* a connection that is no client yet, or -1 */
    bool deaf;             /* the listener is not listened to, for want of descriptors */
    struct deadline again; /* it is, then, again */
    uint32_t message_ms;   /* time for the rest of a message */
    size_t client_count;
    int64_t idle_since_ns;
    atomic_uint staying; /* threads that wait for the next request of a client */
    struct list clients; /* struct server_client.link: all that have a descriptor */
    struct list users;   /* struct server_user.link */
    struct list
        unfinished; /* struct server_client.unfinished_link: in the middle of a message, oldest first */
    struct ids client_ids;              /* for epoll */
    struct ids context_ids, handle_ids; /* as clients have them */

    /* server_notify.c */
    pthread_mutex_t notify_lock;
    struct service_context *context; /* the server's own, for looks at the readers */
    struct wire_reader *table;
    size_t table_count;
    uint16_t list_events;
    struct list waiting; /* struct server_client.wait_link */
};

/* The connections of one user. */
struct server_user {
    struct list link;
    uid_t uid;
    size_t count;
};

struct server_context {
    struct server_client *client;
    struct service_context *service;  /* changed with server.lock */
    struct service_context *replaced; /* released, or NULL */
    uint32_t id;
    unsigned references; /* server.lock: the client, and threads that end its calls */
    bool released;       /* server.lock */
    struct list handles; /* struct server_handle.link; of the thread that has the client busy */
};

struct server_handle {
    struct server_context *context;
    struct service_handle *service;
    uint32_t id;
    struct list link;
};

struct server_client {
    struct server *server; /* constant, as are fd, uid and pid */
    int fd;
    uid_t uid;
    pid_t pid;
    atomic_bool expelled; /* it was reported */
    atomic_bool gone;     /* nobody is there any more to read an answer; set with server.lock */

    /* server.lock */
    struct list link, unfinished_link;
    struct server_user *user;
    uint32_t id;
    unsigned references;
    bool busy;                      /* a thread serves it */
    struct deadline deadline;       /* for the rest of the message */
    struct server_context *context; /* set and cleared by the thread that has the client busy */

    /* the thread that has it busy */
    int32_t minor;
    uint32_t told_count; /* entries that the table was said to have; UINT32_MAX: not said */
    struct buffer input; /* the beginning of a message */
    bool begun;          /* it is another message than the one that its deadline is for */
    int64_t answered_ns; /* when its last request was */
    bool can_stay;       /* a receive that waits ends soon */

    /* notify_lock */
    struct list wait_link;
    unsigned waits;   /* WAITs without their end */
    bool table_due;   /* the ends of waits are held back until the client has read the table */
    unsigned held;    /* ends of waits that are held back */
    uint32_t held_rv; /* and what they say */

    /* output_lock */
    pthread_mutex_t output_lock;
    struct buffer output; /* what the client has not taken yet */
    size_t output_sent;   /* of it */
    bool watched;         /* by server.watch_fd */
};

#define SERVER_REQUEST_MAX (sizeof(struct wire_header) + sizeof(struct wire_transmit) + WIRE_DATA_MAX)
#define SERVER_REPLY_MAX (sizeof(struct wire_fact) + WIRE_DATA_MAX)

/* A thread, with its room for messages. */
struct server_worker {
    struct server *server;
    bool last; /* no other thread listens, and none could be made: this one must not wait long */
    uint8_t in[SERVER_REQUEST_MAX], out[SERVER_REPLY_MAX];
};

/* What epoll tells of beside the numbers of clients. */
#define SERVER_EVENT_WAKE (UINT64_C(1) << 32)
#define SERVER_EVENT_LISTENER (UINT64_C(2) << 32)
#define SERVER_EVENT_TIMER (UINT64_C(3) << 32)
#define SERVER_EVENT_TABLE (UINT64_C(4) << 32)
#define SERVER_EVENT_WATCH (UINT64_C(5) << 32)

static inline const struct service_ops *server_ops(const struct server *server)
{
    return server->service->ops;
}

/* Those of a client's context, which is not always the service's own. */
static inline const struct service_ops *server_context_ops(const struct service_context *context)
{
    return context->service->ops;
}

static inline const struct service_ops *server_handle_ops(const struct service_handle *handle)
{
    return server_context_ops(handle->context);
}

/* Tells the administrator, and the debug log. */
void server_report(const struct server *server, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* With the lock: the timer tells of what is due first. */
void server_set_timer(struct server *server);

/* Looks again whether the worker is the last one, and makes another if that has become possible. Without the
 * lock.
 */
void server_find_listener(struct server_worker *worker);

/* Makes an eventfd readable. */
void server_signal(int event_fd);

/* Gives a reference back, with the lock, which may be let go of meanwhile. */
void server_client_unref(struct server_client *client);
void server_context_unref(struct server_context *context);

#endif
