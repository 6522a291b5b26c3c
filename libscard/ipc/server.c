/* SPDX-License-Identifier: MIT */
#include "ipc/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "base/thread.h"
#include "ipc/server_accept.h"
#include "ipc/server_client.h"
#include "ipc/server_notify.h"

/* Threads that stay when there is nothing to do. More of them go when they have had nothing to do for a
 * while, so that they do not come and go with each request. */
#define THREADS_WAITING_MAX 8
#define THREADS_LEAVE_MS 1000

/* Time for the rest of a message: a program sends it in one go, or is stopped by a debugger. */
#define MESSAGE_MS 30000

static void *run(void *argument);

void server_report(const struct server *server, const char *format, ...)
{
    char line[DETAIL_ROOM];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    log_debug("%s", line);
    if (server->options.report)
        server->options.report(server->options.user, line);
}

void server_signal(int event_fd)
{
    const uint64_t one = 1;

    if (write(event_fd, &one, sizeof one) < 0 && errno != EAGAIN)
        log_debug("eventfd cannot be written: error %d", errno);
}

/* With the lock. */
static int spawn(struct server *server)
{
    struct server_worker *worker = malloc(sizeof *worker);
    int rc = worker ? RC_OK : RC_NO_MEMORY;

    if (worker) {
        worker->server = server;
        rc = thread_start(run, worker);
    }
    if (rc)
        free(worker);
    server->threads += !rc;
    return rc;
}

void server_find_listener(struct server_worker *worker)
{
    struct server *server = worker->server;

    pthread_mutex_lock(&server->lock);
    worker->last = !server->ending && !server->threads_waiting && spawn(server);
    pthread_mutex_unlock(&server->lock);
}

void server_set_timer(struct server *server)
{
    struct deadline first = server->deaf ? server->again : deadline_never();
    struct itimerspec time = {0};

    if (!list_empty(&server->unfinished))
        first = deadline_min(
            first, list_entry(server->unfinished.next, struct server_client, unfinished_link)->deadline);
    if (!deadline_is_never(first))
        time.it_value = deadline_timespec(first);
    timerfd_settime(server->timer_fd, TFD_TIMER_ABSTIME, &time, NULL);
}

static void timer_event(struct server *server)
{
    uint64_t count;

    if (read(server->timer_fd, &count, sizeof count) < 0 && errno != EAGAIN)
        log_debug("timer cannot be read: error %d", errno);
    server_client_expire(server);
    server_accept_again(server);
    pthread_mutex_lock(&server->lock);
    server_set_timer(server);
    pthread_mutex_unlock(&server->lock);
}

/* With the lock, which is let go of meanwhile. */
static void dispatch(struct server_worker *worker, const struct epoll_event *event)
{
    struct server *server = worker->server;

    if (event->data.u64 < SERVER_EVENT_WAKE) {
        server_client_event(worker, (uint32_t)event->data.u64, event->events);
        return;
    }
    pthread_mutex_unlock(&server->lock);
    if (event->data.u64 == SERVER_EVENT_LISTENER)
        server_accept_event(server);
    else if (event->data.u64 == SERVER_EVENT_TABLE)
        server_notify_event(server);
    else if (event->data.u64 == SERVER_EVENT_TIMER)
        timer_event(server);
    else if (event->data.u64 == SERVER_EVENT_WATCH)
        server_client_watch_event(server);
    pthread_mutex_lock(&server->lock);
}

static void *run(void *argument)
{
    struct server_worker *worker = argument;
    struct server *server = worker->server;
    bool leave = false;

    pthread_mutex_lock(&server->lock);
    while (!server->ending && !leave) {
        bool spare = server->threads_waiting++ >= THREADS_WAITING_MAX;
        struct epoll_event event;
        int count;

        pthread_mutex_unlock(&server->lock);
        count = epoll_wait(server->epoll_fd, &event, 1, spare ? THREADS_LEAVE_MS : -1);
        pthread_mutex_lock(&server->lock);
        leave = !count && server->threads_waiting > THREADS_WAITING_MAX;
        server->threads_waiting--;
        if (server->ending || count < 1)
            continue;
        worker->last = !server->threads_waiting && spawn(server);
        dispatch(worker, &event);
    }
    server->threads--;
    pthread_cond_broadcast(&server->changed);
    pthread_mutex_unlock(&server->lock);
    free(worker);
    return NULL;
}

