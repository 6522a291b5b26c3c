/* SPDX-License-Identifier: MIT */
/* The emulated bus under the real libusb, with a device that echoes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "echo_device.h"
#include "emu_bus.h"
#include "usb_client.h"

#define LONGEST 65554
#define LONG_MS 5000

struct scene {
    struct echo_device echo;
    struct usb_client client;
};

static int begin_with(void **state, uint16_t packet, bool claim)
{
    struct scene *scene = malloc(sizeof *scene);

    if (scene == NULL)
        return -1;
    echo_init(&scene->echo, packet);
    if (emu_plug(&scene->echo.device, "1-2") != 0)
        return -1;
    usb_client_init(&scene->client);
    if (!usb_client_await(&scene->client, 1, 0) ||
        (claim && usb_client_open(&scene->client, emu_bus_address(&scene->echo.device), true) != 0))
        return -1;
    *state = scene;
    return 0;
}

static int begin(void **state)
{
    return begin_with(state, 64, true);
}

static int begin_fast(void **state)
{
    return begin_with(state, 512, true);
}

static int begin_closed(void **state)
{
    return begin_with(state, 64, false);
}

static int end(void **state)
{
    struct scene *scene = *state;
    int result;

    usb_client_fini(&scene->client);
    emu_unplug(&scene->echo.device);
    emu_bus_seed(0);
    emu_bus_split(false);
    free(scene);
    result = emu_blamed() == 0 ? 0 : -1;
    return result;
}

static void fill(uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 8));
}

/* Sends length bytes, and takes the echo with room for so many. */
static int echo(struct scene *scene, size_t length, size_t room, size_t *ret_actual)
{
    static uint8_t sent[LONGEST], got[LONGEST + 1024];
    size_t taken = 0;
    int result;

    fill(sent, length);
    memset(got, 0xee, sizeof got);
    result = usb_client_transfer(&scene->client, ECHO_OUT, sent, length, LONG_MS, &taken);
    if (result != 0)
        return result;
    assert_int_equal(taken, length);
    result = usb_client_transfer(&scene->client, ECHO_IN, got, room, LONG_MS, ret_actual);
    if (result == 0) {
        assert_memory_equal(got, sent, *ret_actual);
        assert_int_equal(got[*ret_actual], 0xee);
    }
    return result;
}

static void set(struct scene *scene, int *field, int value)
{
    (void)scene;
    emu_lock();
    *field = value;
    emu_unlock();
}

static void devices_are_listed_with_descriptors_and_ports(void **state)
{
    struct scene *scene = *state;
    struct echo_device behind_hub;
    struct libusb_config_descriptor *configuration;
    libusb_device *device;
    uint8_t ports[8], raw[64];

    assert_int_equal(usb_client_open(&scene->client, emu_bus_address(&scene->echo.device), true), 0);
    device = libusb_get_device(scene->client.handle);
    assert_int_equal(libusb_get_bus_number(device), 1);
    assert_int_equal(libusb_get_device_speed(device), LIBUSB_SPEED_FULL);
    assert_int_equal(libusb_get_port_numbers(device, ports, sizeof ports), 1);
    assert_int_equal(ports[0], 2);
    assert_int_equal(libusb_get_active_config_descriptor(device, &configuration), 0);
    assert_int_equal(configuration->bNumInterfaces, 2);
    assert_int_equal(configuration->interface[0].altsetting[0].bNumEndpoints, 3);
    assert_int_equal(configuration->interface[0].altsetting[0].endpoint[1].bEndpointAddress, ECHO_IN);
    libusb_free_config_descriptor(configuration);

    assert_int_equal(usb_client_control(&scene->client, 0x80, 6, 0x0300, 0, raw, sizeof raw), 4);
    assert_memory_equal(raw, "\x04\x03\x09\x04", 4);
    /* UTF-16, with a character outside the basic plane. */
    assert_int_equal(usb_client_control(&scene->client, 0x80, 6, 0x0302, 0x0409, raw, sizeof raw), 2 + 2 * 9);
    assert_memory_equal(raw + 2, "E\0c\0h\0o\0 \0\x13\x27 \0\x34\xd8\x1e\xdd", 18);
    assert_int_equal(usb_client_control(&scene->client, 0x80, 6, 0x0309, 0x0409, raw, sizeof raw),
                     -LIBUSB_TRANSFER_STALL);
    assert_int_equal(usb_client_control(&scene->client, 0x80, 6, 0x0100, 0, raw, sizeof raw), 18);
    assert_memory_equal(raw, scene->echo.descriptors, 18);
    assert_int_equal(usb_client_control(&scene->client, 0x80, 8, 0, 0, raw, 1), 1);
    assert_int_equal(raw[0], 1);

    /* A path with a hub in it brings the hub. */
    echo_init(&behind_hub, 512);
    assert_int_equal(emu_plug(&behind_hub.device, "1-3.4"), 0);
    assert_true(usb_client_await(&scene->client, 2, 0));
    usb_client_close(&scene->client);
    assert_int_equal(usb_client_open(&scene->client, emu_bus_address(&behind_hub.device), false), 0);
    device = libusb_get_device(scene->client.handle);
    assert_int_equal(libusb_get_device_speed(device), LIBUSB_SPEED_HIGH);
    assert_int_equal(libusb_get_port_numbers(device, ports, sizeof ports), 2);
    assert_int_equal(ports[0] << 8 | ports[1], 0x0304);
    emu_unplug(&behind_hub.device);
}

