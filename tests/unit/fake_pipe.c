/* SPDX-License-Identifier: MIT */
#include "tests/unit/fake_pipe.h"

#include <ctype.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/rc.h"

#define NOTICES 16
#define STEPS 4096

struct fake_pipe {
    struct pipe pipe; /* the first member */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct fake_step steps[STEPS];
    size_t count, at;
    char failure[512];         /* the first */
    uint8_t seq;               /* of the message sent last */
    uint8_t *in;               /* what bulk_in gave last, in a block of exactly its length */
    void (*with_answer)(void); /* fake_pipe_with_next_answer */
    const uint8_t *last_out;
    size_t last_out_length;
    bool patient, hanging, released, gone, closed, forgotten;
    bool interrupted;
    bool in_bulk_in, in_bulk_out, in_control, in_notice;
    unsigned held, interrupts;
    const char *notices[NOTICES];
    size_t notice_count;
    int notice_rc;
};

static struct fake_pipe *fake_of(struct pipe *pipe)
{
    return (struct fake_pipe *)(void *)pipe;
}

static void fail_later(struct fake_pipe *fake, const char *what, const char *expected, const char *found)
{
    if (!fake->failure[0])
        snprintf(fake->failure, sizeof fake->failure, "step %zu: %s: expected %.200s, found %.200s", fake->at,
                 what, expected, found);
}

static const char *name_of(const struct fake_step *step)
{
    static const char *const names[] = {"bulk_out", "bulk_in", "hang", "control", "clear"};

    return step ? names[step->what] : "nothing";
}

/* Under the lock. The step that is due, if it is of this kind; else NULL, and that is a failure. */
static const struct fake_step *due(struct fake_pipe *fake, enum fake_what what)
{
    const struct fake_step wanted = {.what = what};
    const struct fake_step *step;

    while (fake->patient && fake->at < fake->count && fake->steps[fake->at].what != what && !fake->gone)
        pthread_cond_wait(&fake->changed, &fake->lock);
    step = fake->at < fake->count ? &fake->steps[fake->at] : NULL;
    if (!step || step->what != what) {
        fail_later(fake, "out of order", name_of(step), name_of(&wanted));
        return NULL;
    }
    fake->at++;
    pthread_cond_broadcast(&fake->changed);
    if (step->rc == RC_READER_UNAVAILABLE)
        fake->gone = true;
    return step;
}

static unsigned digit(char c)
{
    return (unsigned)(isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10);
}

/* Text to bytes in a new block of exactly that length; any: which of them may be anything. */
static uint8_t *parse(const char *text, uint8_t seq, size_t *ret_length, bool *any)
{
    uint8_t *bytes = malloc(strlen(text) / 2 + 1);
    size_t length = 0;

    assert_non_null(bytes);
    for (; *text; text++) {
        if (*text == ' ')
            continue;
        if (any)
            any[length] = *text == '?' || *text == 'q';
        if (*text == 'q')
            bytes[length++] = seq;
        else
            bytes[length++] = (uint8_t)(*text == '?' ? 0 : digit(text[0]) << 4 | digit(text[1]));
        text++;
    }
    bytes = realloc(bytes, length ? length : 1);
    assert_non_null(bytes);
    *ret_length = length;
    return bytes;
}

static void print_bytes(const uint8_t *bytes, size_t length, char *out, size_t room)
{
    out[0] = '\0';
    for (size_t i = 0; i < length && 2 * i + 3 < room; i++)
        snprintf(out + 2 * i, room - 2 * i, "%02X", bytes[i]);
}

/* Under the lock. */
static void compare(struct fake_pipe *fake, const char *what, const char *expected, const uint8_t *bytes,
                    size_t length)
{
    size_t want_length;
    bool *any = calloc(strlen(expected) + 1, sizeof *any);
    uint8_t *want;
    bool same;
    char text[200];

    assert_non_null(any);
    want = parse(expected, fake->seq, &want_length, any);
    same = want_length == length;
    for (size_t i = 0; same && i < length; i++)
        same = any[i] || want[i] == bytes[i];
    print_bytes(bytes, length, text, sizeof text);
    if (!same) {
        fake->at--;
        fail_later(fake, what, expected, text);
        fake->at++;
    }
    free(want);
    free(any);
}

