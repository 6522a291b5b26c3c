/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"
#include "usb/pipe_trace.h"

struct recorder {
    struct pipe pipe;
    struct pipe *inner;
    int fd;
    atomic_bool broken; /* a line is missing: nothing behind it would be worth anything */
};

static struct recorder *recorder_of(struct pipe *pipe)
{
    return (struct recorder *)(void *)pipe;
}

static const char *result_word(int result)
{
    switch (result) {
    case RC_OK:
        return "ok";
    case PIPE_STALLED:
        return "stalled";
    case PIPE_OVERFLOW:
        return "overflow";
    case RC_TIMEOUT:
        return "timeout";
    case RC_CANCELLED:
        return "cancelled";
    case RC_READER_UNAVAILABLE:
        return "gone";
    case RC_UNSUPPORTED:
        return "unsupported";
    default:
        return "failed";
    }
}

static void give_up(struct recorder *recorder, const char *why)
{
    if (!atomic_exchange(&recorder->broken, true))
        log_debug("the trace of a pipe ends here: %s", why);
}

/* "HEAD SENT = WORD CAME", each part but the first perhaps empty: one line by one write, so that lines of
 * several threads stay whole. */
static void keep(struct recorder *recorder, const char *head, const uint8_t *sent, size_t sent_length,
                 const char *word, const uint8_t *came, size_t came_length)
{
    size_t room = strlen(head) + strlen(word) + 2 * (sent_length + came_length) + 8, length = 0;
    char *line;
    ssize_t written;

    if (atomic_load(&recorder->broken))
        return;
    line = malloc(room);
    if (!line) {
        give_up(recorder, "no memory");
        return;
    }
    length += (size_t)sprintf(line, "%s", head);
    if (sent_length) {
        line[length++] = ' ';
        hex_format(sent, sent_length, line + length);
        length += 2 * sent_length;
    }
    length += (size_t)sprintf(line + length, " =%s%s", *word ? " " : "", word);
    if (came_length) {
        line[length++] = ' ';
        hex_format(came, came_length, line + length);
        length += 2 * came_length;
    }
    line[length++] = '\n';
    do
        written = write(recorder->fd, line, length);
    while (written < 0 && errno == EINTR);
    if (written != (ssize_t)length)
        give_up(recorder, written < 0 ? strerror(errno) : "the file is full");
    secret_wipe(line, room);
    free(line);
}

static int record_out(struct pipe *pipe, const uint8_t *bytes, size_t length, struct deadline deadline)
{
    struct recorder *recorder = recorder_of(pipe);
    int result = recorder->inner->ops->bulk_out(recorder->inner, bytes, length, deadline);

    keep(recorder, "out", bytes, length, result_word(result), NULL, 0);
    return result;
}

static int record_in(struct pipe *pipe, const uint8_t **ret_bytes, size_t *ret_length,
                     struct deadline deadline)
{
    struct recorder *recorder = recorder_of(pipe);
    const uint8_t *bytes = NULL;
    size_t length = 0;
    int result = recorder->inner->ops->bulk_in(recorder->inner, &bytes, &length, deadline);

    keep(recorder, "in", NULL, 0, result_word(result), bytes, result ? 0 : length);
    if (result)
        return result;
    *ret_bytes = bytes;
    *ret_length = length;
    return RC_OK;
}

static int record_control(struct pipe *pipe, uint8_t request_type, uint8_t request, uint16_t value,
                          uint8_t *bytes, size_t length, size_t *ret_length, struct deadline deadline)
{
    struct recorder *recorder = recorder_of(pipe);
    bool in = request_type & 0x80;
    size_t came = 0;
    int result = recorder->inner->ops->control(recorder->inner, request_type, request, value, bytes, length,
                                               &came, deadline);
    char head[64];

    if (in)
        snprintf(head, sizeof head, "control %02X %02X %04X room %zu", request_type, request, value, length);
    else
        snprintf(head, sizeof head, "control %02X %02X %04X", request_type, request, value);
    keep(recorder, head, bytes, in ? 0 : length, result_word(result), bytes, in && !result ? came : 0);
    if (!result && ret_length)
        *ret_length = came;
    return result;
}

static int record_notice(struct pipe *pipe, uint8_t *bytes, size_t capacity, size_t *ret_length)
{
    struct recorder *recorder = recorder_of(pipe);
    int result = recorder->inner->ops->notice(recorder->inner, bytes, capacity, ret_length);

    if (!result && *ret_length)
        keep(recorder, "notice", NULL, 0, "", bytes, *ret_length);
    return result;
}

static void record_hold(struct pipe *pipe, bool on)
{
    struct pipe *inner = recorder_of(pipe)->inner;

    inner->ops->hold(inner, on);
}

static int record_clear(struct pipe *pipe, bool interrupt)
{
    struct recorder *recorder = recorder_of(pipe);
    int result = recorder->inner->ops->clear(recorder->inner, interrupt);

    keep(recorder, interrupt ? "clear interrupt" : "clear bulk", NULL, 0, result_word(result), NULL, 0);
    return result;
}

static void record_interrupt(struct pipe *pipe)
{
    struct pipe *inner = recorder_of(pipe)->inner;

    inner->ops->interrupt(inner);
}

static void record_close(struct pipe *pipe)
{
    struct recorder *recorder = recorder_of(pipe);

    recorder->inner->ops->close(recorder->inner);
    if (recorder->fd >= 0)
        close(recorder->fd);
    free(recorder);
}

static void record_forget(struct pipe *pipe)
{
    struct recorder *recorder = recorder_of(pipe);

    recorder->inner->ops->forget(recorder->inner);
    close(recorder->fd);
}

static const struct pipe_ops record_ops = {
    .bulk_out = record_out,
    .bulk_in = record_in,
    .control = record_control,
    .notice = record_notice,
    .hold = record_hold,
    .clear = record_clear,
    .interrupt = record_interrupt,
    .close = record_close,
    .forget = record_forget,
};

int pipe_record(struct pipe *inner, const char *path, struct pipe **ret_pipe)
{
    static const char first[] = "scard-usb-trace 1\n";
    struct recorder *recorder = calloc(1, sizeof *recorder);

    if (!recorder) {
        inner->ops->close(inner);
        return detail_set(RC_NO_MEMORY, "no memory for a trace");
    }
    recorder->pipe.ops = &record_ops;
    recorder->pipe.event_fd = inner->event_fd;
    recorder->inner = inner;
    recorder->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (recorder->fd < 0 || write(recorder->fd, first, sizeof first - 1) != (ssize_t)sizeof first - 1) {
        int fault = errno;

        record_close(&recorder->pipe);
        return detail_set(RC_INVALID_VALUE, "%s: a trace cannot be written there: %s", path, strerror(fault));
    }
    *ret_pipe = &recorder->pipe;
    return RC_OK;
}
