/* SPDX-License-Identifier: MIT */
#include "tests/conform/test_reader.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/rc.h"

#define PATIENCE_MS 20000

const uint8_t test_atr_t0[2] = {0x3B, 0x00};
const uint8_t test_atr_t1[4] = {0x3B, 0x80, 0x01, 0x81};
const uint8_t test_atr_both[5] = {0x3B, 0x80, 0x80, 0x01, 0x01};

struct test_reader {
    struct reader reader;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool present, left; /* left: since presence looked */
    bool powered, busy, abused, closed;
    uint32_t protocol, refused;
    unsigned card;         /* number of the card in the slot */
    unsigned powered_card; /* the one that is on */
    unsigned cancels;
    uint8_t atr[ATR_MAX];
    size_t atr_length;
    struct {
        bool hold;
        unsigned held, count, failures;
        int rc;
    } ops[OP_COUNT];
};

static struct test_reader *self_of(struct reader *reader)
{
    return (struct test_reader *)(void *)reader;
}

static void stir(struct test_reader *self)
{
    const uint64_t one = 1;

    if (write(self->reader.event_fd, &one, sizeof one) < 0)
        abort();
}

/* A call begins: counts it, is held if asked, fails if asked. The lock is held on return. */
static int enter(struct test_reader *self, enum test_op op)
{
    unsigned cancels, card;

    pthread_mutex_lock(&self->lock);
    self->abused |= self->busy || self->closed;
    self->busy = true;
    cancels = self->cancels;
    card = self->card;
    self->ops[op].held++;
    pthread_cond_broadcast(&self->changed);
    while (self->ops[op].hold && self->cancels == cancels && (op != OP_TRANSMIT || self->card == card))
        pthread_cond_wait(&self->changed, &self->lock);
    self->ops[op].held--;
    if (self->cancels != cancels)
        return RC_CANCELLED;
    if (op == OP_TRANSMIT && self->card != card)
        return RC_NO_CARD;
    if (self->ops[op].failures) {
        self->ops[op].failures--;
        return self->ops[op].rc;
    }
    return RC_OK;
}

static int leave(struct test_reader *self, enum test_op op, int rc)
{
    self->busy = false;
    self->ops[op].count++;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    return rc;
}

static int presence(struct reader *reader, bool *ret_present)
{
    struct test_reader *self = self_of(reader);
    int rc = enter(self, OP_PRESENCE);
    uint64_t count;

    if (read(reader->event_fd, &count, sizeof count) < 0)
        count = 0;
    if (!rc) {
        *ret_present = self->present && !self->left;
        if (self->left && self->present)
            stir(self);
        self->left = false;
    }
    return leave(self, OP_PRESENCE, rc);
}

static int power(struct reader *reader, enum power_action action, uint8_t atr[ATR_MAX],
                 size_t *ret_atr_length)
{
    struct test_reader *self = self_of(reader);
    enum test_op op = action == POWER_OFF ? OP_OFF : action == POWER_COLD ? OP_COLD : OP_WARM;
    int rc = enter(self, op);

    if (!rc && action != POWER_OFF && !self->present)
        rc = RC_NO_CARD;
    if (action == POWER_WARM && !rc)
        self->abused |= !self->powered;
    self->powered = !rc && action != POWER_OFF;
    self->protocol = PROTOCOL_NONE;
    if (!rc) {
        *ret_atr_length = action == POWER_OFF ? 0 : self->atr_length;
        memcpy(atr, self->atr, *ret_atr_length);
        self->powered_card = self->card;
    }
    return leave(self, op, rc);
}

static int set_protocol(struct reader *reader, enum protocol protocol)
{
    struct test_reader *self = self_of(reader);
    int rc = enter(self, OP_PROTOCOL);

    self->abused |= !self->powered;
    if (!rc && self->refused & protocol)
        rc = RC_UNRESPONSIVE;
    if (!rc)
        self->protocol = protocol;
    return leave(self, OP_PROTOCOL, rc);
}

