/* SPDX-License-Identifier: MIT */
/*
 * A client's bytes at the server, with a service that checks how it is used.
 *
 * Input: the minor version, then requests: a byte for the command, one for what is done to it (below), one
 * for the length of what follows, and that many bytes, which fill the body and the data. All are sent without
 * reading; then the client sends no more, or is gone. Afterwards nothing of it may be left.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/rc.h"
#include "ipc/server.h"
#include "ipc/wire.h"

enum twist {
    TWIST_CONTEXT = 0x01, /* the first field is the real context */
    TWIST_CARD = 0x02,    /* the first field is the real card handle */
    TWIST_SIZE = 0x04,    /* the size in the header is taken from the input */
    TWIST_LENGTHS = 0x08, /* lengths in the body stay as the input has them */
    TWIST_SLOW = 0x10,    /* sent byte by byte */
    TWIST_RAW = 0x20,     /* no header: the bytes as they are */
    TWIST_READER = 0x40,  /* the name is that of the reader */
};

#define READER "reader"
#define ALIVE 0x600DF00Du

struct fake_context {
    struct service_context base;
    uint32_t alive;
    atomic_bool released;
    unsigned handles;
};

struct fake_handle {
    struct service_handle base;
    uint32_t alive;
    bool closed;
};

static struct service service;
static struct server *server;
static char path[] = "/tmp/scard-fuzz-XXXXXX";
static atomic_uint contexts, handles, looks;
static void (*observer)(void *user);
static void *observer_user;

static struct fake_context *context_at(struct service_context *context)
{
    struct fake_context *fake = (struct fake_context *)(void *)context;

    FUZZ_CHECK(fake->alive == ALIVE);
    return fake;
}

static struct fake_handle *handle_at(struct service_handle *handle)
{
    struct fake_handle *fake = (struct fake_handle *)(void *)handle;

    FUZZ_CHECK(fake->alive == ALIVE);
    context_at(handle->context);
    return fake;
}

static int establish(struct service *from, bool no_wait, struct service_context **ret_context)
{
    struct fake_context *context = calloc(1, sizeof *context);

    (void)no_wait;
    FUZZ_CHECK(context);
    *context = (struct fake_context){.base.service = from, .alive = ALIVE};
    contexts++;
    *ret_context = &context->base;
    return RC_OK;
}

static void release(struct service_context *context)
{
    context_at(context)->released = true;
}

static void context_free(struct service_context *context)
{
    struct fake_context *fake = context_at(context);

    FUZZ_CHECK(fake->released && fake->handles == 0);
    fake->alive = 0;
    contexts--;
    free(fake);
}

static int cancel(struct service_context *context)
{
    return context_at(context)->released ? RC_INVALID_HANDLE : RC_OK;
}

/* Each look finds another counter, so that waits end at any moment. */
static int table(struct service_context *context, struct reader_entry **ret_entries, size_t *ret_count,
                 uint16_t *ret_list_events)
{
    struct reader_entry *entries;
    unsigned look = looks++, count = look % 3;

    context_at(context);
    entries = calloc(count + 1, sizeof *entries);
    FUZZ_CHECK(entries);
    for (unsigned i = 0; i < count; i++)
        entries[i] = (struct reader_entry){
            .name = READER, .state = look << 16, .card = CARD_PRESENT, .atr_length = ATR_MAX};
    *ret_entries = entries;
    *ret_count = count;
    *ret_list_events = (uint16_t)(look | 1);
    return RC_OK;
}

static void observe(struct service *of, void (*changed)(void *user), void *user)
{
    (void)of;
    observer = changed;
    observer_user = user;
}

static int fact(struct service_context *context, const char *reader, const char *key, char **ret_value)
{
    context_at(context);
    FUZZ_CHECK(strlen(reader) < WIRE_NAME_MAX && strlen(key) < WIRE_KEY_MAX);
    *ret_value = strdup(reader);
    return RC_OK;
}

static int connect_reader(struct service_context *context, const char *reader, enum share_mode share,
                          uint32_t protocols, struct service_handle **ret_handle, uint32_t *ret_protocol)
{
    struct fake_context *fake = context_at(context);
    struct fake_handle *handle;

    FUZZ_CHECK(strlen(reader) < WIRE_NAME_MAX && share >= SHARE_EXCLUSIVE && share <= SHARE_DIRECT &&
               protocols < 8);
    if (strcmp(reader, READER) != 0)
        return RC_UNKNOWN_READER;
    handle = calloc(1, sizeof *handle);
    FUZZ_CHECK(handle);
    *handle = (struct fake_handle){.base.context = context, .alive = ALIVE};
    fake->handles++;
    handles++;
    *ret_handle = &handle->base;
    *ret_protocol = PROTOCOL_T1;
    return RC_OK;
}

