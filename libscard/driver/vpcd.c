/* SPDX-License-Identifier: MIT */
/*
 * What an exchange costs, and how it is cancelled. The bare minimum is two system calls, send and receive;
 * a poll on the socket and a cancel descriptor would be a third with its own sleep. So the receive itself
 * blocks, limited by SO_RCVTIMEO, and cancel shuts the socket down, which ends a blocked call at once. (One
 * more call is spent on purpose: a look before sending, so that bytes sent unasked never pass for an answer.)
 *
 * Cancel must not touch a descriptor that may be closed and handed out again meanwhile. `call` decides that:
 * only the thread that moves it from UNDER_WAY to CANCELLED shuts down, and the call that finds itself
 * CANCELLED at its end waits on `shut` until that is done. The connection is never closed inside a call.
 *
 * event_fd is an epoll descriptor over the listener and the connection. Of the connection it watches the
 * hang-up alone: with EPOLLIN, each answer would wake the thread that waits for presence. A dropped card
 * is shut down, not closed, so the hang-up shows there until presence() has told it.
 */
#include "driver/vpcd.h"

#include <errno.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/vpcd_facts.h"
#include "driver/vpcd_frame.h"
#include "driver/vpcd_listen.h"
#include "driver/vpcd_settings.h"

enum call { CALL_NONE, CALL_UNDER_WAY, CALL_CANCELLED };

struct vpcd {
    struct reader reader;
    char *device;
    uint16_t port;
    uint64_t timeout_ms; /* 0 = no limit */
    int listener, connection;
    int spare; /* gives way when the process is out of descriptors, so that a card can be turned away */
    bool left; /* the connection is shut down, and presence() has not told yet */
    uint8_t atr[ATR_MAX];
    size_t atr_length; /* 0 = card not powered */
    int64_t card_ns;   /* from the last command sent to the card to its answer */
    _Atomic int call;
    sem_t shut;
};

static struct vpcd *vpcd_of(struct reader *reader)
{
    return (struct vpcd *)reader;
}

static void watch_listener(const struct vpcd *vpcd, bool on)
{
    struct epoll_event event = {.events = on ? EPOLLIN : 0};

    /* Cannot fail: the listener is in the set from open to close. */
    (void)epoll_ctl(vpcd->reader.event_fd, EPOLL_CTL_MOD, vpcd->listener, &event);
}

/* Gives the card up; rc says why and is returned. */
static int drop(struct vpcd *vpcd, int rc)
{
    vpcd->left = true;
    vpcd->atr_length = 0;
    (void)shutdown(vpcd->connection, SHUT_RDWR);
    switch (rc) {
    case RC_TIMEOUT:
        return detail_set(
            rc,
            "%s: the card gave no whole answer within %llu s, its connection is closed; a slow card "
            "needs a larger timeout= in the reader's URI",
            vpcd->device, (unsigned long long)vpcd->timeout_ms / 1000);
    case RC_CANCELLED:
        return detail_set(
            rc, "%s: cancelled while the card was working; its connection is closed, connect it again",
            vpcd->device);
    case RC_IO:
        return detail_set(rc,
                          "%s: the card program sent bytes that nobody asked for; its connection is closed",
                          vpcd->device);
    default:
        return detail_set(rc, "%s: the card program has closed its connection", vpcd->device);
    }
}

static void forget_connection(struct vpcd *vpcd)
{
    (void)epoll_ctl(vpcd->reader.event_fd, EPOLL_CTL_DEL, vpcd->connection, NULL);
    close(vpcd->connection);
    vpcd->connection = -1;
    vpcd->left = false;
    watch_listener(vpcd, true);
}

/* Without a descriptor left, a waiting connection would keep event_fd readable for ever: turn it away. */
static void refuse_connection(struct vpcd *vpcd)
{
    if (vpcd->spare < 0)
        return;
    close(vpcd->spare);
    vpcd->spare = accept4(vpcd->listener, NULL, NULL, SOCK_CLOEXEC);
    if (vpcd->spare >= 0)
        close(vpcd->spare);
    vpcd->spare = fcntl(vpcd->listener, F_DUPFD_CLOEXEC, 0);
}

