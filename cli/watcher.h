/* SPDX-License-Identifier: MIT */
/*
 * Events of all readers, seen by a thread with a context of its own that does nothing but
 * SCardGetStatusChange (cli/monitor.h): no card is powered, held or disturbed by it.
 */
#ifndef CLI_WATCHER_H
#define CLI_WATCHER_H

#include <stdbool.h>

#include "cli/monitor.h"

struct watcher_event {
    bool lost; /* the service ended: nothing more comes */
    enum monitor_what what;
    DWORD state;
    char *reader; /* the receiver's to free; NULL if lost */
};

struct watcher;

/* Starts the thread; the state at that moment gives no events. SCARD_* code. */
LONG watcher_start(struct watcher **ret_watcher);

/* Ends the thread at once, also in the middle of its wait. NULL is allowed. */
void watcher_stop(struct watcher *watcher);

/* Readable while events wait. */
int watcher_fd(const struct watcher *watcher);

/* Takes the oldest event; false if there is none. */
bool watcher_next(struct watcher *watcher, struct watcher_event *ret_event);

#endif
