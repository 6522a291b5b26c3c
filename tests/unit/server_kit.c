/* SPDX-License-Identifier: MIT */
#include "tests/unit/server_kit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/rc.h"
#include "manager/local.h"

#define PATIENCE_MS 20000

static void report(void *user, const char *line)
{
    const struct kit *kit = user;

    assert_int_equal(write(kit->reports_fd[1], line, 1), 1);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, SOMAXCONN), 0);
    return fd;
}

static void take_names(struct kit *kit)
{
    struct service_context *context;
    char *names, *at;
    size_t length;

    assert_int_equal(kit->service->ops->establish(kit->service, false, &context), 0);
    assert_int_equal(kit->service->ops->list(context, &names, &length), 0);
    at = names;
    for (unsigned i = 0; i < KIT_READERS; i++, at += strlen(at) + 1)
        kit->names[i] = strdup(at);
    free(names);
    kit->service->ops->release(context);
    kit->service->ops->context_free(context);
}

static void start(struct kit *kit, gid_t group)
{
    const struct server_options options = {.group = group, .report = report, .user = kit};

    kit->listener = listen_at(kit->path);
    assert_int_equal(server_start(kit->service, kit->listener, &options, &kit->server), 0);
}

void kit_restart(struct kit *kit, gid_t group)
{
    server_free(kit->server);
    unlink(kit->path);
    start(kit, group);
}

int kit_setup(void **state)
{
    struct kit *kit = calloc(1, sizeof *kit);

    strcpy(kit->folder, "/tmp/scard-server-XXXXXX");
    assert_non_null(mkdtemp(kit->folder));
    snprintf(kit->path, sizeof kit->path, "%s/socket", kit->folder);
    assert_int_equal(pipe2(kit->reports_fd, O_CLOEXEC | O_NONBLOCK), 0);
    assert_int_equal(local_new(&kit->service), 0);
    for (unsigned i = 0; i < KIT_READERS; i++) {
        kit->readers[i] = test_reader_new(0);
        test_reader_insert(kit->readers[i]);
        assert_int_equal(local_add(kit->service, &kit->readers[i], 1), 0);
    }
    local_settle(kit->service, deadline_never());
    take_names(kit);
    start(kit, SERVER_GROUP_NOBODY);
    *state = kit;
    return 0;
}

int kit_teardown(void **state)
{
    struct kit *kit = *state;

    if (kit->server)
        server_free(kit->server);
    local_free(kit->service);
    for (unsigned i = 0; i < KIT_READERS; i++) {
        assert_false(test_reader_was_abused(kit->readers[i]));
        test_reader_free(kit->readers[i]);
        free(kit->names[i]);
    }
    close(kit->reports_fd[0]);
    close(kit->reports_fd[1]);
    unlink(kit->path);
    rmdir(kit->folder);
    free(kit);
    return 0;
}

int kit_connect(const struct kit *kit)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, kit->path, sizeof kit->path);
    assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

void kit_write(int fd, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    while (size > 0) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);

        assert_true(sent > 0);
        at += sent;
        size -= (size_t)sent;
    }
}

void kit_send(int fd, uint32_t command, const void *body, size_t size)
{
    const struct wire_header header = {.size = (uint32_t)size, .command = command};

    kit_write(fd, &header, sizeof header);
    kit_write(fd, body, size);
}

static ssize_t read_some(int fd, void *bytes, size_t size)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

    assert_int_equal(poll(&poll_fd, 1, PATIENCE_MS), 1);
    return recv(fd, bytes, size, 0);
}

void kit_read(int fd, void *bytes, size_t size)
{
    uint8_t *at = bytes;

    while (size > 0) {
        ssize_t got = read_some(fd, at, size);

        assert_true(got > 0);
        at += got;
        size -= (size_t)got;
    }
}

void kit_expect_silence(int fd)
{
    struct wire_version answer = kit_version(fd, 99);

    assert_int_equal(answer.major, WIRE_MAJOR);
    assert_int_equal(answer.minor, WIRE_MINOR_NEWEST);
    assert_int_equal(answer.rv, RV_STOPPED);
}

void kit_expect_closed(int fd)
{
    uint8_t rest[1024];
    ssize_t got;

    do
        got = read_some(fd, rest, sizeof rest);
    while (got > 0);
    assert_true(got == 0 || errno == ECONNRESET);
    close(fd);
}

