/* SPDX-License-Identifier: MIT */
/*
 * USB devices by libusb-1.0: which there are, when they come and go, and their interfaces as pipes.
 *
 * Each opened pipe has a libusb context of its own, so that the thread that waits for an answer is the one
 * that reaps it, and no other device is in its way.
 */
#ifndef USB_USB_H
#define USB_USB_H

#include <stddef.h>
#include <stdint.h>

#include "usb/pipe.h"

/* What is known of a device without opening it. Constant. */
struct usb_device {
    uint16_t vendor, product, bcd_device;
    uint8_t bus, address;
    const char *path; /* "1-2.3": bus and ports, as the kernel names it; the same after a re-plug */
    const char *node; /* "/dev/bus/usb/001/002" */
    const char *vendor_name, *product_name, *serial; /* UTF-8; NULL: not known, or there is none */
    const uint8_t *configuration; /* the active configuration descriptor with all that belongs to it */
    size_t configuration_length;
};

/* The calls for one watch come one after the other, from any threads; hooks may call usb_watch_ease. */
struct usb_watch;

/* Called by usb_watch_handle, in its thread. device is borrowed for the call. */
struct usb_watch_hooks {
    void (*arrived)(void *user, const struct usb_device *device);
    void (*left)(void *user, uint8_t bus, uint8_t address);
    /* A program closed its node, an interface lost its driver, or permissions changed: what could not be
     * opened may now be. Not more than a hint. */
    void (*eased)(void *user, uint8_t bus, uint8_t address);
};

/* Starts watching; the devices that are there arrive with the first usb_watch_handle. A machine without USB
 * is no failure. RC_NO_SERVICE with a detail, RC_NO_MEMORY. */
int usb_watch_open(const struct usb_watch_hooks *hooks, void *user, struct usb_watch **ret_watch);
void usb_watch_close(struct usb_watch *watch);

/* Readable when usb_watch_handle has something to do. */
int usb_watch_fd(const struct usb_watch *watch);

/* Tells what has happened; never waits. */
void usb_watch_handle(struct usb_watch *watch);

/* From now on tells when the device may be opened at last (hooks.eased), until it leaves. What changed before
 * this call is not told: try once more after it. */
void usb_watch_ease(struct usb_watch *watch, const struct usb_device *device);

/* In a forked child: closes descriptors, nothing else. */
void usb_watch_forget(struct usb_watch *watch);

/*
 * Opens the device and claims the interface. No driver of the kernel and no other program is pushed aside,
 * and where the kernel says that there is one, the node is not even opened.
 *
 * RC_DENIED            no permission for the node
 * RC_SHARING           a driver of the kernel or another program has the interface; the detail names it, as
 *                      far as can be seen
 * RC_READER_UNAVAILABLE  the device has gone
 * RC_IO, RC_NO_MEMORY; all with a detail.
 */
int usb_open(const struct usb_device *device, const struct pipe_layout *layout, struct pipe **ret_pipe);

/* A string of the device by its index, as UTF-8, in a new block (free it): from an opened pipe.
 * RC_UNSUPPORTED for index 0 or if the device does not answer. */
int usb_string(struct pipe *pipe, uint8_t index, char **ret_text);

/* The interface's own name as the kernel has read it, in a new block (free it), without opening anything;
 * NULL if there is none. */
char *usb_interface_name(const struct usb_device *device, unsigned interface);

#endif
