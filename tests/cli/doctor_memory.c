/* SPDX-License-Identifier: MIT */
/* An examination while memory runs out, at each place where it can: it ends, and leaves nothing behind. */
#include <errno.h>
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

#include "cli/doctor/exam.h"
#include "tests/unit/failing_alloc.h"

void *__real_reallocarray(void *block, size_t count, size_t size);
void *__wrap_reallocarray(void *block, size_t count, size_t size);
int __real_vasprintf(char **ret, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
int __wrap_vasprintf(char **ret, const char *format, va_list args) __attribute__((format(printf, 2, 0)));

void *__wrap_reallocarray(void *block, size_t count, size_t size)
{
    errno = ENOMEM;
    return failing_alloc_fails() ? NULL : __real_reallocarray(block, count, size);
}

int __wrap_vasprintf(char **ret, const char *format, va_list args)
{
    return failing_alloc_fails() ? -1 : __real_vasprintf(ret, format, args);
}

/* What the tree holds: a reader on class 0B, bound to a driver, and some files of each format. */
static const struct {
    const char *path, *text; /* NULL: a folder */
} files[] = {
    {"etc", NULL},
    {"etc/passwd", "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n"},
    {"etc/group", "cards:x:88:alice\n"},
    {"etc/udev", NULL},
    {"etc/udev/rules.d", NULL},
    {"etc/udev/rules.d/70-a.rules", "ENV{ID_USB_INTERFACES}==\"*:0b????:*\", GROUP=\"cards\"\n"},
    {"proc", NULL},
    {"proc/7", NULL},
    {"proc/7/comm", "scdaemon\n"},
    {"proc/7/status", "Uid:\t1000\t1000\n"},
    {"proc/7/fd", NULL},
    {"sys", NULL},
    {"sys/bus", NULL},
    {"sys/bus/usb", NULL},
    {"sys/bus/usb/devices", NULL},
    {"sys/bus/usb/devices/1-1", NULL},
    {"sys/bus/usb/devices/1-1/idVendor", "072f\n"},
    {"sys/bus/usb/devices/1-1/idProduct", "2200\n"},
    {"sys/bus/usb/devices/1-1/bcdDevice", "0200\n"},
    {"sys/bus/usb/devices/1-1/busnum", "1\n"},
    {"sys/bus/usb/devices/1-1/devnum", "2\n"},
    {"sys/bus/usb/devices/1-1:1.0", NULL},
    {"sys/bus/usb/devices/1-1:1.0/bInterfaceClass", "0b\n"},
    {"sys/bus/usb/devices/1-1:1.0/uevent", "DRIVER=usbfs\n"},
};

#define FILES (sizeof files / sizeof files[0])

static char root[] = "/tmp/scard-doctor-XXXXXX";

static void name_of(size_t i, char *name, size_t room)
{
    assert_true(snprintf(name, room, "%s/%s", root, files[i].path) < (int)room);
}

static int make_tree(void **state)
{
    char name[256];

    (void)state;
    assert_non_null(mkdtemp(root));
    for (size_t i = 0; i < FILES; i++) {
        FILE *file;

        name_of(i, name, sizeof name);
        if (files[i].text == NULL) {
            assert_int_equal(mkdir(name, 0700), 0);
            continue;
        }
        file = fopen(name, "w");
        assert_non_null(file);
        assert_true(fputs(files[i].text, file) >= 0);
        assert_int_equal(fclose(file), 0);
    }
    snprintf(name, sizeof name, "%s/proc/7/fd/3", root);
    return symlink("/dev/bus/usb/001/002", name);
}

static int remove_tree(void **state)
{
    char name[256];

    (void)state;
    snprintf(name, sizeof name, "%s/proc/7/fd/3", root);
    assert_int_equal(remove(name), 0);
    for (size_t i = FILES; i > 0; i--) {
        name_of(i - 1, name, sizeof name);
        assert_int_equal(remove(name), 0);
    }
    return rmdir(root);
}

/* Findings, 0 without memory for any. */
static size_t examine(void)
{
    struct exam_options options = {.root = root, .user = "alice", .deadline = deadline_never()};
    struct exam exam;
    size_t count;

    if (exam_init(&exam, &options) != 0)
        return 0;
    exam_run_all(&exam);
    for (size_t i = 0; i < exam.count; i++)
        assert_true(exam.findings[i].text != NULL && exam.findings[i].fix != NULL);
    count = exam.count;
    exam_fini(&exam);
    return count;
}

static void test_memory(void **state)
{
    size_t all = examine();
    unsigned n = 0;

    (void)state;
    assert_true(all > 20);
    do {
        failing_alloc_arm(++n);
        assert_true(examine() <= all + 4);
    } while (failing_alloc_hit());
    failing_alloc_arm(0);
    assert_true(n > 100);
    assert_int_equal(examine(), all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory)};

    return cmocka_run_group_tests(tests, make_tree, remove_tree);
}
