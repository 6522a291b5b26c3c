/* SPDX-License-Identifier: MIT */
#include "link_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rc.h"
#include "driver/ccid_link.h"
#include "driver/ccid_timing.h"

struct ccid_link {
    struct pipe *pipe;
    unsigned spans; /* begin without end */
};

struct step {
    uint8_t type, parameter;
    uint16_t level;
    uint8_t *data;
    size_t length;
    int rc;
    struct ccid_answer answer;
    uint8_t *room;
};

static struct step *steps;
static size_t count, room, at;
static uint8_t *rates;
static size_t rates_length;
static int rates_rc = RC_IO, start_rc;

uint64_t script_timeout_ms, script_paused_ms;
bool script_look, script_left;
unsigned script_pauses, script_freed, script_forgotten, script_cancelled, script_abandoned;

static uint8_t *copy(const uint8_t *bytes, size_t length)
{
    uint8_t *exact = malloc(length ? length : 1); /* a read past the end is seen */

    assert_non_null(exact);
    if (length)
        memcpy(exact, bytes, length);
    return exact;
}

static uint8_t *from_hex(const char *text, size_t *ret_length)
{
    static uint8_t bytes[70000];
    size_t length = 0;
    int nibbles = 0;
    unsigned value = 0;

    for (; *text; text++) {
        if (*text == ' ')
            continue;
        value = value << 4 | (unsigned)(*text <= '9' ? *text - '0' : (*text | 0x20) - 'a' + 10);
        if (++nibbles % 2 == 0)
            bytes[length++] = (uint8_t)value;
    }
    *ret_length = length;
    return copy(bytes, length);
}

static struct step *add(void)
{
    if (count == room) {
        room = room ? 2 * room : 64;
        steps = realloc(steps, room * sizeof *steps);
        assert_non_null(steps);
    }
    steps[count] = (struct step){0};
    return &steps[count++];
}

void script_expect(enum ccid_type type, uint8_t parameter, uint16_t level, const char *data)
{
    struct step *step = add();

    step->type = (uint8_t)type;
    step->parameter = parameter;
    step->level = level;
    step->data = from_hex(data, &step->length);
}

void script_expect_bytes(uint16_t level, const uint8_t *bytes, size_t length)
{
    struct step *step = add();

    step->type = CCID_XFR_BLOCK;
    step->level = level;
    step->data = copy(bytes, length);
    step->length = length;
}

void script_answer(enum ccid_card card, uint8_t parameter, const char *data)
{
    struct step *step = &steps[count - 1];

    step->room = from_hex(data, &step->answer.length);
    step->answer.data = step->room;
    step->answer.card = card;
    step->answer.parameter = parameter;
}

void script_answer_bytes(uint8_t parameter, const uint8_t *bytes, size_t length)
{
    struct step *step = &steps[count - 1];

    step->room = copy(bytes, length);
    step->answer = (struct ccid_answer){.parameter = parameter, .data = step->room, .length = length};
}

void script_fail(enum ccid_card card, uint8_t error)
{
    steps[count - 1].answer = (struct ccid_answer){.card = card, .failed = true, .error = error};
}

void script_rc(int rc)
{
    steps[count - 1].rc = rc;
}

void script_rates(int rc, const char *data)
{
    free(rates);
    rates_rc = rc;
    rates = from_hex(data, &rates_length);
}

void script_start_rc(int rc)
{
    start_rc = rc;
}

static void reset(void)
{
    for (size_t i = 0; i < count; i++) {
        free(steps[i].data);
        free(steps[i].room);
    }
    free(steps);
    free(rates);
    steps = NULL;
    rates = NULL;
    count = room = at = 0;
    rates_rc = RC_IO;
    start_rc = 0;
    script_look = script_left = false;
    script_pauses = script_freed = script_forgotten = script_cancelled = script_abandoned = 0;
    script_paused_ms = 0;
}

void script_done(void)
{
    assert_int_equal(at, count);
    reset();
}

int script_fresh(void **state)
{
    (void)state;
    reset();
    return 0;
}

