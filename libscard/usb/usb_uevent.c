/* SPDX-License-Identifier: MIT */
#include "usb/usb_uevent.h"

#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

#define FROM_KERNEL 1U /* the group of the kernel's own messages; udev's have another one */

int usb_uevent_open(void)
{
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = FROM_KERNEL};
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);

    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        close(fd);
        fd = -1;
    }
    if (fd < 0)
        log_debug("usb: no messages of the kernel: %s", strerror(errno));
    return fd;
}

bool usb_uevent_parse(const char *message, size_t length, char *path, size_t room)
{
    static const char devpath[] = "DEVPATH=";
    const char *end = message + length, *name = NULL;
    bool unbound = false, usb = false;
    size_t name_length;

    /* "unbind@/devices/…" and then strings "KEY=value". */
    for (const char *at = message; at < end; at += strnlen(at, (size_t)(end - at)) + 1) {
        if (!memchr(at, '\0', (size_t)(end - at)))
            return false;
        if (strcmp(at, "ACTION=unbind") == 0)
            unbound = true;
        else if (strcmp(at, "DEVTYPE=usb_interface") == 0)
            usb = true;
        else if (strncmp(at, devpath, sizeof devpath - 1) == 0)
            name = strrchr(at, '/');
    }
    if (!unbound || !usb || !name)
        return false;
    name++;
    name_length = strcspn(name, ":");
    if (!name[name_length] || !name_length || name_length >= room)
        return false;
    memcpy(path, name, name_length);
    path[name_length] = '\0';
    return true;
}

bool usb_uevent_next(int fd, char *path, size_t room)
{
    char
        message[3072]; /* UEVENT_BUFFER_SIZE is 2048, and a header; a longer one is none of a USB interface */

    for (;;) {
        struct sockaddr_nl from;
        socklen_t from_length = sizeof from;
        ssize_t got = recvfrom(fd, message, sizeof message, 0, (struct sockaddr *)&from, &from_length);

        /* ENOBUFS: messages were lost, the next ones are there. */
        if (got < 0 && (errno == EINTR || errno == ENOBUFS))
            continue;
        if (got < 0)
            return false;
        /* Port 0 is the kernel: programs cannot send from it. */
        if (from_length == sizeof from && from.nl_pid == 0 &&
            usb_uevent_parse(message, (size_t)got, path, room))
            return true;
    }
}
