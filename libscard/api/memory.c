/* SPDX-License-Identifier: MIT */
#include "api/memory.h"

#include <pthread.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/rc.h"

struct block {
    const void *address;
    struct api_context *context;
    struct list link; /* api_context.blocks, or of nothing else */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static void *blocks; /* tsearch tree by address */

static int compare(const void *a, const void *b)
{
    uintptr_t left = (uintptr_t)((const struct block *)a)->address;
    uintptr_t right = (uintptr_t)((const struct block *)b)->address;

    return (left > right) - (left < right);
}

bool memory_is_autoallocate(DWORD length)
{
    return length == SCARD_AUTOALLOCATE || length == 0xFFFFFFFF;
}

/* Under the lock. */
static void forget(struct block *block)
{
    tdelete(block, &blocks, compare);
    list_remove(&block->link);
    free(block);
}

static int add(struct api_context *context, const void *address)
{
    struct block *block = malloc(sizeof *block), **found;
    int rc = RC_OK;

    if (!block)
        return RC_NO_MEMORY;
    *block = (struct block){.address = address, .context = context};
    list_init(&block->link);
    pthread_mutex_lock(&lock);
    /* An address that malloc hands out again was freed behind our back. */
    found = tfind(block, &blocks, compare);
    if (found)
        forget(*found);
    if (context && context->blocks_closed)
        rc = RC_INVALID_HANDLE;
    else if (!tsearch(block, &blocks, compare))
        rc = RC_NO_MEMORY;
    else if (context)
        list_append(&context->blocks, &block->link);
    pthread_mutex_unlock(&lock);
    if (rc)
        free(block);
    return rc;
}

static int allocate(struct api_context *context, const void *data, size_t length, size_t spare, void *buffer)
{
    char *block = malloc(length + spare + !(length + spare));
    int rc;

    if (!block)
        return RC_NO_MEMORY;
    if (length)
        memcpy(block, data, length);
    memset(block + length, 0, spare);
    rc = add(context, block);
    if (rc) {
        free(block);
        return rc;
    }
    /* The caller's variable may be any pointer type. */
    memcpy(buffer, &block, sizeof block);
    return RC_OK;
}

int memory_give(struct api_context *context, const void *data, size_t length, size_t spare, void *buffer,
                DWORD *length_pointer)
{
    DWORD room = length_pointer ? *length_pointer : 0;

    if (!length_pointer)
        return buffer ? RC_INSUFFICIENT_BUFFER : RC_OK;
    *length_pointer = length;
    if (memory_is_autoallocate(room))
        return buffer ? allocate(context, data, length, spare, buffer) : RC_INVALID_PARAMETER;
    if (!buffer)
        return RC_OK;
    if (room < length)
        return RC_INSUFFICIENT_BUFFER;
    if (length)
        memcpy(buffer, data, length);
    if (room - length >= spare)
        memset((char *)buffer + length, 0, spare);
    return RC_OK;
}

int memory_give_items(struct api_context *context, const void *items, size_t count, size_t size, void *buffer,
                      DWORD *length_pointer)
{
    DWORD bytes = 0;
    int rc;

    if (length_pointer && memory_is_autoallocate(*length_pointer))
        bytes = SCARD_AUTOALLOCATE;
    else if (length_pointer)
        bytes = *length_pointer < count ? *length_pointer * size : count * size;
    rc = memory_give(context, items, count * size, 0, buffer, length_pointer ? &bytes : NULL);
    if (length_pointer)
        *length_pointer = count;
    return rc;
}

int memory_free(struct api_context *context, const void *address)
{
    const struct block key = {.address = address};
    struct block **found;
    bool mine, closed;

    pthread_mutex_lock(&lock);
    found = tfind(&key, &blocks, compare);
    mine = found && (*found)->context == context;
    closed = context && context->blocks_closed;
    if (mine)
        forget(*found);
    pthread_mutex_unlock(&lock);
    /* A release that came in between has freed the block. */
    if (!mine)
        return closed ? RC_INVALID_HANDLE : RC_INVALID_PARAMETER;
    free((void *)(uintptr_t)address);
    return RC_OK;
}

void memory_release(struct api_context *context, bool keep)
{
    pthread_mutex_lock(&lock);
    context->blocks_closed = true;
    list_each(node, &context->blocks)
    {
        struct block *block = list_entry(node, struct block, link);

        if (!keep)
            free((void *)(uintptr_t)block->address);
        forget(block);
    }
    pthread_mutex_unlock(&lock);
}

void memory_before_fork(void)
{
    pthread_mutex_lock(&lock);
}

void memory_after_fork(bool in_child)
{
    if (in_child)
        blocks = NULL;
    pthread_mutex_unlock(&lock);
}