/* Takes a waiting connection; vpcd->connection stays -1 if there is none, or it is of no use. */
static int accept_card(struct vpcd *vpcd)
{
    struct epoll_event event = {.events = EPOLLRDHUP};
    int fd;

    do
        fd = accept4(vpcd->listener, NULL, NULL, SOCK_CLOEXEC);
    while (fd < 0 && errno == EINTR);
    if (fd < 0) {
        if (errno != EMFILE && errno != ENFILE)
            return RC_OK;
        refuse_connection(vpcd);
        return detail_set(RC_NO_MEMORY,
                          "%s: a card was turned away: no file descriptor left; raise ulimit -n",
                          vpcd->device);
    }
    if (vpcd_frame_prepare(fd, vpcd->timeout_ms) || vpcd_frame_quiet(fd)) {
        log_debug("%s: a card was gone, or spoke unasked, as soon as it was there", vpcd->device);
        close(fd);
        return RC_OK;
    }
    if (epoll_ctl(vpcd->reader.event_fd, EPOLL_CTL_ADD, fd, &event)) {
        close(fd);
        return detail_set(RC_NO_MEMORY, "%s: cannot watch the card: %s", vpcd->device,
                          strerrordesc_np(errno));
    }
    vpcd->connection = fd;
    watch_listener(vpcd, false);
    log_debug("%s: card in", vpcd->device);
    return RC_OK;
}

/* One change per call: the removal of a card is told before the next card is taken. */
static int vpcd_presence(struct reader *reader, bool *ret_present)
{
    struct vpcd *vpcd = vpcd_of(reader);
    int rc = RC_OK;

    if (vpcd->connection < 0) {
        rc = accept_card(vpcd);
        if (rc)
            return rc;
    } else {
        if (!vpcd->left)
            rc = vpcd_frame_quiet(vpcd->connection);
        if (rc)
            (void)drop(vpcd, rc);
        if (vpcd->left)
            forget_connection(vpcd);
    }
    *ret_present = vpcd->connection >= 0;
    return RC_OK;
}

/* False when a cancel came; its shutdown is done then. */
static bool end_call(struct vpcd *vpcd)
{
    int expected = CALL_UNDER_WAY;

    if (atomic_compare_exchange_strong(&vpcd->call, &expected, CALL_NONE))
        return true;
    while (sem_wait(&vpcd->shut) && errno == EINTR)
        ;
    atomic_store(&vpcd->call, CALL_NONE);
    return false;
}

static struct deadline time_allowed(const struct vpcd *vpcd)
{
    return vpcd->timeout_ms ? deadline_in_ms(vpcd->timeout_ms) : deadline_never();
}

/* Sends the parts and, unless ret_length is NULL, reads one frame. Drops the card when the stream is lost. */
static int exchange(struct vpcd *vpcd, struct iovec *parts, size_t count, uint8_t *out, size_t capacity,
                    size_t *ret_length)
{
    int rc;

    if (vpcd->connection < 0 || vpcd->left)
        return detail_set(RC_NO_CARD, "%s: no card; a card program connects to port %u", vpcd->device,
                          vpcd->port);
    atomic_store(&vpcd->call, CALL_UNDER_WAY);
    rc = vpcd_frame_quiet(vpcd->connection);
    if (!rc)
        rc = vpcd_frame_send(vpcd->connection, parts, count, time_allowed(vpcd));
    if (!rc && ret_length)
        rc = vpcd_frame_read(vpcd->connection, out, capacity, time_allowed(vpcd), ret_length);
    if (!end_call(vpcd))
        rc = RC_CANCELLED;
    return rc && rc != RC_INSUFFICIENT_BUFFER ? drop(vpcd, rc) : rc;
}

