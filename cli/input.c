/* SPDX-License-Identifier: MIT */
/* Reading what a command is given: call_read_line, call_read_file. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "cli/call.h"

/* Bytes read, 0 at the end, RC_CANCELLED, RC_IO. */
static ssize_t read_some(struct call *call, int fd, void *data, size_t capacity)
{
    const struct interrupt *interrupt = call->front->interrupt;

    for (;;) {
        struct pollfd fds[] = {
            {.fd = fd, .events = POLLIN},
            {.fd = interrupt != NULL ? interrupt->event_fd : -1, .events = POLLIN},
        };
        ssize_t n;

        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return detail_set(RC_IO, "cannot wait for input: %s", strerror(errno));
        if (fds[1].revents != 0)
            return RC_CANCELLED;
        if (fds[0].revents == 0)
            continue;
        n = read(fd, data, capacity);
        if (n >= 0)
            return n;
        if (errno != EINTR && errno != EAGAIN)
            return detail_set(RC_IO, "cannot read: %s", strerror(errno));
    }
}

int call_read_line(struct call *call, struct buffer *line)
{
    int fd = call->front->input;
    bool seekable = lseek(fd, 0, SEEK_CUR) >= 0, any = false;
    uint8_t chunk[512];
    int rc = RC_OK;

    line->length = 0;
    while (rc == RC_OK) {
        ssize_t n = read_some(call, fd, chunk, seekable ? sizeof chunk : 1);
        const uint8_t *newline;
        size_t take;

        if (n <= 0) {
            rc = n < 0 ? (int)n : RC_OK;
            break;
        }
        newline = memchr(chunk, '\n', (size_t)n);
        take = newline != NULL ? (size_t)(newline - chunk) : (size_t)n;
        any = true;
        rc = line->length + take > CALL_LINE_MAX
                 ? detail_set(RC_INVALID_VALUE, "a line has more than %u bytes: this is no text",
                              (unsigned)CALL_LINE_MAX)
                 : buffer_append(line, chunk, take);
        if (newline != NULL) {
            if (seekable && lseek(fd, (off_t)take + 1 - (off_t)n, SEEK_CUR) < 0)
                rc = detail_set(RC_IO, "cannot go back in the input: %s", strerror(errno));
            break;
        }
    }
    secret_wipe(chunk, sizeof chunk);
    if (rc == RC_OK)
        rc = buffer_append(line, "", 1);
    if (rc < 0)
        return rc;
    line->length--;
    return any ? 1 : 0;
}

int call_read_file(struct call *call, const char *name, size_t most, struct buffer *data)
{
    bool standard = strcmp(name, "-") == 0;
    int fd = standard ? call->front->input
                      : openat(call->front->directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    size_t before = data->length;
    int rc = RC_OK;

    if (fd < 0)
        return detail_set(RC_IO, "cannot open %s: %s", name, strerror(errno));
    while (rc == RC_OK) {
        ssize_t n;

        rc = buffer_reserve(data, 4096);
        if (rc < 0)
            break;
        n = read_some(call, fd, data->data + data->length, data->capacity - data->length);
        if (n == 0)
            break;
        if (n < 0)
            rc = n == RC_IO ? detail_set(RC_IO, "cannot read %s: %s", name, strerror(errno)) : (int)n;
        else
            data->length += (size_t)n;
        /* Some files have no end, such as /dev/zero. */
        if (rc == RC_OK && data->length - before > most)
            rc = detail_set(RC_IO, "%s has more than the %zu bytes that fit",
                            standard ? "standard input" : name, most);
    }
    if (!standard)
        close(fd);
    return rc;
}
