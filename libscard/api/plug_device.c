/* SPDX-License-Identifier: MIT */
#include "api/plug_device.h"

#include <stdlib.h>
#include <string.h>

#include "base/rc.h"

static int copy_text(const char *text, const char **ret_copy)
{
    *ret_copy = text ? strdup(text) : NULL;
    return text && !*ret_copy ? RC_NO_MEMORY : RC_OK;
}

/* What copy_usb made. */
static void free_copy(const void *bytes)
{
    union {
        const void *constant;
        void *own;
    } copy = {.constant = bytes};

    free(copy.own);
}

static int copy_configuration(const struct usb_device *from, struct usb_device *to)
{
    uint8_t *copy = malloc(from->configuration_length + 1);

    if (copy && from->configuration_length)
        memcpy(copy, from->configuration, from->configuration_length);
    to->configuration = copy;
    return copy ? RC_OK : RC_NO_MEMORY;
}

/* What to points to is its own, also on failure. */
static int copy_usb(const struct usb_device *from, struct usb_device *to)
{
    int rc;

    *to = *from;
    rc = copy_configuration(from, to);
    rc |= copy_text(from->path, &to->path);
    rc |= copy_text(from->node, &to->node);
    rc |= copy_text(from->vendor_name, &to->vendor_name);
    rc |= copy_text(from->product_name, &to->product_name);
    rc |= copy_text(from->serial, &to->serial);
    return rc;
}

static int add_reader(struct plug_device *device, const struct usb_device *usb,
                      const struct plug_choices *choices, const struct ccid_descriptor *descriptor)
{
    char *place = plug_reader_place(usb, descriptor);
    const struct plug_choice *choice =
        place ? plug_choices_find(choices, place, usb->vendor, usb->product) : NULL;
    struct plug_reader *grown = NULL;
    int rc = place ? RC_OK : RC_NO_MEMORY;

    if (choice) {
        grown = realloc(device->readers, (device->reader_count + 1) * sizeof *grown);
        rc = grown ? RC_OK : RC_NO_MEMORY;
    }
    if (grown) {
        device->readers = grown;
        rc = plug_reader_init(&grown[device->reader_count++], usb, place, descriptor, choice);
    }
    free(place);
    return rc;
}

int plug_device_new(const struct usb_device *usb, const struct plug_choices *choices,
                    struct plug_device **ret_device)
{
    struct bytes descriptors = bytes_of(usb->configuration, usb->configuration_length);
    struct plug_device *device = calloc(1, sizeof *device);
    struct ccid_descriptor descriptor;
    int rc;

    if (!device)
        return RC_NO_MEMORY;
    list_init(&device->link);
    rc = copy_usb(usb, &device->usb);
    while (!rc && ccid_descriptor_next(&descriptors, &descriptor))
        rc = add_reader(device, usb, choices, &descriptor);
    if (rc || device->reader_count == 0) {
        plug_device_free(device);
        device = NULL;
    }
    if (!rc)
        *ret_device = device;
    return rc;
}

void plug_device_free(struct plug_device *device)
{
    for (size_t i = 0; i < device->reader_count; i++)
        plug_reader_fini(&device->readers[i]);
    free(device->readers);
    free_copy(device->usb.configuration);
    free_copy(device->usb.path);
    free_copy(device->usb.node);
    free_copy(device->usb.vendor_name);
    free_copy(device->usb.product_name);
    free_copy(device->usb.serial);
    free(device);
}

bool plug_device_may_open(const struct plug_device *device)
{
    bool may_open = false;

    for (size_t i = 0; i < device->reader_count; i++)
        may_open |= plug_reader_may_open(&device->readers[i]);
    return may_open;
}