static int vpcd_power(struct reader *reader, enum power_action action, uint8_t atr[ATR_MAX],
                      size_t *ret_atr_length)
{
    /* Each control code is a frame of one byte: 0 off, 1 on, 2 reset, 4 get ATR. */
    static const uint8_t off[] = {0, 1, 0};
    static const uint8_t cold[] = {0, 1, 0, 0, 1, 1, 0, 1, 4};
    static const uint8_t warm[] = {0, 1, 2, 0, 1, 4};
    struct vpcd *vpcd = vpcd_of(reader);
    uint8_t frames[sizeof cold];
    struct iovec part = {.iov_base = frames};
    uint8_t answer[ATR_MAX];
    size_t length = 0;
    int rc;

    part.iov_len = action == POWER_OFF ? sizeof off : action == POWER_COLD ? sizeof cold : sizeof warm;
    memcpy(frames, action == POWER_OFF ? off : action == POWER_COLD ? cold : warm, part.iov_len);
    vpcd->atr_length = 0;
    rc = exchange(vpcd, &part, 1, answer, sizeof answer, action == POWER_OFF ? NULL : &length);
    if (rc == RC_INSUFFICIENT_BUFFER)
        return detail_set(RC_MUTE, "%s: the card's ATR has %zu bytes; at most %d are allowed", vpcd->device,
                          length, ATR_MAX);
    if (rc)
        return rc;
    if (action != POWER_OFF && !length)
        return drop(vpcd, RC_NO_CARD); /* a card program's way to say that its card was taken out */
    memcpy(vpcd->atr, answer, length);
    memcpy(atr, answer, length);
    vpcd->atr_length = length;
    *ret_atr_length = length;
    return RC_OK;
}

/* A virtual card is spoken to in APDUs, whatever the protocol. */
static int vpcd_set_protocol(struct reader *reader, enum protocol protocol)
{
    (void)reader;
    (void)protocol;
    return RC_OK;
}

static int vpcd_transmit(struct reader *reader, enum protocol protocol, const uint8_t *command,
                         size_t command_length, uint8_t *response, size_t capacity, size_t *ret_length)
{
    struct vpcd *vpcd = vpcd_of(reader);
    uint8_t header[] = {(uint8_t)(command_length >> 8), (uint8_t)command_length};
    struct iovec parts[] = {
        {.iov_base = header, .iov_len = sizeof header},
        {.iov_base = (void *)(uintptr_t)command, .iov_len = command_length}, /* only read by sendmsg */
    };
    size_t length = 0;
    int64_t start;
    int rc;

    (void)protocol;
    if (command_length < 2)
        return detail_set(
            RC_NOT_TRANSACTED,
            "%s: a command of %zu byte cannot be sent: a virtual card takes it for a control code; "
            "an APDU has at least 4",
            vpcd->device, command_length);
    if (command_length > VPCD_FRAME_MAX)
        return detail_set(RC_UNSUPPORTED,
                          "%s: a command of %zu bytes cannot be sent to a virtual card; at most %d",
                          vpcd->device, command_length, VPCD_FRAME_MAX);
    start = clock_now_ns();
    rc = exchange(vpcd, parts, 2, response, capacity, &length);
    vpcd->card_ns = clock_now_ns() - start;
    if (rc == RC_INSUFFICIENT_BUFFER)
        *ret_length = length;
    if (rc)
        return rc;
    if (length < 2)
        return detail_set(RC_NOT_TRANSACTED, "%s: the card answered %zu bytes, which holds no SW1 SW2",
                          vpcd->device, length);
    *ret_length = length;
    return RC_OK;
}

static void vpcd_cancel(struct reader *reader)
{
    struct vpcd *vpcd = vpcd_of(reader);
    int expected = CALL_UNDER_WAY;

    if (!atomic_compare_exchange_strong(&vpcd->call, &expected, CALL_CANCELLED))
        return;
    (void)shutdown(vpcd->connection, SHUT_RDWR);
    (void)sem_post(&vpcd->shut);
}

static int vpcd_control(struct reader *reader, uint32_t code, const uint8_t *in, size_t in_length,
                        uint8_t *out, size_t capacity, size_t *ret_length)
{
    (void)in;
    (void)in_length;
    return vpcd_facts_control(vpcd_of(reader)->device, code, out, capacity, ret_length);
}

static int vpcd_get_attribute(struct reader *reader, uint32_t tag, uint8_t *out, size_t capacity,
                              size_t *ret_length)
{
    const struct vpcd *vpcd = vpcd_of(reader);
    struct vpcd_facts facts = {
        .reader = reader,
        .port = vpcd->port,
        .present = vpcd->connection >= 0 && !vpcd->left,
        .atr = vpcd->atr,
        .atr_length = vpcd->atr_length,
        .card_ns = vpcd->card_ns,
    };

    return vpcd_facts_attribute(&facts, tag, out, capacity, ret_length);
}

static int vpcd_set_attribute(struct reader *reader, uint32_t tag, const uint8_t *value, size_t length)
{
    (void)value;
    (void)length;
    return detail_set(RC_UNSUPPORTED, "%s: attribute 0x%08X cannot be set", reader->device, tag);
}

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

