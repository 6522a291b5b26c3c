/* SPDX-License-Identifier: MIT */
#include "cli/doctor/devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "cli/doctor/parse.h"

#define BUS "/sys/bus/usb/devices/"

/* A value of sysfs. */
static bool value(const struct system *system, const char *path, const char *key, char *text, size_t room)
{
    return system_line(system, text, room, BUS "%s/%s", path, key);
}

static unsigned long number(const struct system *system, const char *path, const char *key, int base,
                            unsigned long most)
{
    unsigned long result;
    char text[32];

    return value(system, path, key, text, sizeof text) && parse_number(text, base, most, &result) ? result
                                                                                                  : 0;
}

static void take_driver(const struct system *system, struct device *device)
{
    char *text = system_text(system, BUS "%s/uevent", device->interface), target[256];
    const char *slash;

    device->driver[0] = '\0';
    if (text != NULL)
        (void)parse_value(text, "DRIVER", device->driver, sizeof device->driver);
    free(text);
    if (device->driver[0] != '\0' ||
        !system_link(system, target, sizeof target, BUS "%s/driver", device->interface))
        return;
    slash = strrchr(target, '/');
    system_clean(target);
    snprintf(device->driver, sizeof device->driver, "%.63s", slash != NULL ? slash + 1 : target);
}

static void take_name(const struct system *system, struct device *device)
{
    char vendor[64], model[64];

    (void)value(system, device->path, "manufacturer", vendor, sizeof vendor);
    (void)value(system, device->path, "product", model, sizeof model);
    /* Many repeat the vendor in the name of the model. */
    if (vendor[0] != '\0' && strncmp(model, vendor, strlen(vendor)) != 0)
        snprintf(device->name, sizeof device->name, "%s%s%s", vendor, model[0] != '\0' ? " " : "", model);
    else
        snprintf(device->name, sizeof device->name, "%s", model[0] != '\0' ? model : "reader");
    (void)value(system, device->path, "serial", device->serial, sizeof device->serial);
}

/* What stands in a command has to be a name and nothing else. */
static void drop_odd_driver(struct device *device)
{
    if (!parse_is_plain(device->driver, "_-"))
        device->driver[0] = '\0';
}

/* The class descriptor: of a blocked device the file has it as well. */
static void take_descriptor(const struct system *system, struct device *device)
{
    struct ccid_descriptor next;
    size_t length = 0;
    char *content = system_bytes(system, &length, BUS "%s/descriptors", device->path);
    struct bytes in = bytes_of(content, length);

    if (content == NULL)
        return;
    while (ccid_descriptor_next(&in, &next) == 1) {
        if (!device->described || (device->ccid.defect != CCID_SOUND && next.defect == CCID_SOUND))
            device->ccid = next;
        device->described = true;
        device->interfaces++;
    }
    free(content);
}

/* The interface of class 0B in the list of all names, or the one of the descriptor. */
static void take_interface(const struct system *system, char *const *names, struct device *device)
{
    size_t length = strlen(device->path);
    char class_code[8], wanted[8] = "0b";

    if (device->described)
        snprintf(wanted, sizeof wanted, "%02x", device->ccid.class_code);
    for (size_t i = 0; names[i] != NULL; i++) {
        if (strncmp(names[i], device->path, length) != 0 || names[i][length] != ':' ||
            strlen(names[i]) >= sizeof device->interface ||
            names[i][length + 1 + strspn(names[i] + length + 1, "0123456789.")] != '\0')
            continue;
        if (device->described &&
            number(system, names[i], "bInterfaceNumber", 16, 255) != device->ccid.interface)
            continue;
        if (!value(system, names[i], "bInterfaceClass", class_code, sizeof class_code) ||
            strcmp(class_code, wanted) != 0)
            continue;
        snprintf(device->interface, sizeof device->interface, "%s", names[i]);
        return;
    }
}

static bool load(const struct system *system, char *const *names, const char *path, struct device *device)
{
    char text[16];

    *device = (struct device){0};
    snprintf(device->path, sizeof device->path, "%.31s", path);
    take_descriptor(system, device);
    take_interface(system, names, device);
    device->blocked = value(system, path, "authorized", text, sizeof text) && strcmp(text, "0") == 0;
    if (!device->described && device->interface[0] == '\0')
        return false;
    device->vendor = (uint16_t)number(system, path, "idVendor", 16, UINT16_MAX);
    device->product = (uint16_t)number(system, path, "idProduct", 16, UINT16_MAX);
    device->firmware = (uint16_t)number(system, path, "bcdDevice", 16, UINT16_MAX);
    device->bus = (unsigned)number(system, path, "busnum", 10, 999);
    device->address = (unsigned)number(system, path, "devnum", 10, 999);
    snprintf(device->node, sizeof device->node, "/dev/bus/usb/%03u/%03u", device->bus, device->address);
    take_name(system, device);
    if (device->interface[0] != '\0')
        take_driver(system, device);
    drop_odd_driver(device);
    (void)value(system, path, "power/control", device->power, sizeof device->power);
    (void)value(system, path, "power/runtime_status", device->running, sizeof device->running);
    return true;
}

/* "1-2.3": port numbers behind the bus. */
static bool is_device(const char *name)
{
    return strlen(name) < sizeof((struct device *)0)->path && strspn(name, "0123456789-.") == strlen(name) &&
           strchr(name, '-') != NULL;
}

void devices_load(struct devices *devices, const struct system *system)
{
    char **names = system_names(system, BUS), text[8];
    struct device *device = malloc(sizeof *device), *grown;

    *devices = (struct devices){.error = names != NULL && device != NULL ? 0 : errno};
    for (size_t i = 0; devices->error == 0 && names[i] != NULL; i++) {
        devices->hubs += strncmp(names[i], "usb", 3) == 0;
        if (!is_device(names[i]))
            continue;
        if (!load(system, names, names[i], device)) {
            devices->others++;
            devices->blocked +=
                value(system, names[i], "authorized", text, sizeof text) && strcmp(text, "0") == 0;
            continue;
        }
        grown = reallocarray(devices->list, devices->count + 1, sizeof *grown);
        if (grown == NULL) {
            devices->error = ENOMEM;
            break;
        }
        devices->list = grown;
        grown[devices->count++] = *device;
    }
    free(device);
    system_names_free(names);
}

void devices_fini(struct devices *devices)
{
    free(devices->list);
    *devices = (struct devices){0};
}

const struct device *devices_find(const struct devices *devices, const char *text)
{
    if (strncmp(text, "usb:", 4) == 0)
        text += 4;
    for (size_t i = 0; i < devices->count; i++) {
        const struct device *device = &devices->list[i];
        char id[16];

        snprintf(id, sizeof id, "%04x:%04x", device->vendor, device->product);
        if (strcmp(text, device->path) == 0 || strcmp(text, device->interface) == 0 ||
            strcasecmp(text, id) == 0)
            return device;
    }
    for (size_t i = 0; i < devices->count && text[0] != '\0'; i++)
        if (strcasestr(devices->list[i].name, text) != NULL)
            return &devices->list[i];
    return NULL;
}
