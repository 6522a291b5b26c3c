/* SPDX-License-Identifier: MIT */
#include "usb/usb_holder.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/rc.h"
#include "usb/usb_text.h"

/* The target of a link, cut to room; false: there is none. */
static bool read_link(int folder, const char *name, char *target, size_t room)
{
    ssize_t length = readlinkat(folder, name, target, room - 1);

    if (length < 0)
        return false;
    target[length] = '\0';
    return true;
}

char *usb_interface_driver(const char *root, const char *interface_path)
{
    static const char key[] = "DRIVER=";
    struct buffer content = {0};
    char *path, *name = NULL;

    /* Lines "KEY=value", one of them if there is a driver: read by its name, where the link beside it tells a
     * path. */
    if (asprintf(&path, "%s/sys/bus/usb/devices/%s/uevent", root, interface_path) < 0)
        return NULL;
    if (usb_file_read(path, &content) == RC_OK && buffer_append(&content, "", 1) == RC_OK) {
        const char *line = (const char *)content.data;

        while (line && strncmp(line, key, sizeof key - 1) != 0) {
            line = strchr(line, '\n');
            if (line)
                line++;
        }
        if (line)
            name = strndup(line + sizeof key - 1, strcspn(line + sizeof key - 1, "\n"));
    }
    buffer_fini(&content);
    free(path);
    if (name)
        usb_text_clean(name);
    return name;
}

/* Has the process, whose folder is open, the node open? */
static bool has_open(int process, const char *node)
{
    char target[256];
    struct dirent *entry;
    bool found = false;
    int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);

    if (!folder) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    while (!found && (entry = readdir(folder)))
        found = read_link(fd, entry->d_name, target, sizeof target) && strcmp(target, node) == 0;
    closedir(folder);
    return found;
}

/* comm may be any bytes that the program chose. */
static void read_name(int process, char *name, size_t room)
{
    int fd = openat(process, "comm", O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, name, room - 1);

    if (fd >= 0)
        close(fd);
    name[length > 0 ? length : 0] = '\0';
    usb_text_clean(name);
}

static size_t search(DIR *processes, const char *node, struct usb_holder *holders, size_t capacity)
{
    struct dirent *entry;
    size_t count = 0;

    while ((entry = readdir(processes))) {
        char *end;
        long pid = strtol(entry->d_name, &end, 10);
        int process;

        if (*end || pid <= 0 || pid > INT_MAX || pid == getpid())
            continue;
        process = openat(dirfd(processes), entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (process < 0)
            continue;
        if (has_open(process, node)) {
            if (count < capacity) {
                holders[count].pid = (int)pid;
                read_name(process, holders[count].name, sizeof holders[count].name);
            }
            count++;
        }
        close(process);
    }
    return count;
}

size_t usb_holders(const char *root, const char *node, struct usb_holder *holders, size_t capacity)
{
    char *path;
    DIR *processes;
    size_t count;

    if (asprintf(&path, "%s/proc", root) < 0)
        return 0;
    processes = opendir(path);
    free(path);
    if (!processes)
        return 0;
    count = search(processes, node, holders, capacity);
    closedir(processes);
    return count;
}
