/* SPDX-License-Identifier: MIT */
/*
 * The functions of libc by which libusb reaches the kernel. What is not about USB goes on by a bare system
 * call, not by dlsym: that would not be ready as early as sanitizers and constructors open files.
 *
 * Built without _FORTIFY_SOURCE and _FILE_OFFSET_BITS, which would rename what is defined here.
 */
#include "emu_usb.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "emu_export.h"

/* The thread sanitizer has to see each close, or it takes a number that is used again for the descriptor that
 * had it before. Its own close is the one that is hidden by ours. */
#if defined __SANITIZE_THREAD__
#define CLOSE_IS_WATCHED 1
#elif defined __has_feature
#if __has_feature(thread_sanitizer)
#define CLOSE_IS_WATCHED 1
#endif
#endif
#ifdef CLOSE_IS_WATCHED
int __interceptor_close(int fd);
#endif

int emu_close(int fd)
{
#ifdef CLOSE_IS_WATCHED
    return __interceptor_close(fd);
#else
    return (int)syscall(SYS_close, fd);
#endif
}

/* A file in sysfs: a block of memory with the text, read like any file. */
static int open_text(const char *bytes, size_t length, bool line)
{
    int fd = (int)syscall(SYS_memfd_create, "usbemu", MFD_CLOEXEC);

    if (fd < 0)
        return -errno;
    if (write(fd, bytes, length) != (ssize_t)length || (line && write(fd, "\n", 1) != 1) ||
        lseek(fd, 0, SEEK_SET) < 0) {
        int result = -errno;

        emu_close(fd);
        return result;
    }
    return fd;
}

/* "1-2/descriptors", "1-2:1.0/interface" */
static int open_attribute(const char *path)
{
    const char *slash = strchr(path, '/'), *colon;
    struct emu_usb *usb;
    unsigned configuration, interface = 0;
    size_t length = 0;
    char *text;
    int result;

    if (slash == NULL)
        return -ENOENT;
    colon = memchr(path, ':', (size_t)(slash - path));
    usb = emu_usb_by_path(path, (size_t)((colon != NULL ? colon : slash) - path));
    if (usb == NULL)
        return -ENOENT;
    if (colon != NULL &&
        (sscanf(colon, ":%u.%u/", &configuration, &interface) != 2 || configuration != usb->configuration ||
         interface >= EMU_INTERFACES || !usb->interfaces[interface].exists))
        return -ENOENT;
    text = emu_describe_attribute(usb, colon != NULL ? (int)interface : -1, slash + 1, &length);
    if (text == NULL)
        return -ENOENT;
    result = open_text(text, length, strcmp(slash + 1, "descriptors") != 0);
    free(text);
    return result;
}

/* "001/002" */
static int open_node(const char *path, int flags)
{
    struct emu_usb *usb;
    unsigned bus, address;
    char rest;

    if (sscanf(path, "%3u/%3u%c", &bus, &address, &rest) != 2)
        return -ENOENT;
    usb = emu_usb_by_address(bus, address);
    return usb != NULL ? emu_file_open(usb, flags) : -ENOENT;
}

/* A descriptor, a negative errno, INT_MIN: none of ours. */
static int open_emulated(const char *path, int flags)
{
    bool node = strncmp(path, EMU_NODES, sizeof EMU_NODES - 1) == 0;
    int result;

    if (!node && strncmp(path, EMU_SYSFS, sizeof EMU_SYSFS - 1) != 0)
        return INT_MIN;
    if ((flags & O_DIRECTORY) != 0)
        return INT_MIN;
    emu_lock();
    result =
        node ? open_node(path + sizeof EMU_NODES - 1, flags) : open_attribute(path + sizeof EMU_SYSFS - 1);
    emu_unlock();
    return result;
}

static int open_any(int folder, const char *path, int flags, unsigned mode)
{
    int result = open_emulated(path, flags);

    if (result == INT_MIN)
        return (int)syscall(SYS_openat, folder, path, flags, mode);
    if (result >= 0)
        return result;
    errno = -result;
    return -1;
}

/* The mode is there only if a file may be made. */
#define OPEN(folder, path, flags, extra)                                                                     \
    unsigned mode = 0;                                                                                       \
    if (((flags)&O_CREAT) != 0 || ((flags)&O_TMPFILE) == O_TMPFILE) {                                        \
        va_list arguments;                                                                                   \
        va_start(arguments, flags);                                                                          \
        mode = va_arg(arguments, unsigned);                                                                  \
        va_end(arguments);                                                                                   \
    }                                                                                                        \
    return open_any(folder, path, (flags) | (extra), mode)

EMU_EXPORT int open(const char *path, int flags, ...)
{
    OPEN(AT_FDCWD, path, flags, 0);
}

EMU_EXPORT int open64(const char *path, int flags, ...)
{
    OPEN(AT_FDCWD, path, flags, O_LARGEFILE);
}

EMU_EXPORT int openat(int folder, const char *path, int flags, ...)
{
    OPEN(folder, path, flags, 0);
}

EMU_EXPORT int openat64(int folder, const char *path, int flags, ...)
{
    OPEN(folder, path, flags, O_LARGEFILE);
}

/* What fortified programs call where the flags are no constant. */
int __open_2(const char *path, int flags);
int __open64_2(const char *path, int flags);
int __openat_2(int folder, const char *path, int flags);

EMU_EXPORT int __open_2(const char *path, int flags)
{
    return open_any(AT_FDCWD, path, flags, 0);
}

EMU_EXPORT int __open64_2(const char *path, int flags)
{
    return open_any(AT_FDCWD, path, flags | O_LARGEFILE, 0);
}

EMU_EXPORT int __openat_2(int folder, const char *path, int flags)
{
    return open_any(folder, path, flags, 0);
}

EMU_EXPORT int close(int fd)
{
    emu_file_close(fd);
    emu_uevent_close(fd);
    return emu_close(fd);
}

EMU_EXPORT int ioctl(int fd, unsigned long request, ...)
{
    va_list arguments;
    void *value;
    int result;

    va_start(arguments, request);
    value = va_arg(arguments, void *);
    va_end(arguments);
    result = _IOC_TYPE(request) == 'U' ? emu_file_ioctl(fd, request, value) : INT_MIN;
    if (result == INT_MIN)
        return (int)syscall(SYS_ioctl, fd, request, value);
    if (result >= 0)
        return result;
    errno = -result;
    return -1;
}

/* libusb asks whether /sys is what it should be; in a container it may not be. */
EMU_EXPORT int statfs(const char *path, struct statfs *ret)
{
    if (strcmp(path, "/sys") == 0) {
        *ret = (struct statfs){.f_type = SYSFS_MAGIC};
        return 0;
    }
    return (int)syscall(SYS_statfs, path, ret);
}

#ifdef __LP64__
EMU_EXPORT int statfs64(const char *path, struct statfs64 *ret)
{
    if (strcmp(path, "/sys") == 0) {
        *ret = (struct statfs64){.f_type = SYSFS_MAGIC};
        return 0;
    }
    return (int)syscall(SYS_statfs, path, ret);
}
#endif

EMU_EXPORT int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    char *stand_in = NULL;
    int result;

    if (strncmp(path, EMU_NODES, sizeof EMU_NODES - 2) == 0) {
        emu_lock();
        stand_in = emu_notify_path(path);
        emu_unlock();
    }
    result = (int)syscall(SYS_inotify_add_watch, fd, stand_in != NULL ? stand_in : path, mask);
    free(stand_in);
    return result;
}
