/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/log.h"
#include "base/rc.h"
#include "usb/pipe_trace.h"

/* One recorded call. Its texts are in the file's own text. */
struct call {
    unsigned line;
    const char *head; /* the operation with its numbers, single blanks */
    uint8_t *sent, *came;
    size_t sent_length, came_length;
    int result;
};

struct replay {
    struct pipe pipe;
    char *path;
    struct buffer text;
    struct call *calls;
    size_t count;
    atomic_size_t next;
    atomic_bool broken;
};

static struct replay *replay_of(struct pipe *pipe)
{
    return (struct replay *)(void *)pipe;
}

static bool is_notice(const struct call *call)
{
    return !strcmp(call->head, "notice");
}

/* event_fd is readable while the next call is a notice. */
static void show_notice(struct replay *replay)
{
    const uint64_t one = 1;
    uint64_t count;
    size_t next = atomic_load(&replay->next);

    if (next < replay->count && is_notice(&replay->calls[next])) {
        if (write(replay->pipe.event_fd, &one, sizeof one) < 0)
            log_debug("eventfd cannot be written: error %d", errno);
    } else if (read(replay->pipe.event_fd, &count, sizeof count) < 0 && errno != EAGAIN) {
        log_debug("eventfd cannot be read: error %d", errno);
    }
}

static int deviate(struct replay *replay, unsigned line, const char *expected, const char *got)
{
    atomic_store(&replay->broken, true);
    return detail_set(RC_IO, "%s, line %u: %s was recorded, not %s", replay->path, line, expected, got);
}

/* The call that is recorded next, if it is this one; its result, or RC_IO. A notice that nobody has asked for
 * yet is passed over. */
static int take(struct replay *replay, const char *head, const uint8_t *sent, size_t length,
                struct call **ret_call)
{
    struct call *call;

    if (atomic_load(&replay->broken))
        return detail_set(RC_IO, "%s: the replay has ended where the calls were not the recorded ones",
                          replay->path);
    while (atomic_load(&replay->next) < replay->count &&
           is_notice(&replay->calls[atomic_load(&replay->next)]))
        atomic_fetch_add(&replay->next, 1);
    if (atomic_load(&replay->next) >= replay->count)
        return deviate(replay, replay->count ? replay->calls[replay->count - 1].line + 1 : 2, "nothing more",
                       head);
    call = &replay->calls[atomic_load(&replay->next)];
    if (strcmp(call->head, head) != 0)
        return deviate(replay, call->line, call->head, head);
    if (call->sent_length != length || (length && memcmp(call->sent, sent, length) != 0))
        return deviate(replay, call->line, "another message", "that which was sent now");
    atomic_fetch_add(&replay->next, 1);
    show_notice(replay);
    *ret_call = call;
    if (call->result == RC_IO || call->result == RC_READER_UNAVAILABLE)
        return detail_set(call->result, "%s, line %u: failed when it was recorded", replay->path, call->line);
    return call->result;
}

static int replay_out(struct pipe *pipe, const uint8_t *bytes, size_t length, struct deadline deadline)
{
    struct call *call;

    (void)deadline;
    return take(replay_of(pipe), "out", bytes, length, &call);
}

static int replay_in(struct pipe *pipe, const uint8_t **ret_bytes, size_t *ret_length,
                     struct deadline deadline)
{
    struct call *call;
    int result = take(replay_of(pipe), "in", NULL, 0, &call);

    (void)deadline;
    if (result)
        return result;
    *ret_bytes = call->came;
    *ret_length = call->came_length;
    return RC_OK;
}

static int replay_control(struct pipe *pipe, uint8_t request_type, uint8_t request, uint16_t value,
                          uint8_t *bytes, size_t length, size_t *ret_length, struct deadline deadline)
{
    bool in = request_type & 0x80;
    struct call *call;
    char head[64];
    int result;

    (void)deadline;
    if (in)
        snprintf(head, sizeof head, "control %02X %02X %04X room %zu", request_type, request, value, length);
    else
        snprintf(head, sizeof head, "control %02X %02X %04X", request_type, request, value);
    result = take(replay_of(pipe), head, bytes, in ? 0 : length, &call);
    if (result)
        return result;
    if (in && call->came_length > length)
        return deviate(replay_of(pipe), call->line, "more than its room", "an answer");
    if (in && call->came_length)
        memcpy(bytes, call->came, call->came_length);
    if (ret_length)
        *ret_length = in ? call->came_length : length;
    return RC_OK;
}

