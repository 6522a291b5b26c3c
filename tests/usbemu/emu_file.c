/* SPDX-License-Identifier: MIT */
/*
 * Files of device nodes, as the kernel's usbfs has them (drivers/usb/core/devio.c).
 *
 * The descriptor is the write end of a pipe with one slot: a byte in it takes POLLOUT away, an empty pipe
 * gives it (something can be reaped), and without a reader there is POLLERR (the device has gone). So poll
 * and its relatives stay the kernel's.
 */
#include "emu_usb.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/usbdevice_fs.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* By descriptor, in pages, to be read without the lock by every close() of the program. */
#define PAGE 1024
#define PAGES 1024
typedef _Atomic(struct emu_file *) slot;
static _Atomic(slot *) pages[PAGES];
static struct emu_file *files;

static slot *find(int fd)
{
    slot *page;

    if (fd < 0 || fd >= PAGE * PAGES)
        return NULL;
    page = atomic_load_explicit(&pages[fd / PAGE], memory_order_acquire);
    return page != NULL ? &page[fd % PAGE] : NULL;
}

/* Not close(): that is the function which comes here. */
static void close_raw(int fd)
{
    if (fd >= 0)
        emu_close(fd);
}

static void make_quiet(struct emu_file *file)
{
    if (file->told && file->drain >= 0) {
        file->told = false;
        if (write(file->feed, "", 1) != 1)
            emu_blame("the pipe of a node is full: somebody has written to it");
    }
}

static void make_heard(struct emu_file *file)
{
    char byte;

    if (!file->told && file->drain >= 0) {
        file->told = true;
        if (read(file->drain, &byte, 1) != 1)
            emu_blame("the pipe of a node is empty: somebody has read from it");
    }
}

static int keep(int fd, struct emu_file *file)
{
    slot *at;

    if (fd >= PAGE * PAGES)
        return -EMFILE;
    at = find(fd);
    if (at == NULL) {
        slot *page = calloc(PAGE, sizeof *page);

        if (page == NULL)
            return -ENOMEM;
        atomic_store_explicit(&pages[fd / PAGE], page, memory_order_release);
        at = &page[fd % PAGE];
    }
    atomic_store_explicit(at, file, memory_order_release);
    return 0;
}

int emu_file_open(struct emu_usb *usb, int flags)
{
    int ends[2] = {-1, -1};
    struct emu_file *file;
    int result;

    if (usb->denied)
        return -EACCES;
    file = calloc(1, sizeof *file);
    if (file == NULL)
        return -ENOMEM;
    file->drain = file->feed = -1;
    if (pipe2(ends, O_NONBLOCK | (flags & O_CLOEXEC)) < 0) {
        result = -errno;
        goto fail;
    }
    file->drain = fcntl(ends[0], F_DUPFD_CLOEXEC, 0);
    file->feed = fcntl(ends[1], F_DUPFD_CLOEXEC, 0);
    close_raw(ends[0]);
    if (file->drain < 0 || file->feed < 0 || fcntl(file->feed, F_SETPIPE_SZ, 4096) < 0) {
        result = -errno;
        goto fail;
    }
    result = keep(ends[1], file);
    if (result < 0)
        goto fail;
    file->usb = emu_usb_ref(usb);
    file->writable = (flags & O_ACCMODE) != O_RDONLY;
    file->split = emu_bus_is_split();
    file->told = true;
    make_quiet(file);
    emu_urbs_init(&file->completed);
    file->next = files;
    files = file;
    usb->files++;
    emu_bus_changed();
    return ends[1];

fail:
    close_raw(ends[1]);
    close_raw(file->drain);
    close_raw(file->feed);
    free(file);
    return result;
}

static void drop_completed(struct emu_file *file)
{
    while (file->completed.head != NULL) {
        struct emu_urb *urb = file->completed.head;

        file->completed.head = urb->next;
        free(urb);
    }
    emu_urbs_init(&file->completed);
}