static int reconnect(struct service_handle *handle, enum share_mode share, uint32_t protocols,
                     enum disposition initialization, uint32_t *ret_protocol)
{
    FUZZ_CHECK(!handle_at(handle)->closed && share >= SHARE_EXCLUSIVE && share <= SHARE_DIRECT &&
               protocols < 8 && initialization <= CARD_UNPOWER);
    *ret_protocol = PROTOCOL_T0;
    return RC_OK;
}

static int disconnect(struct service_handle *handle, enum disposition disposition)
{
    FUZZ_CHECK(disposition <= CARD_EJECT && !handle_at(handle)->closed);
    handle_at(handle)->closed = true;
    return RC_OK;
}

static void handle_free(struct service_handle *handle)
{
    struct fake_handle *fake = handle_at(handle);

    FUZZ_CHECK(fake->closed || context_at(handle->context)->released);
    context_at(handle->context)->handles--;
    handles--;
    fake->alive = 0;
    free(fake);
}

static int begin(struct service_handle *handle)
{
    FUZZ_CHECK(!handle_at(handle)->closed);
    observer(observer_user);
    return RC_OK;
}

static int end(struct service_handle *handle, enum disposition disposition)
{
    FUZZ_CHECK(disposition <= CARD_EJECT && !handle_at(handle)->closed);
    return RC_NOT_TRANSACTED;
}

static int status(struct service_handle *handle, struct handle_status *ret_status)
{
    *ret_status = (struct handle_status){.reader = READER};
    return handle_at(handle)->closed ? RC_INVALID_HANDLE : RC_OK;
}

/* Reads all that it was given, and answers with as much. */
static int exchange(const uint8_t *in, size_t length, uint8_t *out, size_t capacity, size_t *ret_length)
{
    FUZZ_CHECK(length <= WIRE_DATA_MAX && capacity <= WIRE_DATA_MAX);
    *ret_length = length;
    if (length > capacity)
        return RC_INSUFFICIENT_BUFFER;
    if (length)
        memcpy(out, in, length);
    return RC_OK;
}

static int transmit(struct service_handle *handle, uint32_t protocol, const uint8_t *command,
                    size_t command_length, uint8_t *response, size_t capacity, size_t *ret_length)
{
    FUZZ_CHECK(!handle_at(handle)->closed && (protocol == 1 || protocol == 2 || protocol == 4));
    return exchange(command, command_length, response, capacity, ret_length);
}

static int control(struct service_handle *handle, uint32_t code, const uint8_t *in, size_t in_length,
                   uint8_t *out, size_t capacity, size_t *ret_length)
{
    (void)code;
    FUZZ_CHECK(!handle_at(handle)->closed);
    return exchange(in, in_length, out, capacity, ret_length);
}

static int get_attribute(struct service_handle *handle, uint32_t tag, uint8_t *out, size_t capacity,
                         size_t *ret_length)
{
    static const uint8_t value[2 * WIRE_ATTRIBUTE_MAX];

    FUZZ_CHECK(!handle_at(handle)->closed && capacity <= WIRE_ATTRIBUTE_MAX);
    return exchange(value, tag % sizeof value, out, capacity, ret_length);
}

static int set_attribute(struct service_handle *handle, uint32_t tag, const uint8_t *value, size_t length)
{
    uint8_t copy[WIRE_ATTRIBUTE_MAX];

    (void)tag;
    FUZZ_CHECK(!handle_at(handle)->closed && length <= sizeof copy);
    memcpy(copy, value, length);
    return RC_OK;
}

static const struct service_ops ops = {
    .establish = establish,
    .release = release,
    .context_free = context_free,
    .cancel = cancel,
    .abort = cancel,
    .table = table,
    .observe = observe,
    .fact = fact,
    .connect = connect_reader,
    .reconnect = reconnect,
    .disconnect = disconnect,
    .handle_free = handle_free,
    .begin = begin,
    .end = end,
    .status = status,
    .transmit = transmit,
    .control = control,
    .get_attribute = get_attribute,
    .set_attribute = set_attribute,
};

static struct sockaddr_un address;

static void stop(void)
{
    server_free(server);
    FUZZ_CHECK(contexts == 0 && handles == 0);
    unlink(address.sun_path);
    rmdir(path);
}

static void start(void)
{
    const struct server_options options = {.group = SERVER_GROUP_NOBODY};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    FUZZ_CHECK(mkdtemp(path) != NULL);
    address.sun_family = AF_UNIX;
    memcpy(address.sun_path, path, sizeof path);
    strcat(address.sun_path, "/s");
    FUZZ_CHECK(bind(listener, (const struct sockaddr *)&address, sizeof address) == 0);
    FUZZ_CHECK(listen(listener, 16) == 0);
    service.ops = &ops;
    FUZZ_CHECK(server_start(&service, listener, &options, &server) == RC_OK);
    atexit(stop);
}

static bool put(int fd, const void *bytes, size_t size)
{
    return size == 0 || send(fd, bytes, size, MSG_NOSIGNAL) == (ssize_t)size;
}

