/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log.h"
#include "base/rc.h"
#include "usb/usb_device.h"
#include "usb/usb_poll.h"
#include "usb/usb_uevent.h"

/* What libusb told, not yet passed on. */
struct change {
    struct list link; /* usb_watch.changes */
    libusb_device *device;
    bool arrived;
};

/* A device that was told to have arrived. */
struct present {
    struct list link; /* usb_watch.present */
    uint8_t bus, address;
    char *path;
    bool wanted;    /* is to be told when it is eased */
    int node_watch; /* of inotify, or -1 */
    bool eased;
};

struct usb_watch {
    struct usb_watch_hooks hooks;
    void *user;
    libusb_context *libusb; /* NULL: no USB here */
    struct usb_poll poll;
    int nodes_fd;   /* inotify */
    int uevents_fd; /* or -1 */
    int first_fd;   /* eventfd: what there was at the start is yet to be told */
    struct list changes, present;
};

/* Under libusb's locks: the rest is done by usb_watch_handle. */
static int LIBUSB_CALL on_change(libusb_context *libusb, libusb_device *device, libusb_hotplug_event event,
                                 void *user)
{
    struct usb_watch *watch = user;
    struct change *change = calloc(1, sizeof *change);

    (void)libusb;
    if (!change) {
        log_debug("usb: no memory for a device that came or went");
        return 0;
    }
    change->device = libusb_ref_device(device);
    change->arrived = event == LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED;
    list_append(&watch->changes, &change->link);
    return 0;
}

static void change_free(struct change *change)
{
    list_remove(&change->link);
    libusb_unref_device(change->device);
    free(change);
}

static void present_free(struct usb_watch *watch, struct present *present)
{
    list_remove(&present->link);
    if (present->node_watch >= 0)
        inotify_rm_watch(watch->nodes_fd, present->node_watch);
    free(present->path);
    free(present);
}

static struct present *find(struct usb_watch *watch, uint8_t bus, uint8_t address)
{
    list_each(node, &watch->present)
    {
        struct present *present = list_entry(node, struct present, link);

        if (present->bus == bus && present->address == address)
            return present;
    }
    return NULL;
}

static int start_libusb(struct usb_watch *watch)
{
    libusb_device **list;
    ssize_t count;
    int error = libusb_init(&watch->libusb);

    if (error) {
        watch->libusb = NULL;
        if (access("/dev/bus/usb", F_OK) != 0 && error != LIBUSB_ERROR_NO_MEM) {
            log_debug("usb: no USB on this machine: %s", libusb_error_name(error));
            return RC_OK;
        }
        return detail_set(error == LIBUSB_ERROR_NO_MEM ? RC_NO_MEMORY : RC_NO_SERVICE,
                          "USB cannot be used: libusb does not start: %s", libusb_strerror(error));
    }
    if (libusb_has_capability(LIBUSB_CAP_HAS_HOTPLUG)) {
        error = libusb_hotplug_register_callback(
            watch->libusb, LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED | LIBUSB_HOTPLUG_EVENT_DEVICE_LEFT,
            LIBUSB_HOTPLUG_ENUMERATE, LIBUSB_HOTPLUG_MATCH_ANY, LIBUSB_HOTPLUG_MATCH_ANY,
            LIBUSB_HOTPLUG_MATCH_ANY, on_change, watch, NULL);
        return error ? detail_set(RC_NO_SERVICE, "USB devices cannot be watched: %s", libusb_strerror(error))
                     : RC_OK;
    }
    log_debug("usb: this libusb does not tell when devices come and go");
    count = libusb_get_device_list(watch->libusb, &list);
    if (count < 0)
        return detail_set(RC_NO_SERVICE, "USB devices cannot be listed: %s", libusb_strerror((int)count));
    for (ssize_t i = 0; i < count; i++)
        on_change(watch->libusb, list[i], LIBUSB_HOTPLUG_EVENT_DEVICE_ARRIVED, watch);
    libusb_free_device_list(list, 1);
    return RC_OK;
}

static int start_signals(struct usb_watch *watch)
{
    int rc = usb_poll_init(&watch->poll, watch->libusb);

    if (rc)
        return rc;
    watch->first_fd = eventfd(!list_empty(&watch->changes), EFD_CLOEXEC | EFD_NONBLOCK);
    watch->nodes_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (watch->first_fd < 0 || watch->nodes_fd < 0)
        return detail_set(RC_NO_SERVICE, "USB devices cannot be watched: %s", strerror(errno));
    watch->uevents_fd = usb_uevent_open();
    rc = usb_poll_add(&watch->poll, watch->first_fd);
    if (!rc)
        rc = usb_poll_add(&watch->poll, watch->nodes_fd);
    if (!rc && watch->uevents_fd >= 0)
        rc = usb_poll_add(&watch->poll, watch->uevents_fd);
    return rc;
}

