/* SPDX-License-Identifier: MIT */
/*
 * A hostile reader: whatever it says at whatever time, the driver's operations end, after a number of calls
 * that its words bound, and keep their promises about lengths.
 * Input: four bytes for the kind of reader, then what it says, call by call; nothing at the end of them.
 */
#include <stdbool.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid.h"
#include "driver/ccid_message.h"
#include "iso/apdu.h"
#include "tests/fuzz/fuzz.h"

enum { GUARD = 0xA5, ROOM = 700, FEATURE_REQUEST = 0x42000D48, ESCAPE = 0x42000001, ATR_STRING = 0x00090303 };

/* Seconds pass in milliseconds. */
struct deadline __real_deadline_in_ms(uint64_t timeout_ms);
struct deadline __wrap_deadline_in_ms(uint64_t timeout_ms);

struct deadline __wrap_deadline_in_ms(uint64_t timeout_ms)
{
    return __real_deadline_in_ms(timeout_ms / 1000);
}

struct hostile {
    struct pipe pipe;
    struct bytes words;
    size_t budget; /* of calls */
    uint8_t last[CCID_HEADER];
    uint8_t *block; /* what was given last, of exactly its size */
    bool closed;
};

static struct hostile *hostile_of(struct pipe *pipe)
{
    FUZZ_CHECK(!((struct hostile *)(void *)pipe)->closed);
    FUZZ_CHECK(((struct hostile *)(void *)pipe)->budget--);
    return (struct hostile *)(void *)pipe;
}

static int failure(unsigned word, bool to_host)
{
    static const int failures[] = {RC_TIMEOUT, RC_IO, PIPE_STALLED, PIPE_OVERFLOW};

    return word == 0xFF ? RC_READER_UNAVAILABLE : failures[word % (to_host ? 4 : 3)];
}

static int bulk_out(struct pipe *pipe, const uint8_t *bytes, size_t length, struct deadline deadline)
{
    struct hostile *self = hostile_of(pipe);

    (void)deadline;
    FUZZ_CHECK(length >= CCID_HEADER);
    memcpy(self->last, bytes, CCID_HEADER);
    return bytes_u8(&self->words) == 0xFE ? failure(bytes_u8(&self->words), false) : RC_OK;
}

static const uint8_t *give(struct hostile *self, const void *head, size_t head_length, const uint8_t *data,
                           size_t length)
{
    free(self->block);
    self->block = malloc(head_length + length);
    FUZZ_CHECK(self->block || !(head_length + length));
    if (head_length)
        memcpy(self->block, head, head_length);
    if (length)
        memcpy(self->block + head_length, data, length);
    return self->block;
}

/* An answer to the last command, as it should be but for its content. */
static void answer(struct hostile *self, unsigned word, const uint8_t **ret_bytes, size_t *ret_length)
{
    uint8_t head[CCID_HEADER] = {ccid_answer_type(self->last[0])};
    size_t length = word & 8 ? bytes_u8(&self->words) : 0;
    const uint8_t *data = bytes_take(&self->words, length);

    if (!data)
        length = 0;
    head[1] = (uint8_t)length;
    head[5] = self->last[5];
    head[6] = self->last[6];
    if (word & 16) {
        head[7] = bytes_u8(&self->words);
        head[8] = bytes_u8(&self->words);
    }
    if (word & 32)
        head[9] = bytes_u8(&self->words);
    *ret_bytes = give(self, head, sizeof head, data, length);
    *ret_length = sizeof head + length;
}

