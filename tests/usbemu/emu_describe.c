/* SPDX-License-Identifier: MIT */
/* Descriptors of a plugged device (USB 2.0, 9.5 and 9.6), and what sysfs makes of them. */
#include "emu_usb.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEVICE = 1, CONFIGURATION = 2, STRING = 3, INTERFACE = 4, ENDPOINT = 5 };

static unsigned get_u16(const uint8_t *bytes)
{
    return bytes[0] | (unsigned)bytes[1] << 8;
}

/* The next descriptor at *offset, or NULL at the end or where the lengths make no sense. */
static const uint8_t *next(const uint8_t *bytes, size_t length, size_t *offset)
{
    const uint8_t *descriptor = bytes + *offset;

    if (length - *offset < 2 || descriptor[0] < 2 || descriptor[0] > length - *offset)
        return NULL;
    *offset += descriptor[0];
    return descriptor;
}

static void take_endpoint(struct emu_usb *usb, const uint8_t *descriptor, uint8_t interface)
{
    struct emu_endpoint *endpoint = emu_endpoint(usb, descriptor[2]);

    if ((descriptor[2] & 0x0f) == 0)
        return;
    endpoint->exists = true;
    endpoint->address = descriptor[2];
    endpoint->type = descriptor[3] & 0x03;
    endpoint->interface = interface;
    endpoint->packet = (uint16_t)(get_u16(descriptor + 4) & 0x07ff);
    if (endpoint->packet == 0)
        endpoint->packet = 1; /* a nonsensical descriptor; the device can still be talked to */
}

/* Walks the configuration for one interface (-1: all of them) in the given alternate setting. */
static unsigned walk(struct emu_usb *usb, int wanted, unsigned alternate)
{
    const uint8_t *bytes = usb->device->descriptors + 18, *descriptor;
    const uint8_t *in = NULL; /* the interface whose endpoints follow */
    size_t offset = 0;
    unsigned found = 0;

    while ((descriptor = next(bytes, usb->configuration_length, &offset)) != NULL) {
        if (descriptor[1] == INTERFACE && descriptor[0] >= 9) {
            struct emu_interface *interface;

            in = NULL;
            if (descriptor[2] >= EMU_INTERFACES || descriptor[3] != alternate ||
                (wanted >= 0 && descriptor[2] != wanted))
                continue;
            in = descriptor;
            found++;
            interface = &usb->interfaces[descriptor[2]];
            interface->exists = true;
            interface->alternate = descriptor[3];
            interface->endpoints = descriptor[4];
            interface->class = descriptor[5];
            interface->subclass = descriptor[6];
            interface->protocol = descriptor[7];
            interface->name = descriptor[8];
        } else if (descriptor[1] == ENDPOINT && descriptor[0] >= 7 && in != NULL) {
            take_endpoint(usb, descriptor, in[2]);
        }
    }
    return found;
}

int emu_describe_parse(struct emu_usb *usb)
{
    const struct emu_device *device = usb->device;
    const uint8_t *configuration = device->descriptors + 18;
    struct emu_endpoint *zero = emu_endpoint(usb, 0);

    if (device->descriptors_length < 18 + 9 || device->descriptors[0] != 18 ||
        device->descriptors[1] != DEVICE || configuration[0] < 9 || configuration[1] != CONFIGURATION)
        return -EINVAL;
    usb->configuration_length = device->descriptors_length - 18;
    if (get_u16(configuration + 2) < usb->configuration_length)
        usb->configuration_length = get_u16(configuration + 2);
    usb->configuration = configuration[5];
    zero->exists = true;
    zero->packet = device->descriptors[7];
    walk(usb, -1, 0);
    return 0;
}

int emu_describe_alternate(struct emu_usb *usb, unsigned interface, unsigned alternate)
{
    struct emu_endpoint old[32];

    memcpy(old, usb->endpoints, sizeof old);
    for (unsigned i = 1; i < 32; i++) {
        if (usb->endpoints[i].exists && usb->endpoints[i].interface == interface && i != 16)
            usb->endpoints[i].exists = false;
    }
    if (walk(usb, (int)interface, alternate) != 0)
        return 0;
    memcpy(usb->endpoints, old, sizeof old);
    return -EINVAL;
}

const char *emu_describe_string(const struct emu_usb *usb, unsigned index)
{
    if (index == 0 || index > usb->device->string_count)
        return NULL;
    return usb->device->strings[index - 1];
}

/* One UTF-8 character as UTF-16; the models' strings are well-formed. */
static const char *put_utf16(const char *text, uint8_t *data, size_t *length)
{
    const unsigned char *at = (const unsigned char *)text;
    uint32_t code = at[0];
    unsigned more = code >= 0xf0 ? 3 : code >= 0xe0 ? 2 : code >= 0xc0 ? 1 : 0;

    if (more > 0)
        code &= 0x3fu >> more;
    for (unsigned i = 0; i < more && at[1] != 0; i++)
        code = code << 6 | (*++at & 0x3f);
    if (code >= 0x10000) {
        code -= 0x10000;
        data[(*length)++] = (uint8_t)(code >> 10);
        data[(*length)++] = (uint8_t)(0xd8 | code >> 18);
        code = 0xdc00 | (code & 0x3ff);
    }
    data[(*length)++] = (uint8_t)code;
    data[(*length)++] = (uint8_t)(code >> 8);
    return (const char *)at + 1;
}