static void ports_and_paths_are_checked(void **state)
{
    struct scene *scene = *state;
    struct echo_device other;

    echo_init(&other, 64);
    assert_int_equal(emu_plug(&scene->echo.device, "1-5"), -EEXIST);
    assert_int_equal(emu_plug(&other.device, "1-2"), -EEXIST);
    assert_int_equal(emu_plug(&other.device, "1-2.1"), -EEXIST);
    assert_int_equal(emu_plug(&other.device, "2"), -EINVAL);
    assert_int_equal(emu_plug(&other.device, "1-"), -EINVAL);
    other.device.descriptors_length = 20;
    assert_int_equal(emu_plug(&other.device, "1-5"), -EINVAL);
    echo_init(&other, 64);
    assert_int_equal(emu_plug(&other.device, NULL), 0);
    assert_string_equal(emu_bus_path(&other.device), "1-1");
    emu_unplug(&other.device);
    emu_unplug(&other.device);
}

static void who_may_have_an_interface(void **state)
{
    struct scene *scene = *state;
    struct emu_device *device = &scene->echo.device;
    unsigned address = emu_bus_address(device);
    libusb_device_handle *second;

    emu_bus_permit(device, false);
    assert_int_equal(usb_client_open(&scene->client, address, false), LIBUSB_ERROR_ACCESS);
    emu_bus_permit(device, true);
    assert_int_equal(usb_client_open(&scene->client, address, false), 0);
    assert_int_equal(libusb_claim_interface(scene->client.handle, 7), LIBUSB_ERROR_NOT_FOUND);

    emu_bus_bind(device, 0, "usbtest");
    assert_int_equal(libusb_kernel_driver_active(scene->client.handle, 0), 1);
    assert_int_equal(libusb_claim_interface(scene->client.handle, 0), LIBUSB_ERROR_BUSY);
    emu_bus_bind(device, 0, NULL);
    assert_int_equal(libusb_kernel_driver_active(scene->client.handle, 0), 0);

    emu_bus_hold(device, 0, true);
    assert_int_equal(libusb_kernel_driver_active(scene->client.handle, 0), 0);
    assert_int_equal(libusb_claim_interface(scene->client.handle, 0), LIBUSB_ERROR_BUSY);
    emu_bus_hold(device, 0, false);
    assert_int_equal(libusb_claim_interface(scene->client.handle, 0), 0);

    assert_int_equal(libusb_open(libusb_get_device(scene->client.handle), &second), 0);
    assert_true(emu_bus_await_files(device, 2, 0));
    assert_int_equal(libusb_claim_interface(second, 0), LIBUSB_ERROR_BUSY);
    assert_int_equal(libusb_release_interface(scene->client.handle, 0), 0);
    assert_int_equal(libusb_claim_interface(second, 0), 0);
    libusb_close(second);
    /* The claim goes with the file. */
    assert_int_equal(libusb_claim_interface(scene->client.handle, 0), 0);
    assert_int_equal(scene->echo.claims, 3);
}