static int bulk_in(struct pipe *pipe, const uint8_t **ret_bytes, size_t *ret_length, struct deadline deadline)
{
    struct hostile *self = hostile_of(pipe);
    unsigned word = bytes_u8(&self->words);
    const uint8_t *data;
    size_t length;

    (void)deadline;
    if (!bytes_ok(&self->words) || (word & 7) == 7)
        return bytes_ok(&self->words) ? failure(bytes_u8(&self->words), true) : RC_TIMEOUT;
    if ((word & 7) < 6) {
        answer(self, word, ret_bytes, ret_length);
        return RC_OK;
    }
    length = bytes_u8(&self->words);
    data = bytes_take(&self->words, length);
    *ret_length = data ? length : 0;
    *ret_bytes = give(self, NULL, 0, data, *ret_length);
    return RC_OK;
}

static int control(struct pipe *pipe, uint8_t request_type, uint8_t request, uint16_t value, uint8_t *bytes,
                   size_t length, size_t *ret_length, struct deadline deadline)
{
    struct hostile *self = hostile_of(pipe);
    unsigned word = bytes_u8(&self->words);
    const uint8_t *data;
    size_t count;

    (void)request;
    (void)value;
    (void)deadline;
    if (!bytes_ok(&self->words) || (word & 7) == 7)
        return bytes_ok(&self->words) ? failure(bytes_u8(&self->words), request_type & 0x80) : RC_TIMEOUT;
    if (!(request_type & 0x80))
        return RC_OK;
    count = word >> 3;
    count = count < length ? count : length;
    data = bytes_take(&self->words, count);
    if (data && count)
        memcpy(bytes, data, count);
    *ret_length = data ? count : 0;
    return RC_OK;
}

static int notice(struct pipe *pipe, uint8_t *bytes, size_t capacity, size_t *ret_length)
{
    struct hostile *self = hostile_of(pipe);
    unsigned word = bytes_u8(&self->words);
    size_t count = word % 5 < capacity ? word % 5 : capacity;
    const uint8_t *data = word < 0x80 ? bytes_take(&self->words, count) : NULL;

    if (word >= 0xFE)
        return word & 1 ? RC_READER_UNAVAILABLE : RC_UNSUPPORTED;
    if (data && count)
        memcpy(bytes, data, count);
    *ret_length = data ? count : 0;
    return RC_OK;
}

static void hold(struct pipe *pipe, bool on)
{
    (void)on;
    (void)hostile_of(pipe);
}

static int clear(struct pipe *pipe, bool interrupt)
{
    (void)hostile_of(pipe);
    (void)interrupt;
    return RC_OK;
}

static void interrupt_pipe(struct pipe *pipe)
{
    (void)hostile_of(pipe);
}

static void close_pipe(struct pipe *pipe)
{
    hostile_of(pipe)->closed = true;
}

static const struct pipe_ops ops = {
    .bulk_out = bulk_out,
    .bulk_in = bulk_in,
    .control = control,
    .notice = notice,
    .hold = hold,
    .clear = clear,
    .interrupt = interrupt_pipe,
    .close = close_pipe,
};

static struct ccid_descriptor descriptor_of(struct bytes *words)
{
    static const uint32_t rooms[] = {271, 64, 65554, 12};
    static const uint8_t transports[] = {CCID_BULK, CCID_BULK, CCID_ICCD_A, CCID_ICCD_B};
    static const uint32_t features[] = {0x38, 0x30, 0xB8, 0x7A, 0x7E, 0x47A, 0, 0xFE};
    unsigned shape = bytes_u8(words), more = bytes_u8(words);

    return (struct ccid_descriptor){
        .transport = transports[shape >> 2 & 3],
        .level = (enum ccid_level)(shape & 3),
        .out = {1, 64},
        .in = {0x81, 64},
        .interrupt = {shape & 0x80 ? 0 : 0x82, 8},
        .features = features[more & 7],
        .slots = 1 + (shape >> 4 & 1),
        .busy_slots = 1,
        .voltages = 7,
        .protocols = 3,
        .clock_khz = 4000,
        .max_clock_khz = 4800,
        .rate = 10752,
        .max_rate = 344086,
        .rate_count = (uint8_t)(more >> 5),
        .max_ifsd = 254,
        .max_message = rooms[more >> 3 & 3],
        .pin_verify = true,
    };
}

