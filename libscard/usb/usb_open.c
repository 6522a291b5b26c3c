/* SPDX-License-Identifier: MIT */
/* Opens devices, and says what is in the way. */
#include <fcntl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "usb/usb.h"
#include "usb/usb_holder.h"
#include "usb/usb_pipe.h"
#include "usb/usb_text.h"

#define HOLDERS_NAMED 3

static int refuse_permission(const struct usb_device *device)
{
    return detail_set(
        RC_DENIED,
        "no permission to use the USB device %s (%04x:%04x): %s cannot be opened for writing; give it to "
        "those who are logged in by a udev rule (ATTR{idVendor}==\"%04x\", ATTR{idProduct}==\"%04x\", "
        "TAG+=\"uaccess\", in a file of /etc/udev/rules.d with a number below 73), or run this as root",
        device->path, device->vendor, device->product, device->node, device->vendor, device->product);
}

static int refuse_driver(const struct usb_device *device, unsigned interface, const char *driver)
{
    return detail_set(RC_SHARING,
                      "interface %u of the USB device %s (%04x:%04x) is in use by the kernel's driver %s; "
                      "as root, unload it (modprobe -r %s), or write %s:%u.%u to "
                      "/sys/bus/usb/drivers/%s/unbind",
                      interface, device->path, device->vendor, device->product, driver, driver, device->path,
                      device->configuration[5], interface, driver);
}

static int refuse_program(const struct usb_device *device, unsigned interface)
{
    struct usb_holder holders[HOLDERS_NAMED];
    size_t count = usb_holders("", device->node, holders, HOLDERS_NAMED);
    char names[HOLDERS_NAMED * (sizeof holders[0].name + 24)] = "";
    size_t at = 0;
    bool pcscd = false;
    /* Root does not see it either from another PID namespace. */
    const char *unseen = geteuid() == 0 ? "another program (outside of this container, or gone just now)"
                                        : "another program (only root can see which)";

    for (size_t i = 0; i < count && i < HOLDERS_NAMED; i++) {
        at += (size_t)snprintf(names + at, sizeof names - at, "%s%s (process %d)", i ? ", " : "",
                               holders[i].name[0] ? holders[i].name : "a program", holders[i].pid);
        pcscd = pcscd || strcmp(holders[i].name, "pcscd") == 0;
    }
    return detail_set(RC_SHARING, "interface %u of the USB device %s (%04x:%04x) is in use by %s%s; %s",
                      interface, device->path, device->vendor, device->product, count ? names : unseen,
                      count > HOLDERS_NAMED ? " and others" : "",
                      pcscd ? "stop it: systemctl stop pcscd.socket pcscd" : "end that program first");
}

static int refuse_busy(struct usb_pipe *usb, const struct usb_device *device)
{
    unsigned interface = usb->layout.interface;
    char path[80], *driver;
    int rc;

    snprintf(path, sizeof path, "%s:%u.%u", device->path, device->configuration[5], interface);
    driver = usb_interface_driver("", path);
    if (!driver && usb->handle && libusb_kernel_driver_active(usb->handle, (int)interface) == 1)
        driver = strdup("(name unknown)");
    if (driver && strcmp(driver, USB_HELD_BY_PROGRAM) != 0)
        rc = refuse_driver(device, interface, driver);
    else
        rc = refuse_program(device, interface);
    free(driver);
    return rc;
}

/* Asked before anything is opened: a node that is opened and closed again would wake those who wait for it.
 */
static int refuse_held(struct usb_pipe *usb, const struct usb_device *device)
{
    char path[80], *driver;

    snprintf(path, sizeof path, "%s:%u.%u", device->path, device->configuration[5], usb->layout.interface);
    driver = usb_interface_driver("", path);
    if (!driver)
        return RC_OK;
    free(driver);
    return refuse_busy(usb, device);
}

static int refuse(struct usb_pipe *usb, const struct usb_device *device, int error, const char *doing)
{
    switch (error) {
    case LIBUSB_ERROR_ACCESS:
        return refuse_permission(device);
    case LIBUSB_ERROR_BUSY:
        return refuse_busy(usb, device);
    case LIBUSB_ERROR_NO_DEVICE:
        return detail_set(RC_READER_UNAVAILABLE, "the USB device %s was unplugged", device->path);
    case LIBUSB_ERROR_NO_MEM:
        return detail_set(RC_NO_MEMORY, "no memory for the USB device %s", device->path);
    default:
        return detail_set(RC_IO, "the USB device %s (%s) cannot be used: %s: %s; plug it in again",
                          device->path, device->node, doing, libusb_strerror(error));
    }
}