int usb_watch_open(const struct usb_watch_hooks *hooks, void *user, struct usb_watch **ret_watch)
{
    struct usb_watch *watch = calloc(1, sizeof *watch);
    int rc;

    if (!watch)
        return detail_set(RC_NO_MEMORY, "no memory to watch USB devices");
    watch->hooks = *hooks;
    watch->user = user;
    watch->poll.fd = watch->nodes_fd = watch->uevents_fd = watch->first_fd = -1;
    list_init(&watch->changes);
    list_init(&watch->present);
    rc = start_libusb(watch);
    if (!rc)
        rc = start_signals(watch);
    if (rc) {
        usb_watch_close(watch);
        return rc;
    }
    *ret_watch = watch;
    return RC_OK;
}

static void close_own(struct usb_watch *watch)
{
    int fds[] = {watch->nodes_fd, watch->uevents_fd, watch->first_fd};

    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        if (fds[i] >= 0)
            close(fds[i]);
    }
}

void usb_watch_close(struct usb_watch *watch)
{
    if (!watch)
        return;
    list_each(node, &watch->changes) change_free(list_entry(node, struct change, link));
    list_each(node, &watch->present) present_free(watch, list_entry(node, struct present, link));
    usb_poll_fini(&watch->poll);
    close_own(watch);
    if (watch->libusb)
        libusb_exit(watch->libusb);
    free(watch);
}

void usb_watch_forget(struct usb_watch *watch)
{
    usb_poll_forget(&watch->poll);
    close_own(watch);
}

int usb_watch_fd(const struct usb_watch *watch)
{
    return watch->poll.fd;
}

static void tell_arrived(struct usb_watch *watch, libusb_device *libusb)
{
    struct usb_device *device;
    struct present *present;

    /* Enumerated, and announced as well. */
    if (find(watch, libusb_get_bus_number(libusb), libusb_get_device_address(libusb)))
        return;
    if (usb_device_read(libusb, &device))
        return;
    present = calloc(1, sizeof *present);
    if (present)
        present->path = strdup(device->path);
    if (present && present->path) {
        present->bus = device->bus;
        present->address = device->address;
        present->node_watch = -1;
        list_append(&watch->present, &present->link);
        watch->hooks.arrived(watch->user, device);
    } else {
        free(present);
        log_debug("usb:%s: left out: no memory", device->path);
    }
    usb_device_free(device);
}

static void tell_left(struct usb_watch *watch, libusb_device *libusb)
{
    uint8_t bus = libusb_get_bus_number(libusb), address = libusb_get_device_address(libusb);
    struct present *present = find(watch, bus, address);

    if (!present)
        return;
    present_free(watch, present);
    watch->hooks.left(watch->user, bus, address);
}

/* Marks the devices whose node had an event. */
static void read_nodes(struct usb_watch *watch)
{
    struct inotify_event event; /* of a file, not a folder: no name follows */

    while (read(watch->nodes_fd, &event, sizeof event) == (ssize_t)sizeof event) {
        if (event.mask & IN_IGNORED)
            continue;
        list_each(node, &watch->present)
        {
            struct present *present = list_entry(node, struct present, link);

            /* IN_Q_OVERFLOW: events were lost, of anyone. */
            if (present->wanted && (present->node_watch == event.wd || event.mask & IN_Q_OVERFLOW))
                present->eased = true;
        }
    }
}

/* The same for those of which an interface was given free. */
static void read_uevents(struct usb_watch *watch)
{
    char path[NAME_MAX + 1];

    while (watch->uevents_fd >= 0 && usb_uevent_next(watch->uevents_fd, path, sizeof path)) {
        list_each(node, &watch->present)
        {
            struct present *present = list_entry(node, struct present, link);

            if (present->wanted && strcmp(present->path, path) == 0)
                present->eased = true;
        }
    }
}

void usb_watch_handle(struct usb_watch *watch)
{
    struct timeval now = {0};
    uint64_t count;

    if (watch->libusb)
        libusb_handle_events_timeout_completed(watch->libusb, &now, NULL);
    if (read(watch->first_fd, &count, sizeof count) < 0 && errno != EAGAIN)
        log_debug("usb: eventfd: %s", strerror(errno));
    while (!list_empty(&watch->changes)) {
        struct change *change = list_entry(watch->changes.next, struct change, link);

        if (change->arrived)
            tell_arrived(watch, change->device);
        else
            tell_left(watch, change->device);
        change_free(change);
    }
    read_nodes(watch);
    read_uevents(watch);
    list_each(node, &watch->present)
    {
        struct present *present = list_entry(node, struct present, link);

        if (present->eased) {
            present->eased = false;
            watch->hooks.eased(watch->user, present->bus, present->address);
        }
    }
}

void usb_watch_ease(struct usb_watch *watch, const struct usb_device *device)
{
    struct present *present = find(watch, device->bus, device->address);

    if (!present || present->wanted)
        return;
    present->wanted = true;
    present->node_watch =
        inotify_add_watch(watch->nodes_fd, device->node, IN_ATTRIB | IN_CLOSE_WRITE | IN_CLOSE_NOWRITE);
    if (present->node_watch < 0)
        log_debug("usb:%s: %s cannot be watched: %s", device->path, device->node, strerror(errno));
}
