/* SPDX-License-Identifier: MIT */
#include "ipc/remote_connection.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"

int connection_nonsense(const struct connection *connection, const char *what)
{
    return detail_set(RC_SERVICE_STOPPED, "%s: the service sends what makes no sense (%s); it is given up",
                      connection->remote->path, what);
}

static int lost(const struct connection *connection)
{
    return detail_set(RC_SERVICE_STOPPED,
                      "%s: the service has closed the connection; it was stopped or restarted: start anew",
                      connection->remote->path);
}

/* The descriptor is made under the lock, so that a fork between two lines leaves none behind in the child. */
static int add_socket(struct connection *connection)
{
    struct remote *remote = connection->remote;
    struct timeval quick = {.tv_usec = CONNECTION_QUICK_MS * 1000};
    int error = 0;

    pthread_mutex_lock(&remote->lock);
    connection->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 || setsockopt(connection->fd, SOL_SOCKET, SO_RCVTIMEO, &quick, sizeof quick))
        error = errno;
    list_append(&remote->connections, &connection->remote_link);
    pthread_mutex_unlock(&remote->lock);
    if (!error)
        return RC_OK;
    return detail_set(RC_NO_MEMORY, "%s: no socket for it (%s)", remote->path, strerror(error));
}

static int connect_socket(const struct connection *connection)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = connection->remote->path;
    int error;

    /* remote_new has looked at the length. */
    memcpy(address.sun_path, path, strlen(path));
    /* unix(7): one that a signal has ended has not begun, and does not go on by itself. */
    do
        error = connect(connection->fd, (const struct sockaddr *)&address, sizeof address) ? errno : 0;
    while (error == EINTR);
    if (!error)
        return RC_OK;
    if (error == EACCES || error == EPERM)
        return detail_set(RC_DENIED, "%s: this user may not connect to the service", path);
    return detail_set(RC_NO_SERVICE, "%s: no service answers there (%s)", path, strerror(error));
}

int connection_send(struct connection *connection, uint32_t command, const void *body, const void *data,
                    size_t data_length)
{
    int size = wire_request_size(command, connection->minor);
    struct wire_header header = {.size = (uint32_t)size, .command = command};
    /* sendmsg does not write to what it sends. */
    union {
        const void *in;
        void *out;
    } parts[] = {{.in = &header}, {.in = body}, {.in = data}};
    struct iovec pieces[3];
    size_t left[] = {sizeof header, (size_t)size, data_length}, first = 0;

    for (size_t i = 0; i < 3; i++)
        pieces[i] = (struct iovec){.iov_base = parts[i].out, .iov_len = left[i]};
    while (first < 3) {
        struct msghdr message = {.msg_iov = pieces + first, .msg_iovlen = 3 - first};
        ssize_t sent = sendmsg(connection->fd, &message, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return lost(connection);
        for (; first < 3 && (size_t)sent >= pieces[first].iov_len; first++)
            sent -= (ssize_t)pieces[first].iov_len;
        if (first < 3) {
            pieces[first].iov_base = (char *)pieces[first].iov_base + sent;
            pieces[first].iov_len -= (size_t)sent;
        }
    }
    return RC_OK;
}

int connection_receive(struct connection *connection, void *bytes, size_t length, size_t *done)
{
    while (*done < length) {
        ssize_t got = recv(connection->fd, (char *)bytes + *done, length - *done, 0);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 && errno == EAGAIN)
            return RC_TIMEOUT;
        if (got <= 0)
            return lost(connection);
        *done += (size_t)got;
    }
    return RC_OK;
}

static int hear(struct connection *connection, void *body, size_t size)
{
    size_t done = 0;
    int rc;

    while ((rc = connection_receive(connection, body, size, &done)) == RC_TIMEOUT) {
        struct pollfd socket = {.fd = connection->fd, .events = POLLIN};

        poll(&socket, 1, -1);
    }
    return rc;
}

int connection_ask(struct connection *connection, uint32_t command, void *body)
{
    int rc = connection_send(connection, command, body, NULL, 0);

    return rc ? rc : hear(connection, body, (size_t)wire_body_size(command));
}

/* What the server says to the newest version: that, or the one that it can, which is then offered. The code
 * of a refusal is another one in minor 3. */
