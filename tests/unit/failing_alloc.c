/* SPDX-License-Identifier: MIT */
#include "tests/unit/failing_alloc.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>

static atomic_uint left; /* calls until one fails; 0: none will */
static _Thread_local unsigned left_here, spared;
static atomic_bool hit, no_threads;
static atomic_size_t longest;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t length);
void *__real_tsearch(const void *key, void **root, int (*compare)(const void *, const void *));
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t length);
int __wrap_asprintf(char **ret, const char *format, ...) __attribute__((format(printf, 2, 3)));
void *__wrap_tsearch(const void *key, void **root, int (*compare)(const void *, const void *));
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);

void failing_alloc_arm(unsigned n)
{
    if (n)
        atomic_store(&hit, false);
    atomic_store(&left, n);
}

void failing_alloc_arm_here(unsigned n)
{
    if (n)
        atomic_store(&hit, false);
    left_here = n;
}

bool failing_alloc_hit(void)
{
    return atomic_load(&hit);
}

void failing_alloc_spare(bool on)
{
    if (on)
        spared++;
    else
        spared--;
}

void failing_alloc_no_threads(bool on)
{
    atomic_store(&no_threads, on);
}

bool failing_alloc_fails(void)
{
    unsigned now;

    if (spared)
        return false;
    now = atomic_load(&left);
    while (now && !atomic_compare_exchange_weak(&left, &now, now - 1))
        ;
    if (now != 1 && (left_here == 0 || --left_here > 0))
        return false;
    atomic_store(&hit, true);
    return true;
}

static void measure(size_t size)
{
    size_t now = atomic_load(&longest);

    while (size > now && !atomic_compare_exchange_weak(&longest, &now, size))
        ;
}

size_t failing_alloc_longest(void)
{
    return atomic_exchange(&longest, 0);
}

void *__wrap_malloc(size_t size)
{
    measure(size);
    return failing_alloc_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return failing_alloc_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    measure(size);
    return failing_alloc_fails() ? NULL : __real_realloc(block, size);
}

char *__wrap_strdup(const char *text)
{
    return failing_alloc_fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t length)
{
    return failing_alloc_fails() ? NULL : __real_strndup(text, length);
}

int __wrap_asprintf(char **ret, const char *format, ...)
{
    va_list args;
    int length;

    if (failing_alloc_fails())
        return -1;
    va_start(args, format);
    length = vasprintf(ret, format, args);
    va_end(args);
    return length;
}

void *__wrap_tsearch(const void *key, void **root, int (*compare)(const void *, const void *))
{
    return failing_alloc_fails() ? NULL : __real_tsearch(key, root, compare);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument)
{
    return atomic_load(&no_threads) || failing_alloc_fails()
               ? EAGAIN
               : __real_pthread_create(thread, attributes, run, argument);
}
