/* SPDX-License-Identifier: MIT */
/* The remote service against a server that follows a script: versions, lengths that lie, a server that is
 * lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "base/rc.h"
#include "ipc/remote.h"
#include "ipc/wire.h"

#define CONTEXT 0x11223344u
#define CARD 0x01020304

#define MANY 20 /* readers, more than the old table has places for */
#define VISITS_MAX 16

/* When pcscd of minor 3 or 6 sends the end of a wait. */
enum wait_end { END_STOP, END_FIRST, END_AFTER, END_CANCELLED };

/* What the server does. */
struct script {
    int32_t minor;                       /* the newest that it speaks */
    bool strict;                         /* refuses every other one */
    _Atomic uint32_t offered[4], offers; /* minors that it was asked for */
    uint32_t features;                   /* or 0 */
    _Atomic uint32_t rv;                 /* of TRANSMIT, CONTROL, GET_ATTRIBUTE */
    _Atomic uint32_t length;             /* their lengths */
    uint32_t readers;                    /* what it calls their number, minor 6 */
    uint32_t hang_up_on, silent_on;      /* commands */
    _Atomic unsigned waits, stops, establishes;
    _Atomic enum wait_end wait_end; /* minor 3, and 6 without features */
    _Atomic int waiting;            /* the connection that waits, or -1 */
    _Atomic bool present;           /* a card in the last of MANY readers */
    _Atomic bool cancels;           /* the program cancels when it asks for the old table */
};

struct kit {
    char folder[32], path[48];
    int listener;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned visits;   /* connections that are served */
    unsigned visitors; /* that were ever served */
    int visit_fds[VISITS_MAX];
    struct script script;
    struct service *service;
    struct service_context *context;
    struct service_handle *handle;
};

static bool receive(int fd, void *bytes, size_t length)
{
    return !length || recv(fd, bytes, length, MSG_WAITALL) == (ssize_t)length;
}

static void answer(int fd, const void *bytes, size_t length)
{
    /* In two pieces: nobody may take one read for one message. */
    size_t half = length / 2;

    if (send(fd, bytes, half, MSG_NOSIGNAL) == (ssize_t)half)
        (void)!send(fd, (const char *)bytes + half, length - half, MSG_NOSIGNAL);
}

static void answer_version(struct script *script, int fd, struct wire_version *version)
{
    bool fits = script->strict ? version->minor == script->minor : version->minor <= script->minor;

    script->offered[script->offers++ % 4] = (uint32_t)version->minor;
    version->rv = fits ? 0 : script->minor == 3 ? 0x8010001D : 0x8010001E;
    version->minor = script->minor;
    answer(fd, version, sizeof *version);
}

static void answer_table(const struct script *script, int fd, uint32_t count)
{
    struct wire_reader table[MANY] = {
        {.name = "Reader 00 00",
         .events = 7,
         .state = WIRE_READER_PRESENT | WIRE_READER_POWERED | WIRE_READER_NEGOTIABLE,
         .atr = {0x3B, 0x00},
         .atr_length = 2,
         .protocol = 2},
        /* Names without an end, and lengths that cannot be. */
        {.state = WIRE_READER_PRESENT, .atr_length = 34},
        /* pcscd is about to add a reader, and has written half of its name. */
        {.name = "Reader 0", .atr_length = 34},
    };

    memset(table[1].name, 'x', sizeof table[1].name);
    for (unsigned i = 1; i < count && count == MANY; i++) {
        table[i] = (struct wire_reader){.state = WIRE_READER_ABSENT};
        snprintf(table[i].name, sizeof table[i].name, "Reader %02u 00", i);
    }
    if (script->minor == WIRE_MINOR_OLDEST && !script->present)
        table[0].state = WIRE_READER_ABSENT;
    if (count == MANY && script->present)
        table[MANY - 1].state = WIRE_READER_PRESENT | WIRE_READER_POWERED;
    /* A table for a number that is a lie is not read. */
    if (count <= MANY)
        answer(fd, table, count * sizeof *table);
}

