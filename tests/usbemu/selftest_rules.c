/* SPDX-License-Identifier: MIT */
/* The emulated bus without libusb in between: nodes, sysfs, udev, watches, and the judge of those who
 * misbehave. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/usbdevice_fs.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <libusb.h>

#include "echo_device.h"
#include "emu_bus.h"
#include "emu_ctl.h"
#include "emu_udev.h"

struct scene {
    struct echo_device echo;
    char node[32];
    int fd;
};

static int begin(void **state)
{
    struct scene *scene = malloc(sizeof *scene);

    if (scene == NULL)
        return -1;
    echo_init(&scene->echo, 64);
    if (emu_plug(&scene->echo.device, "1-2") != 0)
        return -1;
    snprintf(scene->node, sizeof scene->node, "/dev/bus/usb/001/%03u", emu_bus_address(&scene->echo.device));
    scene->fd = open(scene->node, O_RDWR | O_CLOEXEC);
    *state = scene;
    return scene->fd >= 0 ? 0 : -1;
}

static int end(void **state)
{
    struct scene *scene = *state;

    if (scene->fd >= 0)
        close(scene->fd);
    emu_unplug(&scene->echo.device);
    free(scene);
    return emu_blamed() == 0 ? 0 : -1;
}

static int claim(int fd, unsigned interface)
{
    return ioctl(fd, USBDEVFS_CLAIMINTERFACE, &interface);
}

static int submit(int fd, struct usbdevfs_urb *urb, unsigned char type, unsigned char endpoint, void *bytes,
                  size_t length)
{
    *urb = (struct usbdevfs_urb){
        .type = type, .endpoint = endpoint, .buffer = bytes, .buffer_length = (int)length};
    return ioctl(fd, USBDEVFS_SUBMITURB, urb);
}

static short events_of(int fd)
{
    struct pollfd pollfd = {.fd = fd, .events = POLLIN | POLLOUT};

    assert_true(poll(&pollfd, 1, 0) >= 0);
    return pollfd.revents;
}

/* All that libusb takes from udev must be ours, or it would see objects of two libraries. */
static void libusb_finds_no_other_udev(void **state)
{
    static const char *const others[] = {"open", "__open_2", "close", "ioctl", "statfs"};
    Dl_info libusb, own, info;
    char *command, name[128];
    unsigned count = 0;
    FILE *symbols;

    (void)state;
    assert_true(dladdr(dlsym(RTLD_DEFAULT, "libusb_init"), &libusb) != 0);
    assert_true(dladdr(dlsym(RTLD_DEFAULT, "udev_new"), &own) != 0);
    assert_string_not_equal(own.dli_fname, libusb.dli_fname);
    assert_null(strstr(own.dli_fname, "libudev"));
    assert_true(asprintf(&command, "nm -D --undefined-only '%s'", libusb.dli_fname) > 0);
    symbols = popen(command, "r");
    assert_non_null(symbols);
    while (fscanf(symbols, "%127s", name) == 1) {
        name[strcspn(name, "@")] = '\0';
        if (strncmp(name, "udev_", 5) != 0)
            continue;
        count++;
        if (dlsym(RTLD_DEFAULT, name) == NULL || dladdr(dlsym(RTLD_DEFAULT, name), &info) == 0 ||
            info.dli_fbase != own.dli_fbase)
            fail_msg("libusb imports %s, which is not emulated", name);
    }
    assert_int_equal(pclose(symbols), 0);
    assert_true(count > 10);
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        assert_true(dladdr(dlsym(RTLD_DEFAULT, others[i]), &info) != 0);
        assert_ptr_equal(info.dli_fbase, own.dli_fbase);
    }
    free(command);
}

