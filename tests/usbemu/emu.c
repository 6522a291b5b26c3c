/* SPDX-License-Identifier: MIT */
#include "emu.h"
#include "emu_usb.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* A call that is due. */
struct later {
    struct later *next;
    struct timespec at;
    void (*fn)(void *user);
    void *user;
};

/* A plain mutex with its depth beside it, as the owner of a recursive one would be another after fork(). */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Thread_local unsigned depth;
static pthread_cond_t due;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct later *calls; /* the earliest first */
static bool running;        /* the thread that makes them */

/* The blames have a lock of their own: they are written with and without the other one. */
static pthread_mutex_t blame_lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned blames;
static char *blame_text; /* all of them, one a line */

void emu_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;

    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
}

static void prepare(void)
{
    emu_condition(&due);
}

void emu_lock(void)
{
    if (depth++ == 0)
        pthread_mutex_lock(&lock);
}

void emu_unlock(void)
{
    if (--depth == 0)
        pthread_mutex_unlock(&lock);
}

bool emu_wait(pthread_cond_t *condition, const struct timespec *until)
{
    assert(depth == 1); /* who holds it twice would keep it */
    return (until != NULL ? pthread_cond_timedwait(condition, &lock, until)
                          : pthread_cond_wait(condition, &lock)) != ETIMEDOUT;
}

static bool earlier(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

static void *run_calls(void *unused)
{
    (void)unused;
    emu_lock();
    for (;;) {
        struct later *call = calls;
        struct timespec now, at;

        if (call == NULL) {
            emu_wait(&due, NULL);
            continue;
        }
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (earlier(&now, &call->at)) {
            at = call->at; /* the call may be taken back while we wait */
            emu_wait(&due, &at);
            continue;
        }
        calls = call->next;
        call->fn(call->user);
        free(call);
        /* Others may want their turn between two calls that are both due. */
        emu_unlock();
        emu_lock();
    }
    return NULL;
}

/* The thread takes no signals: they belong to the program under test. */
static void start_thread(void)
{
    sigset_t all, before;
    pthread_attr_t attributes;
    pthread_t thread;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    running = pthread_create(&thread, &attributes, run_calls, NULL) == 0;
    pthread_attr_destroy(&attributes);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!running)
        abort(); /* nothing that was promised for later would come */
}

void emu_later(unsigned ms, void (*fn)(void *user), void *user)
{
    struct later *call, **at = &calls;

    pthread_once(&once, prepare);
    emu_lock();
    call = malloc(sizeof *call);
    if (call == NULL)
        abort();
    clock_gettime(CLOCK_MONOTONIC, &call->at);
    call->at.tv_sec += ms / 1000;
    call->at.tv_nsec += (long)(ms % 1000) * 1000000;
    if (call->at.tv_nsec >= 1000000000) {
        call->at.tv_sec++;
        call->at.tv_nsec -= 1000000000;
    }
    call->fn = fn;
    call->user = user;
    while (*at != NULL && !earlier(&call->at, &(*at)->at))
        at = &(*at)->next;
    call->next = *at;
    *at = call;
    if (!running)
        start_thread();
    if (calls == call)
        pthread_cond_signal(&due);
    emu_unlock();
}

void emu_cancel(void *user)
{
    emu_lock();
    for (struct later **at = &calls; *at != NULL;) {
        struct later *call = *at;

        if (call->user == user) {
            *at = call->next;
            free(call);
        } else {
            at = &call->next;
        }
    }
    emu_unlock();
}

void emu_blame(const char *format, ...)
{
    char *text = NULL, *all = NULL;
    va_list arguments;

    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        abort();
    va_end(arguments);
    fprintf(stderr, "usbemu: %s\n", text);

    pthread_mutex_lock(&blame_lock);
    blames++;
    if (asprintf(&all, "%s%s\n", blame_text != NULL ? blame_text : "", text) < 0)
        abort();
    free(blame_text);
    blame_text = all;
    pthread_mutex_unlock(&blame_lock);
    free(text);
}

unsigned emu_blamed(void)
{
    unsigned count;

    pthread_mutex_lock(&blame_lock);
    count = blames;
    blames = 0;
    free(blame_text);
    blame_text = NULL;
    pthread_mutex_unlock(&blame_lock);
    return count;
}

bool emu_blamed_for(const char *words)
{
    bool found;

    pthread_mutex_lock(&blame_lock);
    found = blame_text != NULL && strstr(blame_text, words) != NULL;
    pthread_mutex_unlock(&blame_lock);
    return found;
}

/* A forked child: the lock is whole, the thread is gone, and what it had to do was the parent's. */
static void child(void)
{
    running = false;
    pthread_once(&once, prepare);
    prepare();
    while (calls != NULL) {
        struct later *call = calls;

        calls = call->next;
        free(call);
    }
    emu_unlock();
}

__attribute__((constructor)) static void at_fork(void)
{
    pthread_atfork(emu_lock, emu_unlock, child);
}