static int transmit(struct reader *reader, enum protocol protocol, const uint8_t *command,
                    size_t command_length, uint8_t *response, size_t capacity, size_t *ret_length)
{
    struct test_reader *self = self_of(reader);
    int rc = enter(self, OP_TRANSMIT);

    self->abused |= !self->powered || (self->protocol != protocol && protocol != PROTOCOL_RAW);
    if (!rc && (!self->present || self->card != self->powered_card))
        rc = RC_NO_CARD;
    if (!rc) {
        *ret_length = command_length + 1;
        if (*ret_length > capacity) {
            rc = RC_INSUFFICIENT_BUFFER;
        } else {
            memcpy(response, command + 1, command_length - 1);
            response[command_length - 1] = 0x90;
            response[command_length] = 0x00;
        }
    }
    return leave(self, OP_TRANSMIT, rc);
}

static int answer(const void *value, size_t length, uint8_t *out, size_t capacity, size_t *ret_length)
{
    *ret_length = length;
    if (length > capacity)
        return RC_INSUFFICIENT_BUFFER;
    if (length)
        memcpy(out, value, length);
    return RC_OK;
}

static int control(struct reader *reader, uint32_t code, const uint8_t *in, size_t in_length, uint8_t *out,
                   size_t capacity, size_t *ret_length)
{
    struct test_reader *self = self_of(reader);
    int rc = enter(self, OP_CONTROL);

    if (!rc)
        rc = code == TEST_CONTROL_ECHO ? answer(in, in_length, out, capacity, ret_length) : RC_UNSUPPORTED;
    return leave(self, OP_CONTROL, rc);
}

static int get_attribute(struct reader *reader, uint32_t tag, uint8_t *out, size_t capacity,
                         size_t *ret_length)
{
    static const uint8_t value[TEST_ATTRIBUTE_LENGTH] = {1, 2, 3};
    struct test_reader *self = self_of(reader);
    int rc = enter(self, OP_GET_ATTRIBUTE);

    if (!rc)
        rc = tag == TEST_ATTRIBUTE_LONG ? answer(value, sizeof value, out, capacity, ret_length)
                                        : RC_UNSUPPORTED;
    return leave(self, OP_GET_ATTRIBUTE, rc);
}

static int set_attribute(struct reader *reader, uint32_t tag, const uint8_t *value, size_t length)
{
    struct test_reader *self = self_of(reader);
    int rc = enter(self, OP_SET_ATTRIBUTE);

    (void)value;
    (void)length;
    if (!rc && tag != TEST_ATTRIBUTE_LONG)
        rc = RC_UNSUPPORTED;
    return leave(self, OP_SET_ATTRIBUTE, rc);
}

