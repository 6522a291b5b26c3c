/* SPDX-License-Identifier: MIT */
/*
 * Watches of nodes (inotify): a folder of empty files that stands for /dev/bus/usb, made when the first watch
 * is added. What happens to a node is done to its file.
 */
#include "emu_usb.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char folder[] = "/tmp/usbemu-XXXXXX";
static bool made;
static pid_t maker;

static char *file_of(const struct emu_usb *usb)
{
    char *path;

    return asprintf(&path, "%s/%03u/%03u", folder, usb->bus, usb->address) < 0 ? NULL : path;
}

/* Opened to be written, and closed: that is what a program does that used the device. */
static void touch(const char *path, int flags)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC | flags, 0600);

    if (fd >= 0)
        emu_close(fd);
}

static void add(const struct emu_usb *usb)
{
    char *path = file_of(usb), *slash;

    if (path == NULL)
        return;
    slash = strrchr(path, '/');
    *slash = '\0';
    mkdir(path, 0700);
    *slash = '/';
    touch(path, O_CREAT);
    free(path);
}

void emu_notify(const struct emu_usb *usb, enum emu_notice notice)
{
    char *path;

    if (!made)
        return;
    path = file_of(usb);
    if (path == NULL)
        return;
    if (notice == EMU_NOTICE_ADDED)
        add(usb);
    else if (notice == EMU_NOTICE_REMOVED)
        unlink(path);
    else if (notice == EMU_NOTICE_CLOSED)
        touch(path, 0);
    else
        chmod(path, usb->denied ? 0400 : 0600);
    free(path);
}

char *emu_notify_path(const char *node)
{
    char *path;

    if (!made) {
        if (mkdtemp(folder) == NULL)
            return NULL;
        made = true;
        maker = getpid();
        for (const struct emu_usb *usb = emu_bus_first; usb != NULL; usb = usb->next)
            add(usb);
    }
    return asprintf(&path, "%s%s", folder, node + sizeof EMU_NODES - 2) < 0 ? NULL : path;
}

/* At the end of the process that made it; a forked child leaves it to its parent. */
__attribute__((destructor)) static void end(void)
{
    if (!made || maker != getpid())
        return;
    for (const struct emu_usb *usb = emu_bus_first; usb != NULL; usb = usb->next)
        emu_notify(usb, EMU_NOTICE_REMOVED);
    for (unsigned bus = 1; bus < 256; bus++) {
        char path[sizeof folder + 8];

        snprintf(path, sizeof path, "%s/%03u", folder, bus);
        rmdir(path);
    }
    rmdir(folder);
}