static void control_transfers(void **state)
{
    struct scene *scene = *state;
    uint8_t bytes[64];

    fill(bytes, sizeof bytes);
    assert_int_equal(usb_client_control(&scene->client, 0x41, ECHO_STORE, 0, 0, bytes, 40), 40);
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(usb_client_control(&scene->client, 0xc1, ECHO_STORE, 0, 0, bytes, 64), 40);
    assert_int_equal(bytes[39], (uint8_t)(39 * 7));
    assert_int_equal(usb_client_control(&scene->client, 0xc1, ECHO_STORE, 0, 0, bytes, 10), 10);
    assert_int_equal(usb_client_control(&scene->client, 0xc1, ECHO_STALL, 0, 0, bytes, 10),
                     -LIBUSB_TRANSFER_STALL);
    /* Endpoint 0 halts for one request only. */
    assert_int_equal(usb_client_control(&scene->client, 0xc1, ECHO_LATE, 0, 0, bytes, 10), 10);
    assert_int_equal(bytes[9], 0x5a);
}

static void every_length_comes_back(void **state)
{
    static const size_t lengths[] = {0,   1,    63,   64,    65,    127,   128,   511,   512,    513,
                                     575, 4096, 5000, 16383, 16384, 16385, 65535, 65536, LONGEST};
    struct scene *scene = *state;

    for (uint64_t seed = 0; seed < 4; seed++) {
        emu_bus_seed(seed);
        for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
            size_t length = lengths[i], actual = 0;

            /* Into a buffer of that length; and into a longer one, where an end is needed to be seen. */
            assert_int_equal(echo(scene, length, length, &actual), 0);
            assert_int_equal(actual, length);
            scene->echo.empty_packets = true;
            assert_int_equal(echo(scene, length, LONGEST + 512, &actual), 0);
            assert_int_equal(actual, length);
            scene->echo.empty_packets = false;
        }
    }
}

static void old_controllers_cut_transfers(void **state)
{
    static const size_t lengths[] = {1, 16384, 16385, 32768, 40000, LONGEST};
    struct scene *scene = *state;
    unsigned address = emu_bus_address(&scene->echo.device);

    usb_client_close(&scene->client);
    emu_bus_split(true);
    assert_int_equal(usb_client_open(&scene->client, address, true), 0);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        size_t actual = 0;

        assert_int_equal(echo(scene, lengths[i], lengths[i], &actual), 0);
        assert_int_equal(actual, lengths[i]);
    }
    /* A short reply to a long buffer ends all pieces of it. */
    for (int i = 0; i < 3; i++) {
        size_t actual = 0;

        assert_int_equal(echo(scene, 100, LONGEST, &actual), 0);
        assert_int_equal(actual, 100);
    }
}

static void a_reply_without_end_keeps_the_transfer(void **state)
{
    struct scene *scene = *state;
    struct usb_client_transfer transfer;
    uint8_t got[256];
    size_t actual = 0;

    /* 64 bytes do not end a transfer of 256; the next packet is part of it. */
    assert_int_equal(usb_client_start(&scene->client, &transfer, ECHO_IN, got, sizeof got, 0), 0);
    echo_send(&scene->echo, ECHO_IN, scene->echo.descriptors, 64);
    assert_true(emu_bus_await_pending(&scene->echo.device, ECHO_IN, 1, 0));
    echo_send(&scene->echo, ECHO_IN, NULL, 0);
    assert_int_equal(usb_client_finish(&transfer, &actual), 0);
    assert_int_equal(actual, 64);
    assert_memory_equal(got, scene->echo.descriptors, 57);
    /* An empty packet alone. */
    echo_send(&scene->echo, ECHO_IN, NULL, 0);
    assert_int_equal(usb_client_transfer(&scene->client, ECHO_IN, got, sizeof got, 0, &actual), 0);
    assert_int_equal(actual, 0);
}

static void a_halt_stays_until_it_is_cleared(void **state)
{
    struct scene *scene = *state;
    uint8_t got[64];
    size_t actual;

    set(scene, &scene->echo.in_failure, -EPIPE);
    assert_int_equal(echo(scene, 10, 64, &actual), LIBUSB_TRANSFER_STALL);
    assert_int_equal(usb_client_transfer(&scene->client, ECHO_IN, got, 64, 0, NULL), LIBUSB_TRANSFER_STALL);
    assert_int_equal(libusb_clear_halt(scene->client.handle, ECHO_IN), 0);
    assert_int_equal(scene->echo.cleared, 1);
    assert_int_equal(echo(scene, 10, 64, &actual), 0);

    set(scene, &scene->echo.out_result, -EPIPE);
    assert_int_equal(echo(scene, 10, 64, &actual), LIBUSB_TRANSFER_STALL);
    assert_int_equal(echo(scene, 10, 64, &actual), LIBUSB_TRANSFER_STALL);
    /* As a request on the wire, too. */
    assert_int_equal(usb_client_control(&scene->client, 0x02, 1, 0, ECHO_OUT, NULL, 0), 0);
    assert_int_equal(scene->echo.cleared, 2);
    assert_int_equal(echo(scene, 10, 64, &actual), 0);
}

