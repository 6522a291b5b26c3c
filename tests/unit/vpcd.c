/* SPDX-License-Identifier: MIT */
/* vpcd: the driver against card programs that behave and that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/vpcd.h"
#include "driver/vpcd_frame.h"

static const uint8_t atr[] = {0x3B, 0x80, 0x01, 0x81};
static const uint8_t get_data[] = {0x00, 0xCA, 0x00, 0x00, 0x00};

/* One step of a card program, done in order by its thread. */
enum deed {
    END,
    EXPECT,     /* reads count bytes, which must equal data */
    SAY,        /* sends them */
    DRIP,       /* sends them byte by byte, each in its own segment */
    EXPECT_EOF, /* waits until the driver gives the connection up */
    CANCEL,     /* calls the reader's cancel */
    LEAVE,
    RESET, /* closes with RST */
};

struct step {
    enum deed deed;
    const void *data;
    size_t count;
};

struct fixture {
    struct reader **readers, *reader;
    size_t count;
    uint8_t *big; /* room for the largest frame */
};

struct card {
    struct fixture *fixture;
    const struct step *steps;
    int fd;
    pthread_t thread;
    const struct step *failed;
};

static int port_of(const struct reader *reader)
{
    int port;

    assert_int_equal(sscanf(reader->device, "vpcd:%d", &port), 1);
    return port;
}

static int card_connect(const struct reader *reader)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port_of(reader)),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(vpcd_frame_prepare(fd, 0), RC_OK);
    return fd;
}

