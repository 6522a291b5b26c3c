/* SPDX-License-Identifier: MIT */
#include "emu_bus.h"
#include "emu_usb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct emu_usb *emu_bus_first;

/* Hubs: the bus's own devices. Nothing ever happens on them. */
/* clang-format off */
static const uint8_t hub_descriptors[] = {
    /* device */
    18, 1, 0x00, 0x02, 9, 0, 1, 64, 0x6b, 0x1d, 0x02, 0x00, 0x00, 0x06, 0, 1, 0, 1,
    /* configuration, interface, endpoint */
    9, 2, 25, 0, 1, 1, 0, 0xe0, 0,
    9, 4, 0, 0, 1, 9, 0, 0, 0,
    7, 5, 0x81, 0x03, 4, 0, 12,
};
/* clang-format on */
static const char *const hub_strings[] = {"Emulated hub"};
static const struct emu_device_ops hub_ops = {0};
static struct emu_device hub = {
    .ops = &hub_ops,
    .descriptors = hub_descriptors,
    .descriptors_length = sizeof hub_descriptors,
    .strings = hub_strings,
    .string_count = 1,
};

struct emu_usb *emu_usb_ref(struct emu_usb *usb)
{
    usb->references++;
    return usb;
}

void emu_usb_unref(struct emu_usb *usb)
{
    if (--usb->references > 0)
        return;
    for (unsigned i = 0; i < EMU_INTERFACES; i++)
        free(usb->interfaces[i].driver);
    free(usb->path);
    free(usb);
}

struct emu_usb *emu_usb_by_path(const char *path, size_t length)
{
    for (struct emu_usb *usb = emu_bus_first; usb != NULL; usb = usb->next) {
        if (strncmp(usb->path, path, length) == 0 && usb->path[length] == '\0')
            return usb;
    }
    return NULL;
}

struct emu_usb *emu_usb_by_address(unsigned bus, unsigned address)
{
    for (struct emu_usb *usb = emu_bus_first; usb != NULL; usb = usb->next) {
        if (usb->bus == bus && usb->address == address)
            return usb;
    }
    return NULL;
}

static struct emu_usb *root_of(unsigned bus)
{
    char name[24];

    return emu_usb_by_path(name, (size_t)snprintf(name, sizeof name, "usb%u", bus));
}

struct emu_usb *emu_usb_parent(const struct emu_usb *usb)
{
    const char *port = strrchr(usb->path, '.');

    if (port != NULL)
        return emu_usb_by_path(usb->path, (size_t)(port - usb->path));
    return strchr(usb->path, '-') != NULL ? root_of(usb->bus) : NULL;
}

/* As the kernel does: one higher than the last, so that a device that is plugged in again is told apart. */
static unsigned new_address(struct emu_usb *root, unsigned bus)
{
    for (unsigned i = 0; i < 127; i++) {
        root->last_address = root->last_address % 127 + 1;
        if (emu_usb_by_address(bus, root->last_address) == NULL)
            return root->last_address;
    }
    return 0;
}

static void tell_added(void *user)
{
    struct emu_usb *usb = user;

    usb->telling = false;
    emu_udev_tell(usb, true);
    emu_usb_unref(usb);
}

/* Puts a device at a path that is free; the hub above is there, unless it is a root hub itself. */
static int attach(struct emu_device *device, const struct emu_place *place, unsigned bus)
{
    struct emu_usb *usb = calloc(1, sizeof *usb), *root = root_of(bus), **end = &emu_bus_first;
    int result = -ENOMEM;

    if (usb == NULL)
        return -ENOMEM;
    usb->references = 1;
    usb->device = device;
    usb->bus = bus;
    usb->denied = place->denied;
    for (unsigned i = 0; i < 32; i++) {
        usb->endpoints[i].usb = usb;
        emu_urbs_init(&usb->endpoints[i].urbs);
        usb->endpoints[i].parcels_tail = &usb->endpoints[i].parcels;
    }
    usb->path = strdup(place->path);
    if (usb->path != NULL)
        result = emu_describe_parse(usb);
    if (result == 0) {
        usb->address = new_address(root != NULL ? root : usb, bus);
        result = usb->address == 0 ? -EEXIST : 0;
    }
    if (result < 0) {
        emu_usb_unref(usb);
        return result;
    }
    for (unsigned i = 0; i < EMU_INTERFACES; i++) {
        usb->interfaces[i].held = (place->held >> i & 1) != 0;
        if ((place->bound >> i & 1) != 0)
            emu_usb_bind(&usb->interfaces[i], place->driver);
    }
    while (*end != NULL)
        end = &(*end)->next;
    *end = usb;
    if (device != &hub) {
        device->host = &emu_engine_host;
        device->host_state = usb;
    }
    if (device->ops->plugged != NULL)
        device->ops->plugged(device, true);
    emu_notify(usb, EMU_NOTICE_ADDED);
    usb->telling = true;
    emu_usb_ref(usb);
    if (emu_bus_seeded())
        emu_later(emu_bus_random(3), tell_added, usb);
    else
        tell_added(usb);
    return 0;
}