int ccid_link_new(struct pipe *pipe, const struct ccid_descriptor *descriptor, const struct ccid_quirk *quirk,
                  struct ccid_link **ret_link)
{
    (void)descriptor;
    (void)quirk;
    *ret_link = calloc(1, sizeof **ret_link);
    if (!*ret_link)
        return RC_NO_MEMORY;
    (*ret_link)->pipe = pipe;
    return RC_OK;
}

void ccid_link_free(struct ccid_link *link)
{
    assert_int_equal(link->spans, 0);
    link->pipe->ops->close(link->pipe);
    free(link);
    script_freed++;
}

int ccid_link_start(struct ccid_link *link)
{
    (void)link;
    return start_rc;
}

int ccid_link_exchange(struct ccid_link *link, struct ccid_command *command, uint64_t timeout_ms,
                       struct ccid_answer *ret_answer)
{
    const struct step *step = &steps[at];

    assert_int_equal(link->spans, 1);
    if (at == count)
        fail_msg("command %02X is not in the script", command->type);
    if (command->type != step->type || command->parameter != step->parameter ||
        command->level != step->level || command->length != step->length)
        fail_msg("step %zu: %02X %02X %04X and %zu bytes, not %02X %02X %04X and %zu", at, command->type,
                 command->parameter, command->level, command->length, step->type, step->parameter,
                 step->level, step->length);
    if (step->length)
        assert_memory_equal(command->data, step->data, step->length);
    script_timeout_ms = timeout_ms;
    at++;
    if (!step->rc)
        *ret_answer = step->answer;
    return step->rc;
}

void ccid_link_cancel(struct ccid_link *link, uint8_t slot)
{
    (void)link;
    (void)slot;
    script_cancelled++;
}

void ccid_link_begin(struct ccid_link *link, uint8_t slot)
{
    (void)slot;
    assert_int_equal(link->spans++, 0);
}

void ccid_link_end(struct ccid_link *link, uint8_t slot)
{
    (void)slot;
    assert_int_equal(link->spans--, 1);
}

int ccid_link_pause(struct ccid_link *link, uint8_t slot, uint64_t ms)
{
    (void)slot;
    assert_int_equal(link->spans, 1);
    script_pauses++;
    script_paused_ms += ms;
    return RC_OK;
}

int ccid_link_abandon(struct ccid_link *link, uint8_t slot)
{
    (void)slot;
    assert_int_equal(link->spans, 1);
    script_abandoned++;
    return RC_OK;
}

int ccid_link_event_fd(const struct ccid_link *link, uint8_t slot)
{
    (void)link;
    return 100 + slot;
}

bool ccid_link_seen(struct ccid_link *link, uint8_t slot)
{
    bool left = script_left;

    (void)link;
    (void)slot;
    script_look = script_left = false;
    return left;
}

void ccid_link_look_again(struct ccid_link *link, uint8_t slot)
{
    (void)link;
    (void)slot;
    script_look = true;
}

int ccid_link_control(struct ccid_link *link, uint8_t slot, uint8_t request_type, uint8_t request,
                      uint16_t value, uint8_t *bytes, size_t length, size_t *ret_length, uint64_t timeout_ms)
{
    (void)slot;
    (void)value;
    (void)timeout_ms;
    assert_int_equal(link->spans, 1);
    assert_int_equal(request_type, 0xA1);
    assert_int_equal(request, 3);
    if (rates_rc)
        return rates_rc;
    *ret_length = rates_length < length ? rates_length : length;
    memcpy(bytes, rates, *ret_length);
    return RC_OK;
}

void ccid_link_forget(struct ccid_link *link)
{
    (void)link;
    script_forgotten++;
}

uint64_t ccid_timing_ms(const struct ccid_descriptor *descriptor, const struct atr *atr,
                        enum protocol protocol, uint8_t fd)
{
    (void)descriptor;
    (void)atr;
    (void)protocol;
    (void)fd;
    return SCRIPT_MS;
}
