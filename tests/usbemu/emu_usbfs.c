/* SPDX-License-Identifier: MIT */
/* What programs ask of an open node, answered as the kernel's usbfs does (drivers/usb/core/devio.c). */
#include "emu_usb.h"

#include <errno.h>
#include <linux/usbdevice_fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

/* The kernel's limit of memory in transfers (usbfs_memory_mb). */
#define LARGEST_TRANSFER (16u << 20)

/* Whether the file may use the interface; like the kernel, claims it for who forgot to. */
static int check_interface(struct emu_file *file, unsigned number, const char *what)
{
    struct emu_interface *interface = &file->usb->interfaces[number % EMU_INTERFACES];

    if (number >= EMU_INTERFACES || !interface->exists) {
        emu_blame("%s: %s has no interface %u", what, file->usb->path, number);
        return -ENOENT;
    }
    if (interface->claimed == file)
        return 0;
    emu_blame("%s: interface %u of %s was not claimed", what, number, file->usb->path);
    if (interface->claimed != NULL || interface->held || interface->driver != NULL)
        return -EBUSY;
    interface->claimed = file;
    return 0;
}

static int check_control(struct emu_file *file, const struct usbdevfs_urb *user)
{
    const uint8_t *setup = user->buffer;
    unsigned index;

    if (user->buffer_length < 8 || user->buffer_length < 8 + (setup[6] | setup[7] << 8))
        return -EINVAL;
    index = setup[4] | (unsigned)setup[5] << 8;
    if ((setup[0] & 0x1f) == 1) /* recipient: interface */
        return check_interface(file, index & 0xff, "control transfer");
    if ((setup[0] & 0x1f) == 2 && (index & 0x0f) != 0) {
        const struct emu_endpoint *endpoint = emu_endpoint(file->usb, index);

        return endpoint->exists ? check_interface(file, endpoint->interface, "control transfer") : -ENOENT;
    }
    return 0;
}

static int check_data(struct emu_file *file, const struct usbdevfs_urb *user)
{
    const struct emu_endpoint *endpoint = emu_endpoint(file->usb, user->endpoint);

    if (!endpoint->exists || endpoint->address == 0) {
        emu_blame("transfer to endpoint %02x, which %s does not have", user->endpoint, file->usb->path);
        return -ENOENT;
    }
    if ((user->type == USBDEVFS_URB_TYPE_BULK) != (endpoint->type == 2)) {
        emu_blame("transfer of another type than that of endpoint %02x", user->endpoint);
        /* The kernel makes an interrupt transfer of a bulk one, not the other way round. */
        if (user->type != USBDEVFS_URB_TYPE_BULK || endpoint->type != 3)
            return -EINVAL;
    }
    if ((user->flags & USBDEVFS_URB_BULK_CONTINUATION) != 0 && endpoint->cut)
        return -EREMOTEIO;
    return check_interface(file, endpoint->interface, "transfer");
}

static int submit(struct emu_file *file, struct usbdevfs_urb *user)
{
    bool control = user->type == USBDEVFS_URB_TYPE_CONTROL;
    struct emu_urb *urb;
    int result;

    if (user->buffer_length < 0 || (unsigned)user->buffer_length > LARGEST_TRANSFER ||
        (user->buffer == NULL && user->buffer_length > 0) || user->type == USBDEVFS_URB_TYPE_ISO)
        return -EINVAL;
    result = control ? check_control(file, user) : check_data(file, user);
    if (result < 0)
        return result;
    urb = malloc(sizeof *urb);
    if (urb == NULL)
        return -ENOMEM;
    *urb = (struct emu_urb){
        .file = file,
        .user = user,
        .buffer = user->buffer,
        .length = (size_t)user->buffer_length,
        .endpoint = control ? 0 : user->endpoint,
        .short_not_ok = (user->flags & USBDEVFS_URB_SHORT_NOT_OK) != 0 && (user->endpoint & 0x80) != 0,
        .continues = (user->flags & USBDEVFS_URB_BULK_CONTINUATION) != 0,
    };
    emu_engine_submit(file->usb, urb);
    return 0;
}

static int claim(struct emu_file *file, unsigned number)
{
    struct emu_usb *usb = file->usb;
    struct emu_interface *interface = &usb->interfaces[number % EMU_INTERFACES];

    if (number >= EMU_INTERFACES || !interface->exists)
        return -ENOENT;
    if (interface->claimed == file) {
        emu_blame("interface %u of %s was claimed twice", number, usb->path);
        return 0;
    }
    if (interface->claimed != NULL || interface->held || interface->driver != NULL)
        return -EBUSY;
    interface->claimed = file;
    if (usb->device->ops->claimed != NULL)
        usb->device->ops->claimed(usb->device, (uint8_t)number, true);
    emu_udev_tell_interface(usb, number, "bind");
    return 0;
}

void emu_usbfs_release(struct emu_file *file, unsigned interface)
{
    struct emu_usb *usb = file->usb;
    unsigned left = emu_engine_flush(usb, NULL, (int)interface, -ENOENT);

    if (left > 0)
        emu_blame("%u transfers were left at release of interface %u of %s", left, interface, usb->path);
    usb->interfaces[interface].claimed = NULL;
    if (usb->device == NULL)
        return;
    if (usb->device->ops->claimed != NULL)
        usb->device->ops->claimed(usb->device, (uint8_t)interface, false);
    emu_udev_tell_interface(usb, interface, "unbind");
}