static bool card_do(struct card *card, const struct step *step)
{
    const uint8_t *data = step->data;
    struct linger linger = {.l_onoff = 1};
    uint8_t *got;
    bool ok;

    switch (step->deed) {
    case EXPECT:
        got = malloc(step->count);
        ok = got && recv(card->fd, got, step->count, MSG_WAITALL) == (ssize_t)step->count &&
             !memcmp(got, data, step->count);
        free(got);
        return ok;
    case SAY:
        return send(card->fd, data, step->count, MSG_NOSIGNAL) == (ssize_t)step->count;
    case DRIP:
        for (size_t i = 0; i < step->count; i++)
            if (send(card->fd, data + i, 1, MSG_NOSIGNAL) != 1)
                return false;
        return true;
    case EXPECT_EOF:
        return recv(card->fd, &(uint8_t){0}, 1, 0) <= 0;
    case CANCEL:
        card->fixture->reader->ops->cancel(card->fixture->reader);
        return true;
    case RESET:
        setsockopt(card->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
        __attribute__((fallthrough));
    case LEAVE:
        close(card->fd);
        card->fd = -1;
        return true;
    default:
        return false;
    }
}

static void *card_main(void *arg)
{
    struct card *card = arg;

    for (const struct step *step = card->steps; step->deed != END; step++) {
        if (!card_do(card, step)) {
            card->failed = step;
            return NULL;
        }
    }
    return NULL;
}

/* Plays the steps on a connected socket in a thread of its own. */
static void card_play(struct card *card, struct fixture *fixture, int fd, const struct step *steps)
{
    *card = (struct card){.fixture = fixture, .steps = steps, .fd = fd};
    assert_int_equal(pthread_create(&card->thread, NULL, card_main, card), 0);
}

/* Ends the card, which must have done all its steps. */
static void card_end(struct card *card)
{
    assert_int_equal(pthread_join(card->thread, NULL), 0);
    if (card->failed)
        fail_msg("card: step %td failed", card->failed - card->steps);
    if (card->fd >= 0)
        close(card->fd);
}

static int open_uri(struct fixture *fixture, const char *text)
{
    struct uri uri;
    int rc;

    assert_int_equal(uri_parse(text, strlen(text), &uri), RC_OK);
    detail_clear();
    rc = vpcd_open(&uri, &fixture->readers, &fixture->count);
    uri_fini(&uri);
    if (!rc)
        fixture->reader = fixture->readers[0];
    return rc;
}

static void close_all(struct fixture *fixture)
{
    for (size_t i = 0; i < fixture->count; i++)
        fixture->readers[i]->ops->close(fixture->readers[i]);
    free(fixture->readers);
    fixture->readers = NULL;
    fixture->count = 0;
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    assert_non_null(fixture);
    fixture->big = malloc(2 + VPCD_FRAME_MAX);
    assert_non_null(fixture->big);
    assert_int_equal(open_uri(fixture, "vpcd:0"), RC_OK);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    close_all(fixture);
    free(fixture->big);
    free(fixture);
    return 0;
}

static bool event_waits(const struct reader *reader, int timeout_ms)
{
    struct pollfd wait = {.fd = reader->event_fd, .events = POLLIN};

    return poll(&wait, 1, timeout_ms) == 1;
}

/* Waits for the event that must come, then asks. */
static bool present_after_event(struct reader *reader)
{
    bool present;

    assert_true(event_waits(reader, 30000));
    assert_int_equal(reader->ops->presence(reader, &present), RC_OK);
    return present;
}

static int card_insert(struct fixture *fixture)
{
    int fd = card_connect(fixture->reader);

    assert_true(present_after_event(fixture->reader));
    return fd;
}

static int transmit(struct fixture *fixture, const void *command, size_t length, size_t capacity,
                    size_t *ret_length)
{
    struct reader *reader = fixture->reader;

    detail_clear();
    return reader->ops->transmit(reader, PROTOCOL_T1, command, length, fixture->big, capacity, ret_length);
}

static int power(struct fixture *fixture, enum power_action action, uint8_t *got, size_t *ret_length)
{
    detail_clear();
    return fixture->reader->ops->power(fixture->reader, action, got, ret_length);
}

#define COLD                                                                                                 \
    {                                                                                                        \
        EXPECT, "\0\1\0\0\1\1\0\1\4", 9                                                                      \
    }
#define COMMAND                                                                                              \
    {                                                                                                        \
        EXPECT, "\0\5\0\xCA\0\0\0", 7                                                                        \
    }
#define STOP                                                                                                 \
    {                                                                                                        \
        .deed = END                                                                                          \
    }

/* Runs one transmit of get_data against the steps and returns its result. */
static int run(struct fixture *fixture, const struct step *steps, size_t capacity, size_t *ret_length)
{
    struct card card;
    int rc;

    card_play(&card, fixture, card_insert(fixture), steps);
    rc = transmit(fixture, get_data, sizeof get_data, capacity, ret_length);
    card_end(&card);
    return rc;
}

/* The card that failed is told gone once, and the reader takes the next one. */
static void assert_lost_and_usable(struct fixture *fixture)
{
    static const struct step steps[] = {COMMAND, {SAY, "\0\2\x90\0", 4}, STOP};
    size_t length = 0;

    assert_int_equal(transmit(fixture, get_data, sizeof get_data, 2, &length), RC_NO_CARD);
    assert_false(present_after_event(fixture->reader));
    assert_false(event_waits(fixture->reader, 0));
    assert_int_equal(run(fixture, steps, 2, &length), RC_OK);
    assert_int_equal(length, 2);
}

static void a_card_is_powered_and_answers(void **state)
{
    static const struct step steps[] = {
        COLD,
        {SAY, "\0\4\x3B\x80\1\x81", 6},
        COMMAND,
        {SAY, "\0\5abc\x90\0", 7},
        {EXPECT, "\0\1\2\0\1\4", 6},
        {SAY, "\0\4\x3B\x80\1\x81", 6},
        {EXPECT, "\0\1\0", 3},
        STOP,
    };
    struct fixture *fixture = *state;
    struct reader *reader = fixture->reader;
    struct card card;
    uint8_t got[ATR_MAX];
    size_t length = 99;

    assert_false(event_waits(reader, 0));
    assert_int_equal(power(fixture, POWER_COLD, got, &length), RC_NO_CARD);
    card_play(&card, fixture, card_insert(fixture), steps);
    assert_int_equal(power(fixture, POWER_COLD, got, &length), RC_OK);
    assert_int_equal(length, sizeof atr);
    assert_memory_equal(got, atr, sizeof atr);
    assert_int_equal(reader->ops->set_protocol(reader, PROTOCOL_T1), RC_OK);
    assert_int_equal(transmit(fixture, get_data, sizeof get_data, 258, &length), RC_OK);
    assert_int_equal(length, 5);
    assert_memory_equal(fixture->big, "abc\x90", 5);
    assert_int_equal(power(fixture, POWER_WARM, got, &length), RC_OK);
    assert_int_equal(length, sizeof atr);
    /* With the card idle nothing is to be done, and the answers read meanwhile were no event. */
    assert_false(event_waits(reader, 0));
    assert_int_equal(power(fixture, POWER_OFF, got, &length), RC_OK);
    assert_int_equal(length, 0);
    card_end(&card);
    assert_false(present_after_event(reader));
    assert_false(event_waits(reader, 0));
}

static void pieces_make_a_frame(void **state)
{
    static const struct step steps[] = {COMMAND, {DRIP, "\0\7hello\x90\0", 9}, STOP};
    struct fixture *fixture = *state;
    size_t length = 0;

    assert_int_equal(run(fixture, steps, 258, &length), RC_OK);
    assert_int_equal(length, 7);
    assert_memory_equal(fixture->big, "hello\x90", 7);
}

static void the_largest_frames_pass(void **state)
{
    struct fixture *fixture = *state;
    uint8_t *command = malloc(2 + VPCD_FRAME_MAX), *answer = malloc(2 + VPCD_FRAME_MAX);
    const struct step steps[] = {
        {EXPECT, command, 2 + VPCD_FRAME_MAX},
        {SAY, answer, 2 + VPCD_FRAME_MAX},
        {EXPECT, command, 2 + VPCD_FRAME_MAX},
        {DRIP, answer, 2 + VPCD_FRAME_MAX},
        STOP,
    };
    struct card card;
    size_t length = 0;

    assert_non_null(command);
    assert_non_null(answer);
    for (size_t i = 0; i < 2 + VPCD_FRAME_MAX; i++) {
        command[i] = (uint8_t)(i * 7);
        answer[i] = (uint8_t)(i * 13);
    }
    memset(command, 0xFF, 2);
    memset(answer, 0xFF, 2);
    card_play(&card, fixture, card_insert(fixture), steps);
    for (int i = 0; i < 2; i++) {
        memset(fixture->big, 0, VPCD_FRAME_MAX);
        assert_int_equal(transmit(fixture, command + 2, VPCD_FRAME_MAX, VPCD_FRAME_MAX, &length), RC_OK);
        assert_int_equal(length, VPCD_FRAME_MAX);
        assert_memory_equal(fixture->big, answer + 2, VPCD_FRAME_MAX);
    }
    /* One byte more cannot be framed; it must not cost the card. */
    assert_int_equal(transmit(fixture, command, VPCD_FRAME_MAX + 1, VPCD_FRAME_MAX, &length), RC_UNSUPPORTED);
    assert_non_null(strstr(detail_get(), "65535"));
    card_end(&card);
    free(command);
    free(answer);
}

static void a_command_that_looks_like_a_control_code_is_refused(void **state)
{
    static const struct step steps[] = {COMMAND, {SAY, "\0\2\x90\0", 4}, STOP};
    struct fixture *fixture = *state;
    struct card card;
    size_t length = 77;

    card_play(&card, fixture, card_insert(fixture), steps);
    assert_int_equal(transmit(fixture, "\0", 1, 258, &length), RC_NOT_TRANSACTED);
    assert_non_null(strstr(detail_get(), "control code"));
    assert_int_equal(length, 77);
    /* Nothing of it went to the card. */
    assert_int_equal(transmit(fixture, get_data, sizeof get_data, 258, &length), RC_OK);
    card_end(&card);
}

/* An answer too long is told with its length, one too short is refused; both leave the line in step. */
static void odd_answers_leave_the_line_in_step(void **state)
{
    uint8_t *large = malloc(2 + 40000);
    const struct step steps[] = {
        COMMAND, {SAY, "\0\5abc\x90\0", 7}, COMMAND, {SAY, large, 2 + 40000}, COMMAND, {SAY, "\0\0", 2},
        COMMAND, {SAY, "\0\1x", 3},         COMMAND, {SAY, "\0\2\x90\0", 4},  STOP,
    };
    struct fixture *fixture = *state;
    struct card card;
    size_t length = 0;

    assert_non_null(large);
    memset(large, 'L', 2 + 40000);
    large[0] = 40000 >> 8;
    large[1] = 40000 & 0xFF;
    card_play(&card, fixture, card_insert(fixture), steps);
    memset(fixture->big, 'z', 100);
    assert_int_equal(transmit(fixture, get_data, sizeof get_data, 4, &length), RC_INSUFFICIENT_BUFFER);
    assert_int_equal(length, 5);
    assert_int_equal(fixture->big[4], 'z');
    assert_int_equal(transmit(fixture, get_data, sizeof get_data, 0, &length), RC_INSUFFICIENT_BUFFER);
    assert_int_equal(length, 40000);
    assert_int_equal(fixture->big[4], 'z');
    assert_int_equal(transmit(fixture, get_data, sizeof get_data, 258, &length), RC_NOT_TRANSACTED);
    assert_int_equal(transmit(fixture, get_data, sizeof get_data, 258, &length), RC_NOT_TRANSACTED);
    assert_int_equal(transmit(fixture, get_data, sizeof get_data, 258, &length), RC_OK);
    assert_int_equal(length, 2);
    card_end(&card);
    free(large);
}

static void odd_atrs(void **state)
{
    uint8_t longest[2 + 33] = {0, 33, 0x3B}, too_long[2 + 34] = {0, 34, 0x3B};
    const struct step steps[] = {
        COLD,
        {SAY, too_long, sizeof too_long},
        COLD,
        {SAY, longest, sizeof longest},
        COLD,
        {SAY, "\0\0", 2},
        {EXPECT_EOF, NULL, 0},
        STOP,
    };
    struct fixture *fixture = *state;
    struct card card;
    uint8_t got[ATR_MAX];
    size_t length = 0;

    card_play(&card, fixture, card_insert(fixture), steps);
    assert_int_equal(power(fixture, POWER_COLD, got, &length), RC_MUTE);
    assert_non_null(strstr(detail_get(), "34"));
    assert_int_equal(power(fixture, POWER_COLD, got, &length), RC_OK);
    assert_int_equal(length, 33);
    assert_memory_equal(got, longest + 2, 33);
    assert_int_equal(power(fixture, POWER_COLD, got, &length), RC_NO_CARD); /* length 0: taken out */
    card_end(&card);
    assert_lost_and_usable(fixture);
}

static void a_card_that_leaves_is_no_card(void **state)
{
    static const struct step scripts[][4] = {
        {COMMAND, {LEAVE, NULL, 0}, STOP},
        {COMMAND, {RESET, NULL, 0}, STOP},
        {COMMAND, {SAY, "\0", 1}, {LEAVE, NULL, 0}, STOP},
        {COMMAND, {SAY, "\0\5abc", 5}, {LEAVE, NULL, 0}, STOP},
        {COMMAND, {SAY, "\0\5abc", 5}, {RESET, NULL, 0}, STOP},
        {{RESET, NULL, 0}, STOP},
    };
    struct fixture *fixture = *state;
    size_t length = 5;

    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        /* With room for all of the answer and for a part of it. */
        for (size_t capacity = 0; capacity <= 258; capacity += 129) {
            assert_int_equal(run(fixture, scripts[i], capacity, &length), RC_NO_CARD);
            assert_int_equal(length, 5); /* untouched */
            assert_lost_and_usable(fixture);
            assert_false(present_after_event(fixture->reader));
        }
    }
}

