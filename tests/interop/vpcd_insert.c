/* SPDX-License-Identifier: MIT */
/*
 * To be preloaded: puts a card into a program's own vpcd reader while that is being opened, so that the
 * program never sees it without. As soon as it listens, a connection is in the backlog, and its other end on
 * the way to the card program whose Unix socket VPCD_CARD names (cacard_bridge).
 */
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int listen(int fd, int backlog);

static int connect_to(const struct sockaddr *address, socklen_t length)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, address, length)) {
        close(fd);
        return -1;
    }
    return fd;
}

static void send_descriptor(int to, int fd)
{
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {
        .header = {.cmsg_len = CMSG_LEN(sizeof fd), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS}};
    struct iovec bytes = {(char[]){0}, 1};
    struct msghdr message = {
        .msg_iov = &bytes, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};

    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    (void)!sendmsg(to, &message, MSG_NOSIGNAL);
}

static void insert(const struct sockaddr_in *reader, const char *card_path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int card, connection;

    if (strlen(card_path) >= sizeof address.sun_path)
        return;
    strcpy(address.sun_path, card_path);
    card = connect_to((const struct sockaddr *)&address, sizeof address);
    connection = card < 0 ? -1 : connect_to((const struct sockaddr *)reader, sizeof *reader);
    if (connection >= 0)
        send_descriptor(card, connection);
    if (connection >= 0)
        close(connection);
    if (card >= 0)
        close(card);
}

__attribute__((visibility("default"))) int listen(int fd, int backlog)
{
    int (*real)(int, int);
    const char *card_path = getenv("VPCD_CARD");
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    int result;

    *(void **)&real = dlsym(RTLD_NEXT, "listen");
    result = real(fd, backlog);
    if (!result && card_path && !getsockname(fd, (struct sockaddr *)&address, &length) &&
        address.sin_family == AF_INET)
        insert(&address, card_path);
    return result;
}