static int add(struct server *server, int fd, uint32_t events, uint64_t number)
{
    struct epoll_event event = {.events = events, .data.u64 = number};

    return epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* The eventfds are never read but told of at each write. */
static int open_descriptors(struct server *server)
{
    server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    server->watch_fd = epoll_create1(EPOLL_CLOEXEC);
    server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->table_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    server->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (server->epoll_fd < 0 || server->watch_fd < 0 || server->wake_fd < 0 || server->table_fd < 0 ||
        server->event_fd < 0 || server->timer_fd < 0 ||
        add(server, server->wake_fd, EPOLLIN, SERVER_EVENT_WAKE) ||
        add(server, server->table_fd, EPOLLIN | EPOLLET, SERVER_EVENT_TABLE) ||
        add(server, server->timer_fd, EPOLLIN | EPOLLET, SERVER_EVENT_TIMER) ||
        add(server, server->watch_fd, EPOLLIN | EPOLLET, SERVER_EVENT_WATCH))
        return detail_set(RC_NO_MEMORY,
                          "no file descriptor left for serving clients (error %d); raise ulimit -n", errno);
    return RC_OK;
}

static void init(struct server *server, struct service *service, int listener,
                 const struct server_options *options)
{
    server->service = service;
    server->listener = listener;
    server->incoming = -1;
    server->options = *options;
    server->epoll_fd = server->watch_fd = server->wake_fd = server->table_fd = server->event_fd =
        server->timer_fd = -1;
    server->idle_since_ns = clock_now_ns();
    server->message_ms = MESSAGE_MS;
    pthread_mutex_init(&server->lock, NULL);
    pthread_mutex_init(&server->notify_lock, NULL);
    pthread_cond_init(&server->changed, NULL);
    list_init(&server->clients);
    list_init(&server->users);
    list_init(&server->unfinished);
    list_init(&server->waiting);
    ids_init(&server->client_ids);
    ids_init(&server->context_ids);
    ids_init(&server->handle_ids);
}

int server_start(struct service *service, int listener, const struct server_options *options,
                 struct server **ret_server)
{
    struct server *server = calloc(1, sizeof *server);
    int flags = fcntl(listener, F_GETFL), rc;

    if (!server) {
        close(listener);
        return detail_set(RC_NO_MEMORY, "out of memory");
    }
    init(server, service, listener, options);
    fcntl(listener, F_SETFL, flags | O_NONBLOCK);
    rc = open_descriptors(server);
    if (!rc)
        rc = server_notify_start(server);
    if (!rc) {
        pthread_mutex_lock(&server->lock);
        rc = spawn(server);
        pthread_mutex_unlock(&server->lock);
    }
    if (!rc)
        rc = server_accept_start(server);
    if (rc) {
        server_free(server);
        return rc;
    }
    *ret_server = server;
    return RC_OK;
}

size_t server_clients(struct server *server, int64_t *ret_idle_since_ns)
{
    size_t count;

    pthread_mutex_lock(&server->lock);
    count = server->client_count;
    *ret_idle_since_ns = count ? INT64_MAX : server->idle_since_ns;
    pthread_mutex_unlock(&server->lock);
    return count;
}

int server_event_fd(const struct server *server)
{
    return server->event_fd;
}

bool server_retire(struct server *server, int64_t idle_ns)
{
    struct pollfd listener = {.fd = server->listener, .events = POLLIN};
    int64_t now = clock_now_ns();
    bool idle, comes;

    pthread_mutex_lock(&server->lock);
    idle = !server->client_count && now - server->idle_since_ns >= idle_ns;
    comes = idle && (server->accepting || poll(&listener, 1, 0) != 0);
    if (comes)
        server->idle_since_ns = now;
    else if (idle)
        server->stopping = true;
    pthread_mutex_unlock(&server->lock);
    return idle && !comes;
}

void server_set_message_ms(struct server *server, uint32_t milliseconds)
{
    pthread_mutex_lock(&server->lock);
    server->message_ms = milliseconds;
    pthread_mutex_unlock(&server->lock);
}

/* With the lock: each client goes the way of one that has left by itself. */
static void dismiss(struct server *server)
{
    server->stopping = true;
    epoll_ctl(server->epoll_fd, EPOLL_CTL_DEL, server->listener, NULL);
    list_each(node, &server->clients)
    {
        struct server_client *client = list_entry(node, struct server_client, link);

        if (client->context)
            server_context_ops(client->context->service)->abort(client->context->service);
        shutdown(client->fd, SHUT_RDWR);
    }
    while (server->client_count)
        pthread_cond_wait(&server->changed, &server->lock);
}

static void close_descriptors(const struct server *server)
{
    const int fds[] = {server->epoll_fd, server->watch_fd, server->wake_fd, server->table_fd,
                       server->event_fd, server->timer_fd, server->listener};

    for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
        if (fds[i] >= 0)
            close(fds[i]);
}

void server_before_fork(struct server *server)
{
    pthread_mutex_lock(&server->lock);
}

void server_after_fork(struct server *server, bool in_child)
{
    if (in_child) {
        close_descriptors(server);
        if (server->incoming >= 0)
            close(server->incoming);
        list_each(node, &server->clients) close(list_entry(node, struct server_client, link)->fd);
    }
    pthread_mutex_unlock(&server->lock);
}

void server_free(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    dismiss(server);
    server->ending = true;
    /* Not told once, but as long as it is readable: wakes every thread. */
    if (server->threads)
        server_signal(server->wake_fd);
    while (server->threads)
        pthread_cond_wait(&server->changed, &server->lock);
    pthread_mutex_unlock(&server->lock);
    server_notify_stop(server);
    close_descriptors(server);
    ids_fini(&server->client_ids);
    ids_fini(&server->context_ids);
    ids_fini(&server->handle_ids);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->notify_lock);
    pthread_mutex_destroy(&server->lock);
    free(server);
}
