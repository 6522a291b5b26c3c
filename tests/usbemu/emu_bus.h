/* SPDX-License-Identifier: MIT */
/*
 * The emulated USB bus: devices (emu.h) that the unmodified libusb-1.0 of this process finds, opens and talks
 * to, because the program - or a preloaded libusbemu.so - defines the functions by which libusb reaches the
 * kernel and udev. It has one root hub, usb1; hubs in a path come by themselves.
 *
 * Any thread; functions take the lock of emu.h, and may be called with it.
 */
#ifndef USBEMU_EMU_BUS_H
#define USBEMU_EMU_BUS_H

#include "emu.h"

/* How a device is plugged in. */
struct emu_place {
    const char *path;   /* "1-2", "1-2.3"; NULL: the first free port. */
    bool denied;        /* no permission for its node */
    uint32_t held;      /* bit n: another program has claimed interface n */
    uint32_t bound;     /* bit n: a driver of the kernel has interface n */
    const char *driver; /* its name */
};

/* Plugs in: a new address each time. Needs descriptors that begin with a device descriptor of 18 bytes and a
 * configuration. Result: 0, -EEXIST (the device or the port is in use), -EINVAL, -ENOMEM. */
int emu_plug(struct emu_device *device, const char *path);
int emu_plug_as(struct emu_device *device, const struct emu_place *place);

/* Pulls it out: transfers under way fail, the node hangs up, udev tells. device may be freed afterwards. */
void emu_unplug(struct emu_device *device);

/* Of a device that is plugged in. The path is valid until it is unplugged. */
const char *emu_bus_path(const struct emu_device *device);
unsigned emu_bus_number(const struct emu_device *device);
unsigned emu_bus_address(const struct emu_device *device);

/* Changes what a struct emu_place says; watchers of the node (inotify) see it. driver NULL: unbound. */
void emu_bus_permit(struct emu_device *device, bool permitted);
void emu_bus_hold(struct emu_device *device, unsigned interface, bool held);
void emu_bus_bind(struct emu_device *device, unsigned interface, const char *driver);

/* Waits until that many files of the node are open; until at least that many transfers of the endpoint are
 * pending. False: not in that time. Without the lock. */
bool emu_bus_await_files(const struct emu_device *device, unsigned count, unsigned timeout_ms);
bool emu_bus_await_pending(const struct emu_device *device, uint8_t endpoint, unsigned count,
                           unsigned timeout_ms);

/* Not 0: the bus is as hard to live with as it may be: it takes OUT transfers late, lets transfers of
 * different endpoints end in another order, tells of plugging before or after it can be seen on the node,
 * lists devices in any order; the same for the same seed, as far as threads allow. 0: as straight as it can
 * be. */
void emu_bus_seed(uint64_t seed);

/* Old controllers: transfers come in pieces of 16 KiB (no scatter-gather), for nodes opened from now on. */
void emu_bus_split(bool split);

/* How many transfers were submitted since the program began. */
unsigned long emu_bus_transfers(void);

#endif