static int agree(struct connection *connection, struct wire_version version)
{
    int32_t minor = WIRE_MINOR_NEWEST;
    int refusal = wire_rc(version.rv), rc = RC_OK;

    if ((refusal == RC_SERVICE_STOPPED || refusal == RC_NO_SERVICE) && version.major == WIRE_MAJOR &&
        version.minor >= WIRE_MINOR_OLDEST && version.minor < minor) {
        version.rv = 0;
        minor = version.minor;
        rc = connection_ask(connection, WIRE_VERSION, &version);
    }
    if (rc)
        return rc;
    if (version.rv)
        return detail_set(RC_NO_SERVICE, "%s: the service speaks version %d:%d, this library %d:%d to %d:%d",
                          connection->remote->path, version.major, version.minor, WIRE_MAJOR,
                          WIRE_MINOR_OLDEST, WIRE_MAJOR, WIRE_MINOR_NEWEST);
    /* pcsc-lite 2.4 and later take an older minor and answer with their own. */
    connection->minor = version.minor < minor ? version.minor : minor;
    return RC_OK;
}

/* Version and context are asked for at once, so that the way to the server counts once: no version has
 * another request for a context. */
static int establish(struct connection *connection, bool no_wait)
{
    struct wire_version version = {.major = WIRE_MAJOR, .minor = WIRE_MINOR_NEWEST};
    struct wire_establish body = {.scope = 2};
    struct wire_release no_wait_body;
    const struct {
        struct wire_header header;
        struct wire_establish body;
    } next = {{sizeof body, WIRE_ESTABLISH}, body};
    int rc = connection_send(connection, WIRE_VERSION, &version, &next, sizeof next);

    if (!rc)
        rc = hear(connection, &version, sizeof version);
    if (!rc)
        rc = hear(connection, &body, sizeof body);
    if (!rc)
        rc = agree(connection, version);
    if (!rc && body.rv)
        rc = detail_set(wire_rc(body.rv), "%s: the service refuses a context (%08X)",
                        connection->remote->path, body.rv);
    connection->context = body.context;
    if ((body.scope & WIRE_FEATURES_MASK) == WIRE_FEATURES)
        connection->features = body.scope & ~WIRE_FEATURES_MASK;
    if (rc || !no_wait || !(connection->features & WIRE_CAN_NO_WAIT))
        return rc;
    no_wait_body = (struct wire_release){.context = connection->context};
    rc = connection_ask(connection, WIRE_NO_WAIT, &no_wait_body);
    return rc ? rc : wire_rc(no_wait_body.rv);
}

int connection_open_bare(struct remote *remote, struct connection **ret_connection)
{
    struct connection *connection = calloc(1, sizeof *connection);
    int rc;

    if (!connection)
        return RC_NO_MEMORY;
    connection->remote = remote;
    list_init(&connection->remote_link);
    list_init(&connection->context_link);
    list_init(&connection->handles);
    list_init(&connection->queue);
    rc = add_socket(connection);
    if (!rc)
        rc = connect_socket(connection);
    if (rc)
        connection_close(connection);
    else
        *ret_connection = connection;
    return rc;
}

static struct connection *take_first(struct remote *remote)
{
    struct connection *connection;

    pthread_mutex_lock(&remote->lock);
    connection = remote->first;
    remote->first = NULL;
    pthread_mutex_unlock(&remote->lock);
    return connection;
}

int connection_open(struct remote *remote, bool no_wait, struct connection **ret_connection)
{
    struct connection *connection = take_first(remote);
    int rc = RC_SERVICE_STOPPED;

    if (connection) {
        rc = establish(connection, no_wait);
        if (rc)
            connection_close(connection);
    }
    /* The first one may be left from a server that has been started anew since. */
    if (rc == RC_SERVICE_STOPPED) {
        rc = connection_open_bare(remote, &connection);
        if (rc)
            return rc;
        rc = establish(connection, no_wait);
        if (rc)
            connection_close(connection);
    }
    if (!rc) {
        *ret_connection = connection;
        return RC_OK;
    }
    if (rc == RC_SERVICE_STOPPED)
        rc =
            detail_set(RC_NO_SERVICE,
                       "%s: the service hangs up at once; it has too many clients (pcscd serves 200), or its "
                       "rules (polkit) do not admit this user",
                       remote->path);
    return rc;
}

void connection_close(struct connection *connection)
{
    struct remote *remote = connection->remote;

    pthread_mutex_lock(&remote->lock);
    list_remove(&connection->remote_link);
    list_remove(&connection->context_link);
    if (connection->fd >= 0)
        close(connection->fd);
    pthread_mutex_unlock(&remote->lock);
    free(connection);
}

void connection_interrupt(struct connection *connection, uint32_t command)
{
    struct wire_release body = {.context = connection->context};
    struct connection *messenger;

    if (connection_open_bare(connection->remote, &messenger))
        return;
    if (connection_ask(messenger, command, &body) || body.rv)
        log_debug("%s: the service does not end what waits", connection->remote->path);
    connection_close(messenger);
}
