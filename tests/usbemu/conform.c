/* SPDX-License-Identifier: MIT */
/* The conformance table on the local service with CCID readers on the emulated bus. */
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/log.h"
#include "driver/ccid.h"
#include "emu_bus.h"
#include "emu_reader.h"
#include "manager/local.h"
#include "tests/conform/cases.h"
#include "usb/usb.h"

/* The thread sanitizer does not see how the emulated bus closes descriptors (as in plug.c). */
const char *__tsan_default_suppressions(void) __attribute__((visibility("default")));
const char *__tsan_default_suppressions(void)
{
    return "race:closedir\n";
}

/* The readers of one case. */
static const char *preset;
static struct {
    struct reader *reader;
    struct emu_reader *emulated;
} plugged[BENCH_READERS];
static size_t plugged_count;

static void open_device(struct emu_device *emulated, const struct usb_device *device,
                        struct reader **ret_reader)
{
    const struct ccid_identity identity = {
        .vendor = device->vendor,
        .product = device->product,
        .bcd_device = device->bcd_device,
        .bus = device->bus,
        .address = device->address,
        .path = device->path,
        .model = "Emulated",
    };
    struct bytes in = bytes_of(device->configuration, device->configuration_length);
    struct ccid_descriptor descriptor;
    struct pipe_layout layout;
    struct reader **readers = NULL;
    struct pipe *pipe;
    size_t count = 0;

    if (device->bus != emu_bus_number(emulated) || device->address != emu_bus_address(emulated))
        return;
    assert_int_equal(ccid_descriptor_next(&in, &descriptor), 1);
    layout = ccid_layout(&descriptor);
    if (usb_open(device, &layout, &pipe) || ccid_open(pipe, &descriptor, &identity, &readers, &count))
        fail_msg("%s", detail_get());
    assert_int_equal(count, 1);
    *ret_reader = readers[0];
    free(readers);
}

static void arrived(void *user, const struct usb_device *device)
{
    open_device(emu_reader_device(plugged[plugged_count].emulated), device, user);
}

static void nothing(void *user, uint8_t bus, uint8_t address)
{
    (void)user;
    (void)bus;
    (void)address;
}

static struct reader *make(void)
{
    static const struct usb_watch_hooks hooks = {.arrived = arrived, .left = nothing, .eased = nothing};
    struct reader *reader = NULL;
    struct usb_watch *watch;

    assert_rc(emu_reader_new(emu_reader_preset(preset), &plugged[plugged_count].emulated), RC_OK);
    assert_int_equal(emu_plug(emu_reader_device(plugged[plugged_count].emulated), NULL), 0);
    assert_rc(usb_watch_open(&hooks, &reader, &watch), RC_OK);
    usb_watch_handle(watch);
    usb_watch_close(watch);
    assert_non_null(reader);
    plugged[plugged_count++].reader = reader;
    return reader;
}

static struct emu_reader *emulated_of(const struct reader *reader)
{
    /* The newest: the memory of one that was closed may be used again. */
    for (size_t i = plugged_count; i--;)
        if (plugged[i].reader == reader)
            return plugged[i].emulated;
    fail_msg("not a reader of this test");
    return NULL;
}

static void insert(struct reader *reader)
{
    assert_rc(emu_reader_insert(emulated_of(reader), 0, "sim:echo"), RC_OK);
}

static void take_out(struct reader *reader)
{
    emu_reader_remove(emulated_of(reader), 0);
}

static void open_local(struct bench *bench)
{
    assert_rc(local_new(&bench->service), RC_OK);
    bench->machine = bench->service;
}

static void close_local(struct bench *bench)
{
    local_free(bench->service);
    for (; plugged_count; plugged_count--) {
        emu_unplug(emu_reader_device(plugged[plugged_count - 1].emulated));
        emu_reader_free(plugged[plugged_count - 1].emulated);
    }
    assert_int_equal(emu_blamed(), 0);
}

int main(void)
{
    static const struct conform_readers emulated = {.make = make, .insert = insert, .remove = take_out};
    static const char *const presets[] = {"extended", "tpdu", "nointerrupt"};
    int failures = 0;

    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
        char name[64];
        const struct conform_target target = {.name = name,
                                              .readers = &emulated,
                                              .open = open_local,
                                              .close = close_local,
                                              .blocked = bench_blocked_in_machine};

        preset = presets[i];
        (void)snprintf(name, sizeof name, "local service, CCID reader \"%s\" on the emulated bus", preset);
        failures += conform_run(&target);
    }
    return failures;
}
