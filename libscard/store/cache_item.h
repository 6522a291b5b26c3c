/* SPDX-License-Identifier: MIT */
/* An item of the card cache as a file: a head, the name, the value, and a sum over them. */
#ifndef STORE_CACHE_ITEM_H
#define STORE_CACHE_ITEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "store/cache.h"

#define CACHE_ITEM_HEAD 44u /* bytes before the name */
#define CACHE_FILE_MAX (CACHE_ITEM_HEAD + CACHE_NAME_MAX + CACHE_ITEM_MAX)

#define CACHE_ITEM_FILE 17 /* 16 digits and a NUL */

struct cache_item {
    struct guid card;
    uint32_t freshness;
    const uint8_t *name, *value; /* borrowed */
    size_t name_length, value_length;
};

/* The name of the item's file, which is made of its card and its name. */
void cache_item_file(const struct cache_item *item, char file[CACHE_ITEM_FILE]);
bool cache_item_is_file(const char *file);

/* Appends the file's bytes. RC_NO_MEMORY. */
int cache_item_format(const struct cache_item *item, struct buffer *bytes);

/* false: no whole item. It borrows from the bytes. */
bool cache_item_parse(const uint8_t *bytes, size_t count, struct cache_item *ret_item);

/* Is it the item of that card and name? */
bool cache_item_same(const struct cache_item *a, const struct cache_item *b);

#endif
