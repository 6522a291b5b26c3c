/* SPDX-License-Identifier: MIT */
#include "sim/watch.h"

#include <errno.h>
#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"

#define COMES (IN_CREATE | IN_MOVED_TO)
#define GOES (IN_DELETE | IN_MOVED_FROM)
#define FOLDER_GOES (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)

static int watch_folder(struct watch *watch)
{
    char *slash = strrchr(watch->path, '/');
    const char *folder = slash ? watch->path : ".";
    int descriptor;

    watch->name = slash ? slash + 1 : watch->path;
    if (!watch->name[0])
        return detail_set(RC_INVALID_VALUE, "presence=%s names no file", watch->path);
    if (slash == watch->path)
        folder = "/";
    else if (slash)
        *slash = '\0';
    descriptor =
        inotify_add_watch(watch->fd, folder, COMES | GOES | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
    if (descriptor < 0)
        (void)detail_set(RC_READER_UNAVAILABLE, "cannot watch the folder %s for presence=: %s; it must exist",
                         folder, strerror(errno));
    if (slash)
        *slash = '/';
    return descriptor < 0 ? RC_READER_UNAVAILABLE : RC_OK;
}

int watch_open(struct watch *watch, const char *path)
{
    int rc;

    *watch = (struct watch){.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK), .path = strdup(path)};
    if (watch->fd < 0)
        rc = detail_set(RC_READER_UNAVAILABLE, "no inotify instance for presence=%s: %s", path,
                        strerror(errno));
    else
        rc = watch->path ? watch_folder(watch) : RC_NO_MEMORY;
    if (rc)
        watch_close(watch);
    return rc;
}

void watch_close(struct watch *watch)
{
    if (watch->fd >= 0)
        close(watch->fd);
    free(watch->path);
    *watch = (struct watch){.fd = -1};
}

bool watch_exists(const struct watch *watch)
{
    return access(watch->path, F_OK) == 0;
}

static void report(const struct watch *watch, const struct inotify_event *event,
                   void (*changed)(void *user, bool exists), void *user)
{
    if (event->mask & IN_Q_OVERFLOW) /* events were lost: look */
        changed(user, watch_exists(watch));
    else if (event->mask & FOLDER_GOES)
        changed(user, false);
    else if (event->len && strcmp(event->name, watch->name) == 0)
        changed(user, (event->mask & COMES) != 0);
}

void watch_read(struct watch *watch, void (*changed)(void *user, bool exists), void *user)
{
    alignas(struct inotify_event) char buffer[2048];
    ssize_t got;

    while ((got = read(watch->fd, buffer, sizeof buffer)) > 0) {
        for (char *at = buffer; at < buffer + got;) {
            const struct inotify_event *event = (const void *)at;

            report(watch, event, changed, user);
            at += sizeof *event + event->len;
        }
    }
}
