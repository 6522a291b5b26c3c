/* SPDX-License-Identifier: MIT */
/*
 * The card cache: what programs remember of cards, shared by all processes of one user, gone when the machine
 * restarts. An item is bytes under a card's identifier and a name, with a freshness number.
 *
 * It is a folder of mode 0700 on a file system in memory, one file of mode 0600 for each item; a folder that
 * belongs to somebody else or that others may enter is not used. Items are written whole or not at all; no
 * locks are held between calls, and a process that dies leaves nothing half done. What is least recently used
 * makes room when the whole would pass CACHE_TOTAL_MAX.
 *
 * Its content is only ever a saving of time: a damaged item is RC_NOT_FOUND and is taken away, and of two
 * items whose files would have the same name (a hash) the later one stays.
 */
#ifndef STORE_CACHE_H
#define STORE_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/guid.h"

#define CACHE_ITEM_MAX 65536u      /* bytes of one item's value */
#define CACHE_TOTAL_MAX (8u << 20) /* bytes of a user's items, each counted in whole pages of CACHE_PAGE */
#define CACHE_PAGE 4096u
#define CACHE_NAME_MAX 1024u /* bytes of a name */

/* The folder, made if it is not there: $XDG_RUNTIME_DIR/scard/cache, else for root /run/scard/cache and for
 * others /run/user/UID/scard/cache, else /dev/shm/scard-UID/cache: the first that is good. A new string (free
 * it). RC_NO_SERVICE with a detail that says what stands in the way; RC_NO_MEMORY. */
int cache_place(char **ret_path);

/* The value, a new block (free it; never NULL on success). RC_NOT_FOUND; RC_STALE: its freshness is another
 * one, and if the stored one is the lower, the item is taken away. RC_NO_MEMORY, RC_IO; RC_NO_SERVICE: the
 * folder is not one of this user alone. */
int cache_read(const char *place, const struct guid *card, const char *name, uint32_t freshness,
               uint8_t **ret_value, size_t *ret_length);

/* Sets or replaces; value may be NULL if length is 0. Waits for another process that is writing. RC_TOO_BIG:
 * value or name. RC_IO, RC_NO_MEMORY, RC_NO_SERVICE. The item that was there stays on failure. */
int cache_write(const char *place, const struct guid *card, const char *name, uint32_t freshness,
                const uint8_t *value, size_t length);

#endif
