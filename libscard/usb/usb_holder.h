/* SPDX-License-Identifier: MIT */
/* Who has a USB interface that cannot be claimed: read from /sys and /proc, opens nothing. */
#ifndef USB_USB_HOLDER_H
#define USB_USB_HOLDER_H

#include <stddef.h>

/* A process that has the node open. */
struct usb_holder {
    int pid;
    char name[64]; /* of its program; "" if that cannot be read */
};

/* Name of the kernel's driver that is bound to the interface ("1-2.3:1.0"), in a new block (free it); NULL:
 * none, or "usbfs", which stands for a program. root: "" or a folder that stands for / (tests). */
char *usb_kernel_driver(const char *root, const char *interface_path);

/* Processes that have node open, at most capacity of them in holders, this one left out. Result: how many
 * were found. Those of other users are seen by root alone. */
size_t usb_holders(const char *root, const char *node, struct usb_holder *holders, size_t capacity);

#endif
