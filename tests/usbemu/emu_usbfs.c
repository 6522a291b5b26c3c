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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel's limit of memory in transfers (usbfs_memory_mb). */
#define LARGEST_TRANSFER (16u << 20)

struct emu_file {
    struct emu_file *next; /* of all */
    struct emu_usb *usb;
    int drain, feed; /* the pipe's read end (-1: the device has gone), and its write end once more */
    bool writable, split;
    bool inherited; /* from the process that has forked this one */
    bool told;      /* the slot is empty: the program knows that there is something to reap */
    struct emu_urbs completed;
};

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
        syscall(SYS_close, fd);
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

static void release(struct emu_file *file, unsigned interface)
{
    struct emu_usb *usb = file->usb;
    unsigned left = emu_engine_flush(usb, NULL, (int)interface, -ENOENT);

    if (left > 0)
        emu_blame("%u transfers were left at release of interface %u of %s", left, interface, usb->path);
    usb->interfaces[interface].claimed = NULL;
    if (usb->device == NULL)
        return;
    if (usb->device->ops->claimed != NULL)
        usb->device->ops->claimed(usb->device, (uint8_t)interface, false);
    emu_udev_tell_interface(usb, interface, "unbind");
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
            release(file, i);
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

/* Whether the file may use the interface; like the kernel, claims it for who forgot to. */
static int check_interface(struct emu_file *file, unsigned number, const char *what)
{
    struct emu_interface *interface = &file->usb->interfaces[number % EMU_INTERFACES];

    if (number >= EMU_INTERFACES || !interface->exists) {
        emu_blame("%s: %s has no interface %u", what, file->usb->path, number);
        return -ENOENT;
    }
    if (interface->claimed == file)
        return 0;
    emu_blame("%s: interface %u of %s was not claimed", what, number, file->usb->path);
    if (interface->claimed != NULL || interface->held || interface->driver != NULL)
        return -EBUSY;
    interface->claimed = file;
    return 0;
}

static int check_control(struct emu_file *file, const struct usbdevfs_urb *user)
{
    const uint8_t *setup = user->buffer;
    unsigned index;

    if (user->buffer_length < 8 || user->buffer_length < 8 + (setup[6] | setup[7] << 8))
        return -EINVAL;
    index = setup[4] | (unsigned)setup[5] << 8;
    if ((setup[0] & 0x1f) == 1) /* recipient: interface */
        return check_interface(file, index & 0xff, "control transfer");
    if ((setup[0] & 0x1f) == 2 && (index & 0x0f) != 0) {
        const struct emu_endpoint *endpoint = emu_endpoint(file->usb, index);

        return endpoint->exists ? check_interface(file, endpoint->interface, "control transfer") : -ENOENT;
    }
    return 0;
}

static int check_data(struct emu_file *file, const struct usbdevfs_urb *user)
{
    const struct emu_endpoint *endpoint = emu_endpoint(file->usb, user->endpoint);

    if (!endpoint->exists || endpoint->address == 0) {
        emu_blame("transfer to endpoint %02x, which %s does not have", user->endpoint, file->usb->path);
        return -ENOENT;
    }
    if ((user->type == USBDEVFS_URB_TYPE_BULK) != (endpoint->type == 2)) {
        emu_blame("transfer of another type than that of endpoint %02x", user->endpoint);
        /* The kernel makes an interrupt transfer of a bulk one, not the other way round. */
        if (user->type != USBDEVFS_URB_TYPE_BULK || endpoint->type != 3)
            return -EINVAL;
    }
    if ((user->flags & USBDEVFS_URB_BULK_CONTINUATION) != 0 && endpoint->cut)
        return -EREMOTEIO;
    return check_interface(file, endpoint->interface, "transfer");
}

static int submit(struct emu_file *file, struct usbdevfs_urb *user)
{
    bool control = user->type == USBDEVFS_URB_TYPE_CONTROL;
    struct emu_urb *urb;
    int result;

    if (user->buffer_length < 0 || (unsigned)user->buffer_length > LARGEST_TRANSFER ||
        (user->buffer == NULL && user->buffer_length > 0) || user->type == USBDEVFS_URB_TYPE_ISO)
        return -EINVAL;
    result = control ? check_control(file, user) : check_data(file, user);
    if (result < 0)
        return result;
    urb = malloc(sizeof *urb);
    if (urb == NULL)
        return -ENOMEM;
    *urb = (struct emu_urb){
        .file = file,
        .user = user,
        .buffer = user->buffer,
        .length = (size_t)user->buffer_length,
        .endpoint = control ? 0 : user->endpoint,
        .short_not_ok = (user->flags & USBDEVFS_URB_SHORT_NOT_OK) != 0 && (user->endpoint & 0x80) != 0,
        .continues = (user->flags & USBDEVFS_URB_BULK_CONTINUATION) != 0,
    };
    emu_engine_submit(file->usb, urb);
    return 0;
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

static int claim(struct emu_file *file, unsigned number)
{
    struct emu_usb *usb = file->usb;
    struct emu_interface *interface = &usb->interfaces[number % EMU_INTERFACES];

    if (number >= EMU_INTERFACES || !interface->exists)
        return -ENOENT;
    if (interface->claimed == file) {
        emu_blame("interface %u of %s was claimed twice", number, usb->path);
        return 0;
    }
    if (interface->claimed != NULL || interface->held || interface->driver != NULL)
        return -EBUSY;
    interface->claimed = file;
    if (usb->device->ops->claimed != NULL)
        usb->device->ops->claimed(usb->device, (uint8_t)number, true);
    emu_udev_tell_interface(usb, number, "bind");
    return 0;
}

static int release_claimed(struct emu_file *file, unsigned number)
{
    if (number >= EMU_INTERFACES || file->usb->interfaces[number].claimed != file) {
        emu_blame("interface %u of %s was released but not claimed", number, file->usb->path);
        return -EINVAL;
    }
    release(file, number);
    return 0;
}

static int get_driver(struct emu_file *file, struct usbdevfs_getdriver *value)
{
    const struct emu_interface *interface = &file->usb->interfaces[value->interface % EMU_INTERFACES];
    const char *name = interface->driver;

    if (name == NULL && (interface->claimed != NULL || interface->held))
        name = "usbfs";
    if (name == NULL || !interface->exists)
        return -ENODATA;
    snprintf(value->driver, sizeof value->driver, "%s", name);
    return 0;
}

/* Taking the interface away from the kernel's driver: done, as the kernel would, but not what a driver of
 * readers may do unasked. */
static int disconnect(struct emu_file *file, unsigned number)
{
    struct emu_interface *interface = &file->usb->interfaces[number % EMU_INTERFACES];

    if (number >= EMU_INTERFACES || !interface->exists)
        return -EINVAL;
    if (interface->driver == NULL)
        return -ENODATA;
    emu_blame("the kernel's driver %s was pushed off interface %u of %s", interface->driver, number,
              file->usb->path);
    free(interface->driver);
    interface->driver = NULL;
    return 0;
}

static int disconnect_claim(struct emu_file *file, const struct usbdevfs_disconnect_claim *value)
{
    int result = disconnect(file, value->interface);

    return result < 0 && result != -ENODATA ? result : claim(file, value->interface);
}

static int passed_ioctl(struct emu_file *file, const struct usbdevfs_ioctl *value)
{
    if (value->ioctl_code == (int)USBDEVFS_DISCONNECT)
        return disconnect(file, (unsigned)value->ifno);
    return value->ioctl_code == (int)USBDEVFS_CONNECT ? 0 : -ENOTTY;
}

static int clear_halt(struct emu_file *file, unsigned address)
{
    struct emu_endpoint *endpoint = emu_endpoint(file->usb, address);
    int result;

    if (!endpoint->exists || endpoint->address == 0)
        return -EINVAL;
    result = check_interface(file, endpoint->interface, "clear halt");
    if (result == 0)
        emu_engine_clear_halt(endpoint);
    return result;
}

static int reset(struct emu_usb *usb)
{
    emu_engine_flush(usb, NULL, -1, -ESHUTDOWN);
    emu_engine_forget(usb);
    if (usb->device->ops->reset != NULL)
        usb->device->ops->reset(usb->device);
    return 0;
}

static int set_interface(struct emu_file *file, const struct usbdevfs_setinterface *value)
{
    int result = check_interface(file, value->interface, "set interface");

    if (result < 0)
        return result;
    emu_engine_flush(file->usb, NULL, (int)value->interface, -ESHUTDOWN);
    return emu_describe_alternate(file->usb, value->interface, value->altsetting);
}

static unsigned capabilities(const struct emu_file *file)
{
    unsigned caps =
        USBDEVFS_CAP_ZERO_PACKET | USBDEVFS_CAP_NO_PACKET_SIZE_LIM | USBDEVFS_CAP_REAP_AFTER_DISCONNECT;

    return caps | (file->split ? USBDEVFS_CAP_BULK_CONTINUATION : USBDEVFS_CAP_BULK_SCATTER_GATHER);
}

static int connected_ioctl(struct emu_file *file, unsigned long request, void *value)
{
    struct emu_usb *usb = file->usb;

    switch (request) {
    case USBDEVFS_SUBMITURB:
        return submit(file, value);
    case USBDEVFS_DISCARDURB:
        return emu_engine_discard(usb, file, value);
    case USBDEVFS_GET_CAPABILITIES:
        *(unsigned *)value = capabilities(file);
        return 0;
    case USBDEVFS_CLAIMINTERFACE:
        return claim(file, *(unsigned *)value);
    case USBDEVFS_RELEASEINTERFACE:
        return release_claimed(file, *(unsigned *)value);
    case USBDEVFS_GETDRIVER:
        return get_driver(file, value);
    case USBDEVFS_IOCTL:
        return passed_ioctl(file, value);
    case USBDEVFS_DISCONNECT_CLAIM:
        return disconnect_claim(file, value);
    case USBDEVFS_CLEAR_HALT:
        return clear_halt(file, *(unsigned *)value);
    case USBDEVFS_RESET:
        return reset(usb);
    case USBDEVFS_SETINTERFACE:
        return set_interface(file, value);
    case USBDEVFS_CONNECTINFO:
        *(struct usbdevfs_connectinfo *)value = (struct usbdevfs_connectinfo){.devnum = usb->address};
        return 0;
    default:
        emu_blame("ioctl %08lx of a node is not emulated", request);
        return -ENOTTY;
    }
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
        result = connected_ioctl(file, request, value);
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