static int replay_notice(struct pipe *pipe, uint8_t *bytes, size_t capacity, size_t *ret_length)
{
    struct replay *replay = replay_of(pipe);
    size_t next = atomic_load(&replay->next);
    const struct call *call;

    *ret_length = 0;
    if (next >= replay->count || !is_notice(&replay->calls[next]) ||
        !atomic_compare_exchange_strong(&replay->next, &next, next + 1))
        return RC_OK;
    call = &replay->calls[next];
    *ret_length = call->came_length < capacity ? call->came_length : capacity;
    memcpy(bytes, call->came, *ret_length);
    show_notice(replay);
    return RC_OK;
}

static void replay_hold(struct pipe *pipe, bool on)
{
    (void)pipe;
    (void)on;
}

static int replay_clear(struct pipe *pipe, bool interrupt)
{
    struct call *call;

    return take(replay_of(pipe), interrupt ? "clear interrupt" : "clear bulk", NULL, 0, &call);
}

/* Nothing ever waits here. */
static void replay_interrupt(struct pipe *pipe)
{
    (void)pipe;
}

static void free_bytes(uint8_t *bytes, size_t length)
{
    if (bytes)
        secret_wipe(bytes, length);
    free(bytes);
}

static void replay_close(struct pipe *pipe)
{
    struct replay *replay = replay_of(pipe);

    if (replay->pipe.event_fd >= 0)
        close(replay->pipe.event_fd);
    for (size_t i = 0; i < replay->count; i++) {
        free_bytes(replay->calls[i].sent, replay->calls[i].sent_length);
        free_bytes(replay->calls[i].came, replay->calls[i].came_length);
    }
    free(replay->calls);
    buffer_fini(&replay->text);
    free(replay->path);
    free(replay);
}

static void replay_forget(struct pipe *pipe)
{
    close(pipe->event_fd);
}

static const struct pipe_ops replay_ops = {
    .bulk_out = replay_out,
    .bulk_in = replay_in,
    .control = replay_control,
    .notice = replay_notice,
    .hold = replay_hold,
    .clear = replay_clear,
    .interrupt = replay_interrupt,
    .close = replay_close,
    .forget = replay_forget,
};

static const struct result_name {
    const char *word;
    int result;
} results[] = {
    {"ok", RC_OK},           {"stalled", PIPE_STALLED},       {"overflow", PIPE_OVERFLOW},
    {"timeout", RC_TIMEOUT}, {"cancelled", RC_CANCELLED},     {"gone", RC_READER_UNAVAILABLE},
    {"failed", RC_IO},       {"unsupported", RC_UNSUPPORTED},
};

/* All of text as bytes, in a new block. */
static int parse_bytes(const char *text, uint8_t **ret_bytes, size_t *ret_length)
{
    size_t at, length = strlen(text);
    uint8_t *bytes = malloc(length / 2 + 1);

    if (!bytes)
        return RC_NO_MEMORY;
    if (hex_parse(text, length, bytes, ret_length, &at)) {
        free(bytes);
        return RC_INVALID_VALUE;
    }
    *ret_bytes = bytes;
    return RC_OK;
}

/* Where the head ends in what stands before the '='. */
static char *end_of_head(char *text)
{
    unsigned type, request, value;
    size_t room;
    int end = 0;

    if (!strncmp(text, "out", 3))
        return text + 3;
    if (sscanf(text, "control %2X %2X %4X room %zu%n", &type, &request, &value, &room, &end) == 4 && end)
        return text + end;
    if (sscanf(text, "control %2X %2X %4X%n", &type, &request, &value, &end) == 3 && end)
        return text + end;
    if (!strcmp(text, "in") || !strcmp(text, "notice") || !strcmp(text, "clear bulk") ||
        !strcmp(text, "clear interrupt"))
        return text + strlen(text);
    return NULL;
}

