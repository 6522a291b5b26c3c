/* SPDX-License-Identifier: MIT */
/* What can be known of a device without opening it. */
#ifndef USB_USB_DEVICE_H
#define USB_USB_DEVICE_H

#include <libusb.h>

#include "usb/usb.h"

/* A struct usb_device with all that it points to, in a new block. RC_READER_UNAVAILABLE: it is not
 * configured, or its descriptors cannot be read (logged); RC_NO_MEMORY. */
int usb_device_read(libusb_device *libusb, struct usb_device **ret_device);
void usb_device_free(struct usb_device *device);

/* The configuration with that value, and all that belongs to it, among the bytes that follow the device
 * descriptor; NULL: it is not there. Borrowed. */
const uint8_t *usb_configuration_find(const uint8_t *bytes, size_t length, unsigned value,
                                      size_t *ret_length);

#endif