static void failures_of_a_transfer(void **state)
{
    struct scene *scene = *state;
    uint8_t got[128];
    size_t actual;

    set(scene, &scene->echo.in_failure, -EPROTO);
    assert_int_equal(echo(scene, 10, 64, &actual), LIBUSB_TRANSFER_ERROR);
    assert_int_equal(echo(scene, 10, 64, &actual), 0);
    set(scene, &scene->echo.out_result, -EPROTO);
    assert_int_equal(echo(scene, 10, 64, &actual), LIBUSB_TRANSFER_ERROR);
    assert_int_equal(echo(scene, 10, 64, &actual), 0);

    /* Babble: asked for, and by a buffer that is no multiple of the packet. */
    set(scene, &scene->echo.in_failure, -EOVERFLOW);
    assert_int_equal(echo(scene, 10, 64, &actual), LIBUSB_TRANSFER_OVERFLOW);
    assert_int_equal(echo(scene, 100, 80, &actual), 0 + LIBUSB_TRANSFER_OVERFLOW);
    assert_int_equal(echo(scene, 10, 64, &actual), 0);
    /* What does not fit into whole packets goes to the next transfer. */
    assert_int_equal(echo(scene, 100, 64, &actual), 0);
    assert_int_equal(usb_client_transfer(&scene->client, ECHO_IN, got, sizeof got, 0, &actual), 0);
    assert_int_equal(actual, 36);
}

static void what_was_refused_is_asked_again(void **state)
{
    struct scene *scene = *state;
    size_t actual;

    emu_lock();
    scene->echo.refusals = 3;
    emu_unlock();
    assert_int_equal(echo(scene, 100, 128, &actual), 0);
    assert_int_equal(actual, 100);
    assert_int_equal(scene->echo.refusals, 0);
}

static void nothing_is_lost_after_a_timeout(void **state)
{
    struct scene *scene = *state;
    uint8_t bytes[100] = {1, 2, 3};
    size_t actual;

    emu_lock();
    scene->echo.mute = true;
    emu_unlock();
    assert_int_equal(usb_client_transfer(&scene->client, ECHO_OUT, bytes, 10, LONG_MS, &actual), 0);
    assert_int_equal(usb_client_transfer(&scene->client, ECHO_IN, bytes, sizeof bytes, 10, &actual),
                     LIBUSB_TRANSFER_TIMED_OUT);
    assert_int_equal(actual, 0);
    echo_send(&scene->echo, ECHO_IN, "late", 4);
    assert_int_equal(usb_client_transfer(&scene->client, ECHO_IN, bytes, sizeof bytes, LONG_MS, &actual), 0);
    assert_int_equal(actual, 4);
    assert_memory_equal(bytes, "late", 4);
}

static void interrupt_and_cancel(void **state)
{
    struct scene *scene = *state;
    struct usb_client_transfer notice, in;
    uint8_t bytes[8], other[64];
    size_t actual;

    assert_int_equal(usb_client_start(&scene->client, &notice, ECHO_INTERRUPT, bytes, sizeof bytes, 0), 0);
    assert_int_equal(usb_client_start(&scene->client, &in, ECHO_IN, other, sizeof other, 0), 0);
    assert_true(emu_bus_await_pending(&scene->echo.device, ECHO_INTERRUPT, 1, 0));
    echo_send(&scene->echo, ECHO_INTERRUPT, "\x50\x03", 2);
    assert_int_equal(usb_client_finish(&notice, &actual), 0);
    assert_int_equal(actual, 2);
    assert_memory_equal(bytes, "\x50\x03", 2);
    assert_int_equal(libusb_cancel_transfer(in.transfer), 0);
    assert_int_equal(usb_client_finish(&in, &actual), LIBUSB_TRANSFER_CANCELLED);
}

static void reset_reaches_the_device(void **state)
{
    struct scene *scene = *state;
    size_t actual;

    assert_int_equal(libusb_reset_device(scene->client.handle), 0);
    assert_int_equal(scene->echo.resets, 1);
    assert_int_equal(libusb_set_interface_alt_setting(scene->client.handle, 0, 1), LIBUSB_ERROR_NOT_FOUND);
    assert_int_equal(libusb_set_interface_alt_setting(scene->client.handle, 0, 0), 0);
    assert_int_equal(echo(scene, 10, 64, &actual), 0);
}

