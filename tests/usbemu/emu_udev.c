/* SPDX-License-Identifier: MIT */
/*
 * As much of libudev as libusb-1.0 and pcscd use, over the emulated bus. All of what they import has to be
 * here: the real library must never see these objects (selftest.c compares).
 */
#include "emu_usb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "emu_export.h"
#include "emu_udev.h"

/* Both kinds of device, so that a program sees which filter it has asked for. */
enum { DEVICES = 1, INTERFACES = 2 };

struct udev {
    unsigned references;
};

struct udev_list_entry {
    struct udev_list_entry *next;
    char *name, *value;
};

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

struct udev_enumerate {
    unsigned references;
    unsigned kinds;
    struct udev_list_entry *found;
};

struct udev_monitor {
    unsigned references;
    struct udev_monitor *next; /* of all that are enabled */
    int fd;
    unsigned kinds;
    bool filtered, enabled;
    struct udev_device *queue, **queue_tail;
};

static struct udev_monitor *monitors;

static void *make(size_t size)
{
    void *object = calloc(1, size);

    if (object == NULL)
        abort();
    return object;
}

static void free_list(struct udev_list_entry *entry)
{
    while (entry != NULL) {
        struct udev_list_entry *next = entry->next;

        free(entry->name);
        free(entry->value);
        free(entry);
        entry = next;
    }
}

static struct udev_device *make_device(struct emu_usb *usb, int interface, const char *action)
{
    struct udev_device *device = make(sizeof *device);
    int written;

    device->references = 1;
    device->usb = emu_usb_ref(usb);
    device->interface = interface;
    device->action = action;
    if (interface < 0) {
        written = asprintf(&device->sysname, "%s", usb->path);
        if (written >= 0)
            written = asprintf(&device->devnode, EMU_NODES "%03u/%03u", usb->bus, usb->address);
    } else if (strncmp(usb->path, "usb", 3) == 0) {
        written = asprintf(&device->sysname, "%u-0:%u.%d", usb->bus, usb->configuration, interface);
    } else {
        written = asprintf(&device->sysname, "%s:%u.%d", usb->path, usb->configuration, interface);
    }
    if (written < 0 || asprintf(&device->syspath, EMU_SYSFS "%s", device->sysname) < 0)
        abort();
    return device;
}

static void free_device(struct udev_device *device)
{
    if (device == NULL || --device->references > 0)
        return;
    free_device(device->parent);
    free_list(device->attributes);
    emu_usb_unref(device->usb);
    free(device->sysname);
    free(device->syspath);
    free(device->devnode);
    free(device);
}

EMU_EXPORT struct udev *udev_new(void)
{
    struct udev *udev = make(sizeof *udev);

    udev->references = 1;
    return udev;
}

EMU_EXPORT struct udev *udev_ref(struct udev *udev)
{
    emu_lock();
    udev->references++;
    emu_unlock();
    return udev;
}

EMU_EXPORT struct udev *udev_unref(struct udev *udev)
{
    emu_lock();
    if (udev != NULL && --udev->references == 0)
        free(udev);
    emu_unlock();
    return NULL;
}

EMU_EXPORT struct udev_enumerate *udev_enumerate_new(struct udev *udev)
{
    struct udev_enumerate *enumerate = make(sizeof *enumerate);

    (void)udev;
    enumerate->references = 1;
    enumerate->kinds = DEVICES | INTERFACES;
    return enumerate;
}

EMU_EXPORT struct udev_enumerate *udev_enumerate_unref(struct udev_enumerate *enumerate)
{
    if (enumerate != NULL && --enumerate->references == 0) {
        free_list(enumerate->found);
        free(enumerate);
    }
    return NULL;
}

EMU_EXPORT int udev_enumerate_add_match_subsystem(struct udev_enumerate *enumerate, const char *subsystem)
{
    if (strcmp(subsystem, "usb") != 0)
        enumerate->kinds = 0;
    return 0;
}

static unsigned kind(const char *devtype)
{
    return devtype == NULL                         ? DEVICES | INTERFACES
           : strcmp(devtype, "usb_device") == 0    ? DEVICES
           : strcmp(devtype, "usb_interface") == 0 ? INTERFACES
                                                   : 0;
}

EMU_EXPORT int udev_enumerate_add_match_property(struct udev_enumerate *enumerate, const char *property,
                                                 const char *value)
{
    enumerate->kinds &= strcmp(property, "DEVTYPE") == 0 ? kind(value) : 0;
    return 0;
}

static void add_found(struct udev_enumerate *enumerate, struct emu_usb *usb, int interface)
{
    struct udev_list_entry *entry = make(sizeof *entry), **at = &enumerate->found;
    struct udev_device *device = make_device(usb, interface, NULL);

    entry->name = strdup(device->syspath);
    free_device(device);
    /* udev lists in no order that may be relied on. */
    if (!emu_bus_seeded() || emu_bus_random(2) != 0) {
        while (*at != NULL)
            at = &(*at)->next;
    }
    entry->next = *at;
    *at = entry;
}

EMU_EXPORT int udev_enumerate_scan_devices(struct udev_enumerate *enumerate)
{
    emu_lock();
    free_list(enumerate->found);
    enumerate->found = NULL;
    for (struct emu_usb *usb = emu_bus_first; usb != NULL; usb = usb->next) {
        if ((enumerate->kinds & DEVICES) != 0)
            add_found(enumerate, usb, -1);
        for (int i = 0; i < EMU_INTERFACES && (enumerate->kinds & INTERFACES) != 0; i++) {
            if (usb->interfaces[i].exists)
                add_found(enumerate, usb, i);
        }
    }
    emu_unlock();
    return 0;
}

