/* SPDX-License-Identifier: MIT */
#include "cli/doctor/service_talk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <winscard.h>

#include "ipc/wire.h"

/* The folder of a prepared system's socket is opened inside it, and the socket reached through the
 * descriptor: that fits into the address, too, however long the root is. */
static int connect_there(const struct system *system, const char *path, bool host)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *slash = strrchr(path, '/');
    int folder = -1, fd, error = 0, length;

    if (!host && system->prepared) {
        folder =
            system_open(system, O_PATH | O_DIRECTORY, "%.*s/", slash != NULL ? (int)(slash - path) : 0, path);
        if (folder < 0)
            return -1;
        length = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", folder,
                          slash != NULL ? slash + 1 : path);
    } else {
        length = snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    }
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (length < 0 || (size_t)length >= sizeof address.sun_path)
        error = ENAMETOOLONG;
    else if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0)
        error = errno;
    if (folder >= 0)
        close(folder);
    if (error != 0 && fd >= 0)
        close(fd);
    errno = error;
    return error != 0 ? -1 : fd;
}

/* All of it, or false with errno. */
static bool move(int fd, void *data, size_t length, short way, struct deadline deadline)
{
    uint8_t *at = data;

    while (length > 0) {
        struct pollfd wait = {.fd = fd, .events = way};
        ssize_t moved = way == POLLOUT ? send(fd, at, length, MSG_NOSIGNAL) : recv(fd, at, length, 0);

        if (moved > 0) {
            at += moved;
            length -= (size_t)moved;
        } else if (moved == 0) {
            errno = ECONNRESET;
            return false;
        } else if (errno == EAGAIN) {
            int ready = poll(&wait, 1, deadline_poll_ms(deadline));

            if (ready == 0)
                errno = ETIMEDOUT;
            if (ready <= 0)
                return false;
        } else if (errno != EINTR) {
            return false;
        }
    }
    return true;
}

/* One request without data, and its reply in the same place. */
static bool ask(int fd, uint32_t command, void *body, size_t length, struct deadline deadline)
{
    struct wire_header header = {.size = (uint32_t)length, .command = command};

    return move(fd, &header, sizeof header, POLLOUT, deadline) && move(fd, body, length, POLLOUT, deadline) &&
           move(fd, body, length, POLLIN, deadline);
}

static struct talk converse(int fd, struct deadline deadline)
{
    struct talk talk = {.state = TALK_SILENT};
    struct wire_version version = {.major = WIRE_MAJOR, .minor = WIRE_MINOR_NEWEST};
    struct wire_establish establish = {.scope = SCARD_SCOPE_SYSTEM};

    if (!ask(fd, WIRE_VERSION, &version, sizeof version, deadline)) {
        talk.error = errno;
        return talk;
    }
    talk.major = version.major;
    talk.minor = version.minor;
    if (version.major != WIRE_MAJOR || version.minor < WIRE_MINOR_OLDEST) {
        talk.state = TALK_MISMATCH;
        return talk;
    }
    /* It refuses the newest and says what it speaks: that is offered then, as programs do. */
    if (version.rv != (uint32_t)SCARD_S_SUCCESS) {
        version.rv = 0;
        if (!ask(fd, WIRE_VERSION, &version, sizeof version, deadline)) {
            talk.error = errno;
            return talk;
        }
        if (version.rv != (uint32_t)SCARD_S_SUCCESS) {
            talk.state = TALK_MISMATCH;
            return talk;
        }
    }
    if (!ask(fd, WIRE_ESTABLISH, &establish, sizeof establish, deadline)) {
        /* pcscd hangs up on whom polkit refuses, after the answer or before it. */
        talk.error = errno;
        return talk;
    }
    talk.code = establish.rv;
    talk.state = establish.rv == (uint32_t)SCARD_S_SUCCESS ? TALK_ANSWERS : TALK_REFUSED;
    return talk;
}

static enum talk_state state_of(int error)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return TALK_ABSENT;
    case ECONNREFUSED:
        return TALK_STALE;
    case EACCES:
    case EPERM:
        return TALK_DENIED;
    default:
        return TALK_SILENT;
    }
}

struct talk talk_to(const struct system *system, const char *path, bool host, struct deadline deadline)
{
    struct talk talk = {.state = TALK_ABSENT};
    struct ucred peer;
    socklen_t length = sizeof peer;
    pid_t server = 0;
    int fd = connect_there(system, path, host);

    if (fd < 0)
        return (struct talk){.state = state_of(errno), .error = errno};
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0)
        server = peer.pid;
    talk = converse(fd, deadline);
    talk.server = server;
    close(fd);
    return talk;
}