static void a_silent_card_is_given_up(void **state)
{
    static const struct step scripts[][4] = {
        {COMMAND, {EXPECT_EOF, NULL, 0}, STOP},
        {COMMAND, {SAY, "\0", 1}, {EXPECT_EOF, NULL, 0}, STOP},
        {COMMAND, {SAY, "\0\5abc", 5}, {EXPECT_EOF, NULL, 0}, STOP},
    };
    struct fixture *fixture = *state;
    size_t length = 0;

    close_all(fixture);
    assert_int_equal(open_uri(fixture, "vpcd:0?timeout=1"), RC_OK);
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        assert_int_equal(run(fixture, scripts[i], 258, &length), RC_TIMEOUT);
        assert_non_null(strstr(detail_get(), "timeout="));
        assert_lost_and_usable(fixture);
        assert_false(present_after_event(fixture->reader));
    }
}

/* A peer that does not read fills the line; sending into it ends with the deadline, also half-way. */
static void a_peer_that_does_not_read_times_out(void **state)
{
    struct fixture *fixture = *state;
    struct timeval limit = {.tv_usec = 10000};
    int pair[2];

    for (int i = 0; i < 2; i++) {
        struct iovec part = {.iov_base = fixture->big, .iov_len = VPCD_FRAME_MAX};
        int rc = RC_OK, size = 4096;

        memset(fixture->big, 0, VPCD_FRAME_MAX);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
        assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit), 0);
        assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
        if (i)
            while (send(pair[0], "", 1, MSG_DONTWAIT) == 1)
                ;
        rc = vpcd_frame_send(pair[0], &part, 1, deadline_in_ms(10));
        assert_int_equal(rc, RC_TIMEOUT);
        close(pair[1]);
        part = (struct iovec){.iov_base = fixture->big, .iov_len = 1};
        assert_int_equal(vpcd_frame_send(pair[0], &part, 1, deadline_in_ms(10)),
                         RC_NO_CARD); /* and no SIGPIPE */
        close(pair[0]);
    }
}

