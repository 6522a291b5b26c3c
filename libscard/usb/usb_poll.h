/* SPDX-License-Identifier: MIT */
/* The descriptors of a libusb context, behind one descriptor of epoll; a record of them for a forked child.
 */
#ifndef USB_USB_POLL_H
#define USB_USB_POLL_H

#include <libusb.h>

/* One event, one timer, one for each opened device: no context here has more than one. */
#define USB_POLL_MAX 8

struct usb_poll {
    libusb_context *libusb;              /* NULL: none */
    int fd;                              /* readable: libusb_handle_events has work */
    int fds[USB_POLL_MAX];               /* of libusb */
    int newest;                          /* the last one that was added */
    void (*removed)(void *user, int fd); /* libusb has given it up; may be NULL */
    void *user;
};

/* Follows the context until usb_poll_fini; poll must stay where it is. RC_NO_MEMORY, RC_IO with a detail. */
int usb_poll_init(struct usb_poll *poll, libusb_context *libusb);

/* Adds a descriptor of the caller's, to be read. RC_IO with a detail. */
int usb_poll_add(struct usb_poll *poll, int fd);

/* To be called before the context ends. Of a {.fd = -1} nothing. */
void usb_poll_fini(struct usb_poll *poll);

/* In a forked child: closes fd and those of libusb. */
void usb_poll_forget(struct usb_poll *poll);

#endif