/* A wait of minor 3 or 6 has one end, which comes when the script says. */
static void end_wait(struct script *script, uint32_t rv)
{
    const struct wire_wait end = {.rv = rv};
    int fd = script->waiting;

    script->waiting = -1;
    script->present = script->wait_end == END_FIRST || script->wait_end == END_AFTER;
    answer(fd, &end, sizeof end);
}

static void answer_wait(struct script *script, int fd)
{
    script->waits++;
    if (script->minor < WIRE_MINOR_NEWEST && script->minor >= WIRE_MINOR_TABLE) {
        answer_table(script, fd, WIRE_LEGACY_READERS);
        return;
    }
    script->waiting = fd;
    if (script->wait_end == END_FIRST)
        end_wait(script, 0);
}

static void answer_stop(struct script *script, int fd)
{
    const struct wire_wait end = {.rv = 0};

    script->stops++;
    assert_true(script->minor >= WIRE_MINOR_TABLE); /* it would answer always, and twice if an end crosses */
    if (script->minor < WIRE_MINOR_NEWEST)
        answer(fd, &end, sizeof end);
    else if (script->waiting == fd)
        end_wait(script, 0);
}

union body {
    uint8_t bytes[512];
    struct wire_establish establish;
    struct wire_connect connect;
    struct wire_transmit transmit;
    struct wire_control control;
    struct wire_attribute attribute;
    struct wire_version version;
    struct wire_begin begin;
    struct wire_wait wait;
};

static void answer_exchange(const struct script *script, int fd, uint32_t command, union body *body)
{
    static uint8_t data[WIRE_DATA_MAX];
    uint32_t offered = command == WIRE_TRANSMIT ? body->transmit.send_length : body->control.send_length;

    if (command != WIRE_GET_ATTRIBUTE && !receive(fd, data, offered))
        return;
    if (command == WIRE_TRANSMIT) {
        body->transmit.rv = script->rv;
        body->transmit.receive_length = script->length;
    } else if (command == WIRE_CONTROL) {
        body->control.rv = script->rv;
        body->control.returned = script->length;
    } else {
        body->attribute.rv = script->rv;
        body->attribute.length = script->length;
    }
    answer(fd, body->bytes, (size_t)wire_body_size(command));
    if (!script->rv && command != WIRE_GET_ATTRIBUTE)
        answer(fd, data, script->length < sizeof data ? script->length : sizeof data);
}

/* false: the server hangs up. */
static bool serve(struct kit *kit, int fd)
{
    struct script *script = &kit->script;
    struct wire_header header;
    union body body = {0};

    if (!receive(fd, &header, sizeof header) || header.size > sizeof body ||
        (int)header.size != wire_request_size(header.command, script->minor) ||
        !receive(fd, &body, header.size))
        return false;
    if (header.command == script->hang_up_on)
        return false;
    if (header.command == script->silent_on)
        return true;
    switch (header.command) {
    case WIRE_VERSION:
        answer_version(script, fd, &body.version);
        if (script->waiting == fd && script->wait_end == END_CANCELLED)
            end_wait(script, 0x80100002);
        return true;
    case WIRE_ESTABLISH:
        script->establishes++;
        body.establish.context = CONTEXT;
        if (script->features)
            body.establish.scope = WIRE_FEATURES | script->features;
        break;
    case WIRE_CONNECT:
        body.connect.card = CARD;
        body.connect.protocol = 2;
        break;
    case WIRE_TRANSMIT:
    case WIRE_CONTROL:
    case WIRE_GET_ATTRIBUTE:
        answer_exchange(script, fd, header.command, &body);
        return true;
    case WIRE_GET_TABLE_SIZE:
        answer(fd, &script->readers, sizeof script->readers);
        return true;
    case WIRE_GET_TABLE:
        answer_table(script, fd, script->readers);
        if (script->waiting >= 0 && script->wait_end == END_AFTER)
            end_wait(script, 0);
        return true;
    case WIRE_GET_LEGACY_TABLE:
        if (script->cancels)
            kit->service->ops->cancel(kit->context);
        script->cancels = false;
        answer_table(script, fd, WIRE_LEGACY_READERS);
        if (script->waiting >= 0 && script->wait_end == END_AFTER)
            end_wait(script, 0);
        return true;
    case WIRE_WAIT:
        answer_wait(script, fd);
        return true;
    case WIRE_STOP_WAITING:
        answer_stop(script, fd);
        return true;
    case WIRE_GET_EVENTS:
        answer(fd, &body.wait, sizeof body.wait);
        if (script->waiting == fd && script->wait_end == END_CANCELLED)
            end_wait(script, 0x80100002);
        return true;
    default:
        break;
    }
    answer(fd, &body, header.size);
    return true;
}

