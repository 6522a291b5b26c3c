/* SPDX-License-Identifier: MIT */
/*
 * USB readers in the local service: each CCID interface of each device that is chosen is opened and attached
 * as it comes, and detached as it goes. One that cannot be opened is attached as unusable, with the reason,
 * and tried again when that may have changed.
 *
 * Threads: one watches the bus; each device is opened in one of its own, so that a slow one holds up nobody.
 * Locks: plug's own comes before that of the manager.
 */
#ifndef API_PLUG_H
#define API_PLUG_H

#include "api/plug_choice.h"
#include "base/deadline.h"
#include "manager/service.h"

struct plug;

/* Starts watching. The choices are taken over if that succeeds. RC_NO_SERVICE if there is no USB to be had,
 * with a detail; RC_NO_MEMORY. */
int plug_start(struct service *service, struct plug_choices *choices, struct plug **ret_plug);

/* Waits until the devices that were there at the start are open, or the deadline. */
void plug_settle(struct plug *plug, struct deadline deadline);

/* Stops watching and frees: its threads have ended, but for one that opens a device which does not answer:
 * that is left to itself, and closes the device when it is done. What is attached stays so, until local_free.
 * NULL is fine. */
void plug_stop(struct plug *plug);

/* Around a fork, by the thread that forks, before and after (in reverse order) local_before_fork and
 * local_after_fork. In the child descriptors are closed and nothing else is done; those of a device that was
 * just being opened stay open until it execs. NULL is fine. */
void plug_before_fork(struct plug *plug);
void plug_after_fork(struct plug *plug, bool in_child);

#endif
