/* SPDX-License-Identifier: MIT */
/*
 * Numbers that stand for objects: 31-bit ids, joined to objects by one table.
 *
 * An id is made from a counter and is not used again before the counter has gone round (2^31 ids
 * later), so the number itself carries the generation: a closed id finds nothing, never another
 * object. The counter starts at random and its values are scattered, so an id of another process
 * or a small integer almost never hits.
 *
 * No locking: the owner of the table serialises all calls.
 */
#ifndef BASE_IDS_H
#define BASE_IDS_H

#include <stddef.h>
#include <stdint.h>

struct ids_entry;

struct ids {
    struct ids_entry *entries; /* open addressing, power of two */
    size_t capacity;
    size_t count;
    uint32_t next;
};

/* Empty table; allocates nothing. */
void ids_init(struct ids *ids);

/* Frees the table, not the objects. */
void ids_fini(struct ids *ids);

/* Gives object (not NULL, borrowed) an id: 1 … 2^31-1. RC_NO_MEMORY, also when 2^30 ids are in use. */
int ids_add(struct ids *ids, void *object, uint32_t *ret_id);

/* The object, or NULL. */
void *ids_get(const struct ids *ids, uint32_t id);

/* Forgets the id; returns its object, or NULL if it had none. */
void *ids_remove(struct ids *ids, uint32_t id);

/* Forgets every id; none of them will be handed out soon. For a forked child: allocates and frees nothing. */
void ids_clear(struct ids *ids);

#endif