static void unasked_bytes_cost_the_card(void **state)
{
    static const struct step steps[] = {COMMAND, {SAY, "\0\2\x90\0\0", 5}, {EXPECT_EOF, NULL, 0}, STOP};
    struct fixture *fixture = *state;
    size_t length = 0;
    int fd;

    /* Before the command: they must never pass for its answer. The end of the stream behind them is what
     * tells that they have arrived. */
    fd = card_insert(fixture);
    assert_int_equal(send(fd, "\0\2\x90\0", 4, 0), 4);
    shutdown(fd, SHUT_WR);
    assert_true(event_waits(fixture->reader, 30000));
    assert_int_equal(transmit(fixture, get_data, sizeof get_data, 258, &length), RC_IO);
    assert_non_null(strstr(detail_get(), "nobody asked"));
    assert_lost_and_usable(fixture);
    close(fd);
    assert_false(present_after_event(fixture->reader));

    /* Behind an answer. */
    assert_int_equal(run(fixture, steps, 258, &length), RC_IO);
    assert_lost_and_usable(fixture);
    assert_false(present_after_event(fixture->reader));

    /* While idle: seen by presence. */
    fd = card_insert(fixture);
    assert_int_equal(send(fd, "x", 1, 0), 1);
    shutdown(fd, SHUT_WR);
    assert_false(present_after_event(fixture->reader));
    assert_non_null(strstr(detail_get(), "nobody asked"));
    close(fd);

    /* At once, or already gone: never a card at all. */
    fd = card_connect(fixture->reader);
    assert_int_equal(send(fd, "x", 1, 0), 1);
    shutdown(fd, SHUT_WR);
    if (present_after_event(fixture->reader)) /* the byte may come behind the connection */
        assert_false(present_after_event(fixture->reader));
    assert_false(event_waits(fixture->reader, 0));
    close(fd);
}