struct visit {
    struct kit *kit;
    int fd;
};

static void *visit_thread(void *argument)
{
    struct visit *visit = argument;

    while (serve(visit->kit, visit->fd))
        ;
    pthread_mutex_lock(&visit->kit->lock);
    for (unsigned i = 0; i < VISITS_MAX; i++)
        if (visit->kit->visit_fds[i] == visit->fd)
            visit->kit->visit_fds[i] = -1;
    close(visit->fd);
    visit->kit->visits--;
    pthread_cond_signal(&visit->kit->changed);
    pthread_mutex_unlock(&visit->kit->lock);
    free(visit);
    return NULL;
}

static void *listener_thread(void *argument)
{
    struct kit *kit = argument;
    int fd;

    while ((fd = accept4(kit->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
        struct visit *visit = calloc(1, sizeof *visit);
        pthread_t thread;

        *visit = (struct visit){kit, fd};
        pthread_mutex_lock(&kit->lock);
        kit->visits++;
        kit->visitors++;
        pthread_cond_signal(&kit->changed);
        for (unsigned i = 0; i < VISITS_MAX; i++) {
            if (kit->visit_fds[i] >= 0)
                continue;
            kit->visit_fds[i] = fd;
            break;
        }
        pthread_mutex_unlock(&kit->lock);
        assert_int_equal(pthread_create(&thread, NULL, visit_thread, visit), 0);
        pthread_detach(thread);
    }
    return NULL;
}

static int setup(void **state)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct kit *kit = calloc(1, sizeof *kit);

    strcpy(kit->folder, "/tmp/scard-remote-XXXXXX");
    assert_non_null(mkdtemp(kit->folder));
    snprintf(kit->path, sizeof kit->path, "%s/socket", kit->folder);
    strcpy(address.sun_path, kit->path);
    pthread_mutex_init(&kit->lock, NULL);
    pthread_cond_init(&kit->changed, NULL);
    kit->script = (struct script){.minor = WIRE_MINOR_TABLE, .strict = true, .readers = 1, .waiting = -1};
    for (unsigned i = 0; i < VISITS_MAX; i++)
        kit->visit_fds[i] = -1;
    kit->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(kit->listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(kit->listener, 16), 0);
    assert_int_equal(pthread_create(&kit->thread, NULL, listener_thread, kit), 0);
    *state = kit;
    return 0;
}

static int teardown(void **state)
{
    struct kit *kit = *state;

    if (kit->context) {
        kit->service->ops->release(kit->context);
        if (kit->handle)
            kit->service->ops->handle_free(kit->handle);
        kit->service->ops->context_free(kit->context);
    }
    if (kit->service)
        remote_free(kit->service);
    shutdown(kit->listener, SHUT_RDWR);
    pthread_join(kit->thread, NULL);
    close(kit->listener);
    pthread_mutex_lock(&kit->lock);
    while (kit->visits)
        pthread_cond_wait(&kit->changed, &kit->lock);
    pthread_mutex_unlock(&kit->lock);
    unlink(kit->path);
    rmdir(kit->folder);
    free(kit);
    return 0;
}

static int establish(struct kit *kit)
{
    assert_int_equal(remote_new(kit->path, &kit->service), 0);
    return kit->service->ops->establish(kit->service, false, &kit->context);
}

static void connect_card(struct kit *kit)
{
    uint32_t protocol;

    assert_int_equal(establish(kit), 0);
    assert_int_equal(
        kit->service->ops->connect(kit->context, "Reader 00 00", SHARE_SHARED, 3, &kit->handle, &protocol),
        0);
    assert_int_equal(protocol, 2);
}

static int transmit(struct kit *kit, size_t capacity, size_t *ret_length)
{
    static const uint8_t command[] = {0, 0xA4, 0, 0};
    static uint8_t response[WIRE_DATA_MAX + 100];

    return kit->service->ops->transmit(kit->handle, 2, command, sizeof command, response, capacity,
                                       ret_length);
}

static void nobody_listens(void **state)
{
    struct kit *kit = *state;
    struct service *service;
    char path[64], longest[200];

    snprintf(path, sizeof path, "%s/nothing", kit->folder);
    assert_int_equal(remote_new(path, &service), RC_NO_SERVICE);
    assert_non_null(strstr(detail_get(), path));
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    assert_int_equal(remote_new(longest, &service), RC_NO_SERVICE);
}

/* The newest version is offered, then what the server names. */
static void version_falls_back(void **state)
{
    struct kit *kit = *state;

    assert_int_equal(establish(kit), 0);
    assert_int_equal(kit->script.offered[0], WIRE_MINOR_NEWEST);
    assert_int_equal(kit->script.offered[1], WIRE_MINOR_TABLE);
}

/* pcsc-lite 1.8.23 and older refuse with another code. */
static void the_oldest_version_is_spoken(void **state)
{
    struct kit *kit = *state;
    struct reader_entry *entries;
    uint16_t list_events;
    size_t count;

    kit->script.minor = 3;
    assert_int_equal(establish(kit), 0);
    assert_int_equal(kit->script.offered[0], WIRE_MINOR_NEWEST);
    assert_int_equal(kit->script.offered[1], 3);
    assert_int_equal(kit->service->ops->table(kit->context, &entries, &count, &list_events), 0);
    assert_int_equal(count, 2);
    free(entries);
}

static void version_that_nobody_speaks(void **state)
{
    struct kit *kit = *state;

    kit->script.minor = 2;
    assert_int_equal(establish(kit), RC_NO_SERVICE);
    assert_non_null(strstr(detail_get(), "4:2"));
    kit->context = NULL;
}

/* pcscd 2.5: more readers than the old table has places for. */
static void newest_pcscd_has_more_readers(void **state)
{
    struct kit *kit = *state;
    struct reader_entry *entries;
    uint16_t list_events;
    size_t count;

    kit->script.minor = WIRE_MINOR_NEWEST;
    kit->script.readers = MANY;
    assert_int_equal(establish(kit), 0);
    assert_int_equal(kit->script.offers, 1);
    assert_int_equal(kit->service->ops->table(kit->context, &entries, &count, &list_events), 0);
    assert_int_equal(count, MANY);
    assert_string_equal(entries[MANY - 1].name, "Reader 19 00");
    free(entries);
}

/* It sends the end of a wait whenever it comes: before any other answer, after it, or when it is asked to
 * stop. So does the oldest, which is not asked to stop. */
static void pcscd_may_end_a_wait_at_any_time(struct kit *kit)
{
    static const enum wait_end ends[] = {END_FIRST, END_AFTER, END_STOP, END_CANCELLED};

    assert_int_equal(establish(kit), 0);
    for (size_t i = 0; i < 2 * sizeof ends / sizeof *ends; i++) {
        struct reader_watch watch = {.name = kit->script.minor > 3 ? "Reader 19 00" : "Reader 00 00",
                                     .current = STATE_EMPTY};
        enum wait_end end = ends[i / 2];
        bool stops = end == END_STOP;
        struct deadline deadline = stops ? deadline_in_ms(5) : deadline_never();
        int rc;

        kit->script.wait_end = end;
        kit->script.present = false;
        rc = kit->service->ops->wait(kit->context, deadline, &watch, 1);
        assert_int_equal(rc, stops ? RC_TIMEOUT : end == END_CANCELLED ? RC_CANCELLED : RC_OK);
        /* Nothing was left over on any connection. */
        for (int j = 0; j < 3; j++) {
            char *names;
            size_t length;

            assert_int_equal(kit->service->ops->list(kit->context, &names, &length), 0);
            free(names);
        }
    }
}

static void newest_pcscd_may_end_a_wait_at_any_time(void **state)
{
    struct kit *kit = *state;

    kit->script.minor = WIRE_MINOR_NEWEST;
    kit->script.readers = MANY;
    pcscd_may_end_a_wait_at_any_time(kit);
}

static void oldest_pcscd_may_end_a_wait_at_any_time(void **state)
{
    struct kit *kit = *state;

    kit->script.minor = WIRE_MINOR_OLDEST;
    pcscd_may_end_a_wait_at_any_time(kit);
}

/* D47 of WinSCard: a context of a service that has ended is not valid, without any call that noticed. */
static void lost_server_is_noticed_by_a_look(void **state)
{
    struct kit *kit = *state;
    char *names;
    size_t length;

    connect_card(kit);
    assert_int_equal(kit->service->ops->check(kit->context), RC_OK);
    kit->script.hang_up_on = WIRE_VERSION;
    pthread_mutex_lock(&kit->lock);
    for (unsigned i = 0; i < VISITS_MAX; i++)
        shutdown(kit->visit_fds[i], SHUT_RDWR);
    while (kit->visits)
        pthread_cond_wait(&kit->changed, &kit->lock);
    pthread_mutex_unlock(&kit->lock);
    assert_int_equal(kit->service->ops->check(kit->context), RC_NO_SERVICE);
    assert_int_equal(kit->service->ops->list(kit->context, &names, &length), RC_NO_SERVICE);
    assert_int_equal(kit->service->ops->begin(kit->handle), RC_NO_SERVICE);
}

static void hung_up_at_once(void **state)
{
    struct kit *kit = *state;

    kit->script.hang_up_on = WIRE_VERSION;
    assert_int_equal(establish(kit), RC_NO_SERVICE);
    assert_non_null(strstr(detail_get(), "200"));
    kit->context = NULL;
}

static void names_and_states_are_checked(void **state)
{
    struct reader_watch half = {.name = "Reader 0"};
    struct reader_entry *entries;
    struct kit *kit = *state;
    uint16_t list_events;
    size_t count;

    assert_int_equal(establish(kit), 0);
    assert_int_equal(kit->service->ops->table(kit->context, &entries, &count, &list_events), 0);
    assert_int_equal(count, 2);
    assert_string_equal(entries[0].name, "Reader 00 00");
    assert_int_equal(entries[0].state, 7 << 16 | STATE_PRESENT);
    assert_int_equal(entries[0].card, 0x34);
    assert_int_equal(strlen(entries[1].name), READER_NAME_MAX - 1);
    assert_int_equal(entries[1].atr_length, 0);
    assert_int_not_equal(list_events, 0);
    free(entries);
    assert_int_equal(kit->service->ops->wait(kit->context, deadline_in_ms(0), &half, 1), RC_UNKNOWN_READER);
}

static void lengths_that_lie(void **state)
{
    static const uint32_t lengths[] = {5, 65, WIRE_DATA_MAX + 1, UINT32_MAX};
    struct kit *kit = *state;
    size_t length;

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        kit->script.length = lengths[i];
        connect_card(kit);
        assert_int_equal(transmit(kit, 4, &length), RC_SERVICE_STOPPED);
        assert_non_null(strstr(detail_get(), "no sense"));
        /* The stream cannot be trusted any more. */
        assert_int_equal(transmit(kit, 4, &length), RC_NO_SERVICE);
        kit->service->ops->release(kit->context);
        kit->service->ops->handle_free(kit->handle);
        kit->service->ops->context_free(kit->context);
        remote_free(kit->service);
        kit->service = NULL;
        kit->context = NULL;
        kit->handle = NULL;
    }
}

