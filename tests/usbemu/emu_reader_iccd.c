/* SPDX-License-Identifier: MIT */
/* USB-ICC devices, which speak on control transfers (ICCD 1.0). One slot. */
#include <errno.h>
#include <string.h>

#include "tests/usbemu/emu_reader_state.h"

#define TO_DEVICE 0x21
#define FROM_DEVICE 0xA1
#define POWER_ON 0x62
#define POWER_OFF 0x63
#define XFR_BLOCK 0x65
#define DATA_BLOCK 0x6F
#define SLOT_STATUS 0x81 /* version B */
#define ICC_STATUS 0xA0  /* version A */

#define RESPONSE_STATUS 0x40
#define RESPONSE_POLL 0x80

#define STATUS_DATA 0x10
#define STATUS_SW 0x20
#define STATUS_BUSY 0x40
#define STATUS_MUTE 0x80

static int give(const uint8_t *bytes, size_t count, uint8_t *data, size_t length)
{
    if (count > length)
        count = length;
    if (count)
        memcpy(data, bytes, count);
    return (int)count;
}

/* Version B: a command as a bulk reader gets it. */
static int b_command(struct emu_function *function, uint8_t type, uint8_t parameter, uint8_t level,
                     const uint8_t *data, size_t length)
{
    struct buffer message = {0};
    const uint8_t head[CCID_HEADER] = {type,
                                       (uint8_t)length,
                                       (uint8_t)(length >> 8),
                                       0,
                                       0,
                                       0,
                                       (uint8_t)(function->last_seq + 1),
                                       parameter,
                                       level,
                                       0};

    function->iccd.length = 0;
    if (!buffer_append(&message, head, sizeof head) && !buffer_append(&message, data, length))
        message_take(function, message.data, message.length);
    buffer_fini(&message);
    return 0;
}

/* The answer in the form of bulk IN, as a response. */
static int b_response(struct emu_function *function, uint8_t *data, size_t length)
{
    const struct buffer *answer = &function->iccd;
    uint8_t status[3] = {RESPONSE_STATUS};
    int given;

    if (answer->length < CCID_HEADER) {
        const uint8_t poll[3] = {RESPONSE_POLL, 1, 0};

        if (!function->slots[0].busy)
            return -EPIPE;
        return give(poll, sizeof poll, data, length);
    }
    if (answer->data[0] != CCID_DATA_BLOCK || answer->data[7] & 0xC0) {
        status[1] = answer->data[7];
        status[2] = answer->data[8];
        given = give(status, sizeof status, data, length);
    } else {
        answer->data[CCID_HEADER - 1] = answer->data[9]; /* bChainParameter is bResponseType */
        given = give(answer->data + CCID_HEADER - 1, answer->length - CCID_HEADER + 1, data, length);
        if ((size_t)given < answer->length - CCID_HEADER + 1)
            emu_blame("ICCD: a response of %zu bytes was asked for with wLength %zu",
                      answer->length - CCID_HEADER + 1, length);
    }
    function->iccd.length = 0;
    return given;
}

static int b_status(const struct emu_function *function, uint8_t *data, size_t length)
{
    const uint8_t status[3] = {RESPONSE_STATUS, card_status(&function->slots[0]), 0};

    return give(status, sizeof status, data, length);
}

static int b_request(struct emu_function *function, const uint8_t setup[8], uint8_t *data, size_t length)
{
    switch (setup[0] << 8 | setup[1]) {
    case TO_DEVICE << 8 | POWER_ON:
        return b_command(function, CCID_POWER_ON, setup[2], 0, NULL, 0);
    case TO_DEVICE << 8 | POWER_OFF:
        (void)b_command(function, CCID_POWER_OFF, 0, 0, NULL, 0);
        function->iccd.length = 0;
        return 0;
    case TO_DEVICE << 8 | XFR_BLOCK:
        return b_command(function, CCID_XFR_BLOCK, setup[2], setup[3], data, length);
    case FROM_DEVICE << 8 | DATA_BLOCK:
        return b_response(function, data, length);
    case FROM_DEVICE << 8 | SLOT_STATUS:
        return b_status(function, data, length);
    default:
        return -EPIPE;
    }
}

/* Version A: what the card has said is in slot->queue. */

static int a_power_on(struct emu_function *function, uint8_t *data, size_t length)
{
    struct emu_slot *slot = &function->slots[0];
    struct buffer atr = {0};
    int given = -EPIPE;

    if (slot->active)
        emu_blame("ICCD A: power on without power off before it");
    if (slot->line && power_activate(slot, 7, &atr) && slot->active)
        given = give(atr.data, atr.length, data, length);
    buffer_fini(&atr);
    slot->host_on = given >= 0;
    function->iccd_status = 0;
    return given;
}