void kit_expect_reports(struct kit *kit, unsigned count)
{
    char byte;

    for (unsigned i = 0; i < count; i++) {
        struct pollfd poll_fd = {.fd = kit->reports_fd[0], .events = POLLIN};

        assert_int_equal(poll(&poll_fd, 1, PATIENCE_MS), 1);
        assert_int_equal(read(kit->reports_fd[0], &byte, 1), 1);
    }
    assert_int_equal(read(kit->reports_fd[0], &byte, 1), -1);
}

void kit_await_clients(const struct kit *kit, size_t count)
{
    int64_t idle_since;
    uint64_t told;

    /* The eventfd tells of 0 only; other counts are on their way. */
    for (int i = 0; server_clients(kit->server, &idle_since) != count; i++) {
        struct pollfd poll_fd = {.fd = server_event_fd(kit->server), .events = POLLIN};

        assert_true(i < PATIENCE_MS);
        if (poll(&poll_fd, count ? 0 : 1, 1) > 0)
            (void)!read(poll_fd.fd, &told, sizeof told);
    }
}

static size_t count_unfinished(struct server *server)
{
    size_t count = 0;

    pthread_mutex_lock(&server->lock);
    list_each(node, &server->unfinished) count++;
    pthread_mutex_unlock(&server->lock);
    return count;
}

void kit_await_unfinished(const struct kit *kit, size_t count)
{
    for (int i = 0; count_unfinished(kit->server) != count; i++) {
        assert_true(i < PATIENCE_MS);
        poll(NULL, 0, 1);
    }
}

struct wire_version kit_version(int fd, int32_t minor)
{
    struct wire_version body = {.major = WIRE_MAJOR, .minor = minor};

    kit_send(fd, WIRE_VERSION, &body, sizeof body);
    kit_read(fd, &body, sizeof body);
    return body;
}

uint32_t kit_establish(int fd)
{
    struct wire_establish body = {.scope = 2};

    kit_send(fd, WIRE_ESTABLISH, &body, sizeof body);
    kit_read(fd, &body, sizeof body);
    assert_int_equal(body.rv, 0);
    assert_in_range(body.context, 1, INT32_MAX);
    return body.context;
}

struct wire_connect kit_card(int fd, uint32_t context, const char *reader, uint32_t share)
{
    struct wire_connect body = {.context = context, .share = share, .protocols = 3};

    snprintf(body.reader, sizeof body.reader, "%s", reader);
    kit_send(fd, WIRE_CONNECT, &body, sizeof body);
    kit_read(fd, &body, sizeof body);
    return body;
}

int32_t kit_shared(int fd, uint32_t context, const char *reader)
{
    struct wire_connect body = kit_card(fd, context, reader, SHARE_SHARED);

    assert_int_equal(body.rv, 0);
    assert_true(body.card > 0);
    return body.card;
}

void kit_begin_send(int fd, int32_t card)
{
    const struct wire_begin body = {.card = card};

    kit_send(fd, WIRE_BEGIN, &body, sizeof body);
}

static uint32_t read_begin(int fd)
{
    struct wire_begin body;

    kit_read(fd, &body, sizeof body);
    return body.rv;
}

uint32_t kit_begin(int fd, int32_t card)
{
    kit_begin_send(fd, card);
    return read_begin(fd);
}

uint32_t kit_end(int fd, int32_t card, uint32_t disposition)
{
    struct wire_disconnect body = {.card = card, .disposition = disposition};

    kit_send(fd, WIRE_END, &body, sizeof body);
    kit_read(fd, &body, sizeof body);
    return body.rv;
}

uint32_t kit_status(int fd, int32_t card)
{
    const struct wire_begin body = {.card = card};

    kit_send(fd, WIRE_STATUS, &body, sizeof body);
    return read_begin(fd);
}

uint32_t kit_cancel(int fd, uint32_t context)
{
    struct wire_release body = {.context = context};

    kit_send(fd, WIRE_CANCEL, &body, sizeof body);
    kit_read(fd, &body, sizeof body);
    return body.rv;
}

struct wire_transmit kit_transmit(int fd, int32_t card, const uint8_t *command, size_t length, uint32_t room,
                                  uint8_t *answer)
{
    struct wire_transmit body = {.card = card,
                                 .send_protocol = 4,
                                 .send_pci_length = 16,
                                 .send_length = (uint32_t)length,
                                 .receive_protocol = 3,
                                 .receive_pci_length = 16,
                                 .receive_length = room};

    kit_send(fd, WIRE_TRANSMIT, &body, sizeof body);
    kit_write(fd, command, length);
    kit_read(fd, &body, sizeof body);
    if (body.rv == 0)
        kit_read(fd, answer, body.receive_length);
    return body;
}
