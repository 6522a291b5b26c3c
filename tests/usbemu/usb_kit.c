/* SPDX-License-Identifier: MIT */
#include "usb_kit.h"

#include <poll.h>
#include <stdio.h>

#define ECHO_VENDOR 0x1234

static const char *put(char *room, size_t size, const char *text)
{
    snprintf(room, size, "%s", text ? text : "");
    return text ? room : NULL;
}

static void arrived(void *user, const struct usb_device *device)
{
    struct told *told = user;

    if (device->vendor != ECHO_VENDOR) {
        told->hubs++;
        return;
    }
    told->arrived++;
    told->device = *device;
    told->bus = device->bus;
    told->address = device->address;
    told->device.path = put(told->path, sizeof told->path, device->path);
    told->device.node = put(told->node, sizeof told->node, device->node);
    told->device.vendor_name = put(told->vendor_name, sizeof told->vendor_name, device->vendor_name);
    told->device.product_name = put(told->product_name, sizeof told->product_name, device->product_name);
    told->device.serial = put(told->serial, sizeof told->serial, device->serial);
    assert_true(device->configuration_length <= sizeof told->configuration);
    memcpy(told->configuration, device->configuration, device->configuration_length);
    told->device.configuration = told->configuration;
    if (told->ease)
        usb_watch_ease(told->ease, device);
}

static void left(void *user, uint8_t bus, uint8_t address)
{
    struct told *told = user;

    told->left++;
    told->bus = bus;
    told->address = address;
}

static void eased(void *user, uint8_t bus, uint8_t address)
{
    struct told *told = user;

    told->eased++;
    told->bus = bus;
    told->address = address;
}

const struct usb_watch_hooks kit_hooks = {.arrived = arrived, .left = left, .eased = eased};

bool kit_readable(int fd, int timeout_ms)
{
    struct pollfd polled = {.fd = fd, .events = POLLIN};

    return poll(&polled, 1, timeout_ms) == 1;
}

void kit_await(struct usb_watch *watch, const unsigned *count, unsigned wanted)
{
    while (*count < wanted) {
        if (!kit_readable(usb_watch_fd(watch), PATIENCE_MS))
            fail_msg("told %u, and not %u", *count, wanted);
        usb_watch_handle(watch);
    }
}

void kit_plug(struct echo_device *echo, uint16_t packet, struct told *told)
{
    struct usb_watch *watch;

    memset(told, 0, sizeof *told);
    echo_init(echo, packet);
    assert_int_equal(emu_plug(&echo->device, NULL), 0);
    assert_int_equal(usb_watch_open(&kit_hooks, told, &watch), RC_OK);
    kit_await(watch, &told->arrived, 1);
    usb_watch_close(watch);
}

struct pipe_layout kit_layout(const struct echo_device *echo, size_t room)
{
    return (struct pipe_layout){
        .interface = 0,
        .out = ECHO_OUT,
        .in = ECHO_IN,
        .interrupt = ECHO_INTERRUPT,
        .in_packet = echo->packet,
        .interrupt_packet = 8,
        .in_room = room,
    };
}

struct pipe *kit_open(struct echo_device *echo, uint16_t packet, size_t room)
{
    struct pipe_layout layout;
    struct told told;
    struct pipe *pipe;

    kit_plug(echo, packet, &told);
    layout = kit_layout(echo, room);
    assert_int_equal(usb_open(&told.device, &layout, &pipe), RC_OK);
    return pipe;
}

void kit_close(struct echo_device *echo, struct pipe *pipe)
{
    pipe->ops->close(pipe);
    assert_true(emu_bus_await_files(&echo->device, 0, PATIENCE_MS));
    emu_unplug(&echo->device);
    assert_int_equal(emu_blamed(), 0);
}