static void exchange(struct reader *reader, enum protocol protocol)
{
    static const uint8_t lengths[] = {4, 5, 8, 0};
    uint8_t command[300] = {0x00, 0xA4, 0x00, 0x00, 0x03, 0x3F, 0x00, 0x01}, response[ROOM + 1];

    for (size_t i = 0; i < sizeof lengths; i++) {
        size_t length = 0, sent = lengths[i] ? lengths[i] : sizeof command;
        int rc;

        if (!lengths[i]) { /* an extended one */
            command[4] = 0;
            command[5] = 1;
            command[6] = (uint8_t)(sizeof command - 7 - 256);
        }
        memset(response, GUARD, sizeof response);
        rc = reader->ops->transmit(reader, protocol, command, sent, response, ROOM, &length);
        FUZZ_CHECK(rc <= 0);
        FUZZ_CHECK(response[ROOM] == GUARD);
        FUZZ_CHECK(rc || (length >= 2 && length <= ROOM));
        FUZZ_CHECK(rc != RC_INSUFFICIENT_BUFFER || length > ROOM);
    }
}

static void ask(struct reader *reader)
{
    uint8_t out[64];
    size_t length = 0;

    FUZZ_CHECK(reader->ops->control(reader, FEATURE_REQUEST, NULL, 0, out, sizeof out, &length) <= 0);
    FUZZ_CHECK(reader->ops->control(reader, ESCAPE, out, 2, out, sizeof out, &length) <= 0);
    FUZZ_CHECK(reader->ops->get_attribute(reader, ATR_STRING, out, sizeof out, &length) <= 0);
}

static void use(struct reader *reader)
{
    uint8_t atr[ATR_MAX];
    size_t length = 0;
    bool present;
    int rc = reader->ops->presence(reader, &present);

    FUZZ_CHECK(rc <= 0);
    for (enum power_action action = POWER_COLD; action <= POWER_WARM; action++)
        for (enum protocol protocol = PROTOCOL_T0; protocol <= PROTOCOL_T1; protocol++) {
            rc = reader->ops->power(reader, action, atr, &length);
            FUZZ_CHECK(rc <= 0 && (rc || length <= ATR_MAX));
            FUZZ_CHECK(reader->ops->set_protocol(reader, protocol) <= 0);
            exchange(reader, protocol);
        }
    ask(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
    static const struct ccid_identity identities[] = {
        {.vendor = 0x1209, .product = 0xCC1D}, {.vendor = 0x08E6, .product = 0x3437},
        {.vendor = 0x04E6, .product = 0xE003}, {.vendor = 0x0B97, .product = 0x7762},
        {.vendor = 0x046A, .product = 0x0005}, {.vendor = 0x0D46, .product = 0x301D},
        {.vendor = 0x234B, .product = 0x0000}, {.vendor = 0x058F, .product = 0x9540},
    };
    struct hostile self = {.pipe = {.ops = &ops, .event_fd = -1}, .words = bytes_of(input, size)};
    struct ccid_descriptor descriptor = descriptor_of(&self.words);
    struct ccid_identity identity = identities[bytes_u8(&self.words) & 7];
    struct reader **readers = NULL;
    size_t count = 0;

    identity.path = "usb:1-1:1.0";
    identity.model = "Hostile";
    identity.bcd_device = 0x0600;
    identity.escape_allowed = true;
    self.budget = 20000 + 200 * size;
    if (size < 4 || ccid_open(&self.pipe, &descriptor, &identity, &readers, &count)) {
        FUZZ_CHECK(size < 4 || self.closed);
    } else {
        for (size_t i = 0; i < count; i++)
            use(readers[i]);
        for (size_t i = 0; i < count; i++)
            readers[i]->ops->close(readers[i]);
        FUZZ_CHECK(self.closed);
    }
    free((void *)readers);
    free(self.block);
    return 0;
}
