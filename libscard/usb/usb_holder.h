/* SPDX-License-Identifier: MIT */
/* Who has a USB interface that cannot be claimed: read from /sys and /proc, opens no device. */
#ifndef USB_USB_HOLDER_H
#define USB_USB_HOLDER_H

#include <stddef.h>

/* What the kernel says is bound to an interface that a program has claimed. */
#define USB_HELD_BY_PROGRAM "usbfs"

/* A process that has the node open. */
struct usb_holder {
    int pid;
    char name[64]; /* of its program, printable; "" if that cannot be read */
};

/* Name of the driver that is bound to the interface ("1-2.3:1.0"), printable, in a new block (free it); NULL:
 * none. USB_HELD_BY_PROGRAM stands for a program. root: "" or a folder that stands for / (tests). */
char *usb_interface_driver(const char *root, const char *interface_path);

/* Processes that have node open, at most capacity of them in holders, this one left out. Result: how many
 * were found. Those of other users are seen by root alone. */
size_t usb_holders(const char *root, const char *node, struct usb_holder *holders, size_t capacity);

#endif
