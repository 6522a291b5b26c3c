/* SPDX-License-Identifier: MIT */
#include "driver/vpcd_frame.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/rc.h"

#define HEADER_LENGTH 2

int vpcd_frame_prepare(int fd, uint64_t timeout_ms)
{
    struct timeval limit = {
        .tv_sec = (time_t)(timeout_ms / 1000),
        .tv_usec = (suseconds_t)(timeout_ms % 1000 * 1000),
    };
    int on = 1;

    if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) ||
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit)) {
        log_debug("vpcd: socket options: %s", strerrordesc_np(errno));
        return RC_NO_CARD;
    }
    return RC_OK;
}

int vpcd_frame_quiet(int fd)
{
    uint8_t byte;
    ssize_t got;

    do
        got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    while (got < 0 && errno == EINTR);
    if (got > 0)
        return RC_IO;
    return got < 0 && errno == EAGAIN ? RC_OK : RC_NO_CARD;
}

static int wait_for(int fd, short events, struct deadline deadline)
{
    struct pollfd wait = {.fd = fd, .events = events};
    int ready;

    do
        ready = poll(&wait, 1, deadline_poll_ms(deadline));
    while (ready < 0 && errno == EINTR);
    if (ready < 0) {
        log_debug("vpcd: poll: %s", strerrordesc_np(errno));
        return RC_NO_CARD;
    }
    return ready ? RC_OK : RC_TIMEOUT;
}

/* What to do after a failed send or receive: RC_OK = try again now. */
static int after_failure(int fd, short events, struct deadline deadline)
{
    if (errno == EINTR)
        return RC_OK;
    if (errno == EAGAIN)
        return wait_for(fd, events, deadline);
    log_debug("vpcd: connection lost: %s", strerrordesc_np(errno));
    return RC_NO_CARD;
}

int vpcd_frame_send(int fd, struct iovec *parts, size_t count, struct deadline deadline)
{
    int flags = MSG_NOSIGNAL;

    while (count) {
        struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};
        ssize_t sent = sendmsg(fd, &message, flags);

        flags |= MSG_DONTWAIT;
        if (sent < 0) {
            int rc = after_failure(fd, POLLOUT, deadline);

            if (rc)
                return rc;
            continue;
        }
        for (size_t left = (size_t)sent; count; parts++, count--) {
            if (left < parts->iov_len) {
                parts->iov_base = (uint8_t *)parts->iov_base + left;
                parts->iov_len -= left;
                break;
            }
            left -= parts->iov_len;
        }
    }
    return RC_OK;
}

static int read_fully(int fd, uint8_t *out, size_t count, struct deadline deadline)
{
    while (count) {
        ssize_t got = recv(fd, out, count, MSG_DONTWAIT);

        if (got == 0)
            return RC_NO_CARD;
        if (got < 0) {
            int rc = after_failure(fd, POLLIN, deadline);

            if (rc)
                return rc;
            continue;
        }
        out += got;
        count -= (size_t)got;
    }
    return RC_OK;
}

static int discard(int fd, size_t count, struct deadline deadline)
{
    uint8_t waste[2048];
    int rc = RC_OK;

    while (count && !rc) {
        size_t piece = count < sizeof waste ? count : sizeof waste;

        rc = read_fully(fd, waste, piece, deadline);
        count -= piece;
    }
    secret_wipe(waste, sizeof waste);
    return rc;
}

int vpcd_frame_read(int fd, uint8_t *out, size_t capacity, struct deadline deadline, size_t *ret_length)
{
    uint8_t header[HEADER_LENGTH];
    size_t room = capacity < VPCD_FRAME_MAX ? capacity : VPCD_FRAME_MAX;
    struct iovec parts[] = {{.iov_base = header, .iov_len = sizeof header},
                            {.iov_base = out, .iov_len = room}};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    ssize_t got = recvmsg(fd, &message, 0);
    size_t have, length;
    int rc = RC_OK;

    if (got == 0)
        return RC_NO_CARD;
    if (got < 0)
        rc = after_failure(fd, POLLIN, deadline);
    have = got > 0 ? (size_t)got : 0;
    if (!rc && have < sizeof header) {
        rc = read_fully(fd, header + have, sizeof header - have, deadline);
        have = sizeof header;
    }
    if (rc)
        return rc;

    have -= sizeof header;
    length = (size_t)header[0] << 8 | header[1];
    if (have > length)
        return RC_IO;
    if (have < length && have < room)
        rc = read_fully(fd, out + have, (length < room ? length : room) - have, deadline);
    if (!rc && length > room) {
        rc = discard(fd, length - room, deadline);
        if (!rc) {
            *ret_length = length;
            return RC_INSUFFICIENT_BUFFER;
        }
    }
    if (!rc)
        *ret_length = length;
    return rc;
}