static void cancel_ends_the_call_under_way(void **state)
{
    static const struct step scripts[][5] = {
        {COMMAND, {CANCEL, NULL, 0}, {EXPECT_EOF, NULL, 0}, STOP},
        {COMMAND, {SAY, "\0\5abc", 5}, {CANCEL, NULL, 0}, {EXPECT_EOF, NULL, 0}, STOP},
    };
    struct fixture *fixture = *state;
    size_t length = 0;

    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        assert_int_equal(run(fixture, scripts[i], 258, &length), RC_CANCELLED);
        /* Not sticky, and nothing to a reader that does nothing. */
        fixture->reader->ops->cancel(fixture->reader);
        assert_lost_and_usable(fixture);
        fixture->reader->ops->cancel(fixture->reader);
        assert_false(present_after_event(fixture->reader));
    }
}

struct storm {
    struct reader *reader;
    atomic_bool over;
};

/* A card that answers each command by 9000 and comes back when it is thrown out. */
static void *storm_card(void *arg)
{
    struct storm *storm = arg;

    while (!storm->over) {
        int fd = card_connect(storm->reader);
        uint8_t frame[7];

        while (recv(fd, frame, sizeof frame, MSG_WAITALL) == sizeof frame)
            if (send(fd, "\0\2\x90\0", 4, MSG_NOSIGNAL) != 4)
                break;
        close(fd);
    }
    return NULL;
}

static void *storm_cancel(void *arg)
{
    struct storm *storm = arg;

    while (!storm->over)
        storm->reader->ops->cancel(storm->reader);
    return NULL;
}

