/* SPDX-License-Identifier: MIT */
/*
 * One slot: what is known of its card, and the steps that change it. Called with the state lock held.
 * Functions marked (I/O) need the slot's turn and let go of the lock while the device works.
 */
#ifndef MANAGER_SLOT_H
#define MANAGER_SLOT_H

#include "manager/state.h"

/* Makes an attached slot and enters it into the manager. device may be NULL (unusable reader). NULL when out
 * of memory. */
struct slot *slot_new(struct manager *manager, struct reader *device, const char *model, const char *serial,
                      const char *device_id, unsigned index, unsigned number);

/* Takes the slot out of the manager: handles and watchers learn of it. The device is the caller's to close.
 */
void slot_detach(struct slot *slot);

struct slot *slot_find(struct manager *manager, const char *name); /* borrowed, or NULL */
struct slot *slot_reference(struct slot *slot);
void slot_release(struct slot *slot);

/* (I/O) Asks the device for presence and takes in what changed: a removal, or a new card, which is powered
 * up. RC_READER_UNAVAILABLE. */
int slot_look(struct slot *slot);

/* Around each call on the device: lets go of the lock, and takes it again. RC_READER_UNAVAILABLE for a slot
 * that is detached (enter: the lock is kept) or was meanwhile and the call failed; else what the call said.
 */
int slot_enter(struct slot *slot);
int slot_leave(struct slot *slot, int rc);

/* (I/O) Powers off or resets. After that the protocol is unset and every handle but except (may be NULL) has
 * EVENT_RESET pending. RC_NO_CARD, RC_MUTE, … */
int slot_power(struct slot *slot, enum power_action action, const struct handle *except);

/* (I/O) Powers the card up if it is off. Nobody is told: there was no state to lose. */
int slot_power_up(struct slot *slot);

/* A powered card without users is powered off after a while. */
void slot_expect_idle(struct slot *slot);

/* What a device call's failure means for the slot: RC_NO_CARD is a removal, RC_READER_UNAVAILABLE a broken
 * reader. Returns rc. */
int slot_failed(struct slot *slot, int rc);

/* RC_READER_UNAVAILABLE, with words: unplugged, or it does not work. */
int slot_unavailable(const struct slot *slot);

/* Opens or closes a handle on the slot. Closing ends the transaction it owns, without touching the card. */
void slot_add_handle(struct slot *slot, struct handle *handle);
void slot_remove_handle(struct slot *slot, struct handle *handle);

/* STATE_* with the counter, and card state bits for Status. */
uint32_t slot_watch_state(const struct slot *slot);
uint32_t slot_card_state(const struct slot *slot);

#endif
