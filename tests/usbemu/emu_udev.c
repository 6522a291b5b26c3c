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

#include "emu_export.h"
#include "emu_udev_device.h"

struct udev {
    unsigned references;
};

struct udev_list_entry {
    struct udev_list_entry *next;
    char *name, *value;
};

struct udev_enumerate {
    unsigned references;
    unsigned kinds;
    struct udev_list_entry *found;
};

void *emu_udev_make(size_t size)
{
    void *object;

    /* Under the lock like all that the emulator allocates: a test that makes allocations fail lets those be.
     */
    emu_lock();
    object = calloc(1, size);
    emu_unlock();
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

struct udev_device *emu_udev_device(struct emu_usb *usb, int interface, const char *action)
{
    struct udev_device *device = emu_udev_make(sizeof *device);
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

void emu_udev_free(struct udev_device *device)
{
    if (device == NULL || --device->references > 0)
        return;
    emu_udev_free(device->parent);
    free_list(device->attributes);
    emu_usb_unref(device->usb);
    free(device->sysname);
    free(device->syspath);
    free(device->devnode);
    free(device);
}

EMU_EXPORT struct udev *udev_new(void)
{
    struct udev *udev = emu_udev_make(sizeof *udev);

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
    struct udev_enumerate *enumerate = emu_udev_make(sizeof *enumerate);

    (void)udev;
    enumerate->references = 1;
    enumerate->kinds = EMU_UDEV_DEVICES | EMU_UDEV_INTERFACES;
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

unsigned emu_udev_kind(const char *devtype)
{
    return devtype == NULL                         ? EMU_UDEV_DEVICES | EMU_UDEV_INTERFACES
           : strcmp(devtype, "usb_device") == 0    ? EMU_UDEV_DEVICES
           : strcmp(devtype, "usb_interface") == 0 ? EMU_UDEV_INTERFACES
                                                   : 0;
}

EMU_EXPORT int udev_enumerate_add_match_property(struct udev_enumerate *enumerate, const char *property,
                                                 const char *value)
{
    enumerate->kinds &= strcmp(property, "DEVTYPE") == 0 ? emu_udev_kind(value) : 0;
    return 0;
}

static void add_found(struct udev_enumerate *enumerate, struct emu_usb *usb, int interface)
{
    struct udev_list_entry *entry = emu_udev_make(sizeof *entry), **at = &enumerate->found;
    struct udev_device *device = emu_udev_device(usb, interface, NULL);

    entry->name = strdup(device->syspath);
    emu_udev_free(device);
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
        if ((enumerate->kinds & EMU_UDEV_DEVICES) != 0)
            add_found(enumerate, usb, -1);
        for (int i = 0; i < EMU_INTERFACES && (enumerate->kinds & EMU_UDEV_INTERFACES) != 0; i++) {
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

EMU_EXPORT struct udev_device *udev_device_new_from_syspath(struct udev *udev, const char *syspath)
{
    struct udev_device *found = NULL;

    (void)udev;
    emu_lock();
    for (struct emu_usb *usb = emu_bus_first; usb != NULL && found == NULL; usb = usb->next) {
        for (int i = -1; i < EMU_INTERFACES && found == NULL; i++) {
            if (i >= 0 && !usb->interfaces[i].exists)
                continue;
            found = emu_udev_device(usb, i, NULL);
            if (strcmp(found->syspath, syspath) != 0) {
                emu_udev_free(found);
                found = NULL;
            }
        }
    }
    emu_unlock();
    if (found == NULL)
        errno = ENOENT;
    return found;
}

/* libusb asks on about a device that was pulled out before udev_device_new_from_syspath: libudev answers
 * NULL. */
static bool is_device(const struct udev_device *device)
{
    if (device == NULL)
        errno = EINVAL;
    return device != NULL;
}

EMU_EXPORT struct udev_device *udev_device_ref(struct udev_device *device)
{
    if (!is_device(device))
        return NULL;
    emu_lock();
    device->references++;
    emu_unlock();
    return device;
}

EMU_EXPORT struct udev_device *udev_device_unref(struct udev_device *device)
{
    if (!is_device(device))
        return NULL;
    emu_lock();
    emu_udev_free(device);
    emu_unlock();
    return NULL;
}

EMU_EXPORT const char *udev_device_get_action(struct udev_device *device)
{
    return is_device(device) ? device->action : NULL;
}

EMU_EXPORT const char *udev_device_get_devnode(struct udev_device *device)
{
    return is_device(device) ? device->devnode : NULL;
}

EMU_EXPORT const char *udev_device_get_sysname(struct udev_device *device)
{
    return is_device(device) ? device->sysname : NULL;
}

EMU_EXPORT const char *udev_device_get_syspath(struct udev_device *device)
{
    return is_device(device) ? device->syspath : NULL;
}

EMU_EXPORT const char *udev_device_get_subsystem(struct udev_device *device)
{
    return is_device(device) ? "usb" : NULL;
}

EMU_EXPORT const char *udev_device_get_devtype(struct udev_device *device)
{
    if (!is_device(device))
        return NULL;
    return device->interface < 0 ? "usb_device" : "usb_interface";
}

EMU_EXPORT const char *udev_device_get_property_value(struct udev_device *device, const char *key)
{
    if (!is_device(device))
        return NULL;
    if (strcmp(key, "DEVTYPE") == 0)
        return udev_device_get_devtype(device);
    if (strcmp(key, "DEVNAME") == 0)
        return is_device(device) ? device->devnode : NULL;
    return NULL;
}

EMU_EXPORT struct udev_device *udev_device_get_parent_with_subsystem_devtype(struct udev_device *device,
                                                                             const char *subsystem,
                                                                             const char *devtype)
{
    struct udev_device *parent;

    if (!is_device(device) || strcmp(subsystem, "usb") != 0 ||
        (emu_udev_kind(devtype) & EMU_UDEV_DEVICES) == 0)
        return NULL;
    emu_lock();
    if (device->parent == NULL) {
        struct emu_usb *usb = device->interface >= 0 ? device->usb : emu_usb_parent(device->usb);

        if (usb != NULL)
            device->parent = emu_udev_device(usb, -1, NULL);
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

    if (!is_device(device))
        return NULL;
    emu_lock();
    for (entry = device->attributes; entry != NULL && strcmp(entry->name, name) != 0;)
        entry = entry->next;
    if (entry == NULL) {
        char *text = emu_describe_attribute(device->usb, device->interface, name, &length);

        if (text != NULL) {
            entry = emu_udev_make(sizeof *entry);
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
