/* SPDX-License-Identifier: MIT */
/* Recordings as commands look at them, and what two of them have in common. */
#ifndef CLI_RECORDINGS_H
#define CLI_RECORDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/call.h"
#include "cli/progress.h"

struct recorded_apdu {
    unsigned number;       /* from 1 */
    struct buffer command; /* a masked secret is one star */
    size_t secret_offset, secret_length;
    struct buffer response; /* with SW1 SW2; empty: there was none */
    bool failed;
};

struct recording_list {
    struct recorded_apdu *apdus;
    size_t count, room;
    struct buffer atr; /* of the first connection that has one */
    bool failed;       /* out of memory */
};

/* STATUS_DONE, or the status of a reported failure. */
int recordings_load(struct call *call, const char *file, struct recording_list *ret_list);
void recordings_fini(struct recording_list *list); /* wipes */

/* The command in hex, "**" for a secret; a new string, NULL: out of memory. */
char *recordings_command_hex(const struct recorded_apdu *apdu);

/* What is not compared: bytes of all responses, and values of data objects in them. */
struct ignored {
    struct {
        size_t first, last; /* offsets in the response data */
    } ranges[16];
    size_t range_count;
    uint32_t tags[16];
    size_t tag_count;
};

/* "4", "4-11" or "tag:9F36" into the list; STATUS_DONE or a reported STATUS_USAGE. */
int ignored_add(struct call *call, struct ignored *ignored, const char *text);

/* Are these the same command: challenges and cryptograms in it may differ, and a masked secret is like any.
 */
bool recordings_same_command(const struct recorded_apdu *first, const struct recorded_apdu *second);

/* Are these answers to it the same, but for what is random and what is ignored? */
bool recordings_same_answer(const struct recorded_apdu *first, const struct recorded_apdu *second,
                            const struct ignored *ignored);

/* Pairs, in order: index + 1 in both lists, 0 for an exchange that one of them lacks. */
struct recording_pair {
    size_t first, second;
};

/* Aligns two recordings by their commands; *ret_pairs is the caller's to free. RC_NO_MEMORY. */
int recordings_align(const struct recording_list *first, const struct recording_list *second,
                     struct progress *progress, struct recording_pair **ret_pairs, size_t *ret_count);

#endif