static int release_claimed(struct emu_file *file, unsigned number)
{
    if (number >= EMU_INTERFACES || file->usb->interfaces[number].claimed != file) {
        emu_blame("interface %u of %s was released but not claimed", number, file->usb->path);
        return -EINVAL;
    }
    emu_usbfs_release(file, number);
    return 0;
}

static int get_driver(struct emu_file *file, struct usbdevfs_getdriver *value)
{
    const struct emu_interface *interface = &file->usb->interfaces[value->interface % EMU_INTERFACES];
    const char *name = interface->driver;

    if (name == NULL && (interface->claimed != NULL || interface->held))
        name = "usbfs";
    if (name == NULL || !interface->exists)
        return -ENODATA;
    snprintf(value->driver, sizeof value->driver, "%s", name);
    return 0;
}

/* Taking the interface away from the kernel's driver: done, as the kernel would, but not what a driver of
 * readers may do unasked. */
static int disconnect(struct emu_file *file, unsigned number)
{
    struct emu_interface *interface = &file->usb->interfaces[number % EMU_INTERFACES];

    if (number >= EMU_INTERFACES || !interface->exists)
        return -EINVAL;
    if (interface->driver == NULL)
        return -ENODATA;
    emu_blame("the kernel's driver %s was pushed off interface %u of %s", interface->driver, number,
              file->usb->path);
    free(interface->driver);
    interface->driver = NULL;
    return 0;
}

static int disconnect_claim(struct emu_file *file, const struct usbdevfs_disconnect_claim *value)
{
    int result = disconnect(file, value->interface);

    return result < 0 && result != -ENODATA ? result : claim(file, value->interface);
}

static int passed_ioctl(struct emu_file *file, const struct usbdevfs_ioctl *value)
{
    if (value->ioctl_code == (int)USBDEVFS_DISCONNECT)
        return disconnect(file, (unsigned)value->ifno);
    return value->ioctl_code == (int)USBDEVFS_CONNECT ? 0 : -ENOTTY;
}

static int clear_halt(struct emu_file *file, unsigned address)
{
    struct emu_endpoint *endpoint = emu_endpoint(file->usb, address);
    int result;

    if (!endpoint->exists || endpoint->address == 0)
        return -EINVAL;
    result = check_interface(file, endpoint->interface, "clear halt");
    if (result == 0)
        emu_engine_clear_halt(endpoint);
    return result;
}

static int reset(struct emu_usb *usb)
{
    emu_engine_flush(usb, NULL, -1, -ESHUTDOWN);
    emu_engine_forget(usb);
    if (usb->device->ops->reset != NULL)
        usb->device->ops->reset(usb->device);
    return 0;
}

static int set_interface(struct emu_file *file, const struct usbdevfs_setinterface *value)
{
    int result = check_interface(file, value->interface, "set interface");

    if (result < 0)
        return result;
    emu_engine_flush(file->usb, NULL, (int)value->interface, -ESHUTDOWN);
    return emu_describe_alternate(file->usb, value->interface, value->altsetting);
}

static unsigned capabilities(const struct emu_file *file)
{
    unsigned caps =
        USBDEVFS_CAP_ZERO_PACKET | USBDEVFS_CAP_NO_PACKET_SIZE_LIM | USBDEVFS_CAP_REAP_AFTER_DISCONNECT;

    return caps | (file->split ? USBDEVFS_CAP_BULK_CONTINUATION : USBDEVFS_CAP_BULK_SCATTER_GATHER);
}

int emu_usbfs_ioctl(struct emu_file *file, unsigned long request, void *value)
{
    struct emu_usb *usb = file->usb;

    switch (request) {
    case USBDEVFS_SUBMITURB:
        return submit(file, value);
    case USBDEVFS_DISCARDURB:
        return emu_engine_discard(usb, file, value);
    case USBDEVFS_GET_CAPABILITIES:
        *(unsigned *)value = capabilities(file);
        return 0;
    case USBDEVFS_CLAIMINTERFACE:
        return claim(file, *(unsigned *)value);
    case USBDEVFS_RELEASEINTERFACE:
        return release_claimed(file, *(unsigned *)value);
    case USBDEVFS_GETDRIVER:
        return get_driver(file, value);
    case USBDEVFS_IOCTL:
        return passed_ioctl(file, value);
    case USBDEVFS_DISCONNECT_CLAIM:
        return disconnect_claim(file, value);
    case USBDEVFS_CLEAR_HALT:
        return clear_halt(file, *(unsigned *)value);
    case USBDEVFS_RESET:
        return reset(usb);
    case USBDEVFS_SETINTERFACE:
        return set_interface(file, value);
    case USBDEVFS_CONNECTINFO:
        *(struct usbdevfs_connectinfo *)value = (struct usbdevfs_connectinfo){.devnum = usb->address};
        return 0;
    default:
        emu_blame("ioctl %08lx of a node is not emulated", request);
        return -ENOTTY;
    }
}