/* Sees to it that the hubs of a path are there: "1-2.3" needs "1-2", and that "usb1". */
static int attach_hubs(const char *path, unsigned bus)
{
    struct emu_place place = {0};
    char *part;
    int result = 0;

    if (root_of(bus) == NULL) {
        char name[24];

        snprintf(name, sizeof name, "usb%u", bus);
        place.path = name;
        result = attach(&hub, &place, bus);
    }
    part = strdup(path);
    if (part == NULL)
        return -ENOMEM;
    for (char *dot = strchr(part, '.'); dot != NULL && result == 0; dot = strchr(dot + 1, '.')) {
        const struct emu_usb *there;

        *dot = '\0';
        there = emu_usb_by_path(part, strlen(part));
        place.path = part;
        if (there == NULL)
            result = attach(&hub, &place, bus);
        else if (there->device != &hub)
            result = -EEXIST;
        *dot = '.';
    }
    free(part);
    return result;
}

/* "BUS-PORT", then ".PORT" for each hub more. Result: the bus, 0 if it is not written so. */
static unsigned check_path(const char *path)
{
    char *end;
    unsigned long bus = strtoul(path, &end, 10);

    if (bus == 0 || bus > 255 || *end != '-')
        return 0;
    do {
        path = end + 1;
        if (*path < '1' || *path > '9')
            return 0;
        strtoul(path, &end, 10);
    } while (*end == '.');
    return *end == '\0' ? (unsigned)bus : 0;
}

static int plug(struct emu_device *device, const struct emu_place *place)
{
    struct emu_place chosen = *place;
    char free_port[24];
    unsigned bus;
    int result;

    if (device->host != NULL)
        return -EEXIST;
    for (unsigned port = 1; chosen.path == NULL; port++) {
        int length = snprintf(free_port, sizeof free_port, "1-%u", port);

        if (emu_usb_by_path(free_port, (size_t)length) == NULL)
            chosen.path = free_port;
    }
    bus = check_path(chosen.path);
    if (bus == 0)
        return -EINVAL;
    if (emu_usb_by_path(chosen.path, strlen(chosen.path)) != NULL)
        return -EEXIST;
    result = attach_hubs(chosen.path, bus);
    return result < 0 ? result : attach(device, &chosen, bus);
}

int emu_plug_as(struct emu_device *device, const struct emu_place *place)
{
    int result;

    emu_lock();
    result = plug(device, place);
    emu_unlock();
    return result;
}

int emu_plug(struct emu_device *device, const char *path)
{
    return emu_plug_as(device, &(struct emu_place){.path = path});
}

static void detach(struct emu_usb *usb)
{
    struct emu_device *device = usb->device;
    bool told_first = emu_bus_random(2) != 0;

    if (usb->telling) {
        emu_cancel(usb);
        tell_added(usb);
    }
    for (struct emu_usb **at = &emu_bus_first; *at != NULL; at = &(*at)->next) {
        if (*at == usb) {
            *at = usb->next;
            break;
        }
    }
    usb->device = NULL;
    device->host = NULL;
    device->host_state = NULL;
    if (told_first)
        emu_udev_tell(usb, false);
    emu_engine_flush(usb, NULL, -1, -ESHUTDOWN);
    emu_engine_forget(usb);
    emu_file_gone(usb);
    if (device->ops->plugged != NULL)
        device->ops->plugged(device, false);
    emu_notify(usb, EMU_NOTICE_REMOVED);
    if (!told_first)
        emu_udev_tell(usb, false);
    emu_bus_changed();
    emu_usb_unref(usb);
}

void emu_unplug(struct emu_device *device)
{
    emu_lock();
    if (device->host == &emu_engine_host)
        detach(device->host_state);
    emu_unlock();
}

/* A machine with USB has a root hub at least. */
__attribute__((constructor)) static void begin(void)
{
    emu_lock();
    attach_hubs("1-1", 1);
    emu_unlock();
}
