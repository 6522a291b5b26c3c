/* SPDX-License-Identifier: MIT */
/*
 * Whether a card is in, and who is to be told: the manager through event_fd, a waiting card through its
 * line. Coming, going and cancelling are for any thread; the rest is for the call whose turn it is.
 */
#ifndef SIM_SLOT_H
#define SIM_SLOT_H

#include <stdatomic.h>
#include <stdbool.h>

#include "sim/line.h"
#include "sim/watch.h"

struct slot {
    struct sim_line line; /* to hand to the card */
    int event_fd;         /* readable when slot_presence has news */

    /* Comings and goings so far; odd: the card is in. So a card that left and came back is not mistaken for
     * one that stayed. */
    atomic_uint comings;
    atomic_bool cancelled;
    int wake_fd;    /* eventfd, written after a change of either */
    int changed_fd; /* eventfd, written after a change of comings */
    struct watch watch;
    unsigned seen; /* comings as slot_presence told them */
};

/* path: the file that stands for the card, and inserted is ignored; or NULL.
 * RC_READER_UNAVAILABLE, RC_INVALID_VALUE (path), detail set; RC_NO_MEMORY (out of descriptors, too).
 * slot_close takes a slot whose opening failed, too. */
int slot_open(struct slot *slot, const char *path, bool inserted);
void slot_close(struct slot *slot);

/* Closes the descriptors and nothing else. */
void slot_forget(struct slot *slot);

void slot_set_present(struct slot *slot, bool present);

/* Ends the wait of the call under way, if any. */
void slot_cancel(struct slot *slot);

/* A call begins: a cancel from before is forgotten. */
void slot_begin(struct slot *slot);

/* Comings as of now, with what the file system has to tell. */
unsigned slot_comings(struct slot *slot);

/* Is a card in, as the manager must see it: "no" once after a card left and came back. */
bool slot_presence(struct slot *slot);

#endif