static void attribute_length_that_lies(void **state)
{
    struct kit *kit = *state;
    uint8_t out[WIRE_ATTRIBUTE_MAX];
    size_t length;

    kit->script.length = WIRE_ATTRIBUTE_MAX + 1;
    connect_card(kit);
    assert_int_equal(kit->service->ops->get_attribute(kit->handle, 1, out, sizeof out, &length),
                     RC_SERVICE_STOPPED);
}

static void count_of_readers_that_lies(void **state)
{
    struct kit *kit = *state;
    char *names;
    size_t length;

    kit->script.minor = WIRE_MINOR_NEWEST;
    kit->script.features = WIRE_CAN_ABORT;
    kit->script.readers = UINT32_MAX / 2;
    assert_int_equal(establish(kit), 0);
    assert_int_equal(kit->service->ops->list(kit->context, &names, &length), RC_SERVICE_STOPPED);
}

static void short_room_is_told(void **state)
{
    struct kit *kit = *state;
    size_t length = 0;

    kit->script.rv = 0x80100008;
    kit->script.length = 100;
    connect_card(kit);
    assert_int_equal(transmit(kit, 4, &length), RC_INSUFFICIENT_BUFFER);
    assert_int_equal(length, 100);
    assert_int_equal(transmit(kit, WIRE_DATA_MAX + 100, &length), RC_INSUFFICIENT_BUFFER);
}

