/* SPDX-License-Identifier: MIT */
#include "cli/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
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

int secret_variable_fd(const char *name, bool wipe)
{
    char *value = getenv(name);
    int fd;

    if (value == NULL)
        return -1;
    fd = memfd_create("secret", MFD_CLOEXEC);
    if (fd < 0)
        return -1;
    if (write(fd, value, strlen(value)) != (ssize_t)strlen(value) || lseek(fd, 0, SEEK_SET) < 0) {
        close(fd);
        return -1;
    }
    if (wipe)
        secret_wipe(value, strlen(value));
    return fd;
}

bool secret_is_place(const struct option_spec *spec)
{
    return spec->value == VALUE_DESCRIPTOR || spec->value == VALUE_VARIABLE;
}

/* The descriptor that a session got for an option, or -1. */
static int passed_fd(const struct call *call, const char *name)
{
    size_t slot = 0;

    for (const struct option_spec *spec = call->command->options; spec->name != NULL; spec++) {
        if (strcmp(spec->name, name) == 0)
            return slot < SECRETS_MAX ? call->front->secret_fds[slot] : -1;
        slot += secret_is_place(spec) && call_flag(call, spec->name);
    }
    return -1;
}

static int open_descriptor(struct call *call, const char *option, const char *text,
                           struct secret_source *source)
{
    uint64_t number;

    source->fd = call->front->secret_fds != NULL ? passed_fd(call, option) : secret_inherited_fd(text);
    if (source->fd < 0 && call->front->secret_fds != NULL && names_number_parse(text, &number) &&
        number == STDIN_FILENO)
        source->fd = call->front->input;
    if (source->fd >= 0)
        return STATUS_DONE;
    return call_fail(call, STATUS_USAGE, "Open it in the shell: scard COMMAND --pin-fd 3 3<FILE.",
                     "--%s: %s is no descriptor that is open for reading", option, text);
}

static int open_variable(struct call *call, const char *option, const char *name,
                         struct secret_source *source)
{
    if (call->front->secret_fds != NULL) {
        source->fd = passed_fd(call, option);
    } else {
        /* A shell or script may want it again. */
        source->fd = secret_variable_fd(name, call->front->kind == FRONT_ONE_SHOT);
        source->opened = true;
    }
    if (source->fd >= 0)
        return STATUS_DONE;
    return call_fail(call, STATUS_USAGE, "Set and export it.", "--%s: there is no variable %s", option, name);
}

static int open_file(struct call *call, const char *name, struct secret_source *source)
{
    struct record record;
    struct stat about;

    /* Not to be caught in the opening of a FIFO, where no Ctrl-C is noticed. */
    source->fd = openat(call->front->directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    source->opened = true;
    if (source->fd < 0)
        return call_fail(call, STATUS_USAGE, "", "cannot open %s: %s", name, strerror(errno));
    if (fstat(source->fd, &about) == 0 && S_ISREG(about.st_mode) && (about.st_mode & 077)) {
        record_init(&record, "warning", RECORD_ROW);
        record_format(&record, SHOW_JSON, "what", "others may read %s", name);
        record_people(&record, "Others may read %s: chmod 600 is better for a secret.", name);
        output_remark(call->output, &record);
        record_fini(&record);
    }
    return STATUS_DONE;
}

int secret_open(struct call *call, const char *name, struct secret_source *ret_source)
{
    struct secret_source source = {.fd = -1};
    const char *file, *fd, *variable;
    char options[3][32];
    int status = STATUS_DONE;

    snprintf(options[0], sizeof options[0], "%s-file", name);
    snprintf(options[1], sizeof options[1], "%s-fd", name);
    snprintf(options[2], sizeof options[2], "%s-env", name);
    file = call_option(call, options[0]);
    fd = call_option(call, options[1]);
    variable = call_option(call, options[2]);
    if ((file != NULL) + (fd != NULL) + (variable != NULL) > 1)
        return call_fail(call, STATUS_USAGE, "Give one of them.", "--%s, --%s and --%s exclude each other",
                         options[0], options[1], options[2]);
    if (file != NULL)
        status = open_file(call, file, &source);
    else if (fd != NULL)
        status = open_descriptor(call, options[1], fd, &source);
    else if (variable != NULL)
        status = open_variable(call, options[2], variable, &source);
    if (status == STATUS_DONE)
        *ret_source = source;
    return status;
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

static int ask(struct call *call, int tty, const char *prompt, struct buffer *data)
{
    struct termios old, silent;
    int rc;

    if (tcgetattr(tty, &old) < 0)
        return detail_set(RC_IO, "cannot switch the echo of the terminal off: %s", strerror(errno));
    silent = old;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL);
    silent.c_lflag |= ICANON;
    if (tcsetattr(tty, TCSAFLUSH, &silent) < 0)
        return detail_set(RC_IO, "cannot switch the echo of the terminal off: %s", strerror(errno));
    (void)!write(tty, prompt, strlen(prompt));
    (void)!write(tty, ": ", 2);
    rc = read_line(call, tty, data);
    tcsetattr(tty, TCSAFLUSH, &old);
    (void)!write(tty, "\n", 1);
    return rc;
}

int secret_read(struct call *call, struct secret_source *source, const char *name, struct buffer *data)
{
    return secret_ask(call, source, name, name, data);
}

int secret_ask(struct call *call, struct secret_source *source, const char *name, const char *prompt,
               struct buffer *data)
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
        rc = ask(call, tty, prompt, data);
        if (tty != call->front->terminal)
            close(tty);
    }
    if (rc < 0)
        return rc;
    if (data->length == before)
        return detail_set(RC_IO, "{%s} is empty", name);
    return RC_OK;
}