static void compare_deadline(struct fake_pipe *fake, const struct fake_step *step, struct deadline deadline)
{
    uint64_t left;

    if (!step->wait_ms)
        return;
    if (step->wait_ms == FAKE_NEVER || deadline_is_never(deadline)) {
        if (step->wait_ms != FAKE_NEVER || !deadline_is_never(deadline))
            fail_later(fake, "deadline", step->wait_ms == FAKE_NEVER ? "never" : "some", "the other");
        return;
    }
    left = (uint64_t)deadline_poll_ms(deadline);
    if (left > step->wait_ms || left < step->wait_ms / 2) {
        char want[32], have[32];

        snprintf(want, sizeof want, "%llu ms", (unsigned long long)step->wait_ms);
        snprintf(have, sizeof have, "%llu ms", (unsigned long long)left);
        fail_later(fake, "deadline", want, have);
    }
}

/* Under the lock. RC_OK: go on with the next step. */
static int hang(struct fake_pipe *fake, struct deadline deadline)
{
    int rc = RC_OK;
    struct timespec until = deadline_timespec(deadline);

    compare_deadline(fake, &fake->steps[fake->at], deadline);
    fake->at++;
    fake->hanging = true;
    fake->released = false;
    pthread_cond_broadcast(&fake->changed);
    while (!fake->released && !fake->interrupted && !fake->gone && !rc) {
        if (deadline_is_never(deadline))
            pthread_cond_wait(&fake->changed, &fake->lock);
        else if (pthread_cond_timedwait(&fake->changed, &fake->lock, &until))
            rc = RC_TIMEOUT;
    }
    fake->hanging = false;
    return rc;
}

/* Under the lock: what comes before the step of a call that may be interrupted. */
static int enter(struct fake_pipe *fake, struct deadline deadline)
{
    int rc = RC_OK;

    while (!rc && !fake->interrupted && !fake->gone && fake->at < fake->count &&
           fake->steps[fake->at].what == FAKE_HANG)
        rc = hang(fake, deadline);
    if (fake->gone)
        return RC_READER_UNAVAILABLE;
    if (fake->interrupted) {
        fake->interrupted = false;
        return RC_CANCELLED;
    }
    return rc;
}

static void enter_once(struct fake_pipe *fake, bool *inside, const char *what)
{
    pthread_mutex_lock(&fake->lock);
    if (*inside)
        fail_later(fake, what, "one call at a time", "two");
    *inside = true;
}

static int leave(struct fake_pipe *fake, bool *inside, int rc)
{
    *inside = false;
    pthread_mutex_unlock(&fake->lock);
    return rc;
}

static int fake_bulk_out(struct pipe *pipe, const uint8_t *bytes, size_t length, struct deadline deadline)
{
    struct fake_pipe *fake = fake_of(pipe);
    const struct fake_step *step;

    enter_once(fake, &fake->in_bulk_out, "bulk_out");
    if (fake->gone)
        return leave(fake, &fake->in_bulk_out, RC_READER_UNAVAILABLE);
    step = due(fake, FAKE_OUT);
    if (!step)
        return leave(fake, &fake->in_bulk_out, RC_TIMEOUT);
    compare(fake, "bulk_out", step->bytes, bytes, length);
    compare_deadline(fake, step, deadline);
    if (length > 6)
        fake->seq = bytes[6];
    fake->last_out = bytes;
    fake->last_out_length = length;
    return leave(fake, &fake->in_bulk_out, step->rc);
}

static int fake_bulk_in(struct pipe *pipe, const uint8_t **ret_bytes, size_t *ret_length,
                        struct deadline deadline)
{
    struct fake_pipe *fake = fake_of(pipe);
    const struct fake_step *step;
    int rc;

    enter_once(fake, &fake->in_bulk_in, "bulk_in");
    free(fake->in);
    fake->in = NULL;
    rc = enter(fake, deadline);
    if (rc)
        return leave(fake, &fake->in_bulk_in, rc);
    step = due(fake, FAKE_IN);
    if (!step)
        return leave(fake, &fake->in_bulk_in, RC_TIMEOUT);
    compare_deadline(fake, step, deadline);
    if (step->rc)
        return leave(fake, &fake->in_bulk_in, step->rc);
    fake->in = parse(step->bytes, fake->seq, ret_length, NULL);
    *ret_bytes = fake->in;
    if (fake->with_answer)
        fake->with_answer();
    fake->with_answer = NULL;
    return leave(fake, &fake->in_bulk_in, RC_OK);
}

