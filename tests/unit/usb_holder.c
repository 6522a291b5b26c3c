/* SPDX-License-Identifier: MIT */
/* usb_holder: who has an interface, from trees of /sys and /proc made for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "usb/usb_holder.h"

#define NODE "/dev/bus/usb/001/002"

static char root[] = "/tmp/usb-holder-XXXXXX";

static const char *in_root(const char *path)
{
    static char whole[512];

    snprintf(whole, sizeof whole, "%s%s", root, path);
    return whole;
}

static void folder(const char *path)
{
    assert_int_equal(mkdir(in_root(path), 0700), 0);
}

static void file(const char *path, const char *content)
{
    FILE *stream = fopen(in_root(path), "w");

    assert_non_null(stream);
    assert_true(fputs(content, stream) >= 0);
    assert_int_equal(fclose(stream), 0);
}

static void connect_to(const char *path, const char *target)
{
    assert_int_equal(symlink(target, in_root(path)), 0);
}

/* A process with its standard input, and a file that may be the node. */
static void process(const char *pid, const char *comm, const char *target)
{
    char path[128];

    snprintf(path, sizeof path, "/proc/%s", pid);
    folder(path);
    snprintf(path, sizeof path, "/proc/%s/fd", pid);
    folder(path);
    snprintf(path, sizeof path, "/proc/%s/fd/0", pid);
    connect_to(path, "/dev/null");
    snprintf(path, sizeof path, "/proc/%s/fd/7", pid);
    connect_to(path, target);
    if (comm) {
        snprintf(path, sizeof path, "/proc/%s/comm", pid);
        file(path, comm);
    }
}

static int make_tree(void **state)
{
    char self[24];

    (void)state;
    if (!mkdtemp(root))
        return -1;
    folder("/proc");
    process("812", "pcscd\n", NODE);
    process("813", "od\x1b[31md\xff\n", NODE);
    process("814", NULL, NODE);
    process("815", "other\n", "/dev/bus/usb/001/0023");
    process("816", "another\n", "/dev/bus/usb/001/00");
    process("self", "no number\n", NODE);
    process("817x", "no number\n", NODE);
    snprintf(self, sizeof self, "%d", (int)getpid());
    process(self, "this one\n", NODE);
    folder("/proc/818"); /* of another user: nothing can be seen of it */
    folder("/sys");
    folder("/sys/bus");
    folder("/sys/bus/usb");
    folder("/sys/bus/usb/devices");
    folder("/sys/bus/usb/devices/1-2:1.0");
    folder("/sys/bus/usb/devices/1-2:1.1");
    folder("/sys/bus/usb/devices/1-2:1.2");
    file("/sys/bus/usb/devices/1-2:1.0/uevent",
         "DEVTYPE=usb_interface\nDRIVER=pn533_usb\nPRODUCT=4cc/531/0\n");
    file("/sys/bus/usb/devices/1-2:1.1/uevent", "DRIVER=usbfs");
    file("/sys/bus/usb/devices/1-2:1.2/uevent", "DEVTYPE=usb_interface\nNODRIVER=no\nPRODUCT=DRIVER=x\n");
    return 0;
}

static int remove_tree(void **state)
{
    char command[600];

    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", root);
    return system(command);
}

static void driver_is_what_uevent_says(void **state)
{
    char *driver = usb_interface_driver(root, "1-2:1.0");

    (void)state;
    assert_non_null(driver);
    assert_string_equal(driver, "pn533_usb");
    free(driver);
    driver = usb_interface_driver(root, "1-2:1.1");
    assert_non_null(driver);
    assert_string_equal(driver, USB_HELD_BY_PROGRAM);
    free(driver);
    assert_null(usb_interface_driver(root, "1-2:1.2"));
    assert_null(usb_interface_driver(root, "1-3:1.0"));
}

static const struct usb_holder *of_pid(const struct usb_holder *holders, size_t count, int pid)
{
    for (size_t i = 0; i < count; i++) {
        if (holders[i].pid == pid)
            return &holders[i];
    }
    return NULL;
}

static void holders_are_the_others_with_this_very_node_open(void **state)
{
    struct usb_holder holders[8];
    size_t count = usb_holders(root, NODE, holders, 8);

    (void)state;
    assert_int_equal(count, 3);
    assert_non_null(of_pid(holders, count, 812));
    assert_string_equal(of_pid(holders, count, 812)->name, "pcscd");
    assert_string_equal(of_pid(holders, count, 813)->name, "od?[31md?");
    assert_string_equal(of_pid(holders, count, 814)->name, "");
    assert_int_equal(usb_holders(root, "/dev/bus/usb/009/009", holders, 8), 0);
}

static void count_may_be_more_than_the_room(void **state)
{
    struct usb_holder holders[2] = {{.pid = 0}, {.pid = -1}};

    (void)state;
    assert_int_equal(usb_holders(root, NODE, holders, 1), 3);
    assert_true(holders[0].pid >= 812);
    assert_int_equal(holders[1].pid, -1);
    assert_int_equal(usb_holders(root, NODE, NULL, 0), 3);
}

static void nothing_where_there_is_no_tree(void **state)
{
    struct usb_holder holder;

    (void)state;
    assert_int_equal(usb_holders("/nonexistent", NODE, &holder, 1), 0);
    assert_null(usb_interface_driver("/nonexistent", "1-2:1.0"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(driver_is_what_uevent_says),
        cmocka_unit_test(holders_are_the_others_with_this_very_node_open),
        cmocka_unit_test(count_may_be_more_than_the_room),
        cmocka_unit_test(nothing_where_there_is_no_tree),
    };

    return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