/* "WORD BYTES"; a notice has no word. */
static int parse_result(struct call *call, char *text)
{
    text += strspn(text, " \t");
    if (!is_notice(call)) {
        size_t length = strcspn(text, " \t"), i = 0;

        while (i < sizeof results / sizeof *results &&
               (strlen(results[i].word) != length || strncmp(text, results[i].word, length) != 0))
            i++;
        if (i == sizeof results / sizeof *results)
            return RC_INVALID_VALUE;
        call->result = results[i].result;
        text += length;
    }
    return parse_bytes(text + strspn(text, " \t"), &call->came, &call->came_length);
}

static int parse_call(struct call *call, char *line)
{
    char *equals = strchr(line, '='), *end;
    char separator;
    int rc;

    if (!equals)
        return RC_INVALID_VALUE;
    *equals = '\0';
    for (char *back = equals; back > line && (back[-1] == ' ' || back[-1] == '\t'); back--)
        back[-1] = '\0';
    end = end_of_head(line);
    if (!end)
        return RC_INVALID_VALUE;
    separator = *end;
    if (separator && separator != ' ' && separator != '\t')
        return RC_INVALID_VALUE;
    rc = parse_bytes(separator ? end + 1 : end, &call->sent, &call->sent_length);
    *end = '\0';
    call->head = line;
    return rc ? rc : parse_result(call, equals + 1);
}

/* The file with a NUL behind it. */
static int read_text(const char *path, struct buffer *text)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc;

    if (fd < 0)
        return detail_set(RC_INVALID_VALUE, "%s: %s", path, strerror(errno));
    rc = file_read(fd, SIZE_MAX, text);
    if (rc == RC_IO)
        rc = detail_set(RC_INVALID_VALUE, "%s: %s", path, strerror(errno));
    close(fd);
    if (!rc && memchr(text->data, '\0', text->length))
        rc = detail_set(RC_INVALID_VALUE, "%s: is no text", path);
    if (!rc)
        text->data[text->length] = '\0';
    return rc;
}

static int add_call(struct replay *replay, char *line, unsigned number)
{
    struct call *calls = reallocarray(replay->calls, replay->count + 1, sizeof *calls);
    int rc;

    if (!calls)
        return detail_set(RC_NO_MEMORY, "no memory for a trace");
    replay->calls = calls;
    calls[replay->count] = (struct call){.line = number};
    rc = parse_call(&calls[replay->count++], line);
    if (rc == RC_INVALID_VALUE)
        detail_set(rc, "%s, line %u: is no recorded call", replay->path, number);
    return rc;
}

static int load(struct replay *replay)
{
    unsigned number = 0;
    int rc = read_text(replay->path, &replay->text);

    for (char *line = (char *)replay->text.data, *next; !rc && *line; line = next) {
        size_t length = strcspn(line, "\n");

        next = line + length + (line[length] == '\n');
        line[length] = '\0';
        number++;
        if (number == 1 && strcmp(line, "scard-usb-trace 1") != 0)
            rc = detail_set(RC_INVALID_VALUE, "%s: does not begin with 'scard-usb-trace 1'", replay->path);
        else if (number > 1 && *line && *line != '#')
            rc = add_call(replay, line, number);
    }
    if (!rc && !number)
        rc = detail_set(RC_INVALID_VALUE, "%s: is empty", replay->path);
    return rc;
}

int pipe_replay(const char *path, struct pipe **ret_pipe)
{
    struct replay *replay = calloc(1, sizeof *replay);
    int rc;

    if (!replay)
        return detail_set(RC_NO_MEMORY, "no memory for a trace");
    replay->pipe.ops = &replay_ops;
    replay->path = strdup(path);
    replay->pipe.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (!replay->path || replay->pipe.event_fd < 0)
        rc = detail_set(RC_NO_MEMORY, "no memory or descriptor left for a trace");
    else
        rc = load(replay);
    if (rc) {
        replay_close(&replay->pipe);
        return rc;
    }
    show_notice(replay);
    *ret_pipe = &replay->pipe;
    return RC_OK;
}

size_t pipe_replay_left(const struct pipe *pipe)
{
    const struct replay *replay = (const struct replay *)(const void *)pipe;

    return replay->count - atomic_load(&replay->next);
}
