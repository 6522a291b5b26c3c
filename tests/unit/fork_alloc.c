/* SPDX-License-Identifier: MIT */
/*
 * For tests that fork while other threads allocate. The C library hands an allocator in order to the child;
 * that of the address sanitizer does not: its locks stay as another thread had them, and the child waits for
 * ever. So nobody is within it while the process forks.
 */
#include <pthread.h>
#include <stdlib.h>

void *__interceptor_malloc(size_t size);
void *__interceptor_calloc(size_t count, size_t size);
void *__interceptor_realloc(void *block, size_t size);
void __interceptor_free(void *block);

#define FOR_ALL __attribute__((visibility("default"))) /* the C library, too */

/* Held by many who allocate, or by one who forks. */
static pthread_rwlock_t allocator = PTHREAD_RWLOCK_INITIALIZER;

FOR_ALL void *malloc(size_t size)
{
    void *block;

    pthread_rwlock_rdlock(&allocator);
    block = __interceptor_malloc(size);
    pthread_rwlock_unlock(&allocator);
    return block;
}

FOR_ALL void *calloc(size_t count, size_t size)
{
    void *block;

    pthread_rwlock_rdlock(&allocator);
    block = __interceptor_calloc(count, size);
    pthread_rwlock_unlock(&allocator);
    return block;
}

FOR_ALL void *realloc(void *block, size_t size)
{
    pthread_rwlock_rdlock(&allocator);
    block = __interceptor_realloc(block, size);
    pthread_rwlock_unlock(&allocator);
    return block;
}

FOR_ALL void free(void *block)
{
    pthread_rwlock_rdlock(&allocator);
    __interceptor_free(block);
    pthread_rwlock_unlock(&allocator);
}

static void before(void)
{
    pthread_rwlock_wrlock(&allocator);
}

static void after_in_parent(void)
{
    pthread_rwlock_unlock(&allocator);
}

/* The lock knows its writer by a number that is not the child's. */
static void after_in_child(void)
{
    pthread_rwlock_init(&allocator, NULL);
}

/* Registered first, it runs as the last before the fork: the library's handlers have done with memory by
 * then. */
__attribute__((constructor(101))) static void watch_forks(void)
{
    pthread_atfork(before, after_in_parent, after_in_child);
}