static void a_node_is_ready_when_there_is_something_to_reap(void **state)
{
    struct scene *scene = *state;
    struct usbdevfs_urb in, out, *reaped;
    char byte = 'x', got[64];

    assert_int_equal(claim(scene->fd, 0), 0);
    assert_int_equal(events_of(scene->fd), 0);
    assert_int_equal(submit(scene->fd, &in, USBDEVFS_URB_TYPE_BULK, ECHO_IN, got, sizeof got), 0);
    assert_int_equal(events_of(scene->fd), 0);
    assert_int_equal(submit(scene->fd, &out, USBDEVFS_URB_TYPE_BULK, ECHO_OUT, &byte, 1), 0);
    assert_int_equal(events_of(scene->fd), POLLOUT);
    assert_int_equal(ioctl(scene->fd, USBDEVFS_REAPURBNDELAY, &reaped), 0);
    assert_int_equal(ioctl(scene->fd, USBDEVFS_REAPURBNDELAY, &reaped), 0);
    assert_int_equal(ioctl(scene->fd, USBDEVFS_REAPURBNDELAY, &reaped), -1);
    assert_int_equal(errno, EAGAIN);
    assert_int_equal(events_of(scene->fd), 0);
    assert_int_equal(in.actual_length, 1);
    assert_int_equal(got[0], 'x');

    /* Gone: what was under way can be reaped, then nothing. */
    assert_int_equal(submit(scene->fd, &in, USBDEVFS_URB_TYPE_BULK, ECHO_IN, got, sizeof got), 0);
    emu_unplug(&scene->echo.device);
    assert_true((events_of(scene->fd) & POLLERR) != 0);
    assert_int_equal(submit(scene->fd, &out, USBDEVFS_URB_TYPE_BULK, ECHO_OUT, &byte, 1), -1);
    assert_int_equal(errno, ENODEV);
    assert_int_equal(ioctl(scene->fd, USBDEVFS_DISCARDURB, &in), -1);
    assert_int_equal(errno, ENODEV);
    assert_int_equal(ioctl(scene->fd, USBDEVFS_REAPURBNDELAY, &reaped), 0);
    assert_ptr_equal(reaped, &in);
    assert_int_equal(in.status, -ESHUTDOWN);
    assert_int_equal(ioctl(scene->fd, USBDEVFS_REAPURBNDELAY, &reaped), -1);
    assert_int_equal(errno, ENODEV);
    assert_int_equal(open(scene->node, O_RDWR), -1);
    assert_int_equal(errno, ENOENT);
}

/* What was said, and once only. */
static void assert_blamed(const char *words)
{
    assert_true(emu_blamed_for(words));
    assert_int_equal(emu_blamed(), 1);
    assert_false(emu_blamed_for(words));
}

static void interfaces_that_are_not_claimed(void **state)
{
    struct scene *scene = *state;
    uint8_t setup[9] = {0x41, ECHO_STORE, 0, 0, 0, 0, 1, 0, 'x'};
    struct usbdevfs_urb urb;
    unsigned number = 0;
    char byte = 0;

    /* The kernel claims it then; so the second one is in order. */
    assert_int_equal(submit(scene->fd, &urb, USBDEVFS_URB_TYPE_BULK, ECHO_OUT, &byte, 1), 0);
    assert_blamed("was not claimed");
    assert_int_equal(submit(scene->fd, &urb, USBDEVFS_URB_TYPE_BULK, ECHO_OUT, &byte, 1), 0);
    assert_int_equal(emu_blamed(), 0);
    assert_int_equal(ioctl(scene->fd, USBDEVFS_RELEASEINTERFACE, &number), 0);
    assert_int_equal(submit(scene->fd, &urb, USBDEVFS_URB_TYPE_CONTROL, 0, setup, sizeof setup), 0);
    assert_blamed("control transfer: interface 0 of 1-2 was not claimed");
    emu_bus_hold(&scene->echo.device, 1, true);
    setup[4] = 1;
    assert_int_equal(submit(scene->fd, &urb, USBDEVFS_URB_TYPE_CONTROL, 0, setup, sizeof setup), -1);
    assert_int_equal(errno, EBUSY);
    assert_blamed("control transfer: interface 1 of 1-2 was not claimed");

    assert_int_equal(claim(scene->fd, 0), 0);
    assert_blamed("claimed twice");
    number = 1;
    assert_int_equal(ioctl(scene->fd, USBDEVFS_RELEASEINTERFACE, &number), -1);
    assert_blamed("released but not claimed");
}