static void ask(int fd, uint32_t command, void *body, size_t size)
{
    const struct wire_header header = {(uint32_t)size, command};

    FUZZ_CHECK(put(fd, &header, sizeof header) && put(fd, body, size));
    /* libFuzzer's clock is a signal. */
    for (size_t got = 0; got < size;) {
        ssize_t count = recv(fd, (uint8_t *)body + got, size - got, 0);

        FUZZ_CHECK(count > 0 || (count < 0 && errno == EINTR));
        got += count > 0 ? (size_t)count : 0;
    }
}

/* Lengths are made those of the bytes that follow, so that the stream stays one of requests. */
static void set_lengths(uint32_t command, uint8_t *body, uint32_t length)
{
    const uint32_t attribute = length % (WIRE_ATTRIBUTE_MAX + 1);

    if (command == WIRE_TRANSMIT)
        memcpy(body + offsetof(struct wire_transmit, send_length), &length, sizeof length);
    else if (command == WIRE_CONTROL)
        memcpy(body + offsetof(struct wire_control, send_length), &length, sizeof length);
    else if (command == WIRE_GET_ATTRIBUTE || command == WIRE_SET_ATTRIBUTE)
        memcpy(body + offsetof(struct wire_attribute, length), &attribute, sizeof attribute);
}

static bool send_request(int fd, int32_t minor, struct bytes *in, uint32_t context, int32_t card)
{
    uint32_t command = bytes_u8(in), twist = bytes_u8(in), given = bytes_u8(in);
    const uint8_t *bytes = bytes_take(in, given < in->left ? given : in->left);
    uint8_t message[sizeof(struct wire_header) + sizeof(struct wire_attribute) + 256] = {0};
    struct wire_header header = {.command = command};
    int size = wire_request_size(command, minor);
    uint8_t *body = message + sizeof header;
    size_t room = size < 0 ? 0 : (size_t)size, length, data;

    if (!bytes)
        return false;
    length = (size_t)(in->at - bytes);
    memcpy(body, bytes, length);
    data = length > room ? length - room : 0;
    if (!(twist & TWIST_LENGTHS))
        set_lengths(command, body, (uint32_t)data);
    if (command != WIRE_TRANSMIT && command != WIRE_CONTROL)
        data = 0;
    if (room >= sizeof context && twist & TWIST_CONTEXT)
        memcpy(body, &context, sizeof context);
    if (room >= sizeof card && twist & TWIST_CARD)
        memcpy(body, &card, sizeof card);
    if (twist & TWIST_READER && (command == WIRE_CONNECT || command == WIRE_FACT))
        memcpy(body + sizeof context, READER, sizeof READER);
    header.size = twist & TWIST_SIZE ? (uint32_t)length : (uint32_t)room;
    memcpy(message, &header, sizeof header);
    if (twist & TWIST_RAW)
        return put(fd, bytes, length);
    length = sizeof header + room + data;
    for (size_t i = 0; twist & TWIST_SLOW && i < length; i++)
        if (!put(fd, message + i, 1))
            return false;
    return twist & TWIST_SLOW || put(fd, message, length);
}

static void await_end(void)
{
    int64_t idle_since;

    while (server_clients(server, &idle_since) > 0) {
        struct pollfd poll_fd = {.fd = server_event_fd(server), .events = POLLIN};
        uint64_t count;

        FUZZ_CHECK(poll(&poll_fd, 1, 20000) == 1);
        FUZZ_CHECK(read(poll_fd.fd, &count, sizeof count) == sizeof count);
    }
    FUZZ_CHECK(contexts == 1 && handles == 0); /* the server's own is left */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes in = bytes_of(data, size);
    struct wire_version version = {.major = WIRE_MAJOR, .minor = 3 + (bytes_u8(&in) + 1) % 4};
    struct wire_establish context = {.scope = 2};
    struct wire_connect card = {.reader = READER, .share = SHARE_SHARED, .protocols = 3};
    uint8_t rest[1024];
    int fd;

    if (!server)
        start();
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    FUZZ_CHECK(connect(fd, (const struct sockaddr *)&address, sizeof address) == 0);
    ask(fd, WIRE_VERSION, &version, sizeof version);
    ask(fd, WIRE_ESTABLISH, &context, sizeof context);
    card.context = context.context;
    ask(fd, WIRE_CONNECT, &card, sizeof card);
    FUZZ_CHECK(version.rv == 0 && context.rv == 0 && card.rv == 0);
    while (in.left > 0 && send_request(fd, version.minor, &in, context.context, card.card))
        ;
    /* An odd number of bytes: it is gone without a word. */
    if (size % 2 == 0) {
        shutdown(fd, SHUT_WR);
        while (recv(fd, rest, sizeof rest, 0) > 0)
            ;
    }
    close(fd);
    await_end();
    return 0;
}
