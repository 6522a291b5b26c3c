/* SPDX-License-Identifier: MIT */
#include "api/plug_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "api/plug_name.h"
#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_facts.h"

#define SCHEME "usb:"

char *plug_reader_place(const struct usb_device *usb, const struct ccid_descriptor *descriptor)
{
    /* bConfigurationValue (USB 2.0, 9.6.3) */
    unsigned configuration = usb->configuration_length > 5 ? usb->configuration[5] : 0;
    char *place;

    return asprintf(&place, "%s:%u.%u", usb->path, configuration, descriptor->interface) < 0 ? NULL : place;
}

/* The names that are the device's own may be anything: they are cleaned before they get into a list. */
static int take_names(struct plug_reader *reader, const struct usb_device *usb)
{
    char *told = usb_interface_name(usb, reader->descriptor.interface);
    char *product = NULL, *interface = NULL;
    int rc = plug_name_clean(usb->vendor_name, &reader->vendor_name);

    if (!rc)
        rc = plug_name_clean(usb->product_name, &product);
    if (!rc)
        rc = plug_name_clean(usb->serial, &reader->serial);
    if (!rc)
        rc = plug_name_clean(told, &interface);
    if (!rc) {
        reader->model = plug_name_model(reader->vendor_name, product, interface, usb->vendor, usb->product);
        rc = reader->model ? RC_OK : RC_NO_MEMORY;
    }
    free(told);
    free(product);
    free(interface);
    return rc;
}

static struct ccid_identity identify(const struct plug_reader *reader, const struct usb_device *usb)
{
    return (struct ccid_identity){
        .vendor = usb->vendor,
        .product = usb->product,
        .bcd_device = usb->bcd_device,
        .bus = usb->bus,
        .address = usb->address,
        .path = reader->device,
        .model = reader->model,
        .serial = reader->serial,
        .vendor_name = reader->vendor_name,
        .escape_allowed = reader->escape_allowed,
        .any_firmware = reader->any_firmware,
    };
}

struct text {
    struct buffer buffer;
    int rc;
};

static void add_line(void *user, const char *key, const char *value)
{
    struct text *text = user;
    char *line = NULL;
    int length = asprintf(&line, "%s=%s\n", key, value);

    if (length < 0)
        text->rc = RC_NO_MEMORY;
    if (!text->rc)
        text->rc = buffer_append(&text->buffer, line, (size_t)length);
    if (length >= 0)
        free(line);
}

static int take_facts(struct plug_reader *reader, const struct usb_device *usb)
{
    struct ccid_identity identity = identify(reader, usb);
    struct text text = {0};

    ccid_facts(&reader->descriptor, &identity, add_line, &text);
    if (!text.rc)
        text.rc = buffer_append(&text.buffer, "", 1);
    if (!text.rc) {
        reader->facts = strdup((const char *)text.buffer.data);
        text.rc = reader->facts ? RC_OK : RC_NO_MEMORY;
    }
    buffer_fini(&text.buffer);
    return text.rc;
}

int plug_reader_init(struct plug_reader *reader, const struct usb_device *usb, const char *place,
                     const struct ccid_descriptor *descriptor, const struct plug_choice *choice)
{
    int rc;

    *reader = (struct plug_reader){
        .descriptor = *descriptor,
        .escape_allowed = choice->escape_allowed,
        .any_firmware = choice->any_firmware,
    };
    if (asprintf(&reader->device, SCHEME "%s", place) < 0) {
        reader->device = NULL;
        return RC_NO_MEMORY;
    }
    rc = take_names(reader, usb);
    return rc ? rc : take_facts(reader, usb);
}

void plug_reader_fini(struct plug_reader *reader)
{
    free(reader->device);
    free(reader->model);
    free(reader->serial);
    free(reader->vendor_name);
    free(reader->facts);
    free(reader->slots);
}

/* Whoever has claimed the interface, a program too, is its driver in sysfs. To look there does not open the
 * device: closing it again would look like somebody else's giving it up. */
static bool is_claimed(const struct plug_reader *reader)
{
    bool claimed = false;
    char *path;

    if (asprintf(&path, "/sys/bus/usb/devices/%s/driver", reader->device + strlen(SCHEME)) >= 0) {
        claimed = access(path, F_OK) == 0;
        free(path);
    }
    return claimed;
}

bool plug_reader_may_open(const struct plug_reader *reader)
{
    if (reader->slots)
        return false;
    switch (reader->failure) {
    case RC_OK: /* never tried */
    case RC_DENIED:
        return true;
    case RC_SHARING:
        return !is_claimed(reader);
    default: /* nobody can say when that is over: it has to be plugged in again */
        return false;
    }
}

int plug_reader_open(const struct plug_reader *reader, const struct usb_device *usb,
                     struct reader ***ret_slots, size_t *ret_count)
{
    struct ccid_identity identity = identify(reader, usb);
    struct pipe_layout layout;
    struct pipe *pipe;
    int rc;

    if (reader->descriptor.defect)
        return detail_set(RC_READER_UNAVAILABLE,
                          "the device cannot be used: %s; newer firmware of its maker may help",
                          ccid_defect_text(reader->descriptor.defect));
    layout = ccid_layout(&reader->descriptor);
    rc = usb_open(usb, &layout, &pipe);
    return rc ? rc : ccid_open(pipe, &reader->descriptor, &identity, ret_slots, ret_count);
}
