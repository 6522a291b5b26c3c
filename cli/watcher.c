/* SPDX-License-Identifier: MIT */
#include "cli/watcher.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct node {
    struct watcher_event event;
    struct node *next;
};

struct watcher {
    struct monitor monitor; /* the thread's */
    SCARDCONTEXT context;
    pthread_t thread;
    int event_fd;
    pthread_mutex_t lock; /* the queue */
    struct node *first, **last;
};

static void push(struct watcher *watcher, struct node *node)
{
    uint64_t one = 1;

    pthread_mutex_lock(&watcher->lock);
    *watcher->last = node;
    watcher->last = &node->next;
    pthread_mutex_unlock(&watcher->lock);
    (void)!write(watcher->event_fd, &one, sizeof one);
}

/* An event that finds no memory is lost; the prompt shows the state all the same. */
static int take_event(void *user, const struct monitor_event *event)
{
    struct node *node = calloc(1, sizeof *node);

    if (node == NULL)
        return 0;
    node->event = (struct watcher_event){.what = event->what, .state = event->state};
    node->event.reader = strdup(event->reader);
    if (node->event.reader != NULL)
        push(user, node);
    else
        free(node);
    return 0;
}

bool watcher_next(struct watcher *watcher, struct watcher_event *ret_event)
{
    struct node *node;
    uint64_t count;

    pthread_mutex_lock(&watcher->lock);
    node = watcher->first;
    if (node != NULL) {
        watcher->first = node->next;
        if (node->next == NULL)
            watcher->last = &watcher->first;
    } else {
        (void)!read(watcher->event_fd, &count, sizeof count);
    }
    pthread_mutex_unlock(&watcher->lock);
    if (node == NULL)
        return false;
    *ret_event = node->event;
    free(node);
    return true;
}

int watcher_fd(const struct watcher *watcher)
{
    return watcher->event_fd;
}

static void *run(void *user)
{
    struct watcher *watcher = user;
    struct node *node;
    LONG code;

    do
        code = monitor_wait(&watcher->monitor, INFINITE, take_event, watcher);
    while (code == SCARD_S_SUCCESS);
    /* watcher_stop releases the context, which ends the wait so. */
    if (code == SCARD_E_CANCELLED || code == SCARD_E_INVALID_HANDLE)
        return NULL;
    node = calloc(1, sizeof *node);
    if (node != NULL) {
        node->event.lost = true;
        push(watcher, node);
    }
    return NULL;
}

static void dispose(struct watcher *watcher)
{
    struct watcher_event event;

    while (watcher_next(watcher, &event))
        free(event.reader);
    close(watcher->event_fd);
    pthread_mutex_destroy(&watcher->lock);
    free(watcher);
}

/* Signals are taken by the others. */
static LONG start_thread(struct watcher *watcher)
{
    sigset_t all, old;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    error = pthread_create(&watcher->thread, NULL, run, watcher);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return error == 0 ? SCARD_S_SUCCESS : SCARD_E_NO_MEMORY;
}

static LONG start(struct watcher *watcher)
{
    LONG code = SCardEstablishContext(SCARD_SCOPE_SYSTEM, NULL, NULL, &watcher->context);

    if (code != SCARD_S_SUCCESS)
        return code;
    code = monitor_init(&watcher->monitor, watcher->context);
    if (code == SCARD_S_SUCCESS) {
        code = start_thread(watcher);
        if (code != SCARD_S_SUCCESS)
            monitor_fini(&watcher->monitor);
    }
    if (code != SCARD_S_SUCCESS)
        SCardReleaseContext(watcher->context);
    return code;
}

LONG watcher_start(struct watcher **ret_watcher)
{
    struct watcher *watcher = calloc(1, sizeof *watcher);
    LONG code;

    if (watcher == NULL)
        return SCARD_E_NO_MEMORY;
    watcher->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watcher->event_fd < 0) {
        free(watcher);
        return SCARD_E_NO_MEMORY;
    }
    pthread_mutex_init(&watcher->lock, NULL);
    watcher->last = &watcher->first;
    code = start(watcher);
    if (code != SCARD_S_SUCCESS)
        dispose(watcher);
    else
        *ret_watcher = watcher;
    return code;
}

void watcher_stop(struct watcher *watcher)
{
    if (watcher == NULL)
        return;
    /* The release ends a wait that is there, and lets none begin. */
    SCardReleaseContext(watcher->context);
    pthread_join(watcher->thread, NULL);
    monitor_fini(&watcher->monitor);
    dispose(watcher);
}