/* Cancels at any moment: a call ends well or cancelled, and the next card is as good as the first. */
static void cancel_at_any_moment(void **state)
{
    struct fixture *fixture = *state;
    struct storm storm = {.reader = fixture->reader};
    pthread_t card, cancel[2];
    size_t length;
    int done = 0, cancelled = 0;

    assert_int_equal(pthread_create(&card, NULL, storm_card, &storm), 0);
    while (!present_after_event(fixture->reader))
        ;
    assert_int_equal(transmit(fixture, get_data, sizeof get_data, 258, &length), RC_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&cancel[i], NULL, storm_cancel, &storm), 0);
    for (int i = 0; i < 400; i++) {
        int rc = transmit(fixture, get_data, sizeof get_data, 258, &length);

        done += rc == RC_OK;
        cancelled += rc == RC_CANCELLED;
        if (rc)
            while (!present_after_event(fixture->reader))
                ;
    }
    storm.over = true;
    for (int i = 0; i < 2; i++)
        pthread_join(cancel[i], NULL);
    close_all(fixture);
    pthread_join(card, NULL);
    assert_int_equal(done + cancelled, 400);
    assert_true(cancelled > 0);
}

static void the_next_card_waits_its_turn(void **state)
{
    static const struct step steps[] = {COMMAND, {SAY, "\0\4hi\x90\0", 6}, STOP};
    struct fixture *fixture = *state;
    struct reader *reader = fixture->reader;
    int first = card_insert(fixture), second = card_connect(reader);
    struct card card;
    size_t length = 0;

    assert_false(event_waits(reader, 0));
    close(first);
    assert_false(present_after_event(reader)); /* removed, though one waits */
    assert_true(present_after_event(reader));
    assert_false(event_waits(reader, 0));
    card_play(&card, fixture, second, steps);
    assert_int_equal(transmit(fixture, get_data, sizeof get_data, 258, &length), RC_OK);
    assert_int_equal(length, 4);
    card_end(&card);
}

static void facts_are_told(void **state)
{
    static const struct step steps[] = {
        COLD, {SAY, "\0\4\x3B\x80\1\x81", 6}, {EXPECT, "\0\1\0", 3}, {EXPECT_EOF, NULL, 0}, STOP};
    struct fixture *fixture = *state;
    struct reader *reader = fixture->reader;
    const struct reader_ops *op = reader->ops;
    uint8_t out[64], got[ATR_MAX];
    struct card card;
    size_t length = 0;
    uint32_t number;

    assert_int_equal(op->control(reader, 0x42000D48, NULL, 0, out, sizeof out, &length), RC_OK);
    assert_int_equal(length, 6);
    assert_memory_equal(out, "\x12\4\x42\x33\0\x12", 6);
    assert_int_equal(op->control(reader, 0x00313520, NULL, 0, out, 5, &length), RC_INSUFFICIENT_BUFFER);
    assert_int_equal(length, 6);
    assert_int_equal(op->control(reader, 0x42330012, NULL, 0, out, sizeof out, &length), RC_OK);
    assert_memory_equal(out, "\x0A\4\0\0\1\0", 6);
    assert_int_equal(op->control(reader, 0x42000001, NULL, 0, out, sizeof out, &length), RC_UNSUPPORTED);

    assert_int_equal(op->get_attribute(reader, 0x00010101, out, sizeof out, &length), RC_OK);
    assert_string_equal((char *)out, "Virtual PCD");
    assert_int_equal(op->get_attribute(reader, 0x00010100, NULL, 0, &length), RC_INSUFFICIENT_BUFFER);
    assert_int_equal(length, strlen(reader->vendor) + 1);
    assert_int_equal(op->get_attribute(reader, 0x0007A007, out, sizeof out, &length), RC_OK);
    assert_int_equal(length, 4);
    memcpy(&number, out, 4);
    assert_int_equal(number, 65535);
    assert_int_equal(op->get_attribute(reader, 0x00020110, out, sizeof out, &length), RC_OK);
    memcpy(&number, out, 4);
    assert_int_equal(number, 0x00F00000 | port_of(reader));
    assert_int_equal(op->get_attribute(reader, 0x00090300, out, sizeof out, &length), RC_OK);
    assert_int_equal(out[0], 0);
    assert_int_equal(op->get_attribute(reader, 0x00090303, NULL, 0, &length), RC_OK);
    assert_int_equal(length, 0);
    assert_int_equal(op->get_attribute(reader, 0x7FFF0003, out, sizeof out, &length), RC_UNSUPPORTED);
    assert_int_equal(op->set_attribute(reader, 0x7FFF0007, out, 1), RC_UNSUPPORTED);

    card_play(&card, fixture, card_insert(fixture), steps);
    assert_int_equal(power(fixture, POWER_COLD, got, &length), RC_OK);
    assert_int_equal(op->get_attribute(reader, 0x00090303, out, sizeof out, &length), RC_OK);
    assert_int_equal(length, sizeof atr);
    assert_memory_equal(out, atr, sizeof atr);
    assert_int_equal(op->get_attribute(reader, 0x00090300, out, sizeof out, &length), RC_OK);
    assert_int_equal(out[0], 2);
    assert_int_equal(op->get_attribute(reader, 0x00090301, out, sizeof out, &length), RC_OK);
    assert_int_equal(out[0], 1);
    close_all(fixture); /* powers off, then lets the card go */
    card_end(&card);
}

