/* SPDX-License-Identifier: MIT */
/*
 * SCardAccessStartedEvent: is there a service to establish a context with? Without a socket that was asked
 * for (SCARD_SERVICE) there always is one, in this process. With one, the folder of the socket is watched:
 * nothing is connected, since a server may want to know when it is idle.
 */
#include <poll.h>
#include <pthread.h>
#include <scard.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "api/export.h"
#include "api/route.h"
#include "base/thread.h"

/* What may make a service come or go: its socket, or a folder on the way to it. */
#define CHANGES                                                                                              \
    (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)

struct event {
    int fd;   /* eventfd: readable while signalled */
    int stop; /* eventfd: the last one has released it */
    atomic_uint references;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct event *current;
static unsigned accesses;

static void event_put(struct event *event)
{
    if (atomic_fetch_sub(&event->references, 1) != 1)
        return;
    if (event->fd >= 0)
        close(event->fd);
    if (event->stop >= 0)
        close(event->stop);
    free(event);
}

static void signal_if_there(struct event *event)
{
    struct pollfd signalled = {.fd = event->fd, .events = POLLIN};
    bool was = poll(&signalled, 1, 0) == 1;
    char *path = NULL;
    bool is = route_socket(&path) == RC_OK;
    eventfd_t count;

    free(path);
    if (is && !was)
        eventfd_write(event->fd, 1);
    else if (!is && was)
        eventfd_read(event->fd, &count);
}

/* Watches the folder of the path, or the nearest one above it that exists. */
static int watch_folder(int watch, const char *path)
{
    char *folder = strdup(path);
    int descriptor = -1;

    while (folder && descriptor < 0) {
        char *slash = strrchr(folder, '/');

        if (!slash)
            break;
        slash[slash == folder] = '\0';
        descriptor = inotify_add_watch(watch, folder, CHANGES | IN_ONLYDIR);
        if (slash == folder)
            break;
    }
    free(folder);
    return descriptor;
}

struct watching {
    struct event *event;
    char *path;
};

static void watch_until_stopped(const struct watching *watching, int watch)
{
    struct pollfd fds[] = {{.fd = watching->event->stop, .events = POLLIN}, {.fd = watch, .events = POLLIN}};
    char changes[1024] __attribute__((aligned(_Alignof(struct inotify_event))));
    int watched = watch_folder(watch, watching->path), before;

    /* What happened before the watch stood is seen now. */
    signal_if_there(watching->event);
    for (;;) {
        if (poll(fds, 2, -1) > 0 && fds[0].revents)
            return;
        while (read(watch, changes, sizeof changes) > 0)
            ;
        before = watched;
        watched = watch_folder(watch, watching->path);
        if (before >= 0 && before != watched)
            inotify_rm_watch(watch, before);
        signal_if_there(watching->event);
    }
}

static void *watch_service(void *argument)
{
    struct watching *watching = argument;
    int watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

    if (watch >= 0) {
        watch_until_stopped(watching, watch);
        close(watch);
    }
    event_put(watching->event);
    free(watching->path);
    free(watching);
    return NULL;
}

static void start_watching(struct event *event)
{
    struct watching *watching = malloc(sizeof *watching);

    if (!watching)
        return;
    *watching = (struct watching){event, route_named_socket()};
    atomic_fetch_add(&event->references, 1);
    if (watching->path && !thread_start(watch_service, watching))
        return;
    event_put(event);
    free(watching->path);
    free(watching);
}

static struct event *event_new(void)
{
    struct event *event = malloc(sizeof *event);
    char *path;

    if (!event)
        return NULL;
    event->references = 1;
    event->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    event->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event->fd < 0 || event->stop < 0) {
        event_put(event);
        return NULL;
    }
    path = route_named_socket();
    if (path) {
        signal_if_there(event);
        start_watching(event);
    } else {
        eventfd_write(event->fd, 1);
    }
    free(path);
    return event;
}

EXPORT HANDLE SCardAccessStartedEvent(void)
{
    struct event *event;

    EXPORT_BEGIN;
    pthread_mutex_lock(&lock);
    if (!current)
        current = event_new();
    event = current;
    accesses += event != NULL;
    pthread_mutex_unlock(&lock);
    return event;
}

EXPORT void SCardReleaseStartedEvent(void)
{
    struct event *last = NULL;

    EXPORT_BEGIN;
    pthread_mutex_lock(&lock);
    if (accesses && !--accesses) {
        last = current;
        current = NULL;
    }
    pthread_mutex_unlock(&lock);
    if (!last)
        return;
    eventfd_write(last->stop, 1);
    event_put(last);
}

EXPORT int scard_event_fd(LPVOID hEvent)
{
    int fd;

    EXPORT_BEGIN;
    pthread_mutex_lock(&lock);
    fd = hEvent && hEvent == current ? current->fd : -1;
    pthread_mutex_unlock(&lock);
    return fd;
}
