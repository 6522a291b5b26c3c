/* SPDX-License-Identifier: MIT */
#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "cli/names.h"

/* Longer lines are no secret: a device without end, perhaps. */
#define SECRET_MAX 65535

int secret_inherited_fd(const char *text)
{
    uint64_t number;
    int flags;

    if (!names_number_parse(text, &number) || number > INT_MAX)
        return -1;
    /* execve(2) has closed what had this flag: the descriptor was made since, by this program. */
    flags = fcntl((int)number, F_GETFD);
    if (flags < 0 || (flags & FD_CLOEXEC))
        return -1;
    flags = fcntl((int)number, F_GETFL);
    return flags < 0 || (flags & O_PATH) || (flags & O_ACCMODE) == O_WRONLY ? -1 : (int)number;
}

static int descriptor_of(const struct call *call, const char *text)
{
    uint64_t number;

    if (call->front->secret_fd >= 0)
        return call->front->secret_fd;
    if (call->front->secret_fd == -1)
        return secret_inherited_fd(text);
    return names_number_parse(text, &number) && number == STDIN_FILENO ? call->front->input : -1;
}

int secret_open(struct call *call, const char *file, const char *fd, struct secret_source *ret_source)
{
    struct secret_source source = {.fd = -1};

    if (file != NULL && fd != NULL)
        return call_fail(call, STATUS_USAGE, "", "--pin-file and --pin-fd exclude each other");
    if (file != NULL) {
        /* Not to be caught in the opening of a FIFO, where no Ctrl-C is noticed. */
        source.fd = openat(call->front->directory, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        source.opened = true;
        if (source.fd < 0)
            return call_fail(call, STATUS_USAGE, "", "cannot open %s: %s", file, strerror(errno));
    } else if (fd != NULL) {
        source.fd = descriptor_of(call, fd);
        if (source.fd < 0)
            return call_fail(call, STATUS_USAGE, "Open it in the shell: scard apdu --pin-fd 3 ... 3<FILE.",
                             "--pin-fd: %s is no descriptor that is open for reading", fd);
    }
    *ret_source = source;
    return STATUS_DONE;
}

void secret_close(struct secret_source *source)
{
    if (source->opened)
        close(source->fd);
    *source = (struct secret_source){.fd = -1};
}

/* One line without its end; byte by byte, for what follows may be another secret. 1 line, 0 end of input. */
static int read_line(struct call *call, int fd, struct buffer *data)
{
    const struct interrupt *interrupt = call->front->interrupt;
    size_t before = data->length;
    bool any = false;

    for (;;) {
        struct pollfd fds[] = {
            {.fd = fd, .events = POLLIN},
            {.fd = interrupt != NULL ? interrupt->event_fd : -1, .events = POLLIN},
        };
        char c;
        ssize_t n;

        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return detail_set(RC_IO, "cannot wait for the secret: %s", strerror(errno));
        if (fds[1].revents != 0)
            return RC_CANCELLED;
        if (fds[0].revents == 0)
            continue;
        n = read(fd, &c, 1);
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (n < 0)
            return detail_set(RC_IO, "cannot read the secret: %s", strerror(errno));
        if (n == 0 || c == '\n')
            return n == 1 || any;
        any = true;
        if (data->length - before >= SECRET_MAX)
            return detail_set(RC_IO, "the secret has more than %d bytes", SECRET_MAX);
        if (c != '\r' && buffer_append(data, &c, 1) < 0)
            return RC_NO_MEMORY;
        secret_wipe(&c, 1);
    }
}

static int ask(struct call *call, int tty, const char *name, struct buffer *data)
{
    struct termios old, silent;
    char prompt[64];
    int rc;

    if (tcgetattr(tty, &old) < 0)
        return detail_set(RC_IO, "cannot switch the echo of the terminal off: %s", strerror(errno));
    silent = old;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    silent.c_lflag |= ICANON;
    if (tcsetattr(tty, TCSAFLUSH, &silent) < 0)
        return detail_set(RC_IO, "cannot switch the echo of the terminal off: %s", strerror(errno));
    snprintf(prompt, sizeof prompt, "%.48s: ", name);
    (void)!write(tty, prompt, strlen(prompt));
    rc = read_line(call, tty, data);
    tcsetattr(tty, TCSAFLUSH, &old);
    (void)!write(tty, "\n", 1);
    return rc;
}

int secret_read(struct call *call, struct secret_source *source, const char *name, struct buffer *data)
{
    size_t before = data->length;
    int tty, rc;

    if (source != NULL && source->fd >= 0) {
        rc = read_line(call, source->fd, data);
        if (rc == 0)
            return detail_set(RC_IO, "the input for secrets ended before {%s}", name);
    } else {
        tty = call->front->terminal >= 0 ? call->front->terminal
                                         : open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
        if (tty < 0)
            return detail_set(RC_IO, "there is no terminal to ask for {%s} on: use --pin-file or --pin-fd",
                              name);
        rc = ask(call, tty, name, data);
        if (tty != call->front->terminal)
            close(tty);
    }
    if (rc < 0)
        return rc;
    if (data->length == before)
        return detail_set(RC_IO, "{%s} is empty", name);
    return RC_OK;
}