static void bad_uris_are_refused(void **state)
{
    static const struct {
        const char *text, *detail;
    } bad[] = {
        {"vpcd:", "port"},
        {"vpcd:card", "port"},
        {"vpcd:-1", "port"},
        {"vpcd:65536", "port"},
        {"vpcd:99999999999999999999999", "port"},
        {"vpcd:35963x", "port"},
        {"vpcd:65535?slots=2", "65535"},
        {"vpcd:0?slots=0", "slots"},
        {"vpcd:0?slots=257", "slots"},
        {"vpcd:0?timeout=soon", "timeout"},
        {"vpcd:0?hots=::1", "hots"},
        {"vpcd:0?host=0.0.0.0", "127.0.0.1"},
        {"vpcd:0?host=::", "127.0.0.1"},
        {"vpcd:0?host=192.0.2.1", "127.0.0.1"},
        {"vpcd:0?host=localhost", "127.0.0.1"},
        {"vpcd:0?host=", "127.0.0.1"},
    };
    struct fixture other = {0};

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(open_uri(&other, bad[i].text), RC_INVALID_VALUE);
        if (!strstr(detail_get(), bad[i].detail))
            fail_msg("%s: %s", bad[i].text, detail_get());
    }
}

static void a_port_in_use_is_named(void **state)
{
    struct fixture *fixture = *state, other = {0};
    char text[32], port[8];

    snprintf(port, sizeof port, "%d", port_of(fixture->reader));
    snprintf(text, sizeof text, "vpcd:%s", port);
    assert_int_equal(open_uri(&other, text), RC_READER_UNAVAILABLE);
    assert_non_null(strstr(detail_get(), port));
    assert_non_null(strstr(detail_get(), "in use"));
    /* Where one of several slots cannot be had, none is kept. */
    snprintf(text, sizeof text, "vpcd:%d?slots=2", port_of(fixture->reader) - 1);
    assert_int_equal(open_uri(&other, text), RC_READER_UNAVAILABLE);
    assert_int_equal(other.count, 0);
    /* Free again as soon as it is closed, also with a card in. */
    close(card_insert(fixture));
    close_all(fixture);
    snprintf(text, sizeof text, "vpcd:%s", port);
    assert_int_equal(open_uri(fixture, text), RC_OK);
    assert_string_equal(fixture->reader->device, text);
}

static void slots_are_independent(void **state)
{
    struct fixture *fixture = *state;
    bool present;
    int fd;

    close_all(fixture);
    assert_int_equal(open_uri(fixture, "vpcd:0?slots=3&timeout=0"), RC_OK);
    assert_int_equal(fixture->count, 3);
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(fixture->readers[i]->slot, i);
        assert_string_equal(fixture->readers[i]->model, "Virtual PCD");
    }
    assert_string_not_equal(fixture->readers[0]->device, fixture->readers[1]->device);
    fd = card_connect(fixture->readers[1]);
    assert_true(present_after_event(fixture->readers[1]));
    assert_int_equal(fixture->readers[0]->ops->presence(fixture->readers[0], &present), RC_OK);
    assert_false(present);
    close(fd);
}

