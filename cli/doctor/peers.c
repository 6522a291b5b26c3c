/* SPDX-License-Identifier: MIT */
#include "cli/doctor/peers.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel answers a dump from memory: who waits longer than that is not spoken to. */
#define ANSWER_MS 200

/* What the kernel puts into one message: unix_diag(4) and netlink(7) advise no more than this. */
#define MESSAGE_ROOM 32768

static int add(struct peers *peers, struct peer peer)
{
    struct peer *grown = reallocarray(peers->list, peers->count + 1, sizeof *grown);

    if (grown == NULL)
        return ENOMEM;
    peers->list = grown;
    grown[peers->count++] = peer;
    return 0;
}

static int ask(int fd)
{
    struct {
        struct nlmsghdr header;
        struct unix_diag_req request;
    } message = {
        .header = {.nlmsg_len = sizeof message,
                   .nlmsg_type = SOCK_DIAG_BY_FAMILY,
                   .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP},
        .request = {.sdiag_family = AF_UNIX,
                    .udiag_states = UINT32_MAX,
                    .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER},
    };

    return send(fd, &message, sizeof message, 0) < 0 ? errno : 0;
}

/* The path that a name attribute stands for among those asked for; count: none of them. */
static size_t path_index(struct rtattr *name, const char *const *paths, size_t count)
{
    size_t length = name->rta_len - RTA_LENGTH(0);
    const char *text = RTA_DATA(name);

    length = strnlen(text, length);
    for (size_t i = 0; i < count; i++)
        if (length == strlen(paths[i]) && memcmp(text, paths[i], length) == 0)
            return i;
    return count;
}

static int take_socket(struct peers *peers, struct nlmsghdr *header, const char *const *paths, size_t count)
{
    struct unix_diag_msg *socket = NLMSG_DATA(header);
    size_t left, index = count;
    uint32_t other = 0;
    int error;

    if (header->nlmsg_len < NLMSG_LENGTH(sizeof *socket))
        return 0;
    left = header->nlmsg_len - NLMSG_LENGTH(sizeof *socket);
    for (struct rtattr *attribute = (void *)(socket + 1); RTA_OK(attribute, left);
         attribute = (void *)((char *)attribute + RTA_ALIGN(attribute->rta_len))) {
        size_t taken = RTA_ALIGN(attribute->rta_len);

        if (attribute->rta_type == UNIX_DIAG_NAME)
            index = path_index(attribute, paths, count);
        else if (attribute->rta_type == UNIX_DIAG_PEER && attribute->rta_len >= RTA_LENGTH(sizeof other))
            memcpy(&other, RTA_DATA(attribute), sizeof other);
        left -= taken < left ? taken : left;
    }
    if (index == count)
        return 0;
    error = add(peers, (struct peer){.inode = socket->udiag_ino, .server = true, .path = index});
    if (error == 0 && other != 0)
        error = add(peers, (struct peer){.inode = other, .path = index});
    return error;
}

/* One datagram of answers. 0, errno, -1: that was the last. */
static int take_message(struct peers *peers, uint8_t *bytes, size_t left, const char *const *paths,
                        size_t count)
{
    struct nlmsghdr *header = (void *)bytes;
    int error = 0;

    while (error == 0 && NLMSG_OK(header, left)) {
        size_t taken = NLMSG_ALIGN(header->nlmsg_len);

        if (header->nlmsg_type == NLMSG_DONE)
            return -1;
        if (header->nlmsg_type == NLMSG_ERROR) {
            const struct nlmsgerr *refusal = NLMSG_DATA(header);

            return header->nlmsg_len >= NLMSG_LENGTH(sizeof *refusal) && refusal->error != 0 ? -refusal->error
                                                                                             : EPROTO;
        }
        error = take_socket(peers, header, paths, count);
        header = (void *)((char *)header + taken);
        left -= taken < left ? taken : left;
    }
    return error;
}

int peers_find(struct peers *peers, const char *const *paths, size_t count)
{
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), error;
    uint8_t *bytes = malloc(MESSAGE_ROOM);

    *peers = (struct peers){0};
    error = fd < 0 ? errno : bytes == NULL ? ENOMEM : ask(fd);
    while (error == 0) {
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        ssize_t got = poll(&wait, 1, ANSWER_MS) > 0 ? recv(fd, bytes, MESSAGE_ROOM, 0) : -1;

        error = got <= 0 ? ETIMEDOUT : take_message(peers, bytes, (size_t)got, paths, count);
    }
    free(bytes);
    if (fd >= 0)
        close(fd);
    return error < 0 ? 0 : error;
}

void peers_fini(struct peers *peers)
{
    free(peers->list);
    *peers = (struct peers){0};
}