static void unplugging_ends_everything(void **state)
{
    struct scene *scene = *state;
    struct emu_device *device = &scene->echo.device;

    for (uint64_t seed = 0; seed < 12; seed++) {
        struct usb_client_transfer in, notice;
        uint8_t bytes[64], other[8];
        unsigned address = emu_bus_address(device);

        emu_bus_seed(seed);
        assert_int_equal(usb_client_start(&scene->client, &in, ECHO_IN, bytes, sizeof bytes, 0), 0);
        assert_int_equal(usb_client_start(&scene->client, &notice, ECHO_INTERRUPT, other, sizeof other, 0),
                         0);
        emu_unplug(device);
        assert_int_equal(usb_client_finish(&in, NULL), LIBUSB_TRANSFER_NO_DEVICE);
        assert_int_equal(usb_client_finish(&notice, NULL), LIBUSB_TRANSFER_NO_DEVICE);
        assert_true(usb_client_await(&scene->client, 1 + (unsigned)seed, 1 + (unsigned)seed));
        assert_int_equal(usb_client_transfer(&scene->client, ECHO_OUT, bytes, 1, 0, NULL),
                         LIBUSB_ERROR_NO_DEVICE);
        usb_client_close(&scene->client);

        assert_int_equal(emu_plug(device, "1-2"), 0);
        assert_true(emu_bus_address(device) != address);
        assert_string_equal(emu_bus_path(device), "1-2");
        assert_true(usb_client_await(&scene->client, 2 + (unsigned)seed, 1 + (unsigned)seed));
        assert_int_equal(usb_client_open(&scene->client, emu_bus_address(device), true), 0);
    }
}

static void a_device_may_pull_itself_out(void **state)
{
    struct scene *scene = *state;
    uint8_t byte = 0;

    emu_lock();
    scene->echo.pull = true;
    emu_unlock();
    assert_int_equal(usb_client_transfer(&scene->client, ECHO_OUT, &byte, 1, 0, NULL),
                     LIBUSB_TRANSFER_NO_DEVICE);
    assert_true(usb_client_await(&scene->client, 1, 1));
}

static void a_storm_of_plugging_is_counted(void **state)
{
    struct scene *scene = *state;
    struct emu_device *device = &scene->echo.device;

    for (unsigned i = 1; i <= 100; i++) {
        emu_bus_seed(i % 2);
        emu_unplug(device);
        assert_true(usb_client_await(&scene->client, i, i));
        assert_int_equal(emu_plug(device, "1-2"), 0);
        assert_true(usb_client_await(&scene->client, i + 1, i));
    }
    assert_int_equal(scene->client.arrived, 101);
    assert_int_equal(scene->client.left, 100);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(devices_are_listed_with_descriptors_and_ports, begin_closed, end),
        cmocka_unit_test_setup_teardown(ports_and_paths_are_checked, begin_closed, end),
        cmocka_unit_test_setup_teardown(who_may_have_an_interface, begin_closed, end),
        cmocka_unit_test_setup_teardown(control_transfers, begin, end),
        cmocka_unit_test_setup_teardown(every_length_comes_back, begin, end),
        cmocka_unit_test_setup_teardown(every_length_comes_back, begin_fast, end),
        cmocka_unit_test_setup_teardown(old_controllers_cut_transfers, begin_fast, end),
        cmocka_unit_test_setup_teardown(a_reply_without_end_keeps_the_transfer, begin, end),
        cmocka_unit_test_setup_teardown(a_halt_stays_until_it_is_cleared, begin, end),
        cmocka_unit_test_setup_teardown(failures_of_a_transfer, begin, end),
        cmocka_unit_test_setup_teardown(what_was_refused_is_asked_again, begin, end),
        cmocka_unit_test_setup_teardown(nothing_is_lost_after_a_timeout, begin, end),
        cmocka_unit_test_setup_teardown(interrupt_and_cancel, begin, end),
        cmocka_unit_test_setup_teardown(reset_reaches_the_device, begin, end),
        cmocka_unit_test_setup_teardown(unplugging_ends_everything, begin, end),
        cmocka_unit_test_setup_teardown(a_device_may_pull_itself_out, begin, end),
        cmocka_unit_test_setup_teardown(a_storm_of_plugging_is_counted, begin_closed, end),
    };

    return cmocka_run_group_tests_name("usbemu", tests, NULL, NULL);
}
