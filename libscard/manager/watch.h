/* SPDX-License-Identifier: MIT */
/* Waits for changes of readers and cards (PC/SC's GetStatusChange). */
#ifndef MANAGER_WATCH_H
#define MANAGER_WATCH_H

#include "manager/state.h"

/* See service_ops.wait. Without the lock. */
int watch_wait(struct context *context, struct deadline deadline, struct reader_watch *watches, size_t count);

/* Something that a watcher may wait for has changed. With the lock. */
void watch_notify(struct manager *manager);

#endif
