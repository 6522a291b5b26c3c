/* SPDX-License-Identifier: MIT */
/* usb: which devices there are, when they come and go, and what is said of one that cannot be opened. */
#include "usb_kit.h"

#include <dirent.h>
#include <sys/wait.h>
#include <unistd.h>

static void assert_has(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in '%s'", part, text);
}

static void devices_that_are_there_arrive_with_the_first_handle(void **state)
{
    struct told told = {0};
    struct echo_device echo;
    struct usb_watch *watch;
    char *name;

    (void)state;
    echo_init(&echo, 64);
    assert_int_equal(emu_plug(&echo.device, "1-2.3"), 0);
    assert_int_equal(usb_watch_open(&kit_hooks, &told, &watch), RC_OK);
    assert_true(kit_readable(usb_watch_fd(watch), 0));
    usb_watch_handle(watch);
    assert_int_equal(told.arrived, 1);
    assert_true(told.hubs >= 2); /* usb1, 1-2 */
    assert_int_equal(told.device.vendor, 0x1234);
    assert_int_equal(told.device.product, 0x5678);
    assert_int_equal(told.device.bcd_device, 0x0100);
    assert_int_equal(told.bus, emu_bus_number(&echo.device));
    assert_int_equal(told.address, emu_bus_address(&echo.device));
    assert_string_equal(told.path, "1-2.3");
    assert_memory_equal(told.node, "/dev/bus/usb/001/", 17);
    assert_string_equal(told.vendor_name, "Emulator");
    assert_memory_equal(told.product_name, "Echo ", 5);
    assert_string_equal(told.serial, "0001");
    assert_int_equal(told.device.configuration_length, sizeof echo.descriptors - 18);
    assert_memory_equal(told.configuration, echo.descriptors + 18, sizeof echo.descriptors - 18);
    name = usb_interface_name(&told.device, 0);
    assert_non_null(name);
    assert_string_equal(name, "Echo interface");
    free(name);
    assert_null(usb_interface_name(&told.device, 1));
    assert_null(usb_interface_name(&told.device, 7));
    usb_watch_close(watch);
    emu_unplug(&echo.device);
}

static void devices_come_and_go(void **state)
{
    struct told told = {0};
    struct echo_device echo;
    struct usb_watch *watch;

    (void)state;
    assert_int_equal(usb_watch_open(&kit_hooks, &told, &watch), RC_OK);
    usb_watch_handle(watch);
    assert_int_equal(told.arrived, 0);
    echo_init(&echo, 64);
    for (unsigned i = 1; i <= 200; i++) {
        assert_int_equal(emu_plug(&echo.device, "1-4"), 0);
        kit_await(watch, &told.arrived, i);
        assert_int_equal(told.arrived, i);
        assert_int_equal(told.left, i - 1);
        assert_string_equal(told.path, "1-4");
        assert_int_equal(told.address, emu_bus_address(&echo.device));
        told.bus = 0;
        emu_unplug(&echo.device);
        kit_await(watch, &told.left, i);
        assert_int_equal(told.bus, told.device.bus);
        assert_int_equal(told.address, told.device.address);
    }
    assert_false(kit_readable(usb_watch_fd(watch), 0));
    assert_int_equal(told.eased, 0);
    usb_watch_close(watch);
}

/* Opens, expects a refusal, and returns what is said of it. */
static const char *refused(const struct usb_device *device, const struct pipe_layout *layout, int expected)
{
    struct pipe *pipe;

    detail_clear();
    assert_int_equal(usb_open(device, layout, &pipe), expected);
    return detail_get();
}

