/* SPDX-License-Identifier: MIT */
#include "base/ids.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/rc.h"

#define ID_BITS 31
#define ID_MASK ((UINT32_C(1) << ID_BITS) - 1)
#define COUNT_MAX (UINT32_C(1) << 30)
#define CAPACITY_MIN 16

struct ids_entry {
    void *object; /* NULL: free place */
    uint32_t id;
};

/* An odd factor makes this a bijection on 31 bits; 0 stays 0 and is skipped. */
static uint32_t scatter(uint32_t counter)
{
    return (counter * UINT32_C(0x6C8E9CF5)) & ID_MASK;
}

static size_t home(const struct ids *ids, uint32_t id)
{
    return (size_t)((id * UINT64_C(0x9E3779B97F4A7C15)) >> 32) & (ids->capacity - 1);
}

void ids_init(struct ids *ids)
{
    uint32_t start;

    *ids = (struct ids){0};
    if (getrandom(&start, sizeof start, GRND_NONBLOCK) != (ssize_t)sizeof start)
        start = (uint32_t)time(NULL) * UINT32_C(2654435761);
    ids->next = start & ID_MASK;
}

void ids_fini(struct ids *ids)
{
    free(ids->entries);
    ids->entries = NULL;
    ids->capacity = ids->count = 0;
}

static size_t find(const struct ids *ids, uint32_t id)
{
    size_t at = home(ids, id);

    while (ids->entries[at].object && ids->entries[at].id != id)
        at = (at + 1) & (ids->capacity - 1);
    return at;
}

static int grow(struct ids *ids)
{
    struct ids bigger = *ids;

    bigger.capacity = ids->capacity ? ids->capacity * 2 : CAPACITY_MIN;
    bigger.entries = calloc(bigger.capacity, sizeof *bigger.entries);
    if (!bigger.entries)
        return RC_NO_MEMORY;
    for (size_t i = 0; i < ids->capacity; i++)
        if (ids->entries[i].object)
            bigger.entries[find(&bigger, ids->entries[i].id)] = ids->entries[i];
    free(ids->entries);
    *ids = bigger;
    return RC_OK;
}

int ids_add(struct ids *ids, void *object, uint32_t *ret_id)
{
    uint32_t id;
    size_t at;

    assert(object);
    if (ids->count >= COUNT_MAX)
        return RC_NO_MEMORY;
    /* At most half full, so that runs stay short. */
    if ((ids->count + 1) * 2 > ids->capacity) {
        int rc = grow(ids);
        if (rc)
            return rc;
    }
    do {
        ids->next = (ids->next + 1) & ID_MASK;
        id = scatter(ids->next);
        at = find(ids, id);
    } while (!id || ids->entries[at].object);
    ids->entries[at] = (struct ids_entry){.object = object, .id = id};
    ids->count++;
    *ret_id = id;
    return RC_OK;
}

void *ids_get(const struct ids *ids, uint32_t id)
{
    if (!ids->count)
        return NULL;
    return ids->entries[find(ids, id)].object;
}

void *ids_remove(struct ids *ids, uint32_t id)
{
    size_t hole, at;
    void *object;

    if (!ids->count)
        return NULL;
    hole = find(ids, id);
    object = ids->entries[hole].object;
    if (!object)
        return NULL;
    ids->entries[hole].object = NULL;
    ids->count--;
    /* Close the gap: move up each follower whose home does not lie behind the hole. */
    for (at = (hole + 1) & (ids->capacity - 1); ids->entries[at].object; at = (at + 1) & (ids->capacity - 1)) {
        size_t wish = home(ids, ids->entries[at].id);

        if (((at - wish) & (ids->capacity - 1)) < ((at - hole) & (ids->capacity - 1)))
            continue;
        ids->entries[hole] = ids->entries[at];
        ids->entries[at].object = NULL;
        hole = at;
    }
    return object;
}

void ids_clear(struct ids *ids)
{
    if (ids->entries)
        memset(ids->entries, 0, ids->capacity * sizeof *ids->entries);
    ids->count = 0;
}