static int fake_control(struct pipe *pipe, uint8_t request_type, uint8_t request, uint16_t value,
                        uint8_t *bytes, size_t length, size_t *ret_length, struct deadline deadline)
{
    struct fake_pipe *fake = fake_of(pipe);
    bool in = request_type & 0x80;
    const struct fake_step *step;
    uint8_t *all, *gives;
    int rc;

    enter_once(fake, &fake->in_control, "control");
    rc = enter(fake, deadline);
    if (rc)
        return leave(fake, &fake->in_control, rc);
    step = due(fake, FAKE_CONTROL);
    if (!step)
        return leave(fake, &fake->in_control, RC_TIMEOUT);
    all = malloc(4 + length);
    assert_non_null(all);
    all[0] = request_type;
    all[1] = request;
    all[2] = (uint8_t)(value >> 8);
    all[3] = (uint8_t)value;
    if (!in && length)
        memcpy(all + 4, bytes, length);
    compare(fake, "control", step->bytes, all, in ? 4 : 4 + length);
    free(all);
    compare_deadline(fake, step, deadline);
    if (in && !step->rc) {
        size_t count;

        gives = parse(step->gives ? step->gives : "", fake->seq, &count, NULL);
        if (count > length)
            count = length;
        if (count)
            memcpy(bytes, gives, count);
        free(gives);
        *ret_length = count;
    } else if (ret_length) {
        *ret_length = length;
    }
    return leave(fake, &fake->in_control, step->rc);
}

/* Under the lock: readable when there is something to tell and nobody holds it. */
static void set_event(struct fake_pipe *fake)
{
    eventfd_t count;

    if (!fake->held && (fake->notice_count || fake->gone))
        eventfd_write(fake->pipe.event_fd, 1);
    else
        eventfd_read(fake->pipe.event_fd, &count);
}

static int fake_notice(struct pipe *pipe, uint8_t *bytes, size_t capacity, size_t *ret_length)
{
    struct fake_pipe *fake = fake_of(pipe);
    uint8_t *notice;
    size_t length;

    enter_once(fake, &fake->in_notice, "notice");
    *ret_length = 0;
    if (fake->gone)
        return leave(fake, &fake->in_notice, RC_READER_UNAVAILABLE);
    if (!fake->notice_count) {
        set_event(fake);
        return leave(fake, &fake->in_notice, fake->notice_rc);
    }
    notice = parse(fake->notices[0], 0, &length, NULL);
    *ret_length = length < capacity ? length : capacity;
    if (*ret_length)
        memcpy(bytes, notice, *ret_length);
    free(notice);
    fake->notice_count--;
    memmove(fake->notices, fake->notices + 1, fake->notice_count * sizeof *fake->notices);
    set_event(fake);
    return leave(fake, &fake->in_notice, RC_OK);
}

static void fake_hold(struct pipe *pipe, bool on)
{
    struct fake_pipe *fake = fake_of(pipe);

    pthread_mutex_lock(&fake->lock);
    if (!on && !fake->held)
        fail_later(fake, "hold", "on", "off");
    else
        fake->held += on ? 1 : -1U;
    set_event(fake);
    pthread_mutex_unlock(&fake->lock);
}

static int fake_clear(struct pipe *pipe, bool interrupt)
{
    struct fake_pipe *fake = fake_of(pipe);
    const struct fake_step *step;
    int rc = RC_OK;

    pthread_mutex_lock(&fake->lock);
    if (fake->in_bulk_in || fake->in_bulk_out)
        fail_later(fake, "clear", "no transfer wanted", "one under way");
    step = due(fake, FAKE_CLEAR);
    if (step && strcmp(step->bytes, interrupt ? "interrupt" : "bulk"))
        fail_later(fake, "clear", step->bytes, "the other");
    if (step)
        rc = step->rc;
    pthread_mutex_unlock(&fake->lock);
    return rc;
}

static void fake_interrupt(struct pipe *pipe)
{
    struct fake_pipe *fake = fake_of(pipe);

    pthread_mutex_lock(&fake->lock);
    fake->interrupted = true;
    fake->interrupts++;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->lock);
}

static void fake_close(struct pipe *pipe)
{
    struct fake_pipe *fake = fake_of(pipe);

    if (fake->in_bulk_in || fake->in_bulk_out || fake->in_control || fake->in_notice)
        fail_later(fake, "close", "no call", "one under way");
    fake->closed = true;
}

static void fake_forget(struct pipe *pipe)
{
    fake_of(pipe)->forgotten = true;
}

