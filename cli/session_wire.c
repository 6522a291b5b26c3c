/* SPDX-License-Identifier: MIT */
#include "cli/session_wire.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"

#define HEADER_SIZE 5

/* What is asked for in one go. */
#define PIECE 16384

void session_wire_init(struct session_wire *wire, int fd)
{
    *wire = (struct session_wire){.fd = fd};
}

void session_wire_fini(struct session_wire *wire)
{
    while (wire->fd_count > 0)
        close(wire->fds[--wire->fd_count]);
    buffer_fini(&wire->in);
    if (wire->fd >= 0)
        close(wire->fd);
    wire->fd = -1;
}

/* Each descriptor is ours from the moment it is here: kept, or closed. */
static int take_fds(struct session_wire *wire, struct msghdr *message)
{
    int rc = message->msg_flags & MSG_CTRUNC ? RC_IO : RC_OK;

    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part != NULL; part = CMSG_NXTHDR(message, part)) {
        size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);

        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
            if (wire->fd_count < SESSION_FDS) {
                wire->fds[wire->fd_count++] = fd;
            } else {
                close(fd);
                rc = RC_IO;
            }
        }
    }
    return rc == RC_OK ? rc : detail_set(rc, "too many descriptors came with a command");
}

int session_wire_receive(struct session_wire *wire)
{
    union {
        char bytes[CMSG_SPACE(SESSION_FDS * sizeof(int))];
        struct cmsghdr align;
    } control;
    struct iovec piece;
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t n;
    int rc = buffer_reserve(&wire->in, PIECE);

    if (rc < 0)
        return rc;
    piece = (struct iovec){.iov_base = wire->in.data + wire->in.length, .iov_len = PIECE};
    do
        n = recvmsg(wire->fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n < 0)
        return errno == ECONNRESET
                   ? RC_SERVICE_STOPPED
                   : detail_set(RC_IO, "cannot receive from the session: %s", strerror(errno));
    rc = take_fds(wire, &message);
    if (rc < 0)
        return rc;
    if (n == 0)
        return RC_SERVICE_STOPPED;
    wire->in.length += (size_t)n;
    return 1;
}

int session_wire_first(const struct session_wire *wire, uint8_t *ret_type, struct bytes *ret_body)
{
    struct bytes in = bytes_of(wire->in.data, wire->in.length);
    uint32_t length = bytes_u32be(&in);
    uint8_t type = bytes_u8(&in);

    if (!bytes_ok(&in))
        return 0;
    if (length > SESSION_BODY_MAX)
        return RC_INVALID_VALUE;
    if (in.left < length)
        return 0;
    *ret_type = type;
    *ret_body = bytes_of(in.at, length);
    return 1;
}

void session_wire_drop(struct session_wire *wire)
{
    struct bytes in = bytes_of(wire->in.data, wire->in.length);
    size_t size = HEADER_SIZE + bytes_u32be(&in), rest = wire->in.length - size;

    memmove(wire->in.data, wire->in.data + size, rest);
    secret_wipe(wire->in.data + rest, size);
    wire->in.length = rest;
}

