/* SPDX-License-Identifier: MIT */
/* libscard/usb when memory runs out: the n-th allocation fails, for n = 1, 2, 3 … until everything passes.
 * Those of the emulated bus do not fail. */
#include <libusb.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/socket.h>

#include "tests/unit/failing_alloc.h"
#include "usb_kit.h"

void __real_emu_lock(void);
void __real_emu_unlock(void);
int __real_socket(int domain, int type, int protocol);
int __real_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __real_libusb_init(libusb_context **context);
void __wrap_emu_lock(void);
void __wrap_emu_unlock(void);
int __wrap_socket(int domain, int type, int protocol);
int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask);
int __wrap_libusb_init(libusb_context **context);

void __wrap_emu_lock(void)
{
    failing_alloc_spare(true);
    __real_emu_lock();
}

void __wrap_emu_unlock(void)
{
    __real_emu_unlock();
    failing_alloc_spare(false);
}

int __wrap_socket(int domain, int type, int protocol)
{
    int fd;

    failing_alloc_spare(true);
    fd = __real_socket(domain, type, protocol);
    failing_alloc_spare(false);
    return fd;
}

int __wrap_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    int watch;

    failing_alloc_spare(true);
    watch = __real_inotify_add_watch(fd, path, mask);
    failing_alloc_spare(false);
    return watch;
}

int __wrap_libusb_init(libusb_context **context)
{
    int error;

    failing_alloc_spare(true);
    error = __real_libusb_init(context);
    failing_alloc_spare(false);
    return error;
}

/* Passed, or out of memory. */
static bool passed(int rc)
{
    if (rc != RC_OK)
        assert_int_equal(rc, RC_NO_MEMORY);
    return rc == RC_OK;
}

/* True: nothing was left to fail. */
static bool fail_nth(unsigned nth, void (*scenario)(void *user), void *user)
{
    failing_alloc_arm_here(nth);
    scenario(user);
    failing_alloc_arm_here(0);
    return !failing_alloc_hit();
}

static void watch_and_ease(void *user)
{
    struct told *told = user;
    struct usb_watch *watch;

    memset(told, 0, sizeof *told);
    if (!passed(usb_watch_open(&kit_hooks, told, &watch)))
        return;
    told->ease = watch;
    usb_watch_handle(watch);
    usb_watch_close(watch);
}

static void watching(void **state)
{
    struct echo_device echo;
    struct told told;
    unsigned nth = 1;

    (void)state;
    kit_plug(&echo, 64, &told);
    while (!fail_nth(nth, watch_and_ease, &told))
        nth++;
    assert_true(nth > 10);
    assert_int_equal(told.arrived, 1);
    emu_unplug(&echo.device);
}

struct open_arguments {
    struct usb_device *device;
    struct pipe_layout layout;
    int refused; /* the result that is as good as RC_OK */
};

static void open_and_exchange(void *user)
{
    const struct open_arguments *arguments = user;
    const uint8_t *bytes;
    struct pipe *pipe;
    uint8_t room[8] = {1, 2, 3};
    char *text;
    size_t length;
    int rc = usb_open(arguments->device, &arguments->layout, &pipe);

    if (arguments->refused && rc == arguments->refused)
        return;
    if (!passed(rc))
        return;
    if (passed(pipe->ops->bulk_out(pipe, room, 3, deadline_in_ms(PATIENCE_MS)))) {
        assert_int_equal(pipe->ops->bulk_in(pipe, &bytes, &length, deadline_in_ms(PATIENCE_MS)), RC_OK);
        assert_int_equal(length, 3);
    }
    passed(pipe->ops->control(pipe, 0xC1, ECHO_STORE, 0, room, 8, &length, deadline_in_ms(PATIENCE_MS)));
    if (passed(usb_string(pipe, 1, &text)))
        free(text);
    free(usb_interface_name(arguments->device, 0));
    passed(pipe->ops->clear(pipe, false));
    pipe->ops->close(pipe);
}

static void opening(void **state)
{
    struct open_arguments arguments = {0};
    struct echo_device echo;
    struct told told;
    unsigned nth = 1;

    (void)state;
    kit_plug(&echo, 64, &told);
    arguments.device = &told.device;
    arguments.layout = kit_layout(&echo, 271);
    while (!fail_nth(nth, open_and_exchange, &arguments))
        nth++;
    assert_true(nth > 6);

    /* What is refused is refused, though the reason may not be known for want of memory. */
    emu_bus_bind(&echo.device, 0, "driver");
    arguments.refused = RC_SHARING;
    nth = 1;
    while (!fail_nth(nth, open_and_exchange, &arguments))
        nth++;
    emu_unplug(&echo.device);
    assert_int_equal(emu_blamed(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(watching),
        cmocka_unit_test(opening),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