static void transfers_that_make_no_sense(void **state)
{
    struct scene *scene = *state;
    struct usbdevfs_urb urb;
    char byte = 0;

    assert_int_equal(claim(scene->fd, 0), 0);
    assert_int_equal(submit(scene->fd, &urb, USBDEVFS_URB_TYPE_BULK, ECHO_OUT | 0x80, &byte, 1), -1);
    assert_int_equal(errno, ENOENT);
    assert_blamed("endpoint 81");
    assert_int_equal(submit(scene->fd, &urb, USBDEVFS_URB_TYPE_BULK, ECHO_IN & 0x7f, &byte, 1), -1);
    assert_blamed("endpoint 02");
    assert_int_equal(submit(scene->fd, &urb, USBDEVFS_URB_TYPE_INTERRUPT, ECHO_IN, &byte, 1), -1);
    assert_int_equal(errno, EINVAL);
    assert_blamed("another type");
    assert_int_equal(submit(scene->fd, &urb, USBDEVFS_URB_TYPE_BULK, ECHO_OUT, NULL, 1), -1);
    assert_int_equal(submit(scene->fd, &urb, USBDEVFS_URB_TYPE_CONTROL, 0, &byte, 1), -1);
    assert_int_equal(ioctl(scene->fd, USBDEVFS_DISCARDURB, &urb), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(ioctl(scene->fd, USBDEVFS_RESETEP, &byte), -1);
    assert_blamed("not emulated");
}

static void what_is_left_behind(void **state)
{
    struct scene *scene = *state;
    struct usbdevfs_ioctl push = {.ifno = 0, .ioctl_code = USBDEVFS_DISCONNECT};
    struct usbdevfs_urb urb;
    unsigned number = 0;
    char got[64];

    assert_int_equal(claim(scene->fd, 0), 0);
    assert_int_equal(submit(scene->fd, &urb, USBDEVFS_URB_TYPE_BULK, ECHO_IN, got, sizeof got), 0);
    assert_int_equal(ioctl(scene->fd, USBDEVFS_RELEASEINTERFACE, &number), 0);
    assert_blamed("left at release");
    emu_bus_bind(&scene->echo.device, 0, "usbtest");
    assert_int_equal(ioctl(scene->fd, USBDEVFS_IOCTL, &push), 0);
    assert_blamed("pushed off");
    assert_int_equal(claim(scene->fd, 0), 0);
    assert_int_equal(submit(scene->fd, &urb, USBDEVFS_URB_TYPE_INTERRUPT, ECHO_INTERRUPT, got, 8), 0);
    close(scene->fd);
    scene->fd = -1;
    assert_blamed("left at close");
}

static uint32_t next_notice(int fd)
{
    struct inotify_event event;

    return read(fd, &event, sizeof event) == sizeof event ? event.mask : 0;
}

static void a_node_can_be_watched(void **state)
{
    struct scene *scene = *state;
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = 1}, from;
    int kernel = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
    int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    socklen_t length = sizeof from;
    char message[512];

    assert_true(inotify_add_watch(watch, scene->node, IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF) > 0);
    assert_int_equal(inotify_add_watch(watch, "/dev/bus/usb/001/099", IN_ATTRIB), -1);
    assert_int_equal(claim(scene->fd, 0), 0);
    assert_int_equal(bind(kernel, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(next_notice(watch), 0);
    assert_int_equal(recvfrom(kernel, message, sizeof message, 0, NULL, NULL), -1);

    close(scene->fd);
    scene->fd = -1;
    assert_int_equal(next_notice(watch), IN_CLOSE_WRITE);
    assert_true(recvfrom(kernel, message, sizeof message, 0, (struct sockaddr *)&from, &length) > 0);
    assert_int_equal(from.nl_pid, 0);
    assert_string_equal(message, "unbind@/devices/emulated/1-2:1.0");
    assert_string_equal(message + strlen(message) + 1, "ACTION=unbind");
    assert_int_equal(recvfrom(kernel, message, sizeof message, 0, NULL, NULL), -1);

    emu_bus_permit(&scene->echo.device, false);
    assert_int_equal(next_notice(watch), IN_ATTRIB);
    assert_int_equal(open(scene->node, O_RDWR), -1);
    assert_int_equal(errno, EACCES);
    emu_unplug(&scene->echo.device);
    assert_true((next_notice(watch) & (IN_DELETE_SELF | IN_ATTRIB)) != 0);
    close(watch);
    close(kernel);
}

static void text_of(const char *path, const char *expected)
{
    char text[64] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_true(read(fd, text, sizeof text - 1) >= 0);
    assert_string_equal(text, expected);
    close(fd);
}

static void attributes_are_files(void **state)
{
    struct scene *scene = *state;
    uint8_t bytes[256];
    int fd = open("/sys/bus/usb/devices/1-2/descriptors", O_RDONLY);

    assert_int_equal(read(fd, bytes, sizeof bytes), scene->echo.device.descriptors_length);
    assert_memory_equal(bytes, scene->echo.descriptors, 18);
    close(fd);
    text_of("/sys/bus/usb/devices/1-2/busnum", "1\n");
    text_of("/sys/bus/usb/devices/1-2/idVendor", "1234\n");
    text_of("/sys/bus/usb/devices/1-2/product", "Echo ✓ 𝄞\n");
    text_of("/sys/bus/usb/devices/1-2:1.0/interface", "Echo interface\n");
    text_of("/sys/bus/usb/devices/1-2:1.1/bInterfaceClass", "ff\n");
    text_of("/sys/bus/usb/devices/usb1/idVendor", "1d6b\n");
    assert_int_equal(open("/sys/bus/usb/devices/1-2:1.1/interface", O_RDONLY), -1);
    assert_int_equal(open("/sys/bus/usb/devices/1-2:1.2/bInterfaceClass", O_RDONLY), -1);
    assert_int_equal(open("/sys/bus/usb/devices/1-3/busnum", O_RDONLY), -1);
    assert_int_equal(open("/sys/bus/usb/devices/1-2/nonsense", O_RDONLY), -1);
    assert_int_equal(errno, ENOENT);
}

static void assert_event(struct udev_monitor *monitor, const char *action, const char *name)
{
    struct udev_device *device = udev_monitor_receive_device(monitor);

    assert_non_null(device);
    assert_string_equal(udev_device_get_action(device), action);
    assert_string_equal(udev_device_get_sysname(device), name);
    udev_device_unref(device);
}

/* What pcscd asks for. */
static void udev_tells_of_interfaces(void **state)
{
    struct scene *scene = *state;
    struct udev *udev = udev_new();
    struct udev_enumerate *enumerate = udev_enumerate_new(udev);
    struct udev_monitor *monitor = udev_monitor_new_from_netlink(udev, "udev");
    struct udev_device *device, *parent;
    unsigned count = 0;

    udev_enumerate_add_match_subsystem(enumerate, "usb");
    udev_enumerate_scan_devices(enumerate);
    for (struct udev_list_entry *entry = udev_enumerate_get_list_entry(enumerate); entry != NULL;
         entry = udev_list_entry_get_next(entry))
        count += strstr(udev_list_entry_get_name(entry), "/1-2") != NULL;
    assert_int_equal(count, 3);
    udev_enumerate_unref(enumerate);

    device = udev_device_new_from_syspath(udev, "/sys/bus/usb/devices/1-2:1.0");
    parent = udev_device_get_parent_with_subsystem_devtype(device, "usb", "usb_device");
    assert_string_equal(udev_device_get_devnode(parent), scene->node);
    assert_null(udev_device_get_devnode(device));
    assert_string_equal(udev_device_get_sysattr_value(parent, "idProduct"), "5678");
    assert_string_equal(udev_device_get_sysattr_value(parent, "serial"), "0001");
    assert_string_equal(udev_device_get_sysattr_value(device, "bInterfaceNumber"), "00");
    assert_null(udev_device_get_sysattr_value(device, "idVendor"));
    udev_device_unref(device);
    /* Pulled out between the list and the question: libusb asks on. */
    device = udev_device_new_from_syspath(udev, "/sys/bus/usb/devices/1-3");
    assert_null(device);
    assert_null(udev_device_get_devnode(device));
    assert_null(udev_device_get_sysname(device));
    assert_null(udev_device_unref(device));

    udev_monitor_filter_add_match_subsystem_devtype(monitor, "usb", "usb_interface");
    udev_monitor_enable_receiving(monitor);
    assert_null(udev_monitor_receive_device(monitor));
    close(scene->fd);
    scene->fd = -1;
    emu_unplug(&scene->echo.device);
    assert_true((events_of(udev_monitor_get_fd(monitor)) & POLLIN) != 0);
    assert_event(monitor, "remove", "1-2:1.0");
    assert_event(monitor, "remove", "1-2:1.1");
    assert_null(udev_monitor_receive_device(monitor));
    assert_false((events_of(udev_monitor_get_fd(monitor)) & POLLIN) != 0);
    emu_plug_as(&scene->echo.device, &(struct emu_place){.path = "1-2", .bound = 2, .driver = "usbtest"});
    assert_event(monitor, "add", "1-2:1.0");
    assert_event(monitor, "add", "1-2:1.1");
    assert_event(monitor, "bind", "1-2:1.1");
    udev_monitor_unref(monitor);
    udev_unref(udev);
}

/* In the child; its result is its exit status. */
static int inherit(struct scene *scene)
{
    struct usbdevfs_urb *reaped;
    int second = open(scene->node, O_RDWR);

    if (ioctl(scene->fd, USBDEVFS_REAPURBNDELAY, &reaped) == 0 || errno != ENODEV)
        return 1;
    if (second < 0 || claim(second, 0) == 0 || errno != EBUSY)
        return 2;
    close(second);
    close(scene->fd);
    return emu_blamed() == 0 ? 0 : 3;
}

static void a_forked_child_is_no_part_of_it(void **state)
{
    struct scene *scene = *state;
    struct pollfd gone = {.fd = scene->fd};
    struct usbdevfs_urb urb;
    int ends[2], status;
    char got[64];
    pid_t child;

    assert_int_equal(claim(scene->fd, 0), 0);
    assert_int_equal(submit(scene->fd, &urb, USBDEVFS_URB_TYPE_BULK, ECHO_IN, got, sizeof got), 0);
    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0) {
        int result = inherit(scene);

        /* Stays until the parent has seen the device go. */
        close(ends[1]);
        _exit(read(ends[0], got, 1) == 0 ? result : 4);
    }
    emu_unplug(&scene->echo.device);
    /* The child gives its read end up when it first runs. */
    assert_int_equal(poll(&gone, 1, 5000), 1);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static char order[8];
static int done_pipe[2];

static void note(void *user)
{
    size_t length = strlen(order);

    order[length] = *(const char *)user;
    if (order[length] == 'z' && write(done_pipe[1], "", 1) != 1)
        abort();
}

static void later_means_in_order(void **state)
{
    static char a = 'a', b = 'b', c = 'c', z = 'z';
    char byte;

    (void)state;
    assert_int_equal(pipe(done_pipe), 0);
    emu_lock();
    emu_later(20, note, &z);
    emu_later(0, note, &a);
    emu_later(10, note, &c);
    emu_later(0, note, &b);
    emu_cancel(&c);
    emu_unlock();
    assert_int_equal(read(done_pipe[0], &byte, 1), 1);
    emu_lock();
    assert_string_equal(order, "abz");
    emu_unlock();
    close(done_pipe[0]);
    close(done_pipe[1]);
}

static void lines_of_text_do_the_same(void **state)
{
    struct scene *scene = *state;
    char reply[256];

    assert_int_equal(emu_ctl_line("", reply, sizeof reply), 0);
    assert_int_equal(emu_ctl_line("nonsense", reply, sizeof reply), -EINVAL);
    assert_string_equal(reply, "there is no verb 'nonsense'");
    assert_int_equal(emu_ctl_line("seed", reply, sizeof reply), -EINVAL);
    assert_string_equal(reply, "usage: seed NUMBER");
    assert_int_equal(emu_ctl_line(" permit\t1-2  \"off\"\n", reply, sizeof reply), 0);
    assert_int_equal(open(scene->node, O_RDWR), -1);
    assert_int_equal(emu_ctl_line("permit 1-2 on", reply, sizeof reply), 0);
    assert_int_equal(emu_ctl_line("hold 1-2 0 on", reply, sizeof reply), 0);
    assert_int_equal(claim(scene->fd, 0), -1);
    assert_int_equal(emu_ctl_line("pull 1-9", reply, sizeof reply), -ENODEV);
    assert_int_equal(emu_ctl_line("pull 1-2", reply, sizeof reply), 0);
    assert_int_equal(emu_ctl_line("list", reply, sizeof reply), 0);
    assert_string_equal(reply, "");

    assert_int_equal(emu_ctl_line("plug tpdu path=1-4 \"serial=A 1\"", reply, sizeof reply), 0);
    assert_string_equal(reply, "1-4");
    text_of("/sys/bus/usb/devices/1-4/serial", "A 1\n");
    assert_int_equal(emu_ctl_line("plug tpdu path=1-4", reply, sizeof reply), -EEXIST);
    assert_int_equal(emu_ctl_line("plug tpdu nonsense=1", reply, sizeof reply), -EINVAL);
    assert_int_equal(emu_ctl_line("card 1-4 0 sim:echo", reply, sizeof reply), 0);
    assert_int_equal(emu_ctl_line("card 1-4 0 nonsense", reply, sizeof reply), -EINVAL);
    assert_int_equal(emu_ctl_line("fault 1-4 in 6F nth=2 stall", reply, sizeof reply), 0);
    assert_int_equal(emu_ctl_line("count 1-4 out", reply, sizeof reply), 0);
    assert_string_equal(reply, "0");
    assert_int_equal(emu_ctl_line("pull 1-4", reply, sizeof reply), 0);
    assert_int_equal(emu_ctl_line("replug 1-4", reply, sizeof reply), 0);
    assert_int_equal(emu_ctl_line("unplug 1-4", reply, sizeof reply), 0);
    assert_int_equal(emu_ctl_line("unplug 1-4", reply, sizeof reply), -ENODEV);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(libusb_finds_no_other_udev),
        cmocka_unit_test_setup_teardown(a_node_is_ready_when_there_is_something_to_reap, begin, end),
        cmocka_unit_test_setup_teardown(interfaces_that_are_not_claimed, begin, end),
        cmocka_unit_test_setup_teardown(transfers_that_make_no_sense, begin, end),
        cmocka_unit_test_setup_teardown(what_is_left_behind, begin, end),
        cmocka_unit_test_setup_teardown(a_node_can_be_watched, begin, end),
        cmocka_unit_test_setup_teardown(attributes_are_files, begin, end),
        cmocka_unit_test_setup_teardown(udev_tells_of_interfaces, begin, end),
        cmocka_unit_test_setup_teardown(a_forked_child_is_no_part_of_it, begin, end),
        cmocka_unit_test(later_means_in_order),
        cmocka_unit_test_setup_teardown(lines_of_text_do_the_same, begin, end),
    };

    return cmocka_run_group_tests_name("usbemu_rules", tests, NULL, NULL);
}