static void codes_get_names(void **state)
{
    struct kit *kit = *state;
    size_t length;

    kit->script.rv = 0x8010ABCD;
    connect_card(kit);
    assert_int_equal(transmit(kit, 4, &length), RC_INTERNAL);
    assert_non_null(strstr(detail_get(), "8010ABCD"));
    kit->script.rv = 0x80100011; /* pcscd has forgotten the reader */
    assert_int_equal(transmit(kit, 4, &length), RC_READER_UNAVAILABLE);
}

/* The call under way hears of it, later ones that there is no service; a release works. */
static void lost_server(void **state)
{
    struct kit *kit = *state;
    size_t length;

    kit->script.hang_up_on = WIRE_TRANSMIT;
    connect_card(kit);
    assert_int_equal(transmit(kit, 4, &length), RC_SERVICE_STOPPED);
    assert_int_equal(transmit(kit, 4, &length), RC_NO_SERVICE);
    assert_int_equal(kit->service->ops->begin(kit->handle), RC_NO_SERVICE);
    assert_int_equal(kit->service->ops->cancel(kit->context), RC_NO_SERVICE);
}

/* Each WAIT has its end, whatever ends the wait: a minor without an answer of its own would break the stream.
 */
static void waits_are_ended(void **state)
{
    struct reader_watch watch = {.name = "Reader 00 00", .current = STATE_PRESENT};
    struct kit *kit = *state;
    char *names;
    size_t length;

    assert_int_equal(establish(kit), 0);
    /* On a busy machine the time may be over before the server is asked to wait. */
    while (kit->script.waits < 3) {
        assert_int_equal(kit->service->ops->wait(kit->context, deadline_in_ms(5), &watch, 1), RC_TIMEOUT);
        assert_int_equal(kit->script.stops, kit->script.waits);
        assert_int_equal(kit->service->ops->list(kit->context, &names, &length), 0);
        free(names);
    }
    watch.name = "Nobody";
    assert_int_equal(kit->service->ops->wait(kit->context, deadline_never(), &watch, 1), RC_UNKNOWN_READER);
}

