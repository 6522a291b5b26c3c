/* SPDX-License-Identifier: MIT */
#include "usb/usb_device.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/rc.h"
#include "usb/usb_text.h"

#define PORTS_MAX 7 /* USB 3.1, 10.14.2.6: five hubs deep; libusb's limit is 7 */

/* device first: what is handed out is its address. */
struct usb_known {
    struct usb_device device;
    char path[sizeof "usb255" + 4 * PORTS_MAX];
    char node[sizeof "/dev/bus/usb/255/255"];
    char *texts[3];
    struct buffer descriptors;
};

static char *sysfs_text(const char *path, const char *file)
{
    char *name, *text;

    if (asprintf(&name, "/sys/bus/usb/devices/%s/%s", path, file) < 0)
        return NULL;
    text = usb_file_text(name);
    free(name);
    return text;
}

/* As the kernel names it: bus and ports, or the root hub of a bus. */
static void name_path(libusb_device *libusb, struct usb_known *known)
{
    uint8_t ports[PORTS_MAX];
    int depth = libusb_get_port_numbers(libusb, ports, PORTS_MAX);
    unsigned bus = libusb_get_bus_number(libusb);
    size_t at;

    if (depth <= 0) {
        snprintf(known->path, sizeof known->path, "usb%u", bus);
        return;
    }
    at = (size_t)snprintf(known->path, sizeof known->path, "%u", bus);
    for (int i = 0; i < depth && at < sizeof known->path; i++)
        at += (size_t)snprintf(known->path + at, sizeof known->path - at, "%c%u", i ? '.' : '-', ports[i]);
}

/* 0: not configured, or not known. */
static unsigned active_value(libusb_device *libusb, const char *path)
{
    struct libusb_config_descriptor *active;
    char *text = sysfs_text(path, "bConfigurationValue");
    unsigned value;

    if (text) {
        value = (unsigned)strtoul(text, NULL, 10);
        free(text);
        return value;
    }
    if (libusb_get_active_config_descriptor(libusb, &active))
        return 0;
    value = active->bConfigurationValue;
    libusb_free_config_descriptor(active);
    return value;
}

const uint8_t *usb_configuration_find(const uint8_t *bytes, size_t length, unsigned value, size_t *ret_length)
{
    struct bytes left = bytes_of(bytes, length);

    /* USB 2.0, table 9-10: bLength, bDescriptorType, wTotalLength, bNumInterfaces, bConfigurationValue. */
    while (left.left >= 9) {
        const uint8_t *at = left.at;
        size_t total = (size_t)(at[2] | at[3] << 8);

        if (at[1] != LIBUSB_DT_CONFIG || total < 9)
            return NULL;
        if (total > left.left)
            total = left.left;
        if (at[5] == value) {
            *ret_length = total;
            return at;
        }
        bytes_take(&left, total);
    }
    return NULL;
}

/* The raw descriptors: of sysfs, or else of the node, which needs to be read only. */
static int read_descriptors(struct usb_known *known)
{
    char *name;
    int rc;

    if (asprintf(&name, "/sys/bus/usb/devices/%s/descriptors", known->path) < 0)
        return RC_NO_MEMORY;
    rc = usb_file_read(name, &known->descriptors);
    free(name);
    if (rc == RC_IO) {
        known->descriptors.length = 0;
        rc = usb_file_read(known->node, &known->descriptors);
    }
    return rc;
}

static int fill_configuration(libusb_device *libusb, struct usb_known *known)
{
    unsigned value = active_value(libusb, known->path);
    size_t skip;
    int rc;

    if (value == 0) {
        log_debug("usb:%s: left out: it is not configured", known->path);
        return RC_READER_UNAVAILABLE;
    }
    rc = read_descriptors(known);
    if (rc == RC_NO_MEMORY)
        return rc;
    skip = known->descriptors.length ? known->descriptors.data[0] : 0;
    if (!rc && skip && skip <= known->descriptors.length)
        known->device.configuration =
            usb_configuration_find(known->descriptors.data + skip, known->descriptors.length - skip, value,
                                   &known->device.configuration_length);
    if (known->device.configuration)
        return RC_OK;
    log_debug("usb:%s: left out: its descriptors cannot be read", known->path);
    return RC_READER_UNAVAILABLE;
}

int usb_device_read(libusb_device *libusb, struct usb_device **ret_device)
{
    static const char *const files[] = {"manufacturer", "product", "serial"};
    struct usb_known *known = calloc(1, sizeof *known);
    struct libusb_device_descriptor descriptor;
    struct usb_device *device;
    int rc;

    if (!known)
        return RC_NO_MEMORY;
    device = &known->device;
    libusb_get_device_descriptor(libusb, &descriptor); /* cached: never fails */
    device->vendor = descriptor.idVendor;
    device->product = descriptor.idProduct;
    device->bcd_device = descriptor.bcdDevice;
    device->bus = libusb_get_bus_number(libusb);
    device->address = libusb_get_device_address(libusb);
    name_path(libusb, known);
    device->path = known->path;
    snprintf(known->node, sizeof known->node, "/dev/bus/usb/%03u/%03u", device->bus, device->address);
    device->node = known->node;
    rc = fill_configuration(libusb, known);
    if (rc) {
        usb_device_free(device);
        return rc;
    }
    for (size_t i = 0; i < 3; i++)
        known->texts[i] = sysfs_text(known->path, files[i]);
    device->vendor_name = known->texts[0];
    device->product_name = known->texts[1];
    device->serial = known->texts[2];
    *ret_device = device;
    return RC_OK;
}

void usb_device_free(struct usb_device *device)
{
    struct usb_known *known = (struct usb_known *)device;

    if (!known)
        return;
    for (size_t i = 0; i < 3; i++)
        free(known->texts[i]);
    buffer_fini(&known->descriptors);
    free(known);
}

char *usb_interface_name(const struct usb_device *device, unsigned interface)
{
    char *file, *path, *text;

    if (asprintf(&path, "%s:%u.%u", device->path, device->configuration[5], interface) < 0)
        return NULL;
    if (asprintf(&file, "/sys/bus/usb/devices/%s/interface", path) < 0)
        file = NULL;
    text = file ? usb_file_text(file) : NULL;
    free(file);
    free(path);
    return text;
}