void emu_file_close(int fd)
{
    slot *at = find(fd);
    struct emu_file *file;
    struct emu_usb *usb;
    unsigned left;

    if (at == NULL || atomic_load_explicit(at, memory_order_acquire) == NULL)
        return;
    emu_lock();
    file = atomic_exchange(at, NULL);
    if (file == NULL || file->inherited) {
        emu_unlock();
        return;
    }
    usb = file->usb;
    /* As in the kernel: a watcher hears of it before the interfaces are free. */
    emu_notify(usb, EMU_NOTICE_CLOSED);
    left = emu_engine_flush(usb, file, -1, -ENOENT);
    if (left > 0)
        emu_blame("%u transfers were left at close of %s", left, usb->path);
    for (unsigned i = 0; i < EMU_INTERFACES; i++) {
        if (usb->interfaces[i].claimed == file)
            emu_usbfs_release(file, i);
    }
    for (struct emu_file **link = &files; *link != NULL; link = &(*link)->next) {
        if (*link == file) {
            *link = file->next;
            break;
        }
    }
    drop_completed(file);
    close_raw(file->drain);
    close_raw(file->feed);
    free(file);
    usb->files--;
    emu_bus_changed();
    emu_usb_unref(usb);
    emu_unlock();
}

void emu_file_complete(struct emu_urb *urb, int status)
{
    struct emu_file *file = urb->file;
    struct emu_urb *last = file->completed.head;

    urb->status = status;
    /* Two endpoints know nothing of each other: their transfers may end in either order. */
    if (last != NULL && last->next == NULL && last->endpoint != urb->endpoint && emu_bus_random(2) != 0) {
        urb->next = last;
        file->completed.head = urb;
    } else {
        emu_urbs_add(&file->completed, urb);
    }
    make_heard(file);
}

void emu_file_gone(struct emu_usb *usb)
{
    for (struct emu_file *file = files; file != NULL; file = file->next) {
        if (file->usb == usb) {
            close_raw(file->drain);
            file->drain = -1;
        }
    }
}

static int reap(struct emu_file *file, struct usbdevfs_urb **ret_user)
{
    struct emu_urb *urb = file->completed.head;

    if (urb == NULL) {
        make_quiet(file);
        return file->usb->device != NULL ? -EAGAIN : -ENODEV;
    }
    file->completed.head = urb->next;
    if (urb->next == NULL)
        file->completed.tail = &file->completed.head;
    urb->user->status = urb->status;
    urb->user->actual_length = (int)urb->actual;
    urb->user->error_count = 0;
    *ret_user = urb->user;
    free(urb);
    return 0;
}

int emu_file_ioctl(int fd, unsigned long request, void *value)
{
    slot *at = find(fd);
    struct emu_file *file;
    int result;

    if (at == NULL || atomic_load_explicit(at, memory_order_acquire) == NULL)
        return INT_MIN;
    emu_lock();
    file = atomic_load(at);
    if (file == NULL)
        result = INT_MIN;
    else if (file->inherited)
        result = -ENODEV;
    else if (request == USBDEVFS_REAPURBNDELAY)
        result = reap(file, value);
    else if (file->usb->device == NULL)
        result = -ENODEV;
    else if (!file->writable)
        result = -EPERM;
    else
        result = emu_usbfs_ioctl(file, request, value);
    emu_unlock();
    return result;
}

/* In a forked child the files are the parent's: it alone has their transfers, and its claims hold. The read
 * ends must go, or the parent's files would not hang up. */
static void child(void)
{
    emu_lock();
    for (struct emu_file *file = files; file != NULL; file = file->next) {
        close_raw(file->drain);
        close_raw(file->feed);
        file->drain = file->feed = -1;
        file->inherited = true;
        emu_engine_flush(file->usb, file, -1, -ENOENT);
        drop_completed(file);
    }
    emu_unlock();
}

__attribute__((constructor)) static void at_fork(void)
{
    pthread_atfork(NULL, NULL, child);
}