static void cancel(struct reader *reader)
{
    struct test_reader *self = self_of(reader);

    pthread_mutex_lock(&self->lock);
    self->cancels += self->busy;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static void close_reader(struct reader *reader)
{
    struct test_reader *self = self_of(reader);

    pthread_mutex_lock(&self->lock);
    self->abused |= self->busy || self->closed;
    self->closed = true;
    pthread_mutex_unlock(&self->lock);
}

static void forget_reader(struct reader *reader)
{
    close(reader->event_fd);
}

struct reader *test_reader_new(unsigned slot)
{
    static const struct reader_ops ops = {
        .presence = presence,
        .power = power,
        .set_protocol = set_protocol,
        .transmit = transmit,
        .control = control,
        .get_attribute = get_attribute,
        .set_attribute = set_attribute,
        .cancel = cancel,
        .close = close_reader,
        .forget = forget_reader,
    };
    struct test_reader *self = calloc(1, sizeof *self);
    pthread_condattr_t monotonic;

    if (!self)
        abort();
    pthread_mutex_init(&self->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    self->reader = (struct reader){
        .ops = &ops,
        .model = "Test",
        .device = "test:",
        .slot = slot,
        .event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
    };
    test_reader_set_atr(&self->reader, test_atr_both, sizeof test_atr_both);
    return &self->reader;
}

static void set_present(struct reader *reader, bool present)
{
    struct test_reader *self = self_of(reader);

    pthread_mutex_lock(&self->lock);
    if (self->present != present) {
        self->present = present;
        self->card++;
        self->left |= !present;
        stir(self);
        pthread_cond_broadcast(&self->changed);
    }
    pthread_mutex_unlock(&self->lock);
}

void test_reader_insert(struct reader *reader)
{
    set_present(reader, true);
}

void test_reader_remove(struct reader *reader)
{
    set_present(reader, false);
}

void test_reader_set_atr(struct reader *reader, const uint8_t *atr, size_t length)
{
    struct test_reader *self = self_of(reader);

    pthread_mutex_lock(&self->lock);
    memcpy(self->atr, atr, length);
    self->atr_length = length;
    pthread_mutex_unlock(&self->lock);
}

void test_reader_fail(struct reader *reader, enum test_op op, int rc, unsigned times)
{
    struct test_reader *self = self_of(reader);

    pthread_mutex_lock(&self->lock);
    self->ops[op].rc = rc;
    self->ops[op].failures = times;
    pthread_mutex_unlock(&self->lock);
}

void test_reader_refuse_protocols(struct reader *reader, uint32_t mask)
{
    struct test_reader *self = self_of(reader);

    pthread_mutex_lock(&self->lock);
    self->refused = mask;
    pthread_mutex_unlock(&self->lock);
}

void test_reader_hold(struct reader *reader, enum test_op op)
{
    struct test_reader *self = self_of(reader);

    pthread_mutex_lock(&self->lock);
    self->ops[op].hold = true;
    pthread_mutex_unlock(&self->lock);
}

void test_reader_let_go(struct reader *reader, enum test_op op)
{
    struct test_reader *self = self_of(reader);

    pthread_mutex_lock(&self->lock);
    self->ops[op].hold = false;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

bool test_reader_await_held(struct reader *reader, enum test_op op)
{
    struct test_reader *self = self_of(reader);
    struct timespec at = deadline_timespec(deadline_in_ms(PATIENCE_MS));
    int error = 0;

    pthread_mutex_lock(&self->lock);
    while (!self->ops[op].held && !error)
        error = pthread_cond_timedwait(&self->changed, &self->lock, &at);
    pthread_mutex_unlock(&self->lock);
    return !error;
}

unsigned test_reader_count(struct reader *reader, enum test_op op)
{
    struct test_reader *self = self_of(reader);
    unsigned count;

    pthread_mutex_lock(&self->lock);
    count = self->ops[op].count;
    pthread_mutex_unlock(&self->lock);
    return count;
}

bool test_reader_await_count(struct reader *reader, enum test_op op, unsigned count)
{
    struct test_reader *self = self_of(reader);
    struct timespec at = deadline_timespec(deadline_in_ms(PATIENCE_MS));
    int error = 0;

    pthread_mutex_lock(&self->lock);
    while (self->ops[op].count < count && !error)
        error = pthread_cond_timedwait(&self->changed, &self->lock, &at);
    pthread_mutex_unlock(&self->lock);
    return !error;
}

bool test_reader_was_abused(struct reader *reader)
{
    struct test_reader *self = self_of(reader);
    bool abused;

    pthread_mutex_lock(&self->lock);
    abused = self->abused;
    pthread_mutex_unlock(&self->lock);
    return abused;
}

void test_reader_stir(struct reader *reader)
{
    stir(self_of(reader));
}

bool test_reader_is_closed(struct reader *reader)
{
    struct test_reader *self = self_of(reader);
    bool closed;

    pthread_mutex_lock(&self->lock);
    closed = self->closed;
    pthread_mutex_unlock(&self->lock);
    return closed;
}

void test_reader_free(struct reader *reader)
{
    struct test_reader *self = self_of(reader);

    close(reader->event_fd);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->lock);
    free(self);
}
