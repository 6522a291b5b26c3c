/* SPDX-License-Identifier: MIT */
#include "usb/usb_poll.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"

static int poll_add(struct usb_poll *poll, int fd, short events)
{
    /* poll(2) and epoll(7) have the same bits. */
    struct epoll_event event = {.events = (uint32_t)events, .data.fd = fd};

    if (epoll_ctl(poll->fd, EPOLL_CTL_ADD, fd, &event) == 0)
        return RC_OK;
    return detail_set(RC_IO, "the descriptors of USB cannot be watched: %s", strerror(errno));
}

static void LIBUSB_CALL on_added(int fd, short events, void *user)
{
    struct usb_poll *poll = user;

    poll->newest = fd;
    for (size_t i = 0; i < USB_POLL_MAX; i++) {
        if (poll->fds[i] < 0) {
            poll->fds[i] = fd;
            break;
        }
    }
    poll_add(poll, fd, events);
}

static void LIBUSB_CALL on_removed(int fd, void *user)
{
    struct usb_poll *poll = user;

    for (size_t i = 0; i < USB_POLL_MAX; i++) {
        if (poll->fds[i] == fd)
            poll->fds[i] = -1;
    }
    /* Before libusb closes it: a duplicate would keep the entry alive. */
    epoll_ctl(poll->fd, EPOLL_CTL_DEL, fd, NULL);
    if (poll->removed)
        poll->removed(poll->user, fd);
}

int usb_poll_init(struct usb_poll *poll, libusb_context *libusb)
{
    const struct libusb_pollfd **list;

    *poll = (struct usb_poll){.fd = -1, .newest = -1};
    for (size_t i = 0; i < USB_POLL_MAX; i++)
        poll->fds[i] = -1;
    poll->fd = epoll_create1(EPOLL_CLOEXEC);
    if (poll->fd < 0)
        return detail_set(RC_IO, "the descriptors of USB cannot be watched: %s", strerror(errno));
    if (!libusb)
        return RC_OK;
    list = libusb_get_pollfds(libusb);
    if (!list) {
        close(poll->fd);
        poll->fd = -1;
        return detail_set(RC_NO_MEMORY, "no memory for the descriptors of USB");
    }
    for (size_t i = 0; list[i]; i++)
        on_added(list[i]->fd, list[i]->events, poll);
    libusb_free_pollfds(list);
    poll->libusb = libusb;
    libusb_set_pollfd_notifiers(libusb, on_added, on_removed, poll);
    return RC_OK;
}

int usb_poll_add(struct usb_poll *poll, int fd)
{
    return poll_add(poll, fd, EPOLLIN);
}

void usb_poll_fini(struct usb_poll *poll)
{
    if (poll->libusb)
        libusb_set_pollfd_notifiers(poll->libusb, NULL, NULL, NULL);
    poll->libusb = NULL;
    if (poll->fd >= 0)
        close(poll->fd);
    poll->fd = -1;
}

void usb_poll_forget(struct usb_poll *poll)
{
    /* libusb_get_pollfds takes a lock that a thread of the parent may have held at the fork. The socket on
     * which libusb hears of udev is not among them, and libusb does not tell its number; a guess might close
     * one of the program's. It stays open in the child until that ends or executes a program. */
    for (size_t i = 0; i < USB_POLL_MAX; i++) {
        if (poll->fds[i] >= 0)
            close(poll->fds[i]);
        poll->fds[i] = -1;
    }
    if (poll->fd >= 0)
        close(poll->fd);
    poll->fd = -1;
}