EMU_EXPORT struct udev_list_entry *udev_enumerate_get_list_entry(struct udev_enumerate *enumerate)
{
    return enumerate->found;
}

EMU_EXPORT struct udev_list_entry *udev_list_entry_get_next(struct udev_list_entry *entry)
{
    return entry != NULL ? entry->next : NULL;
}

EMU_EXPORT const char *udev_list_entry_get_name(struct udev_list_entry *entry)
{
    return entry != NULL ? entry->name : NULL;
}

EMU_EXPORT const char *udev_list_entry_get_value(struct udev_list_entry *entry)
{
    return entry != NULL ? entry->value : NULL;
}

EMU_EXPORT struct udev_monitor *udev_monitor_new_from_netlink(struct udev *udev, const char *name)
{
    struct udev_monitor *monitor = make(sizeof *monitor);

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
        monitor->kinds |= kind(devtype);
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
            free_device(event);
        syscall(SYS_close, monitor->fd);
        free(monitor);
    }
    emu_unlock();
    return NULL;
}

EMU_EXPORT struct udev_device *udev_device_new_from_syspath(struct udev *udev, const char *syspath)
{
    struct udev_device *found = NULL;

    (void)udev;
    emu_lock();
    for (struct emu_usb *usb = emu_bus_first; usb != NULL && found == NULL; usb = usb->next) {
        for (int i = -1; i < EMU_INTERFACES && found == NULL; i++) {
            if (i >= 0 && !usb->interfaces[i].exists)
                continue;
            found = make_device(usb, i, NULL);
            if (strcmp(found->syspath, syspath) != 0) {
                free_device(found);
                found = NULL;
            }
        }
    }
    emu_unlock();
    if (found == NULL)
        errno = ENOENT;
    return found;
}

EMU_EXPORT struct udev_device *udev_device_ref(struct udev_device *device)
{
    emu_lock();
    device->references++;
    emu_unlock();
    return device;
}

EMU_EXPORT struct udev_device *udev_device_unref(struct udev_device *device)
{
    emu_lock();
    free_device(device);
    emu_unlock();
    return NULL;
}

EMU_EXPORT const char *udev_device_get_action(struct udev_device *device)
{
    return device->action;
}

EMU_EXPORT const char *udev_device_get_devnode(struct udev_device *device)
{
    return device->devnode;
}

EMU_EXPORT const char *udev_device_get_sysname(struct udev_device *device)
{
    return device->sysname;
}

EMU_EXPORT const char *udev_device_get_syspath(struct udev_device *device)
{
    return device->syspath;
}

EMU_EXPORT const char *udev_device_get_subsystem(struct udev_device *device)
{
    (void)device;
    return "usb";
}

EMU_EXPORT const char *udev_device_get_devtype(struct udev_device *device)
{
    return device->interface < 0 ? "usb_device" : "usb_interface";
}

EMU_EXPORT const char *udev_device_get_property_value(struct udev_device *device, const char *key)
{
    if (strcmp(key, "DEVTYPE") == 0)
        return udev_device_get_devtype(device);
    if (strcmp(key, "DEVNAME") == 0)
        return device->devnode;
    return NULL;
}

EMU_EXPORT struct udev_device *udev_device_get_parent_with_subsystem_devtype(struct udev_device *device,
                                                                             const char *subsystem,
                                                                             const char *devtype)
{
    struct udev_device *parent;

    if (strcmp(subsystem, "usb") != 0 || (kind(devtype) & DEVICES) == 0)
        return NULL;
    emu_lock();
    if (device->parent == NULL) {
        struct emu_usb *usb = device->interface >= 0 ? device->usb : emu_usb_parent(device->usb);

        if (usb != NULL)
            device->parent = make_device(usb, -1, NULL);
    }
    parent = device->parent;
    emu_unlock();
    return parent;
}

EMU_EXPORT const char *udev_device_get_sysattr_value(struct udev_device *device, const char *name)
{
    struct udev_list_entry *entry;
    const char *value = NULL;
    size_t length;

    emu_lock();
    for (entry = device->attributes; entry != NULL && strcmp(entry->name, name) != 0;)
        entry = entry->next;
    if (entry == NULL) {
        char *text = emu_describe_attribute(device->usb, device->interface, name, &length);

        if (text != NULL) {
            entry = make(sizeof *entry);
            entry->name = strdup(name);
            entry->value = text;
            entry->next = device->attributes;
            device->attributes = entry;
        }
    }
    if (entry != NULL)
        value = entry->value;
    emu_unlock();
    return value;
}

static void send(struct emu_usb *usb, int interface, const char *action)
{
    struct udev_device *device = make_device(usb, interface, action);

    emu_uevent_send(device->sysname, udev_device_get_devtype(device), action);
    free_device(device);
    for (struct udev_monitor *monitor = monitors; monitor != NULL; monitor = monitor->next) {
        static const uint64_t one = 1;
        struct udev_device *event;

        if (monitor->filtered && (monitor->kinds & (interface < 0 ? DEVICES : INTERFACES)) == 0)
            continue;
        event = make_device(usb, interface, action);
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
