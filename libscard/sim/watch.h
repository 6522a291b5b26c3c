/* SPDX-License-Identifier: MIT */
/* Does a file exist: told by inotify on its folder, never by polling. */
#ifndef SIM_WATCH_H
#define SIM_WATCH_H

#include <stdbool.h>

struct watch {
    int fd; /* readable when there is something for watch_read */
    char *path;
    char *name; /* last component, within path */
};

/* RC_READER_UNAVAILABLE with a detail when the folder cannot be watched; RC_NO_MEMORY. */
int watch_open(struct watch *watch, const char *path);
void watch_close(struct watch *watch);

/* Does the file exist now? */
bool watch_exists(const struct watch *watch);

/* Calls changed for every coming and going of the file since the last call, in order. Never blocks. */
void watch_read(struct watch *watch, void (*changed)(void *user, bool exists), void *user);

#endif