/* LIBUSB_ERROR_NO_DEVICE: not in the list. */
static int open_handle(struct usb_pipe *usb, const struct usb_device *device)
{
    libusb_device **list;
    ssize_t count = libusb_get_device_list(usb->libusb, &list);
    int error = LIBUSB_ERROR_NO_DEVICE;

    if (count < 0)
        return (int)count;
    for (ssize_t i = 0; i < count; i++) {
        if (libusb_get_bus_number(list[i]) != device->bus ||
            libusb_get_device_address(list[i]) != device->address)
            continue;
        error = libusb_open(list[i], &usb->handle);
        break;
    }
    libusb_free_device_list(list, 1);
    if (error)
        usb->handle = NULL;
    else
        usb->node_fd = usb->poll.newest;
    return error;
}

/* A container's device policy refuses with EPERM, which libusb does not tell from other failures. */
static bool not_permitted(const struct usb_device *device)
{
    int fd = open(device->node, O_RDWR | O_CLOEXEC);

    if (fd >= 0) {
        close(fd);
        return false;
    }
    return errno == EPERM || errno == EACCES || errno == EROFS;
}

static int claim(struct usb_pipe *usb, const struct usb_device *device)
{
    int error = open_handle(usb, device);

    if (error == LIBUSB_ERROR_IO && not_permitted(device))
        error = LIBUSB_ERROR_ACCESS;
    if (error)
        return refuse(usb, device, error, "it cannot be opened");
    if (libusb_kernel_driver_active(usb->handle, usb->layout.interface) == 1)
        return refuse_busy(usb, device);
    error = libusb_claim_interface(usb->handle, usb->layout.interface);
    if (error)
        return refuse(usb, device, error, "its interface cannot be claimed");
    usb->claimed = true;
    return RC_OK;
}

int usb_open(const struct usb_device *device, const struct pipe_layout *layout, struct pipe **ret_pipe)
{
    struct usb_pipe *usb;
    int error, rc;

    if (usb_pipe_new(layout, &usb))
        return detail_set(RC_NO_MEMORY, "no memory for the USB device %s", device->path);
    snprintf(usb->name, sizeof usb->name, "USB device %s", device->path);
    rc = refuse_held(usb, device);
    if (!rc) {
        error = libusb_init(&usb->libusb);
        if (error) {
            usb->libusb = NULL;
            rc = refuse(usb, device, error, "libusb does not start");
        }
    }
    if (!rc)
        rc = usb_poll_init(&usb->poll, usb->libusb);
    if (!rc)
        rc = notice_init(usb);
    if (!rc)
        rc = claim(usb, device);
    if (!rc)
        rc = notice_start(usb);
    if (rc) {
        usb_pipe_close(&usb->pipe);
        return rc;
    }
    /* What libusb tells itself of the descriptors that are new. */
    pipe_pump(usb);
    *ret_pipe = &usb->pipe;
    return RC_OK;
}

/* The string descriptor: *ret_length bytes behind its header, in room. */
static int get_string(struct usb_pipe *usb, uint8_t index, uint16_t language, uint8_t room[255],
                      size_t *ret_length)
{
    struct libusb_control_setup setup = {
        .bmRequestType = LIBUSB_ENDPOINT_IN | LIBUSB_REQUEST_TYPE_STANDARD | LIBUSB_RECIPIENT_DEVICE,
        .bRequest = LIBUSB_REQUEST_GET_DESCRIPTOR,
        .wValue = (uint16_t)(LIBUSB_DT_STRING << 8 | index),
        .wIndex = language,
        .wLength = 255,
    };
    size_t length;
    /* USB 2.0, 9.2.6.1: no request takes longer. */
    int rc = pipe_request(usb, &setup, room, &length, deadline_in_ms(5000));

    if (rc)
        return rc == RC_READER_UNAVAILABLE || rc == RC_NO_MEMORY ? rc : RC_UNSUPPORTED;
    if (length < 2 || room[0] < 2 || room[1] != LIBUSB_DT_STRING)
        return RC_UNSUPPORTED;
    if (length > room[0])
        length = room[0];
    memmove(room, room + 2, length - 2);
    *ret_length = length - 2;
    return RC_OK;
}

int usb_string(struct pipe *pipe, uint8_t index, char **ret_text)
{
    struct usb_pipe *usb = (struct usb_pipe *)pipe;
    uint8_t room[255];
    uint16_t language = 0x0409; /* English (United States): what nearly all devices have */
    size_t length;
    char *text;
    int rc;

    if (index == 0)
        return RC_UNSUPPORTED;
    rc = get_string(usb, 0, 0, room, &length); /* the languages (9.6.7) */
    if (rc && rc != RC_UNSUPPORTED)
        return rc;
    if (!rc && length >= 2)
        language = (uint16_t)(room[0] | room[1] << 8);
    rc = get_string(usb, index, language, room, &length);
    if (rc)
        return rc;
    text = usb_text_from_utf16(room, length);
    if (!text)
        return detail_set(RC_NO_MEMORY, "no memory for a name of %s", usb->name);
    *ret_text = text;
    return RC_OK;
}