static void refusals_say_what_is_in_the_way(void **state)
{
    struct pipe_layout layout;
    struct echo_device echo;
    struct told told;
    struct pipe *pipe;
    const char *detail;

    (void)state;
    kit_plug(&echo, 64, &told);
    layout = kit_layout(&echo, 271);

    emu_bus_permit(&echo.device, false);
    detail = refused(&told.device, &layout, RC_DENIED);
    assert_has(detail, told.node);
    assert_has(detail, "udev");
    assert_has(detail, "uaccess");
    emu_bus_permit(&echo.device, true);

    emu_bus_bind(&echo.device, 0, "pn533_usb");
    detail = refused(&told.device, &layout, RC_SHARING);
    assert_has(detail, "pn533_usb");
    assert_has(detail, "unbind");
    emu_bus_bind(&echo.device, 0, NULL);

    emu_bus_hold(&echo.device, 0, true);
    detail = refused(&told.device, &layout, RC_SHARING);
    assert_has(detail, "another program");
    emu_bus_hold(&echo.device, 0, false);

    /* Another interface is nobody's business here. */
    emu_bus_hold(&echo.device, 1, true);
    emu_bus_bind(&echo.device, 1, "other");
    assert_int_equal(usb_open(&told.device, &layout, &pipe), RC_OK);
    assert_has(refused(&told.device, &layout, RC_SHARING), "in use");
    pipe->ops->close(pipe);

    emu_unplug(&echo.device);
    assert_has(refused(&told.device, &layout, RC_READER_UNAVAILABLE), told.path);
    assert_int_equal(emu_blamed(), 0);
}

static void a_node_that_is_held_is_not_opened(void **state)
{
    struct told told = {0};
    struct pipe_layout layout;
    struct echo_device echo;
    struct usb_watch *watch;

    (void)state;
    kit_plug(&echo, 64, &told);
    layout = kit_layout(&echo, 271);
    memset(&told, 0, sizeof told);
    assert_int_equal(usb_watch_open(&kit_hooks, &told, &watch), RC_OK);
    told.ease = watch;
    kit_await(watch, &told.arrived, 1);
    emu_bus_hold(&echo.device, 0, true);
    usb_watch_handle(watch);
    assert_int_equal(told.eased, 0);
    refused(&told.device, &layout, RC_SHARING);
    usb_watch_handle(watch);
    assert_int_equal(told.eased, 0); /* or the next try would be the cause of yet another */
    usb_watch_close(watch);
    emu_unplug(&echo.device);
}

static void what_was_in_the_way_goes(void **state)
{
    struct told told = {0};
    struct pipe_layout layout;
    struct echo_device echo;
    struct usb_watch *watch;
    struct pipe *pipe;

    (void)state;
    kit_plug(&echo, 64, &told);
    layout = kit_layout(&echo, 271);
    memset(&told, 0, sizeof told);
    assert_int_equal(usb_watch_open(&kit_hooks, &told, &watch), RC_OK);
    kit_await(watch, &told.arrived, 1);
    emu_bus_permit(&echo.device, false);
    refused(&told.device, &layout, RC_DENIED);
    emu_bus_permit(&echo.device, true);
    usb_watch_handle(watch);
    assert_int_equal(told.eased, 0); /* nobody has asked yet */

    emu_bus_permit(&echo.device, false);
    usb_watch_ease(watch, &told.device);
    usb_watch_ease(watch, &told.device);
    told.address = 0;
    emu_bus_permit(&echo.device, true);
    kit_await(watch, &told.eased, 1);
    assert_int_equal(told.address, told.device.address);
    assert_int_equal(usb_open(&told.device, &layout, &pipe), RC_OK);
    pipe->ops->close(pipe);

    /* Of a program that goes, its node is closed first, and the interface is free after that. */
    emu_bus_hold(&echo.device, 0, true);
    usb_watch_handle(watch);
    told.eased = 0;
    emu_bus_hold(&echo.device, 0, false);
    do {
        kit_await(watch, &told.eased, told.eased + 1);
    } while (usb_open(&told.device, &layout, &pipe));
    pipe->ops->close(pipe);
    usb_watch_handle(watch);

    emu_bus_bind(&echo.device, 0, "driver");
    usb_watch_handle(watch);
    told.eased = 0;
    emu_bus_bind(&echo.device, 0, NULL);
    kit_await(watch, &told.eased, 1);

    emu_unplug(&echo.device);
    kit_await(watch, &told.left, 1);
    usb_watch_close(watch);
}

