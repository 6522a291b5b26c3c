/* SPDX-License-Identifier: MIT */
#include "cli/output.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "cli/render.h"

void output_init(struct output *output, int out, int err, const char *no_color, const char *term)
{
    /* no-color.org: set and not empty means no colour. */
    bool color = (no_color == NULL || no_color[0] == '\0') && term != NULL && strcmp(term, "dumb") != 0;
    bool terminal = isatty(out) == 1;

    *output = (struct output){
        .out = out,
        .err = err,
        .mode = terminal ? OUTPUT_PEOPLE : OUTPUT_BARE,
        .color_out = color && terminal,
        .color_err = color && isatty(err) == 1,
        .program = "scard",
    };
}

/* A socket is asked not to wait each time, so that nothing hangs on one that nobody reads. */
static ssize_t write_some(int fd, const uint8_t *data, size_t length)
{
    ssize_t n = send(fd, data, length, MSG_DONTWAIT | MSG_NOSIGNAL);

    return n < 0 && errno == ENOTSOCK ? write(fd, data, length) : n;
}

/* The descriptor may be non-blocking (a terminal shared with others): wait until it takes more. */
static int write_all(const struct output *output, int fd, const uint8_t *data, size_t length)
{
    const struct interrupt *interrupt = output->interrupt;

    while (length > 0) {
        ssize_t n = interrupt != NULL ? write_some(fd, data, length) : write(fd, data, length);

        if (n >= 0) {
            data += n;
            length -= (size_t)n;
        } else if (errno == EAGAIN) {
            struct pollfd wait[] = {
                {.fd = fd, .events = POLLOUT},
                {.fd = interrupt != NULL ? interrupt->event_fd : -1, .events = POLLIN},
            };

            if (poll(wait, 2, -1) < 0 && errno != EINTR)
                return errno;
            if (wait[0].revents == 0 && wait[1].revents != 0)
                return ECANCELED;
        } else if (errno != EINTR) {
            return errno;
        }
    }
    return 0;
}

static int output_write(struct output *output, int fd, const void *data, size_t length)
{
    int error;

    if (output->before != NULL)
        output->before(output->user);
    error = write_all(output, fd, data, length);
    if (output->after != NULL)
        output->after(output->user);
    if (error == 0 || fd != output->out)
        return STATUS_DONE;
    if (!output->broken) {
        output->broken = true;
        output->broken_errno = error;
    }
    return error == EPIPE ? STATUS_PIPE : STATUS_TRANSPORT;
}

static int output_no_memory(struct output *output)
{
    static const char words[] = "scard: out of memory.\n";

    output_write(output, output->err, words, sizeof words - 1);
    return STATUS_SERVICE;
}

static int output_render(struct output *output, int fd, enum output_mode mode, const struct record *record)
{
    struct buffer text = {0};
    int status;

    if (record->failed || render_record(mode, record, &text) < 0)
        status = output_no_memory(output);
    else
        status = output_write(output, fd, text.data, text.length);
    buffer_fini(&text);
    return status;
}

int output_record(struct output *output, const struct record *record)
{
    return output_render(output, output->out, output->mode, record);
}

int output_notice(struct output *output, const struct record *record)
{
    if (output->mode == OUTPUT_JSON)
        return output_record(output, record);
    return output->quiet ? STATUS_DONE : output_render(output, output->err, OUTPUT_PEOPLE, record);
}

int output_remark(struct output *output, const struct record *record)
{
    return output->mode == OUTPUT_BARE ? STATUS_DONE : output_notice(output, record);
}

int output_text(struct output *output, const char *text, size_t length)
{
    return output_write(output, output->out, text, length);
}

/* What is repeated from elsewhere may not steer the terminal; colour that we put around it may. */
static char *harmless(const char *text)
{
    char *copy = strdup(text);

    for (char *at = copy; at != NULL && *at != '\0'; at++)
        if (((unsigned char)*at < 0x20 && *at != '\n') || *at == 0x7F)
            *at = '?';
    return copy;
}

/* "scard: What. Fix." with the first letter as given. */
static void error_text(const struct output *output, const char *what, const char *fix, struct record *record)
{
    const char *red = output->color_err ? "\033[31m" : "", *end = output->color_err ? "\033[0m" : "";
    size_t length = strlen(what);
    const char *stop = length > 0 && strchr(".?!", what[length - 1]) != NULL ? "" : ".";
    char *shown = harmless(what);

    if (shown == NULL)
        record->failed = true;
    if (output->program != NULL)
        record_people(record, "%s%s:%s ", red, output->program, end);
    record_people(record, "%s%s%s%s", shown != NULL ? shown : "", stop,
                  fix[0] != '\0' && fix[0] != '\n' ? " " : "", fix);
    if (shown != NULL)
        secret_wipe(shown, strlen(shown));
    free(shown);
}

/* "scard list" is "list" in a shell. NULL: out of memory. */
static char *fix_for(const struct output *output, const char *fix)
{
    static const char named[] = "\"scard ";
    char *copy = strdup(fix);

    if (copy == NULL || output->program != NULL)
        return copy;
    for (char *at = copy; (at = strstr(at, named)) != NULL; at++)
        memmove(at + 1, at + sizeof named - 1, strlen(at + sizeof named - 1) + 1);
    return copy;
}

int output_error(struct output *output, int status, LONG scard, const char *what, const char *advice)
{
    char *fix = fix_for(output, advice);
    struct record record;

    if (fix == NULL)
        return output_no_memory(output);
    record_init(&record, "error", RECORD_ROW);
    record_number(&record, SHOW_JSON, "code", status);
    record_text(&record, SHOW_JSON, "name", status_name(status));
    if (scard != 0)
        record_format(&record, SHOW_JSON, "scard", "0x%08lX", (unsigned long)scard);
    else
        record_text(&record, SHOW_JSON, "scard", NULL);
    record_text(&record, SHOW_JSON, "detail", what);
    record_text(&record, SHOW_JSON, "fix", fix);
    if (output->mode == OUTPUT_JSON) {
        output_record(output, &record);
    } else {
        error_text(output, what, fix, &record);
        output_render(output, output->err, OUTPUT_PEOPLE, &record);
    }
    record_fini(&record);
    free(fix);
    return status;
}

unsigned output_columns(const struct output *output)
{
    struct winsize size;

    return ioctl(output->out, TIOCGWINSZ, &size) < 0 ? 0 : size.ws_col;
}

const char *output_paint(const struct output *output, enum paint paint)
{
    static const char *const codes[] = {"\033[32m", "\033[31m", "\033[33m", "\033[2m", "\033[1m", "\033[0m"};

    return output->color_out && output->mode == OUTPUT_PEOPLE ? codes[paint] : "";
}