static size_t string_descriptor(const struct emu_usb *usb, unsigned index, uint8_t *data)
{
    static const uint8_t languages[] = {4, STRING, 0x09, 0x04};
    const char *text = emu_describe_string(usb, index);
    size_t length = 2;

    if (index == 0) {
        memcpy(data, languages, sizeof languages);
        return sizeof languages;
    }
    if (text == NULL)
        return 0;
    while (*text != '\0' && length < 252)
        text = put_utf16(text, data, &length);
    data[0] = (uint8_t)length;
    data[1] = STRING;
    return length;
}

int emu_describe_get(const struct emu_usb *usb, unsigned type, unsigned index, uint8_t *data, size_t length)
{
    uint8_t string[256];
    const uint8_t *from = string;
    size_t has = 0;

    if (type == DEVICE && index == 0) {
        from = usb->device->descriptors;
        has = 18;
    } else if (type == CONFIGURATION && index == 0) {
        from = usb->device->descriptors + 18;
        has = usb->configuration_length;
    } else if (type == STRING) {
        has = string_descriptor(usb, index, string);
    }
    if (has == 0)
        return -EPIPE;
    if (length > has)
        length = has;
    memcpy(data, from, length);
    return (int)length;
}

/* Mbit/s, from the size of the bulk packets that the standard fixes for each speed (USB 2.0, 5.8.3). */
static const char *speed(const struct emu_usb *usb)
{
    unsigned largest = 0;

    for (unsigned i = 1; i < 32; i++) {
        if (usb->endpoints[i].exists && usb->endpoints[i].type == 2 && usb->endpoints[i].packet > largest)
            largest = usb->endpoints[i].packet;
    }
    return largest > 512 ? "5000" : largest == 512 ? "480" : "12";
}

/* sysfs writes numbers of descriptors as hexadecimal with leading zeros, counts with a blank in front. */
static char *hexadecimal(int digits, unsigned value)
{
    char *text;

    return asprintf(&text, "%0*x", digits, value) < 0 ? NULL : text;
}

static char *decimal(int width, unsigned value)
{
    char *text;

    return asprintf(&text, "%*u", width, value) < 0 ? NULL : text;
}

static char *copy(const char *text)
{
    return text != NULL ? strdup(text) : NULL;
}

/* Without what nobody here reads. */
static char *uevent(const struct emu_interface *interface)
{
    const char *driver = interface->driver;
    char *text;

    if (driver == NULL && (interface->claimed != NULL || interface->held))
        driver = "usbfs"; /* as the kernel calls programs */
    return asprintf(&text, "DEVTYPE=usb_interface%s%s", driver != NULL ? "\nDRIVER=" : "",
                    driver != NULL ? driver : "") < 0
               ? NULL
               : text;
}

static char *interface_attribute(const struct emu_usb *usb, const struct emu_interface *interface,
                                 const char *name)
{
    if (strcmp(name, "bInterfaceNumber") == 0)
        return hexadecimal(2, (unsigned)(interface - usb->interfaces));
    if (strcmp(name, "bAlternateSetting") == 0)
        return decimal(2, interface->alternate);
    if (strcmp(name, "bNumEndpoints") == 0)
        return hexadecimal(2, interface->endpoints);
    if (strcmp(name, "bInterfaceClass") == 0)
        return hexadecimal(2, interface->class);
    if (strcmp(name, "bInterfaceSubClass") == 0)
        return hexadecimal(2, interface->subclass);
    if (strcmp(name, "bInterfaceProtocol") == 0)
        return hexadecimal(2, interface->protocol);
    if (strcmp(name, "interface") == 0)
        return copy(emu_describe_string(usb, interface->name));
    if (strcmp(name, "uevent") == 0)
        return uevent(interface);
    return NULL;
}

static char *device_attribute(const struct emu_usb *usb, const char *name)
{
    const uint8_t *descriptor = usb->device->descriptors;

    if (strcmp(name, "busnum") == 0)
        return decimal(1, usb->bus);
    if (strcmp(name, "devnum") == 0)
        return decimal(1, usb->address);
    if (strcmp(name, "speed") == 0)
        return copy(speed(usb));
    if (strcmp(name, "bConfigurationValue") == 0)
        return decimal(1, usb->configuration);
    if (strcmp(name, "idVendor") == 0)
        return hexadecimal(4, get_u16(descriptor + 8));
    if (strcmp(name, "idProduct") == 0)
        return hexadecimal(4, get_u16(descriptor + 10));
    if (strcmp(name, "bcdDevice") == 0)
        return hexadecimal(4, get_u16(descriptor + 12));
    if (strcmp(name, "bDeviceClass") == 0)
        return hexadecimal(2, descriptor[4]);
    if (strcmp(name, "bNumInterfaces") == 0)
        return decimal(2, descriptor[18 + 4]);
    if (strcmp(name, "manufacturer") == 0)
        return copy(emu_describe_string(usb, descriptor[14]));
    if (strcmp(name, "product") == 0)
        return copy(emu_describe_string(usb, descriptor[15]));
    if (strcmp(name, "serial") == 0)
        return copy(emu_describe_string(usb, descriptor[16]));
    return NULL;
}

char *emu_describe_attribute(const struct emu_usb *usb, int interface, const char *name, size_t *ret_length)
{
    char *text;

    if (usb->device == NULL)
        return NULL;
    if (interface < 0 && strcmp(name, "descriptors") == 0) {
        text = malloc(usb->device->descriptors_length);
        if (text != NULL)
            memcpy(text, usb->device->descriptors, usb->device->descriptors_length);
        *ret_length = usb->device->descriptors_length;
        return text;
    }
    text = interface < 0 ? device_attribute(usb, name)
                         : interface_attribute(usb, &usb->interfaces[interface], name);
    if (text != NULL)
        *ret_length = strlen(text);
    return text;
}
