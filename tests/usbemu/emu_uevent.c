/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own messages about devices: a socket of NETLINK_KOBJECT_UEVENT becomes one end of a pair of
 * sockets, which tells of the emulated bus alone.
 */
#include "emu_usb.h"

#include <fcntl.h>
#include <linux/netlink.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "emu_export.h"

struct listener {
    struct listener *next;
    int fd, other; /* the program's end, and ours */
    bool bound;
};

static struct listener *listeners;
static atomic_uint count; /* of them: to know without the lock that there are none */

static struct listener *find(int fd)
{
    struct listener *listener = listeners;

    while (listener != NULL && listener->fd != fd)
        listener = listener->next;
    return listener;
}

EMU_EXPORT int socket(int domain, int type, int protocol)
{
    struct listener *listener;
    int ends[2];

    if (domain != AF_NETLINK || protocol != NETLINK_KOBJECT_UEVENT)
        return (int)syscall(SYS_socket, domain, type, protocol);
    emu_lock();
    listener = calloc(1, sizeof *listener);
    emu_unlock();
    if (listener == NULL)
        abort();
    /* Not of datagrams: those are limited by number, to ten. */
    if (syscall(SYS_socketpair, AF_UNIX, SOCK_SEQPACKET | (type & (SOCK_CLOEXEC | SOCK_NONBLOCK)), 0, ends) <
        0) {
        free(listener);
        return -1;
    }
    emu_lock();
    listener->fd = ends[0];
    listener->other = fcntl(ends[1], F_DUPFD_CLOEXEC, 0);
    emu_close(ends[1]);
    listener->next = listeners;
    listeners = listener;
    atomic_fetch_add(&count, 1);
    emu_unlock();
    return ends[0];
}

/* Whether fd is one of the sockets; marks it as bound. */
static bool mark_bound(int fd)
{
    struct listener *listener;

    if (atomic_load(&count) == 0)
        return false;
    emu_lock();
    listener = find(fd);
    if (listener != NULL)
        listener->bound = true;
    emu_unlock();
    return listener != NULL;
}

/* The types are those of glibc's header: unions of pointers to every kind of address. */
EMU_EXPORT int bind(int fd, __CONST_SOCKADDR_ARG address, socklen_t length)
{
    return mark_bound(fd) ? 0 : (int)syscall(SYS_bind, fd, address.__sockaddr__, length);
}

static bool listens(int fd)
{
    bool found;

    if (atomic_load(&count) == 0)
        return false;
    emu_lock();
    found = find(fd) != NULL;
    emu_unlock();
    return found;
}

EMU_EXPORT ssize_t recvfrom(int fd, void *bytes, size_t room, int flags, __SOCKADDR_ARG address,
                            socklen_t *length)
{
    /* From port 0: the kernel. */
    static const struct sockaddr_nl from = {.nl_family = AF_NETLINK, .nl_groups = 1};
    ssize_t got;

    if (!listens(fd))
        return (ssize_t)syscall(SYS_recvfrom, fd, bytes, room, flags, address.__sockaddr__, length);
    got = (ssize_t)syscall(SYS_recvfrom, fd, bytes, room, flags, NULL, NULL);
    if (got >= 0 && address.__sockaddr__ != NULL && length != NULL) {
        memcpy(address.__sockaddr__, &from, *length < sizeof from ? *length : sizeof from);
        *length = sizeof from;
    }
    return got;
}

/* What fortified programs call. */
ssize_t __recvfrom_chk(int fd, void *bytes, size_t room, size_t size, int flags, __SOCKADDR_ARG address,
                       socklen_t *length);

EMU_EXPORT ssize_t __recvfrom_chk(int fd, void *bytes, size_t room, size_t size, int flags,
                                  __SOCKADDR_ARG address, socklen_t *length)
{
    if (room > size)
        abort();
    return recvfrom(fd, bytes, room, flags, address, length);
}

void emu_uevent_close(int fd)
{
    if (atomic_load(&count) == 0)
        return;
    emu_lock();
    for (struct listener **at = &listeners; *at != NULL; at = &(*at)->next) {
        struct listener *listener = *at;

        if (listener->fd != fd)
            continue;
        *at = listener->next;
        emu_close(listener->other);
        free(listener);
        atomic_fetch_sub(&count, 1);
        break;
    }
    emu_unlock();
}

/* A forked child hears nothing: what it has inherited is the parent's. */
static void child(void)
{
    emu_lock();
    while (listeners != NULL) {
        struct listener *listener = listeners;

        listeners = listener->next;
        emu_close(listener->other);
        free(listener);
    }
    atomic_store(&count, 0);
    emu_unlock();
}

__attribute__((constructor)) static void at_fork(void)
{
    pthread_atfork(NULL, NULL, child);
}

void emu_uevent_send(const char *name, const char *devtype, const char *action)
{
    char message[512];
    int length;

    if (listeners == NULL)
        return;
    /* Strings, each with its end. */
    length = snprintf(
        message, sizeof message,
        "%s@/devices/emulated/%s%cACTION=%s%cDEVPATH=/devices/emulated/%s%cSUBSYSTEM=usb%cDEVTYPE=%s", action,
        name, 0, action, 0, name, 0, 0, devtype);
    for (const struct listener *listener = listeners; listener != NULL; listener = listener->next) {
        /* One that does not read loses messages, as it does with the kernel. */
        if (listener->bound)
            send(listener->other, message, (size_t)length + 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
}
