/* SPDX-License-Identifier: MIT */
/*
 * The state of the remote service. Everything here is read and written under remote.lock, which is never held
 * across I/O, except what is marked constant, and a connection's stream, which belongs to the call that has
 * the connection's turn.
 *
 * A connection answers one request after the other. So that calls do not wait behind each other, a context
 * has several: each card handle has the one that it was connected on, and calls that need no handle take one
 * that is free, or a new one. A program with one context, one card and one thread has one connection. Where a
 * server with features has already given a context, the next one has none until its first call: as long as
 * there are contexts there is some connection, so that the server knows that it is wanted.
 */
#ifndef IPC_REMOTE_STATE_H
#define IPC_REMOTE_STATE_H

#include <pthread.h>

#include "base/list.h"
#include "ipc/remote.h"
#include "ipc/wire.h"

struct remote {
    struct service service;
    char *path; /* constant, as is monotonic */
    pthread_condattr_t monotonic;
    pthread_mutex_t lock;
    struct list connections;  /* struct connection.remote_link: all that have a descriptor */
    struct list contexts;     /* struct remote_context.link */
    struct connection *first; /* connected, not used yet; or NULL */
    bool ours;                /* a server with features has given a context here */

    /* Servers of minor 3 and 4 do not count changes of the list of readers. */
    char *names;
    size_t names_length;
    uint16_t list_events;
};

struct remote_context {
    struct service_context base;
    struct list link;
    struct list connections; /* struct connection.context_link */
    struct list calls;       /* struct remote_call.context_link */
    bool closed, no_wait;    /* no_wait: constant */
    bool lost;               /* the server broke off */
    unsigned cancels;        /* how often its calls were cancelled */
    pthread_cond_t quiet;    /* a connection became free after closing */
};

struct connection {
    struct list remote_link, context_link;
    struct remote *remote; /* constant, as are those up to features */
    int fd;
    int32_t minor;
    uint32_t context;         /* the server's number for it */
    uint32_t features;        /* enum wire_feature */
    struct list handles;      /* struct remote_handle.link */
    struct list queue;        /* struct remote_call.queue_link: waiting for the turn */
    struct remote_call *user; /* who has the turn */
    bool broken;
};

struct remote_handle {
    struct service_handle base;
    struct list link;
    struct connection *connection; /* NULL once closed */
    int32_t card;                  /* constant, as is reader */
    char reader[READER_NAME_MAX];

    /* For a server without features, of the call that has the turn. */
    bool exclusive;
    uint32_t events; /* of its reader when the handle was connected */
};

/* What a call sleeps for; the tests look at it. */
enum remote_sleep { AWAKE, SLEEP_TURN, SLEEP_PAUSE, SLEEP_EVENT, SLEEP_ANSWER };

/* A verb under way. On the stack of its thread. */
struct remote_call {
    struct remote_context *context; /* constant */
    struct list context_link, queue_link;
    struct connection *connection; /* whose turn it has, or waits for */
    pthread_cond_t wake;
    int wake_fd; /* wakes it from the wait for an answer, or -1 */
    bool cancelled, aborted;
    bool held; /* the server may hold its answer back without end, and nobody needs it */
    enum remote_sleep sleep;
};

static inline struct remote *remote_of(struct service *service)
{
    return (struct remote *)(void *)service;
}

static inline struct remote_context *remote_context_of(struct service_context *context)
{
    return (struct remote_context *)(void *)context;
}

static inline struct remote_handle *remote_handle_of(struct service_handle *handle)
{
    return (struct remote_handle *)(void *)handle;
}

static inline struct remote *context_remote(const struct remote_context *context)
{
    return remote_of(context->base.service);
}

#endif