static const struct pipe_ops fake_ops = {
    .bulk_out = fake_bulk_out,
    .bulk_in = fake_bulk_in,
    .control = fake_control,
    .notice = fake_notice,
    .hold = fake_hold,
    .clear = fake_clear,
    .interrupt = fake_interrupt,
    .close = fake_close,
    .forget = fake_forget,
};

struct fake_pipe *fake_pipe_new(void)
{
    struct fake_pipe *fake = calloc(1, sizeof *fake);
    pthread_condattr_t attributes;

    assert_non_null(fake);
    fake->pipe.ops = &fake_ops;
    fake->pipe.event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    assert_true(fake->pipe.event_fd >= 0);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&fake->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&fake->lock, NULL);
    return fake;
}

void fake_pipe_free(struct fake_pipe *fake)
{
    close(fake->pipe.event_fd);
    pthread_cond_destroy(&fake->changed);
    pthread_mutex_destroy(&fake->lock);
    free(fake->in);
    free(fake);
}

struct pipe *fake_pipe_pipe(struct fake_pipe *fake)
{
    return &fake->pipe;
}

void fake_pipe_script(struct fake_pipe *fake, const struct fake_step *steps, size_t count)
{
    pthread_mutex_lock(&fake->lock);
    assert_true(count <= STEPS - fake->count);
    memcpy(fake->steps + fake->count, steps, count * sizeof *steps);
    fake->count += count;
    pthread_mutex_unlock(&fake->lock);
}

void fake_pipe_done(struct fake_pipe *fake)
{
    pthread_mutex_lock(&fake->lock);
    if (fake->at < fake->count)
        fail_later(fake, "at the end", name_of(&fake->steps[fake->at]), "nothing");
    pthread_mutex_unlock(&fake->lock);
    assert_string_equal(fake->failure, "");
}

void fake_pipe_patient(struct fake_pipe *fake)
{
    fake->patient = true;
}

void fake_pipe_with_next_answer(struct fake_pipe *fake, void (*call)(void))
{
    fake->with_answer = call;
}

void fake_pipe_wait_hang(struct fake_pipe *fake)
{
    pthread_mutex_lock(&fake->lock);
    while (!fake->hanging)
        pthread_cond_wait(&fake->changed, &fake->lock);
    pthread_mutex_unlock(&fake->lock);
}

void fake_pipe_wait_steps(struct fake_pipe *fake, size_t count)
{
    pthread_mutex_lock(&fake->lock);
    while (fake->at < count)
        pthread_cond_wait(&fake->changed, &fake->lock);
    pthread_mutex_unlock(&fake->lock);
}

void fake_pipe_release(struct fake_pipe *fake)
{
    pthread_mutex_lock(&fake->lock);
    fake->released = true;
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->lock);
}

void fake_pipe_notice(struct fake_pipe *fake, const char *bytes)
{
    pthread_mutex_lock(&fake->lock);
    assert_true(fake->notice_count < NOTICES);
    fake->notices[fake->notice_count++] = bytes;
    set_event(fake);
    pthread_mutex_unlock(&fake->lock);
}

void fake_pipe_notice_rc(struct fake_pipe *fake, int rc)
{
    pthread_mutex_lock(&fake->lock);
    fake->notice_rc = rc;
    pthread_mutex_unlock(&fake->lock);
}

void fake_pipe_unplug(struct fake_pipe *fake)
{
    pthread_mutex_lock(&fake->lock);
    fake->gone = true;
    set_event(fake);
    pthread_cond_broadcast(&fake->changed);
    pthread_mutex_unlock(&fake->lock);
}

unsigned fake_pipe_held(struct fake_pipe *fake)
{
    unsigned held;

    pthread_mutex_lock(&fake->lock);
    held = fake->held;
    pthread_mutex_unlock(&fake->lock);
    return held;
}

unsigned fake_pipe_interrupts(struct fake_pipe *fake)
{
    unsigned interrupts;

    pthread_mutex_lock(&fake->lock);
    interrupts = fake->interrupts;
    pthread_mutex_unlock(&fake->lock);
    return interrupts;
}

bool fake_pipe_closed(const struct fake_pipe *fake)
{
    return fake->closed;
}

bool fake_pipe_forgotten(const struct fake_pipe *fake)
{
    return fake->forgotten;
}

const uint8_t *fake_pipe_last_out(const struct fake_pipe *fake, size_t *ret_length)
{
    *ret_length = fake->last_out_length;
    return fake->last_out;
}
