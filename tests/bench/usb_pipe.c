/* SPDX-License-Identifier: MIT */
/*
 * The bus alone, for reference: one message to the first reader and its answer, by the pipe of the driver and
 * by the blocking calls of libusb. The reader works at extended APDU level and has a card in.
 *
 *     usb_pipe_bench OUT IN    bytes of command and response
 *
 * Prints pipe=MICROSECONDS and libusb=MICROSECONDS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "driver/ccid.h"
#include "driver/ccid_message.h"
#include "tests/bench/bench.h"
#include "usb/usb.h"

#include <libusb.h>

struct bus {
    uint8_t bus, address;
    struct ccid_descriptor descriptor;
    struct pipe *pipe;
    libusb_device_handle *handle;
    struct ccid_command command;
    size_t expected; /* data bytes of the answer */
};

_Noreturn static void give_up(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, detail_get());
    exit(1);
}

static void on_arrived(void *user, const struct usb_device *device)
{
    struct bus *bus = user;
    struct bytes bytes = bytes_of(device->configuration, device->configuration_length);
    struct pipe_layout layout;

    if (bus->pipe || ccid_descriptor_next(&bytes, &bus->descriptor) != 1)
        return;
    layout = ccid_layout(&bus->descriptor);
    if (usb_open(device, &layout, &bus->pipe))
        give_up("usb_open");
    bus->bus = device->bus;
    bus->address = device->address;
}

static void on_left(void *user, uint8_t bus, uint8_t address)
{
    (void)user;
    (void)bus;
    (void)address;
}

static void check(struct bus *bus, const uint8_t *bytes, size_t length)
{
    struct ccid_answer answer;

    if (ccid_check(&bus->command, bytes, length, &answer) != CCID_ANSWERED || ccid_rc(&bus->command, &answer))
        give_up("the answer");
    if (bus->expected && answer.length != bus->expected)
        give_up("the answer's length");
    bus->command.seq++;
}

static size_t build(const struct bus *bus, uint8_t *out, size_t capacity)
{
    size_t length;

    if (ccid_build(&bus->command, out, capacity, &length))
        give_up("the command");
    return length;
}

static void by_pipe(void *user)
{
    struct bus *bus = user;
    uint8_t out[512];
    const uint8_t *in;
    size_t length = build(bus, out, sizeof out);

    if (bus->pipe->ops->bulk_out(bus->pipe, out, length, deadline_in_ms(1000)) ||
        bus->pipe->ops->bulk_in(bus->pipe, &in, &length, deadline_in_ms(1000)))
        give_up("the pipe");
    check(bus, in, length);
}

static void by_libusb(void *user)
{
    struct bus *bus = user;
    uint8_t out[512], in[512];
    int length = (int)build(bus, out, sizeof out), sent, got;

    if (libusb_bulk_transfer(bus->handle, bus->descriptor.out.address, out, length, &sent, 1000) ||
        libusb_bulk_transfer(bus->handle, bus->descriptor.in.address, in, sizeof in, &got, 1000))
        give_up("libusb_bulk_transfer");
    check(bus, in, (size_t)got);
}

static void open_libusb(struct bus *bus)
{
    libusb_device **list;

    if (libusb_init(NULL) || libusb_get_device_list(NULL, &list) < 0)
        give_up("libusb");
    for (size_t i = 0; list[i] && !bus->handle; i++) {
        if (libusb_get_bus_number(list[i]) == bus->bus &&
            libusb_get_device_address(list[i]) == bus->address && libusb_open(list[i], &bus->handle))
            give_up("libusb_open");
    }
    libusb_free_device_list(list, 1);
    if (!bus->handle || libusb_claim_interface(bus->handle, bus->descriptor.interface))
        give_up("libusb_claim_interface");
}

static double measure(struct bus *bus, void (*call)(void *user), const uint8_t *apdu, size_t out, size_t in)
{
    bus->command = (struct ccid_command){.type = CCID_POWER_ON, .seq = bus->command.seq};
    bus->expected = 0;
    call(bus);
    bus->command.type = CCID_XFR_BLOCK;
    bus->command.data = apdu;
    bus->command.length = out;
    bus->expected = in;
    return bench_per_call(call, bus);
}

int main(int argc, char **argv)
{
    static const struct usb_watch_hooks hooks = {.arrived = on_arrived, .left = on_left};
    uint8_t apdu[261] = {0x00, 0x10, 0x00, 0x00, 0x00};
    size_t out = argc == 3 ? strtoul(argv[1], NULL, 10) : 0;
    size_t in = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;
    struct bus bus = {0};
    struct usb_watch *watch;

    if (out != 5 && out != 261) {
        fprintf(stderr, "usage: usb_pipe_bench 5|261 IN\n");
        return 2;
    }
    if (out == 261)
        apdu[4] = 0xFF;
    if (usb_watch_open(&hooks, &bus, &watch))
        give_up("usb_watch_open");
    usb_watch_handle(watch);
    if (!bus.pipe)
        give_up("no reader");
    printf("pipe=%.2f\n", measure(&bus, by_pipe, apdu, out, in));
    bus.pipe->ops->close(bus.pipe);
    open_libusb(&bus);
    printf("libusb=%.2f\n", measure(&bus, by_libusb, apdu, out, in));
    libusb_close(bus.handle);
    libusb_exit(NULL);
    usb_watch_close(watch);
    return 0;
}
