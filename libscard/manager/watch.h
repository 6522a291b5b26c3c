/* SPDX-License-Identifier: MIT */
/* Waits for changes of readers and cards (PC/SC's GetStatusChange). */
#ifndef MANAGER_WATCH_H
#define MANAGER_WATCH_H

#include "manager/state.h"

/* See service_ops.wait. Without the lock. */
int watch_wait(struct context *context, struct deadline deadline, struct reader_watch *watches, size_t count);

/* See service_ops.table and service_ops.observe. Without the lock. */
int watch_table(struct context *context, struct reader_entry **ret_entries, size_t *ret_count,
                uint16_t *ret_list_events);
void watch_observe(struct manager *manager, void (*changed)(void *user), void *user);

/* Something of the table has changed that no watcher waits for. With the lock. */
void watch_tell_observer(struct manager *manager);

/* Something that a watcher may wait for has changed; the observer is told as well. With the lock. */
void watch_notify(struct manager *manager);

#endif