static unsigned open_files(void)
{
    DIR *folder = opendir("/proc/self/fd");
    unsigned count = 0;

    if (!folder)
        return 0;
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* How many descriptors a forked child has left after forgetting. */
static int in_child(void (*forget)(void *user), void *user)
{
    pid_t child = fork();
    int status;

    assert_true(child >= 0);
    if (child == 0) {
        unsigned before = open_files();

        forget(user);
        _exit((int)(before - open_files()));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void forget_watch(void *user)
{
    usb_watch_forget(user);
}

static void forget_pipe(void *user)
{
    struct pipe *pipe = user;

    pipe->ops->forget(pipe);
}

static void a_child_gives_up_descriptors_and_the_parent_keeps_them(void **state)
{
    static const uint8_t question[] = {1, 2, 3};
    struct told told = {0};
    struct echo_device echo;
    struct usb_watch *watch;
    const uint8_t *answer;
    struct pipe *pipe;
    size_t length;

    (void)state;
    pipe = kit_open(&echo, 64, 271);
    assert_int_equal(usb_watch_open(&kit_hooks, &told, &watch), RC_OK);
    kit_await(watch, &told.arrived, 1);
    assert_true(in_child(forget_watch, watch) >= 4); /* epoll, libusb's event, inotify, netlink… */
    assert_true(in_child(forget_pipe, pipe) >= 5);   /* two of epoll, libusb's event, our own, and the node */
    assert_int_equal(pipe->ops->bulk_out(pipe, question, 3, deadline_in_ms(PATIENCE_MS)), RC_OK);
    assert_int_equal(pipe->ops->bulk_in(pipe, &answer, &length, deadline_in_ms(PATIENCE_MS)), RC_OK);
    assert_int_equal(length, 3);
    emu_unplug(&echo.device);
    kit_await(watch, &told.left, 1);
    pipe->ops->close(pipe);
    usb_watch_close(watch);
}

static void nothing_leaks_descriptors(void **state)
{
    unsigned before = open_files();
    struct echo_device echo;
    struct told told;
    struct pipe_layout layout;
    struct pipe *pipe;

    (void)state;
    kit_plug(&echo, 64, &told);
    layout = kit_layout(&echo, 271);
    assert_int_equal(usb_open(&told.device, &layout, &pipe), RC_OK);
    pipe->ops->close(pipe);
    emu_bus_permit(&echo.device, false);
    refused(&told.device, &layout, RC_DENIED);
    emu_unplug(&echo.device);
    refused(&told.device, &layout, RC_READER_UNAVAILABLE);
    assert_int_equal(open_files(), before);
}

static void a_seeded_bus_is_no_different(void **state)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct told told = {0};
        struct echo_device echo;
        struct usb_watch *watch;

        emu_bus_seed(seed);
        assert_int_equal(usb_watch_open(&kit_hooks, &told, &watch), RC_OK);
        echo_init(&echo, 64);
        for (unsigned i = 1; i <= 5; i++) {
            assert_int_equal(emu_plug(&echo.device, "1-3"), 0);
            kit_await(watch, &told.arrived, i);
            emu_unplug(&echo.device);
            kit_await(watch, &told.left, i);
        }
        assert_int_equal(told.arrived, 5);
        assert_int_equal(told.left, 5);
        usb_watch_close(watch);
    }
    emu_bus_seed(0);
    (void)state;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(devices_that_are_there_arrive_with_the_first_handle),
        cmocka_unit_test(devices_come_and_go),
        cmocka_unit_test(refusals_say_what_is_in_the_way),
        cmocka_unit_test(a_node_that_is_held_is_not_opened),
        cmocka_unit_test(what_was_in_the_way_goes),
        cmocka_unit_test(a_child_gives_up_descriptors_and_the_parent_keeps_them),
        cmocka_unit_test(nothing_leaks_descriptors),
        cmocka_unit_test(a_seeded_bus_is_no_different),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