static ssize_t send_some(int fd, int flags, struct iovec *parts, size_t count, const int *fds,
                         size_t fd_count)
{
    union {
        char bytes[CMSG_SPACE(SESSION_FDS * sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = count};

    if (fd_count > 0) {
        control.align = (struct cmsghdr){
            .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(fd_count * sizeof(int))};
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        memcpy(CMSG_DATA(CMSG_FIRSTHDR(&message)), fds, fd_count * sizeof(int));
    }
    return sendmsg(fd, &message, flags);
}

int session_wire_send(int fd, bool wait, uint8_t type, const struct buffer *body, const int *fds,
                      size_t fd_count)
{
    size_t length = body != NULL ? body->length : 0, sent = 0;
    uint8_t header[HEADER_SIZE] = {(uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8),
                                   (uint8_t)length, type};
    int flags = MSG_NOSIGNAL | (wait ? 0 : MSG_DONTWAIT);

    if (length > SESSION_BODY_MAX)
        return detail_set(RC_INVALID_VALUE, "the command is too long for a session");
    while (sent < HEADER_SIZE + length) {
        size_t behind = sent > HEADER_SIZE ? sent - HEADER_SIZE : 0;
        struct iovec parts[2] = {
            {.iov_base = header + (sent < HEADER_SIZE ? sent : HEADER_SIZE),
             .iov_len = sent < HEADER_SIZE ? HEADER_SIZE - sent : 0},
            {.iov_base = length > 0 ? body->data + behind : header, .iov_len = length - behind},
        };
        ssize_t n = send_some(fd, flags, parts, 2, fds, sent == 0 ? fd_count : 0);

        if (n >= 0)
            sent += (size_t)n;
        else if (errno == EPIPE || errno == ECONNRESET)
            return RC_SERVICE_STOPPED;
        else if (errno != EINTR)
            return detail_set(RC_IO, "cannot send to the session: %s", strerror(errno));
    }
    return RC_OK;
}

/* The text up to its NUL; NULL and sticky failure if there is none. */
static const char *take_text(struct bytes *in)
{
    const uint8_t *end = in->failed ? NULL : memchr(in->at, '\0', in->left);

    if (end == NULL) {
        in->failed = true;
        return NULL;
    }
    return (const char *)bytes_take(in, (size_t)(end - in->at) + 1);
}

static const char *take_optional(struct bytes *in)
{
    switch (bytes_u8(in)) {
    case 0:
        return NULL;
    case 1:
        return take_text(in);
    default:
        in->failed = true;
        return NULL;
    }
}

static int append_text(struct buffer *body, const char *text)
{
    return buffer_append(body, text, strlen(text) + 1);
}

static int append_optional(struct buffer *body, const char *text)
{
    uint8_t there = text != NULL;
    int rc = buffer_append(body, &there, 1);

    return rc < 0 || text == NULL ? rc : append_text(body, text);
}

static int append_u32(struct buffer *body, uint32_t number)
{
    const uint8_t bytes[] = {(uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8),
                             (uint8_t)number};

    return buffer_append(body, bytes, sizeof bytes);
}

int session_request_parse(struct bytes body, struct session_request *ret_request)
{
    struct session_request request = {0};
    struct bytes in;
    uint8_t urgent;
    uint32_t argc;

    request.text = malloc(body.left + 1);
    if (request.text == NULL)
        return RC_NO_MEMORY;
    request.text_length = body.left;
    if (body.left > 0)
        memcpy(request.text, body.at, body.left);
    in = bytes_of(request.text, request.text_length);
    urgent = bytes_u8(&in);
    request.secrets = bytes_u8(&in);
    argc = bytes_u32be(&in);
    if (!bytes_ok(&in) || urgent > 1 || request.secrets > SECRETS_MAX || argc == 0 || argc > in.left)
        goto invalid;
    request.urgent = urgent != 0;
    request.argc = (int)argc;
    request.argv = calloc((size_t)argc + 1, sizeof *request.argv);
    if (request.argv == NULL) {
        session_request_fini(&request);
        return RC_NO_MEMORY;
    }
    for (uint32_t i = 0; i < argc; i++)
        request.argv[i] = take_text(&in);
    request.reader = take_optional(&in);
    request.no_color = take_optional(&in);
    request.term = take_optional(&in);
    if (!bytes_ok(&in) || in.left > 0)
        goto invalid;
    *ret_request = request;
    return RC_OK;
invalid:
    session_request_fini(&request);
    return RC_INVALID_VALUE;
}

void session_request_fini(struct session_request *request)
{
    if (request->text != NULL)
        secret_wipe(request->text, request->text_length);
    free(request->text);
    free(request->argv);
    *request = (struct session_request){0};
}

int session_request_append(const struct session_request *request, struct buffer *body)
{
    const uint8_t flags[] = {request->urgent, request->secrets};
    int rc = buffer_append(body, flags, sizeof flags);

    if (rc == RC_OK)
        rc = append_u32(body, (uint32_t)request->argc);
    for (int i = 0; i < request->argc && rc == RC_OK; i++)
        rc = append_text(body, request->argv[i]);
    if (rc == RC_OK)
        rc = append_optional(body, request->reader);
    if (rc == RC_OK)
        rc = append_optional(body, request->no_color);
    if (rc == RC_OK)
        rc = append_optional(body, request->term);
    return rc;
}

int session_facts_parse(struct bytes body, struct session_facts *ret_facts)
{
    struct session_facts facts = {.pid = (pid_t)bytes_u32be(&body)};

    facts.busy = bytes_u8(&body) != 0;
    facts.depth = bytes_u32be(&body);
    facts.reader = take_text(&body);
    if (!bytes_ok(&body) || body.left > 0)
        return RC_INVALID_VALUE;
    *ret_facts = facts;
    return RC_OK;
}

int session_facts_append(const struct session_facts *facts, struct buffer *body)
{
    uint8_t busy = facts->busy;
    int rc = append_u32(body, (uint32_t)facts->pid);

    if (rc == RC_OK)
        rc = buffer_append(body, &busy, 1);
    if (rc == RC_OK)
        rc = append_u32(body, facts->depth);
    return rc == RC_OK ? append_text(body, facts->reader) : rc;
}
