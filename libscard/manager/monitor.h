/* SPDX-License-Identifier: MIT */
/*
 * The threads that notice what nobody asked for: cards that come and go, idle cards to power off.
 *
 * They all wait on one epoll descriptor. Whoever gets an event first makes sure that another thread goes on
 * waiting, because powering up a card may take long; so one stuck reader delays no other, and an idle service
 * has a single sleeping thread however many readers there are.
 */
#ifndef MANAGER_MONITOR_H
#define MANAGER_MONITOR_H

#include "manager/state.h"

/* RC_NO_MEMORY, RC_INTERNAL. Without the lock. */
int monitor_start(struct manager *manager);

/* Ends the threads and waits for them. Without the lock; no slot is attached any more. */
void monitor_stop(struct manager *manager);

/* Closes the descriptors: the end of monitor_stop, and all that is done in a forked child, which has no
 * threads. */
void monitor_close(struct manager *manager);

/* Watches the slot's device for events, and looks at it once now. With the lock. */
int monitor_add(struct slot *slot);
void monitor_remove(struct slot *slot);

/* Has a thread look at the slot soon. With the lock. */
void monitor_look(struct slot *slot);

/* Powers the slot off at slot->idle_at, if nobody connects before. With the lock. */
void monitor_arm_idle(struct slot *slot);

#endif
