/* SPDX-License-Identifier: MIT */
#include "base/log.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

static pthread_rwlock_t receiver_lock = PTHREAD_RWLOCK_INITIALIZER;
static log_fn *receiver;
static void *receiver_user;
static atomic_bool receiver_set;

static _Thread_local char detail[DETAIL_ROOM];

void log_set(log_fn *fn, void *user)
{
    pthread_rwlock_wrlock(&receiver_lock);
    receiver = fn;
    receiver_user = user;
    atomic_store(&receiver_set, fn != NULL);
    pthread_rwlock_unlock(&receiver_lock);
}

void log_after_fork(void)
{
    pthread_rwlock_init(&receiver_lock, NULL);
}

static void log_line(const char *line)
{
    pthread_rwlock_rdlock(&receiver_lock);
    if (receiver)
        receiver(receiver_user, line);
    pthread_rwlock_unlock(&receiver_lock);
}

void log_debug(const char *format, ...)
{
    char line[1024];
    va_list args;

    if (!atomic_load_explicit(&receiver_set, memory_order_relaxed))
        return;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    log_line(line);
}

int detail_set(int rc, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(detail, sizeof detail, format, args);
    va_end(args);
    if (atomic_load_explicit(&receiver_set, memory_order_relaxed))
        log_line(detail);
    return rc;
}

const char *detail_get(void)
{
    return detail;
}

void detail_clear(void)
{
    detail[0] = '\0';
}
