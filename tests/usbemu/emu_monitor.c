/* SPDX-License-Identifier: MIT */
/* Monitors of udev: a queue of events, and as many counts in a descriptor. */
#include "emu_usb.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "emu_export.h"
#include "emu_udev_device.h"

struct udev_monitor {
    unsigned references;
    struct udev_monitor *next; /* of all that are enabled */
    int fd;
    unsigned kinds;
    bool filtered, enabled;
    struct udev_device *queue, **queue_tail;
};

static struct udev_monitor *monitors;

EMU_EXPORT struct udev_monitor *udev_monitor_new_from_netlink(struct udev *udev, const char *name)
{
    struct udev_monitor *monitor = emu_udev_make(sizeof *monitor);

    (void)udev;
    (void)name;
    monitor->references = 1;
    monitor->fd = eventfd(0, EFD_SEMAPHORE | EFD_NONBLOCK | EFD_CLOEXEC);
    if (monitor->fd < 0) {
        free(monitor);
        return NULL;
    }
    monitor->queue_tail = &monitor->queue;
    return monitor;
}

EMU_EXPORT int udev_monitor_filter_add_match_subsystem_devtype(struct udev_monitor *monitor,
                                                               const char *subsystem, const char *devtype)
{
    if (strcmp(subsystem, "usb") == 0)
        monitor->kinds |= emu_udev_kind(devtype);
    monitor->filtered = true;
    return 0;
}

EMU_EXPORT int udev_monitor_enable_receiving(struct udev_monitor *monitor)
{
    emu_lock();
    if (!monitor->enabled) {
        monitor->enabled = true;
        monitor->next = monitors;
        monitors = monitor;
    }
    emu_unlock();
    return 0;
}

EMU_EXPORT int udev_monitor_get_fd(struct udev_monitor *monitor)
{
    return monitor->fd;
}

/* The oldest in the queue, which loses it. */
static struct udev_device *take_event(struct udev_monitor *monitor)
{
    struct udev_device *device = monitor->queue;
    uint64_t one;

    if (device == NULL)
        return NULL;
    monitor->queue = device->next;
    if (monitor->queue == NULL)
        monitor->queue_tail = &monitor->queue;
    device->next = NULL;
    if (read(monitor->fd, &one, sizeof one) < 0)
        emu_blame("a monitor of udev was read by somebody else");
    return device;
}

EMU_EXPORT struct udev_device *udev_monitor_receive_device(struct udev_monitor *monitor)
{
    struct udev_device *device;

    emu_lock();
    device = take_event(monitor);
    emu_unlock();
    if (device == NULL)
        errno = EAGAIN;
    return device;
}

EMU_EXPORT struct udev_monitor *udev_monitor_unref(struct udev_monitor *monitor)
{
    emu_lock();
    if (monitor != NULL && --monitor->references == 0) {
        for (struct udev_monitor **at = &monitors; *at != NULL; at = &(*at)->next) {
            if (*at == monitor) {
                *at = monitor->next;
                break;
            }
        }
        for (struct udev_device *event = take_event(monitor); event != NULL; event = take_event(monitor))
            emu_udev_free(event);
        emu_close(monitor->fd);
        free(monitor);
    }
    emu_unlock();
    return NULL;
}

static void send(struct emu_usb *usb, int interface, const char *action)
{
    struct udev_device *device = emu_udev_device(usb, interface, action);

    emu_uevent_send(device->sysname, udev_device_get_devtype(device), action);
    emu_udev_free(device);
    for (struct udev_monitor *monitor = monitors; monitor != NULL; monitor = monitor->next) {
        static const uint64_t one = 1;
        struct udev_device *event;

        if (monitor->filtered &&
            (monitor->kinds & (interface < 0 ? EMU_UDEV_DEVICES : EMU_UDEV_INTERFACES)) == 0)
            continue;
        event = emu_udev_device(usb, interface, action);
        *monitor->queue_tail = event;
        monitor->queue_tail = &event->next;
        if (write(monitor->fd, &one, sizeof one) < 0)
            emu_blame("a monitor of udev is full");
    }
}

void emu_udev_tell_interface(struct emu_usb *usb, unsigned interface, const char *action)
{
    send(usb, (int)interface, action);
}

void emu_udev_tell(struct emu_usb *usb, bool added)
{
    if (added)
        send(usb, -1, "add");
    for (int i = 0; i < EMU_INTERFACES; i++) {
        if (!usb->interfaces[i].exists)
            continue;
        if (!added && usb->interfaces[i].driver != NULL)
            send(usb, i, "unbind");
        send(usb, i, added ? "add" : "remove");
        if (added && usb->interfaces[i].driver != NULL)
            send(usb, i, "bind");
    }
    send(usb, -1, added ? "bind" : "unbind");
    if (!added)
        send(usb, -1, "remove");
}