/* By port number, with slots on the ports that follow. */
static void ports_of_slots_are_consecutive(void **state)
{
    struct fixture *fixture = *state;
    int rc, port;

    do { /* the three ports found free may be taken by others meanwhile */
        char text[32];

        close_all(fixture);
        assert_int_equal(open_uri(fixture, "vpcd:0"), RC_OK);
        port = port_of(fixture->reader);
        close_all(fixture);
        snprintf(text, sizeof text, "vpcd:%d?slots=3", port);
        rc = open_uri(fixture, text);
    } while (rc == RC_READER_UNAVAILABLE || rc == RC_INVALID_VALUE);
    assert_int_equal(rc, RC_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(port_of(fixture->readers[i]), port + i);
}

static void ipv6_loopback_on_request(void **state)
{
    struct fixture *fixture = *state;
    struct sockaddr_in6 address = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

    close_all(fixture);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address)) {
        /* A machine without ::1 says so. */
        assert_int_equal(open_uri(fixture, "vpcd:0?host=::1"), RC_READER_UNAVAILABLE);
        assert_non_null(strstr(detail_get(), "::1"));
    } else {
        assert_int_equal(open_uri(fixture, "vpcd:0?host=::1"), RC_OK);
        assert_non_null(strstr(fixture->reader->device, "host=::1"));
        address.sin6_port = htons((uint16_t)port_of(fixture->reader));
        close(fd);
        fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
        assert_true(present_after_event(fixture->reader));
    }
    if (fd >= 0)
        close(fd);
}

/* Nothing is passed on by exec, and nothing stays open. */
static void descriptors_are_kept_in_order(void **state)
{
    enum { LOOKED_AT = 256 };
    struct fixture other = {0};
    bool before[LOOKED_AT];
    int card, flags;

    (void)state;
    for (int fd = 0; fd < LOOKED_AT; fd++)
        before[fd] = fcntl(fd, F_GETFD) >= 0;
    assert_int_equal(open_uri(&other, "vpcd:0?slots=2"), RC_OK);
    card = card_insert(&other);
    for (int fd = 0; fd < LOOKED_AT; fd++) {
        flags = fcntl(fd, F_GETFD);
        if (flags >= 0 && !before[fd])
            assert_true(flags & FD_CLOEXEC);
    }
    close_all(&other);
    close(card);
    for (int fd = 0; fd < LOOKED_AT; fd++)
        assert_int_equal(fcntl(fd, F_GETFD) >= 0, before[fd]);
}

/* A card that cannot be taken for want of descriptors is turned away, so that no event stays for ever. */
static void a_card_is_turned_away_without_descriptors(void **state)
{
    struct fixture *fixture = *state;
    struct rlimit limit, tight;
    int fd = card_connect(fixture->reader), lowest;
    bool present;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    lowest = dup(0);
    assert_true(lowest >= 0);
    close(lowest);
    tight = (struct rlimit){.rlim_cur = (rlim_t)lowest, .rlim_max = limit.rlim_max};
    assert_true(event_waits(fixture->reader, 30000));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    assert_int_equal(fixture->reader->ops->presence(fixture->reader, &present), RC_NO_MEMORY);
    assert_non_null(strstr(detail_get(), "ulimit"));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    assert_false(event_waits(fixture->reader, 0));
    assert_true(recv(fd, &(uint8_t){0}, 1, 0) <= 0);
    close(fd);
    close(card_insert(fixture));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(a_card_is_powered_and_answers),
        CASE(pieces_make_a_frame),
        CASE(the_largest_frames_pass),
        CASE(a_command_that_looks_like_a_control_code_is_refused),
        CASE(odd_answers_leave_the_line_in_step),
        CASE(odd_atrs),
        CASE(a_card_that_leaves_is_no_card),
        CASE(a_silent_card_is_given_up),
        CASE(a_peer_that_does_not_read_times_out),
        CASE(unasked_bytes_cost_the_card),
        CASE(cancel_ends_the_call_under_way),
        CASE(cancel_at_any_moment),
        CASE(the_next_card_waits_its_turn),
        CASE(facts_are_told),
        CASE(bad_uris_are_refused),
        CASE(a_port_in_use_is_named),
        CASE(slots_are_independent),
        CASE(ports_of_slots_are_consecutive),
        CASE(ipv6_loopback_on_request),
        CASE(descriptors_are_kept_in_order),
        CASE(a_card_is_turned_away_without_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
