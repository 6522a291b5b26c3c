/* SPDX-License-Identifier: MIT */
/*
 * SCardAccessStartedEvent: is there a service to establish a context with? Without a socket that was asked
 * for (SCARD_SERVICE) there always is one, in this process. With one, the folder of the socket and the
 * process that listens there are watched: nothing stays connected, since a server may want to know when it is
 * idle.
 */
#include "api/event.h"

#include <poll.h>
#include <pthread.h>
#include <scard.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "api/export.h"
#include "api/route.h"
#include "base/thread.h"

/* What may make a service come or go: its socket, or a folder on the way to it. */
#define CHANGES                                                                                              \
    (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)

/* From the name of a socket to listen(2). */
#define LISTEN_MS 200

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

/* Returns whether it is. */
static bool signal_if_there(struct event *event)
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
    return is;
}

/* Watches the folder of the path, or the nearest one above it that exists. */
static int watch_nearest(int watch, const char *path)
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

/* A nearer folder may have come before the watch on the one above it stood: that one is found the second
 * time. */
static int watch_folder(int watch, const char *path)
{
    int descriptor = watch_nearest(watch, path), before;

    do {
        before = descriptor;
        descriptor = watch_nearest(watch, path);
        if (before >= 0 && descriptor != before)
            inotify_rm_watch(watch, before);
    } while (descriptor != before);
    return descriptor;
}

/* The process that listens there, as a descriptor that tells of its end; -1: none, or it cannot be known. */
static int open_listener(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct ucred peer;
    socklen_t size = sizeof peer;
    int fd, process = -1;

    if (strlen(path) >= sizeof address.sun_path)
        return -1;
    strcpy(address.sun_path, path);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    if (!connect(fd, (const struct sockaddr *)&address, sizeof address) &&
        !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) && peer.pid > 0)
        process = pidfd_open(peer.pid, 0);
    close(fd);
    return process;
}

struct watching {
    struct event *event;
    char *path;
};

static void watch_until_stopped(const struct watching *watching, int watch)
{
    enum { STOP, FOLDER, LISTENER, COUNT };
    struct pollfd fds[COUNT] = {[STOP] = {.fd = watching->event->stop, .events = POLLIN},
                                [FOLDER] = {.fd = watch, .events = POLLIN},
                                [LISTENER] = {.fd = -1, .events = POLLIN}};
    char changes[1024] __attribute__((aligned(_Alignof(struct inotify_event))));
    int watched = watch_folder(watch, watching->path), before;
    /* What happened before the watch stood is seen now. */
    bool again = true;

    while (!fds[STOP].revents) {
        bool is = signal_if_there(watching->event);

        if (fds[LISTENER].fd >= 0)
            close(fds[LISTENER].fd);
        fds[LISTENER].fd = is ? open_listener(watching->path) : -1;
        /* A socket has its name before it is listened at, and that shows nowhere: one more look, later. */
        if (poll(fds, COUNT, again && !is ? LISTEN_MS : -1) < 0)
            fds[STOP].revents = fds[FOLDER].revents = 0;
        again = fds[FOLDER].revents;
        while (read(watch, changes, sizeof changes) > 0)
            ;
        before = watched;
        watched = watch_folder(watch, watching->path);
        if (before >= 0 && before != watched)
            inotify_rm_watch(watch, before);
    }
    if (fds[LISTENER].fd >= 0)
        close(fds[LISTENER].fd);
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

void event_before_fork(void)
{
    pthread_mutex_lock(&lock);
}

/* The watching thread is the parent's. */
void event_after_fork(bool in_child)
{
    if (in_child && current) {
        close(current->fd);
        close(current->stop);
        free(current);
        current = NULL;
        accesses = 0;
    }
    pthread_mutex_unlock(&lock);
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
