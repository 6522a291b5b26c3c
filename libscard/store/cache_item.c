/* SPDX-License-Identifier: MIT */
#include "store/cache_item.h"

#include <stdio.h>
#include <string.h>

#include "base/rc.h"

/* A file that another version of the library wrote in another way is none. */
static const uint8_t magic[8] = "scardc1";

/* FNV-1a, 64 bits: against accidents. Nobody else may write here. */
static uint64_t sum_of(uint64_t sum, const void *data, size_t count)
{
    const uint8_t *at = data;

    while (count-- > 0)
        sum = (sum ^ *at++) * 0x100000001B3u;
    return sum;
}

#define SUM_START 0xCBF29CE484222325u

void cache_item_file(const struct cache_item *item, char file[CACHE_ITEM_FILE])
{
    uint64_t sum = sum_of(SUM_START, &item->card, sizeof item->card);

    sum = sum_of(sum, item->name, item->name_length);
    snprintf(file, CACHE_ITEM_FILE, "%016llx", (unsigned long long)sum);
}

bool cache_item_is_file(const char *file)
{
    return strlen(file) == CACHE_ITEM_FILE - 1 && strspn(file, "0123456789abcdef") == CACHE_ITEM_FILE - 1;
}

static void put_u32(uint8_t *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* The sum over all but itself, which ends the head. */
static void sum_bytes(const uint8_t head[CACHE_ITEM_HEAD], const uint8_t *rest, size_t count, uint8_t sum[8])
{
    uint64_t value = sum_of(sum_of(SUM_START, head, CACHE_ITEM_HEAD - 8), rest, count);

    put_u32(sum, (uint32_t)(value >> 32));
    put_u32(sum + 4, (uint32_t)value);
}

int cache_item_format(const struct cache_item *item, struct buffer *bytes)
{
    size_t start = bytes->length;
    uint8_t head[CACHE_ITEM_HEAD] = {0}, *at;
    int rc;

    memcpy(head, magic, sizeof magic);
    memcpy(head + 8, &item->card, sizeof item->card);
    put_u32(head + 24, item->freshness);
    put_u32(head + 28, (uint32_t)item->name_length);
    put_u32(head + 32, (uint32_t)item->value_length);
    rc = buffer_append(bytes, head, sizeof head);
    if (!rc)
        rc = buffer_append(bytes, item->name, item->name_length);
    if (!rc && item->value_length)
        rc = buffer_append(bytes, item->value, item->value_length);
    if (rc) {
        bytes->length = start;
        return rc;
    }
    at = bytes->data + start;
    sum_bytes(at, at + CACHE_ITEM_HEAD, item->name_length + item->value_length, at + CACHE_ITEM_HEAD - 8);
    return RC_OK;
}

bool cache_item_parse(const uint8_t *bytes, size_t count, struct cache_item *ret_item)
{
    struct bytes in = bytes_of(bytes, count);
    const uint8_t *start = bytes_take(&in, sizeof magic), *card = bytes_take(&in, sizeof(struct guid)), *sum;
    struct cache_item item = {.freshness = bytes_u32be(&in)};
    uint8_t own[8];

    item.name_length = bytes_u32be(&in);
    item.value_length = bytes_u32be(&in);
    sum = bytes_take(&in, 8);
    if (!bytes_ok(&in) || memcmp(start, magic, sizeof magic) != 0)
        return false;
    sum_bytes(bytes, in.at, in.left, own);
    if (memcmp(own, sum, sizeof own) != 0)
        return false;
    item.name = bytes_take(&in, item.name_length);
    item.value = bytes_take(&in, item.value_length);
    if (!bytes_ok(&in) || in.left)
        return false;
    memcpy(&item.card, card, sizeof item.card);
    *ret_item = item;
    return true;
}

bool cache_item_same(const struct cache_item *a, const struct cache_item *b)
{
    return !memcmp(&a->card, &b->card, sizeof a->card) && a->name_length == b->name_length &&
           !memcmp(a->name, b->name, a->name_length);
}