/* It has begun, though it only looks at first. */
static void cancel_ends_a_wait_that_does_not_wait_yet(void **state)
{
    struct reader_watch watch = {.name = "Reader 00 00", .current = STATE_PRESENT};
    struct kit *kit = *state;

    assert_int_equal(establish(kit), 0);
    kit->script.cancels = true;
    assert_int_equal(kit->service->ops->wait(kit->context, deadline_in_ms(5000), &watch, 1), RC_CANCELLED);
    assert_int_equal(watch.event, 7 << 16 | STATE_PRESENT);
    /* The next one is another. */
    assert_int_equal(kit->service->ops->wait(kit->context, deadline_in_ms(5), &watch, 1), RC_TIMEOUT);
}

static _Atomic unsigned signals;

static void count_signal(int number)
{
    (void)number;
    signals++;
}

static void *open_thread(void *argument)
{
    return establish(argument) ? NULL : argument;
}

/* The queue of connections is full for a while, and the program has signals with handlers. */
static void signals_do_not_break_off_a_connect(void **state)
{
    struct sigaction action = {.sa_handler = count_signal};
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct kit *kit = *state;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), filler;
    pthread_t thread;
    void *result;

    /* The listener's thread leaves, and another socket takes the place of its. */
    shutdown(kit->listener, SHUT_RDWR);
    pthread_join(kit->thread, NULL);
    close(kit->listener);
    unlink(kit->path);
    strcpy(address.sun_path, kit->path);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 0), 0);
    filler = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(filler, (struct sockaddr *)&address, sizeof address), 0);
    kit->listener = listener;
    signals = 0;
    sigaction(SIGUSR1, &action, NULL);
    assert_int_equal(pthread_create(&thread, NULL, open_thread, kit), 0);
    while (signals < 20)
        pthread_kill(thread, SIGUSR1);
    assert_int_equal(pthread_create(&kit->thread, NULL, listener_thread, kit), 0);
    pthread_join(thread, &result);
    assert_non_null(result);
    close(filler);
}

