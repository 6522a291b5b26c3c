/* SPDX-License-Identifier: MIT */
/* What readers there are and in which state, at one moment; and the pick of one of them. */
#ifndef CLI_READERS_H
#define CLI_READERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <winscard.h>

struct reader_entry {
    char *name;
    char *device;  /* stable identity, "vpcd:35963"; "" if the service does not say */
    char *problem; /* why it cannot be used; "" = none */
    DWORD state;   /* SCARD_STATE_*, low word */
    unsigned events;
    uint8_t atr[MAX_ATR_SIZE];
    size_t atr_length;
};

struct reader_list {
    struct reader_entry *entries;
    size_t count;
};

/* No readers is SCARD_S_SUCCESS with count 0. */
LONG readers_load(SCARDCONTEXT context, struct reader_list *ret_list);
void readers_free(struct reader_list *list);

/* "empty", "card", "mute", "unpowered", "unavailable", "gone": one word for a state. */
const char *readers_state_word(DWORD state);
/* "exclusive", "in use" or "". */
const char *readers_use_word(DWORD state);

enum pick_result { PICK_ONE, PICK_NONE, PICK_SEVERAL, PICK_NO_READERS };

/* Which reader is meant: number ("0", "#0"), exact name, device, or a part of the name that only one has
 * (case does not matter). choice NULL: the only one there is. PICK_ONE: *ret_index. Pure. */
enum pick_result readers_pick(const struct reader_list *list, const char *choice, size_t *ret_index);

/* Is the entry one of those that choice may mean: a part of its name, or its device. */
bool readers_matches(const struct reader_entry *entry, const char *choice);

#endif
