/* SPDX-License-Identifier: MIT */
#include "driver/vpcd_listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static int listening_socket(const union address *address, socklen_t length)
{
    int fd = socket(address->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd < 0)
        return -1;
    /* After a restart, connections of before may linger in TIME_WAIT. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) || bind(fd, &address->any, length) ||
        listen(fd, SOMAXCONN)) {
        int error = errno;

        close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

int vpcd_listen(const char *name, const char *host, uint16_t port, int *ret_fd, uint16_t *ret_port)
{
    bool is_v6 = strchr(host, ':') != NULL;
    union address address = {0};
    socklen_t length = is_v6 ? sizeof address.v6 : sizeof address.v4;
    int fd;

    if (is_v6)
        address.v6 = (struct sockaddr_in6){
            .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    else
        address.v4 = (struct sockaddr_in){
            .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    fd = listening_socket(&address, length);
    if (fd < 0 && errno == EADDRINUSE)
        return detail_set(
            RC_READER_UNAVAILABLE,
            "%s: port %u is in use by another program (a running pcscd with vpcd?); choose another port",
            name, port);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE))
        return detail_set(RC_NO_MEMORY, "%s: no file descriptor left to listen with; raise ulimit -n", name);
    if (fd < 0)
        return detail_set(RC_READER_UNAVAILABLE,
                          "%s: cannot listen on port %u of %s: %s; choose another port", name, port, host,
                          strerrordesc_np(errno));
    if (getsockname(fd, &address.any, &length)) {
        int error = errno;

        close(fd);
        return detail_set(RC_READER_UNAVAILABLE, "%s: cannot tell the port: %s", name,
                          strerrordesc_np(error));
    }
    *ret_port = ntohs(is_v6 ? address.v6.sin6_port : address.v4.sin_port);
    *ret_fd = fd;
    return RC_OK;
}