struct waiting {
    struct kit *kit;
    int rc;
};

static int list(struct kit *kit, struct service_context *context)
{
    char *names;
    size_t length;
    int rc = kit->service->ops->list(context, &names, &length);

    if (!rc)
        free(names);
    return rc;
}

static void release(struct kit *kit, struct service_context *context)
{
    kit->service->ops->release(context);
    kit->service->ops->context_free(context);
}

/* Nothing goes to and fro for a context that is not used. pcscd is asked at once, because it may refuse. */
static void our_server_is_asked_when_a_context_is_used(void **state)
{
    struct service_context *context;
    struct kit *kit = *state;

    for (int ours = 0; ours < 2; ours++) {
        kit->script.features = ours ? WIRE_CAN_ABORT : 0;
        kit->script.establishes = 0;
        assert_int_equal(establish(kit), 0);
        assert_int_equal(kit->script.establishes, 1);
        assert_int_equal(remote_is_ours(kit->service), ours);
        assert_int_equal(kit->service->ops->establish(kit->service, false, &context), 0);
        assert_int_equal(kit->script.establishes, ours ? 1 : 2);
        assert_int_equal(kit->service->ops->check(context), 0);
        assert_int_equal(list(kit, context), 0);
        assert_int_equal(list(kit, context), 0);
        assert_int_equal(kit->script.establishes, 2);
        release(kit, context);
        release(kit, kit->context);
        remote_free(kit->service);
        kit->service = NULL;
        kit->context = NULL;
    }
    kit->script.establishes = 0;
    assert_int_equal(remote_new(kit->path, &kit->service), 0);
    remote_set_ours(kit->service);
    assert_int_equal(kit->service->ops->establish(kit->service, false, &kit->context), 0);
    assert_int_equal(kit->script.establishes, 0);
    assert_int_equal(list(kit, kit->context), 0);
    assert_int_equal(kit->script.establishes, 1);
}

/* A server that ends when nobody is connected must not while there are contexts. */
static void a_context_that_is_not_used_holds_the_server(void **state)
{
    struct service_context *context;
    struct kit *kit = *state;

    kit->script.features = WIRE_CAN_ABORT;
    assert_int_equal(establish(kit), 0);
    assert_int_equal(kit->service->ops->establish(kit->service, false, &context), 0);
    release(kit, kit->context);
    kit->context = context;
    pthread_mutex_lock(&kit->lock);
    while (kit->visitors != 2 || kit->visits != 1)
        pthread_cond_wait(&kit->changed, &kit->lock);
    pthread_mutex_unlock(&kit->lock);
    assert_int_equal(kit->service->ops->check(context), 0);
}