static void vpcd_forget(struct reader *reader)
{
    struct vpcd *vpcd = vpcd_of(reader);

    close_if_open(vpcd->connection);
    close_if_open(vpcd->listener);
    close_if_open(vpcd->spare);
    close_if_open(vpcd->reader.event_fd);
}

static void vpcd_close(struct reader *reader)
{
    static const uint8_t off[] = {0, 1, 0};
    struct vpcd *vpcd = vpcd_of(reader);

    if (vpcd->connection >= 0 && vpcd->atr_length)
        (void)send(vpcd->connection, off, sizeof off, MSG_NOSIGNAL | MSG_DONTWAIT);
    vpcd_forget(reader);
    (void)sem_destroy(&vpcd->shut);
    free(vpcd->device);
    free(vpcd);
}

static const struct reader_ops ops = {
    .presence = vpcd_presence,
    .power = vpcd_power,
    .set_protocol = vpcd_set_protocol,
    .transmit = vpcd_transmit,
    .control = vpcd_control,
    .get_attribute = vpcd_get_attribute,
    .set_attribute = vpcd_set_attribute,
    .cancel = vpcd_cancel,
    .close = vpcd_close,
    .forget = vpcd_forget,
};

/* Opens what a slot needs into vpcd; vpcd_close copes with half of it. */
static int open_slot(struct vpcd *vpcd, const struct vpcd_settings *settings)
{
    struct epoll_event event = {.events = EPOLLIN};
    uint16_t port = settings->port ? (uint16_t)(settings->port + vpcd->reader.slot) : 0;
    int rc = vpcd_listen(settings->name, settings->host, port, &vpcd->listener, &vpcd->port);

    if (rc)
        return rc;
    if (asprintf(&vpcd->device, "vpcd:%u%s", vpcd->port, strchr(settings->host, ':') ? "?host=::1" : "") <
        0) {
        vpcd->device = NULL;
        return RC_NO_MEMORY;
    }
    vpcd->reader.device = vpcd->device;
    vpcd->reader.event_fd = epoll_create1(EPOLL_CLOEXEC);
    vpcd->spare = fcntl(vpcd->listener, F_DUPFD_CLOEXEC, 0);
    if (vpcd->reader.event_fd < 0 || vpcd->spare < 0 ||
        epoll_ctl(vpcd->reader.event_fd, EPOLL_CTL_ADD, vpcd->listener, &event))
        return detail_set(RC_NO_MEMORY, "%s: no file descriptor left to watch the port: %s; raise ulimit -n",
                          vpcd->device, strerrordesc_np(errno));
    return RC_OK;
}

static int new_slot(const struct vpcd_settings *settings, unsigned slot, struct reader **ret_reader)
{
    struct vpcd *vpcd = calloc(1, sizeof *vpcd);
    int rc;

    if (!vpcd)
        return RC_NO_MEMORY;
    vpcd->reader = (struct reader){
        .ops = &ops, .model = "Virtual PCD", .vendor = "libscard", .slot = slot, .event_fd = -1};
    vpcd->listener = vpcd->connection = vpcd->spare = -1;
    vpcd->timeout_ms = settings->timeout_ms;
    (void)sem_init(&vpcd->shut, 0, 0); /* fails for wrong arguments only */
    rc = open_slot(vpcd, settings);
    if (rc) {
        vpcd_close(&vpcd->reader);
        return rc;
    }
    *ret_reader = &vpcd->reader;
    return RC_OK;
}

int vpcd_open(const struct uri *uri, struct reader ***ret_readers, size_t *ret_count)
{
    struct vpcd_settings settings;
    struct reader **readers;
    unsigned count = 0;
    int rc = vpcd_settings_read(uri, &settings);

    if (rc)
        return rc;
    readers = calloc(settings.slots, sizeof *readers);
    if (!readers)
        return RC_NO_MEMORY;
    for (; !rc && count < settings.slots; count += !rc)
        rc = new_slot(&settings, count, &readers[count]);
    if (rc) {
        while (count)
            vpcd_close(readers[--count]);
        free(readers);
        return rc;
    }
    *ret_readers = readers;
    *ret_count = count;
    return RC_OK;
}
