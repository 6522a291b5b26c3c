/* SPDX-License-Identifier: MIT */
/* Readers come and go: the functions of local.h that add and remove them, and what the others need of it. */
#ifndef MANAGER_ATTACH_H
#define MANAGER_ATTACH_H

#include "manager/state.h"

/* Detaches the slot, ends what is under way on its device, waits for that and closes the device. With the
 * lock, which it lets go of meanwhile unless the slot has no device. */
void attach_remove(struct slot *slot);

#endif
