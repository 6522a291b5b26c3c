/* SPDX-License-Identifier: MIT */
/* Inside the emulated libudev: devices, for those who list them and those who tell of them. */
#ifndef USBEMU_EMU_UDEV_DEVICE_H
#define USBEMU_EMU_UDEV_DEVICE_H

#include "emu_udev.h"
#include "emu_usb.h"

/* Both kinds of device, so that a program sees which filter it has asked for. */
enum { EMU_UDEV_DEVICES = 1, EMU_UDEV_INTERFACES = 2 };

struct udev_device {
    unsigned references;
    struct udev_device *next; /* in a monitor's queue */
    struct emu_usb *usb;
    int interface; /* -1: the device itself */
    const char *action;
    char *sysname, *syspath, *devnode;
    struct udev_device *parent;
    struct udev_list_entry *attributes; /* that were asked for: their values live as long as the device */
};

/* With the lock, but for make: never NULL. */
void *emu_udev_make(size_t size);
struct udev_device *emu_udev_device(struct emu_usb *usb, int interface, const char *action);
void emu_udev_free(struct udev_device *device);
unsigned emu_udev_kind(const char *devtype); /* which kinds a filter means; NULL: both */

#endif
