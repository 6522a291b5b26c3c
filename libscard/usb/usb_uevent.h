/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own messages about devices: how it is known that an interface was given free. Its node is
 * closed (inotify) before the interface is released, so that alone comes too early.
 */
#ifndef USB_USB_UEVENT_H
#define USB_USB_UEVENT_H

#include <stdbool.h>
#include <stddef.h>

/* A socket that is readable when there is a message, or -1 (a container may have none). Close it. */
int usb_uevent_open(void);

/* Reads messages until one says that an interface of a USB device is without driver now; path, with room for
 * any file name, is then the device's ("1-2.3"). False: no more messages. Never waits. */
bool usb_uevent_next(int fd, char *path, size_t room);

/* The same for one message, for tests. */
bool usb_uevent_parse(const char *message, size_t length, char *path, size_t room);

#endif