/* Looks at the card's next procedure byte. */
static void a_step(struct emu_function *function, enum emu_said said)
{
    struct buffer *queue = &function->slots[0].queue;
    size_t nulls = 0;
    uint8_t byte;

    function->ready_at = deadline_in_ms(emu_line_delay(function->slots[0].line));
    while (nulls < queue->length && queue->data[nulls] == 0x60)
        nulls++;
    queue->length -= nulls;
    memmove(queue->data, queue->data + nulls, queue->length);
    if (said != LINE_SAID || !queue->length) {
        function->iccd_status = STATUS_MUTE;
        return;
    }
    byte = queue->data[0];
    if (byte == function->header[1] && !function->moved) {
        function->iccd_status = STATUS_DATA;
        memmove(queue->data, queue->data + 1, --queue->length);
    } else if ((byte & 0xF0) == 0x90 || (byte & 0xF0) == 0x60) {
        function->iccd_status = STATUS_SW;
    } else {
        function->iccd_status = STATUS_MUTE;
    }
}

static int a_send(struct emu_function *function, const uint8_t *data, size_t length)
{
    struct emu_slot *slot = &function->slots[0];
    bool header = function->iccd_status != STATUS_DATA;

    if (!slot->host_on)
        emu_blame("ICCD A: a command to a card that is not powered");
    if (!slot->active)
        return -EPIPE;
    if (header && length != 5) {
        emu_blame("ICCD A: header of %zu bytes", length);
        return -EPIPE;
    }
    if (!header && (length != function->header[4] || function->moved)) {
        emu_blame("ICCD A: %zu bytes of data, P3 is %u", length, (unsigned)function->header[4]);
        return -EPIPE;
    }
    if (header) {
        memcpy(function->header, data, 5);
        slot->queue.length = 0;
    }
    function->moved = !header;
    a_step(function, emu_line_send(slot->line, slot->parameters[0], EMU_UNKNOWN, data, length, &slot->queue));
    return 0;
}

static int a_receive(struct emu_function *function, uint8_t *data, size_t length)
{
    struct emu_slot *slot = &function->slots[0];
    enum emu_said said = LINE_SAID;
    size_t count = 2; /* SW1 SW2 */
    int given;

    if (!slot->active || !(function->iccd_status & (STATUS_DATA | STATUS_SW)))
        return -EPIPE;
    if (function->iccd_status == STATUS_DATA) {
        if (!slot->queue.length) /* the direction was a guess */
            said = emu_line_send(slot->line, slot->parameters[0], EMU_UNKNOWN, NULL, 0, &slot->queue);
        count = function->header[4] ? function->header[4] : 256;
    }
    if (length < count)
        emu_blame("ICCD A: %zu bytes asked for, there are %zu", length, count);
    given = give(slot->queue.data, slot->queue.length < count ? slot->queue.length : count, data, length);
    slot->queue.length -= (size_t)given;
    memmove(slot->queue.data, slot->queue.data + given, slot->queue.length);
    function->moved = true;
    if (function->iccd_status == STATUS_SW)
        function->iccd_status = 0;
    else
        a_step(function, said);
    return given;
}

static int a_status(const struct emu_function *function, uint8_t *data, size_t length)
{
    uint8_t status = function->iccd_status;

    if (!function->slots[0].line)
        status = STATUS_MUTE;
    else if (status && !deadline_passed(function->ready_at))
        status = STATUS_BUSY;
    return give(&status, 1, data, length);
}

static int a_request(struct emu_function *function, const uint8_t setup[8], uint8_t *data, size_t length)
{
    switch (setup[0] << 8 | setup[1]) {
    case FROM_DEVICE << 8 | POWER_ON:
        return a_power_on(function, data, length);
    case TO_DEVICE << 8 | POWER_OFF:
        power_off(&function->slots[0]);
        function->slots[0].host_on = false;
        function->iccd_status = 0;
        return 0;
    case TO_DEVICE << 8 | XFR_BLOCK:
        return a_send(function, data, length);
    case FROM_DEVICE << 8 | DATA_BLOCK:
        return a_receive(function, data, length);
    case FROM_DEVICE << 8 | ICC_STATUS:
        return a_status(function, data, length);
    default:
        return -EPIPE;
    }
}

int iccd_request(struct emu_function *function, const uint8_t setup[8], uint8_t *data, size_t length)
{
    return function->reader->config.transport == EMU_ICCD_A ? a_request(function, setup, data, length)
                                                            : b_request(function, setup, data, length);
}
