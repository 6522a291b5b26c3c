/* SPDX-License-Identifier: MIT */
/* What the tests of libscard/usb share: an echo device on the bus, and a watch that finds it. */
#ifndef USBEMU_USB_KIT_H
#define USBEMU_USB_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>

#include "base/log.h"
#include "base/rc.h"
#include "echo_device.h"
#include "emu_bus.h"
#include "usb/usb.h"

#define PATIENCE_MS 20000

/* What a watch has told of devices with the echo device's vendor. */
struct told {
    unsigned arrived, left, eased, hubs;
    uint8_t bus, address; /* of the last one, of any hook */
    uint16_t vendor, product, bcd_device;
    char path[64], node[64], vendor_name[64], product_name[64], serial[64];
    uint8_t configuration[256];
    size_t configuration_length;
    struct usb_device device; /* that arrived last; its pointers are into the fields above */
    struct usb_watch *ease;   /* devices that arrive are to be told when they are eased */
};

extern const struct usb_watch_hooks kit_hooks;

bool kit_readable(int fd, int timeout_ms);

/* Handles the watch until *count, a field of told, is at least wanted. */
void kit_await(struct usb_watch *watch, const unsigned *count, unsigned wanted);

/* Plugs echo in, and looks for it. */
void kit_plug(struct echo_device *echo, uint16_t packet, struct told *told);

/* The layout of the echo device, for answers of at most room bytes. */
struct pipe_layout kit_layout(const struct echo_device *echo, size_t room);

/* The same, and opens it. */
struct pipe *kit_open(struct echo_device *echo, uint16_t packet, size_t room);

/* Closes and unplugs; everything is as it should be. */
void kit_close(struct echo_device *echo, struct pipe *pipe);

#endif
