/* SPDX-License-Identifier: MIT */
/* Inside the emulated bus: what its files share. Everything under the lock of emu.h. */
#ifndef USBEMU_EMU_USB_H
#define USBEMU_EMU_USB_H

#include <pthread.h>
#include <time.h>

#include "emu_bus.h"

#define EMU_SYSFS "/sys/bus/usb/devices/"
#define EMU_NODES "/dev/bus/usb/"
#define EMU_INTERFACES 32 /* as many as the kernel allows (USB_MAXINTERFACES) */

struct emu_file;
struct usbdevfs_urb;

/* A transfer that was submitted. */
struct emu_urb {
    struct emu_urb *next;
    struct emu_file *file;
    struct usbdevfs_urb *user; /* the program's; results are written to it when it is reaped */
    uint8_t *buffer;           /* the program's */
    size_t length, actual;
    int status;
    uint8_t endpoint;
    bool short_not_ok, zero_packet, continues;
};

struct emu_urbs {
    struct emu_urb *head, **tail;
};

/* An open node. */
struct emu_file {
    struct emu_file *next; /* of all */
    struct emu_usb *usb;
    int drain, feed; /* the pipe's read end (-1: the device has gone), and its write end once more */
    bool writable, split;
    bool inherited; /* from the process that has forked this one */
    bool told;      /* the slot is empty: the program knows that there is something to reap */
    struct emu_urbs completed;
};

/* What a device wants to send. */
struct emu_parcel {
    struct emu_parcel *next;
    size_t length, sent;
    int failure;
    uint8_t bytes[];
};

struct emu_endpoint {
    struct emu_usb *usb;
    bool exists;
    uint8_t address, type; /* type: bmAttributes, the two lowest bits */
    uint8_t interface;
    uint16_t packet;
    bool halted;
    bool running, again; /* the model is asked just now; and should be once more */
    bool cut; /* a transfer came short, and those that continue it fail (USBDEVFS_URB_BULK_CONTINUATION) */
    unsigned pending;
    struct emu_urbs urbs;
    struct emu_parcel *parcels, **parcels_tail;
};

struct emu_interface {
    bool exists;
    uint8_t alternate;
    uint8_t class, subclass, protocol, name, endpoints; /* of that alternate setting */
    struct emu_file *claimed;
    bool held;    /* by another program */
    char *driver; /* of the kernel; NULL: none */
};

/* A device in a port, and what remains of it for those who have it open. */
struct emu_usb {
    unsigned references; /* the bus, files, and udev's objects */
    struct emu_usb *next;
    struct emu_device *device; /* NULL: pulled out */
    unsigned bus, address;
    unsigned last_address; /* root hub: the last one that was given on its bus */
    char *path;            /* "1-2", "usb1" */
    bool telling;          /* udev is still to hear that it has come */
    uint8_t configuration; /* bConfigurationValue */
    size_t configuration_length;
    bool denied;
    unsigned files;
    struct emu_endpoint endpoints[32]; /* by number, IN behind OUT */
    struct emu_interface interfaces[EMU_INTERFACES];
};

/* emu.c: a condition on the monotonic clock; waits with the lock held once. False: until has passed. */
void emu_condition(pthread_cond_t *condition);
bool emu_wait(pthread_cond_t *condition, const struct timespec *until);

/* emu_bus.c */
extern struct emu_usb *emu_bus_first;
struct emu_usb *emu_usb_ref(struct emu_usb *usb);
void emu_usb_unref(struct emu_usb *usb);
struct emu_usb *emu_usb_by_path(const char *path, size_t length);
struct emu_usb *emu_usb_by_address(unsigned bus, unsigned address);
struct emu_usb *emu_usb_parent(const struct emu_usb *usb); /* the hub; NULL: this is the root hub */

/* emu_place.c */
void emu_usb_bind(struct emu_interface *interface, const char *driver); /* NULL: unbinds */
void emu_bus_changed(void);                                             /* wakes emu_bus_await_* */
void emu_bus_count(void);                                               /* a transfer */
bool emu_bus_seeded(void);
bool emu_bus_is_split(void);
unsigned emu_bus_random(unsigned below); /* 0 without a seed */

/* emu_describe.c: descriptors. parse fills endpoints and interfaces for alternate settings 0. */
int emu_describe_parse(struct emu_usb *usb);
int emu_describe_alternate(struct emu_usb *usb, unsigned interface, unsigned alternate); /* -EINVAL */
const char *emu_describe_string(const struct emu_usb *usb, unsigned index);              /* NULL: none */
int emu_describe_get(const struct emu_usb *usb, unsigned type, unsigned index, uint8_t *data, size_t length);
/* Content of a sysfs attribute without the line end, in a new block; interface -1: of the device. NULL:
 * there is none. */
char *emu_describe_attribute(const struct emu_usb *usb, int interface, const char *name, size_t *ret_length);

/* emu_engine.c: endpoints and their transfers */
struct emu_endpoint *emu_endpoint(struct emu_usb *usb, unsigned address);
void emu_urbs_init(struct emu_urbs *urbs);
void emu_urbs_add(struct emu_urbs *urbs, struct emu_urb *urb);
void emu_engine_submit(struct emu_usb *usb, struct emu_urb *urb);
int emu_engine_discard(struct emu_usb *usb, const struct emu_file *file, const struct usbdevfs_urb *user);
/* Ends those of a file (NULL: any) on an interface (-1: any). Result: how many. */
unsigned emu_engine_flush(struct emu_usb *usb, const struct emu_file *file, int interface, int status);
void emu_engine_clear_halt(struct emu_endpoint *endpoint);
void emu_engine_forget(struct emu_usb *usb); /* throws away what the device had to send */
extern const struct emu_host_ops emu_engine_host;

/* emu_interpose.c: close without looking whether fd is one of ours. */
int emu_close(int fd);

/* emu_file.c: open nodes */
int emu_file_open(struct emu_usb *usb, int flags); /* a descriptor, or negative errno */
/* Result, or negative errno; INT_MIN: fd is none of ours. */
int emu_file_ioctl(int fd, unsigned long request, void *value);
void emu_file_close(int fd); /* before fd is closed; nothing if it is not ours */
void emu_file_complete(struct emu_urb *urb, int status);
void emu_file_gone(struct emu_usb *usb); /* hangs up the files of a device that was pulled out */

/* emu_usbfs.c: what a connected file is asked for; a negative errno. */
int emu_usbfs_ioctl(struct emu_file *file, unsigned long request, void *value);
/* Gives an interface back that the file has claimed. */
void emu_usbfs_release(struct emu_file *file, unsigned interface);

/* emu_monitor.c, emu_uevent.c, emu_notify.c: what is told to those who watch */
void emu_udev_tell(struct emu_usb *usb, bool added);
void emu_udev_tell_interface(struct emu_usb *usb, unsigned interface, const char *action);
void emu_uevent_send(const char *name, const char *devtype, const char *action);
void emu_uevent_close(int fd); /* before fd is closed; nothing if it is not ours */
enum emu_notice { EMU_NOTICE_ADDED, EMU_NOTICE_REMOVED, EMU_NOTICE_CLOSED, EMU_NOTICE_CHANGED };
void emu_notify(const struct emu_usb *usb, enum emu_notice notice);
char *emu_notify_path(const char *node); /* what inotify is to watch for it, in a new block */

#endif