static void hang_up_on_all(struct kit *kit)
{
    pthread_mutex_lock(&kit->lock);
    while (!kit->visits)
        pthread_cond_wait(&kit->changed, &kit->lock);
    for (unsigned i = 0; i < VISITS_MAX; i++)
        if (kit->visit_fds[i] >= 0)
            shutdown(kit->visit_fds[i], SHUT_RDWR);
    while (kit->visits)
        pthread_cond_wait(&kit->changed, &kit->lock);
    pthread_mutex_unlock(&kit->lock);
}

/* It has no state at the server yet, so it is as good with another one; and a look tells of the loss. */
static void a_context_that_is_not_used_outlives_the_server(void **state)
{
    struct service_context *context;
    struct kit *kit = *state;

    kit->script.features = WIRE_CAN_ABORT;
    assert_int_equal(remote_new(kit->path, &kit->service), 0);
    remote_set_ours(kit->service);
    assert_int_equal(kit->service->ops->establish(kit->service, false, &kit->context), 0);
    hang_up_on_all(kit);
    assert_int_equal(list(kit, kit->context), 0);
    assert_int_equal(kit->service->ops->establish(kit->service, false, &context), 0);
    hang_up_on_all(kit);
    assert_int_equal(kit->service->ops->check(context), RC_NO_SERVICE);
    assert_int_equal(list(kit, context), RC_NO_SERVICE);
    release(kit, context);
    kit->script.hang_up_on = WIRE_VERSION;
    assert_int_equal(kit->service->ops->establish(kit->service, false, &context), RC_NO_SERVICE);
}

static void *connect_thread(void *argument)
{
    struct waiting *waiting = argument;
    struct service_handle *handle;
    uint32_t protocol;

    waiting->rc = waiting->kit->service->ops->connect(waiting->kit->context, "Reader 00 00", SHARE_SHARED, 3,
                                                      &handle, &protocol);
    return NULL;
}

/* pcscd holds a connect back while another has a transaction; a release ends it all the same. */
static void release_ends_a_connect(void **state)
{
    struct kit *kit = *state;
    struct waiting waiting = {kit, 0};
    pthread_t thread;

    kit->script.silent_on = WIRE_CONNECT;
    assert_int_equal(establish(kit), 0);
    assert_int_equal(pthread_create(&thread, NULL, connect_thread, &waiting), 0);
    kit->service->ops->release(kit->context);
    pthread_join(thread, NULL);
    assert_true(waiting.rc == RC_CANCELLED || waiting.rc == RC_INVALID_HANDLE);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_listens),
        TEST(version_falls_back),
        TEST(version_that_nobody_speaks),
        TEST(newest_pcscd_has_more_readers),
        TEST(newest_pcscd_may_end_a_wait_at_any_time),
        TEST(the_oldest_version_is_spoken),
        TEST(our_server_is_asked_when_a_context_is_used),
        TEST(a_context_that_is_not_used_holds_the_server),
        TEST(a_context_that_is_not_used_outlives_the_server),
        TEST(oldest_pcscd_may_end_a_wait_at_any_time),
        TEST(hung_up_at_once),
        TEST(names_and_states_are_checked),
        TEST(lengths_that_lie),
        TEST(attribute_length_that_lies),
        TEST(count_of_readers_that_lies),
        TEST(short_room_is_told),
        TEST(codes_get_names),
        TEST(lost_server),
        TEST(lost_server_is_noticed_by_a_look),
        TEST(signals_do_not_break_off_a_connect),
        TEST(waits_are_ended),
        TEST(cancel_ends_a_wait_that_does_not_wait_yet),
        TEST(release_ends_a_connect),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
