/* SPDX-License-Identifier: MIT */
/* Messages of bulk OUT (CCID 1.1, 6.1): judged, and handed to what carries them out. */
#include <string.h>

#include "base/rc.h"
#include "tests/usbemu/emu_reader_state.h"

#define ESCAPE_ISO_MODE 0x1F01

/* Bytes 7, 8 and 9 that are reserved, and messages without data. */
static const struct {
    uint8_t type, reserved; /* bit n: byte 7 + n */
    bool no_data;
} forms[] = {
    {CCID_SET_PARAMETERS, 6, false}, {CCID_POWER_ON, 6, true},       {CCID_POWER_OFF, 7, true},
    {CCID_GET_SLOT_STATUS, 7, true}, {CCID_SECURE, 0, false},        {CCID_T0_APDU, 0, true},
    {CCID_ESCAPE, 7, false},         {CCID_GET_PARAMETERS, 7, true}, {CCID_RESET_PARAMETERS, 7, true},
    {CCID_CLOCK, 6, true},           {CCID_XFR_BLOCK, 0, false},     {CCID_MECHANICAL, 6, true},
    {CCID_ABORT, 7, true},           {CCID_SET_RATE, 7, false},
};

static uint32_t u32le(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

/* Judges what needs no state of the slot. */
static void judge_form(const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        if (forms[i].type != bytes[0])
            continue;
        for (unsigned j = 0; j < 3; j++)
            if (forms[i].reserved >> j & 1 && bytes[7 + j])
                emu_blame("command %02X: reserved byte %u is %02X", (unsigned)bytes[0], 7 + j,
                          (unsigned)bytes[7 + j]);
        if (forms[i].no_data && length > CCID_HEADER)
            emu_blame("command %02X with %zu bytes of data", (unsigned)bytes[0], length - CCID_HEADER);
        return;
    }
    emu_blame("command %02X does not exist", (unsigned)bytes[0]);
}

static void judge_number(struct emu_function *function, const uint8_t *bytes)
{
    if (function->numbered && function->last_seq == bytes[6])
        emu_blame("command %02X: bSeq %02X again", (unsigned)bytes[0], (unsigned)bytes[6]);
    function->numbered = true;
    function->last_seq = bytes[6];
}

static unsigned count_busy(const struct emu_function *function)
{
    unsigned count = 0;

    for (unsigned i = 0; i < function->reader->config.slots; i++)
        count += function->slots[i].busy;
    return count;
}

/* A failure at once, of a command that is not the one under way. */
static void refuse(struct emu_slot *slot, const uint8_t *bytes, uint8_t error)
{
    uint8_t type = ccid_answer_type(bytes[0]);
    const uint8_t answer[CCID_HEADER] = {type ? type : CCID_SLOT_STATUS, 0,     0, 0, 0, bytes[5], bytes[6],
                                         card_status(slot) | 0x40,       error, 0};

    reader_in(slot->function, answer, sizeof answer, 0);
}

/* CCID 1.1, 5.3.1: the request and the message, in either order; the later one ends the command. */
static void abort_message(struct emu_slot *slot, const uint8_t *bytes)
{
    const uint8_t answer[CCID_HEADER] = {CCID_SLOT_STATUS, 0, 0, 0, 0, bytes[5], bytes[6], 0, 0, 0};
    bool stalls = slot->function->reader->config.abort_stalls;
    uint8_t status[CCID_HEADER];

    if (slot->abort_asked && slot->abort_seq != bytes[6])
        emu_blame("Abort: bSeq %02X, the request said %02X", (unsigned)bytes[6], (unsigned)slot->abort_seq);
    if (!slot->abort_asked && !stalls) {
        slot->abort_came = true;
        slot->abort_seq = bytes[6];
        return;
    }
    slot->abort_asked = false;
    slot_drop(slot, true);
    exchange_forget(slot);
    memcpy(status, answer, sizeof status);
    status[7] = card_status(slot);
    reader_in(slot->function, status, sizeof status, 0);
}

static void escape(struct emu_slot *slot, const uint8_t *data, size_t length)
{
    if (slot->function->reader->config.no_escape) {
        slot_fail(slot, CCID_NOT_SUPPORTED);
        return;
    }
    if (length == 2 && data[0] == ESCAPE_ISO_MODE >> 8 && data[1] == (ESCAPE_ISO_MODE & 0xFF))
        slot->emv_off = true;
    slot_answer(slot, CCID_ESCAPE_ANSWER, 0, data, length);
}

static void icc_clock(struct emu_slot *slot, uint8_t command)
{
    if (command > 1) {
        slot_fail(slot, 7);
    } else if (!slot->active) {
        slot_fail(slot, CCID_MUTE);
    } else if (!(slot->function->reader->config.features & 0x100) && command) {
        slot_fail(slot, CCID_NOT_SUPPORTED);
    } else {
        slot->clock_status = command; /* stopped: low */
        slot_answer(slot, CCID_SLOT_STATUS, slot->clock_status, NULL, 0);
    }
}

static void mechanical(struct emu_slot *slot, uint8_t function)
{
    static const uint8_t needs[] = {0, 1, 2, 4, 8, 8};

    if (!slot->function->reader->config.mechanical)
        slot_fail(slot, CCID_NOT_SUPPORTED);
    else if (!function || function >= sizeof needs ||
             !(slot->function->reader->config.mechanical & needs[function]))
        slot_fail(slot, 7);
    else
        slot_answer(slot, CCID_SLOT_STATUS, 0, NULL, 0);
}

static void set_rate(struct emu_slot *slot, const uint8_t *data, size_t length)
{
    if (length != 8)
        slot_fail(slot, CCID_BAD_LENGTH);
    else
        slot_answer(slot, CCID_RATE, 0, data, length);
}

static void t0_apdu(struct emu_slot *slot, uint8_t changes)
{
    if (slot->function->reader->config.level < EMU_SHORT_APDU)
        slot_fail(slot, CCID_NOT_SUPPORTED);
    else if (changes & 0xFC)
        slot_fail(slot, 7);
    else
        slot_answer(slot, CCID_SLOT_STATUS, slot->clock_status, NULL, 0);
}

static void off(struct emu_slot *slot)
{
    power_off(slot);
    slot->off_seen = true;
    slot->host_on = false;
    slot_answer(slot, CCID_SLOT_STATUS, 1, NULL, 0);
}

/* Those that answer without the card. */
static void carry_out(struct emu_slot *slot, const uint8_t *bytes, const uint8_t *data, size_t length)
{
    switch (bytes[0]) {
    case CCID_SET_PARAMETERS:
        parameters_set(slot, bytes[7], data, length);
        break;
    case CCID_GET_PARAMETERS:
        parameters_answer(slot);
        break;
    case CCID_RESET_PARAMETERS:
        parameters_default(slot);
        parameters_answer(slot);
        break;
    case CCID_POWER_OFF:
        off(slot);
        break;
    case CCID_GET_SLOT_STATUS:
        slot_answer(slot, CCID_SLOT_STATUS, slot->clock_status, NULL, 0);
        break;
    case CCID_T0_APDU:
        t0_apdu(slot, bytes[7]);
        break;
    case CCID_ESCAPE:
        escape(slot, data, length);
        break;
    case CCID_CLOCK:
        icc_clock(slot, bytes[7]);
        break;
    case CCID_MECHANICAL:
        mechanical(slot, bytes[7]);
        break;
    case CCID_SET_RATE:
        set_rate(slot, data, length);
        break;
    default:
        slot_fail(slot, CCID_NOT_SUPPORTED);
    }
    slot_send(slot, 0);
}

/* May this command be begun? */
static bool admit(struct emu_slot *slot, const uint8_t *bytes)
{
    struct emu_function *function = slot->function;
    unsigned limit = function->reader->config.busy_slots;

    if (slot->abort_asked || slot->abort_came) {
        emu_blame("command %02X between the two parts of an abort", (unsigned)bytes[0]);
        refuse(slot, bytes, CCID_ABORTED);
        return false;
    }
    if (slot->busy) {
        emu_blame("command %02X to slot %u, which is busy with %02X", (unsigned)bytes[0], slot->index,
                  (unsigned)slot->type);
        refuse(slot, bytes, CCID_SLOT_BUSY);
        return false;
    }
    if (limit && count_busy(function) >= limit) {
        emu_blame("command %02X: %u slots are busy already", (unsigned)bytes[0], limit);
        refuse(slot, bytes, CCID_SLOT_BUSY);
        return false;
    }
    return true;
}

static void secure(struct emu_slot *slot, const uint8_t *bytes, size_t length)
{
    if (bytes[7] || bytes[8] || bytes[9])
        emu_blame("Secure: bBWI %u, wLevelParameter %02X%02X", (unsigned)bytes[7], (unsigned)bytes[9],
                  (unsigned)bytes[8]);
    pin_secure(slot, bytes + CCID_HEADER, length - CCID_HEADER);
}

static void begin(struct emu_slot *slot, const uint8_t *bytes, size_t length)
{
    const uint8_t *data = bytes + CCID_HEADER;
    uint16_t level = (uint16_t)(bytes[8] | bytes[9] << 8);

    slot->busy = true;
    slot->type = bytes[0];
    slot->seq = bytes[6];
    slot->extensions = 0;
    slot->answer.length = 0;
    if (bytes[0] == CCID_POWER_ON)
        power_on(slot, bytes[7]);
    else if (bytes[0] == CCID_XFR_BLOCK)
        exchange_block(slot, bytes[7], level, data, length - CCID_HEADER);
    else if (bytes[0] == CCID_SECURE)
        secure(slot, bytes, length);
    else
        carry_out(slot, bytes, data, length - CCID_HEADER);
}

void message_take(struct emu_function *function, const uint8_t *bytes, size_t length)
{
    struct emu_reader *reader = function->reader;
    struct emu_slot *slot;

    if (length < CCID_HEADER) {
        emu_blame("message of %zu bytes, too short for CCID", length);
        return;
    }
    judge_form(bytes, length);
    judge_number(function, bytes);
    if (length > reader->config.max_message && length > reader->capacity)
        emu_blame("message of %zu bytes; the reader takes %u", length, reader->capacity);
    if (bytes[5] >= reader->config.slots) {
        struct emu_slot nobody = {.function = function, .index = bytes[5]};

        emu_blame("command %02X to slot %u; there are %u", (unsigned)bytes[0], (unsigned)bytes[5],
                  reader->config.slots);
        refuse(&nobody, bytes, CCID_BAD_SLOT);
        return;
    }
    slot = &function->slots[bytes[5]];
    if (u32le(bytes + 1) != length - CCID_HEADER) {
        emu_blame("command %02X: dwLength %u, %zu bytes came", (unsigned)bytes[0], u32le(bytes + 1),
                  length - CCID_HEADER);
        refuse(slot, bytes, CCID_BAD_LENGTH);
    } else if (bytes[0] == CCID_ABORT) {
        abort_message(slot, bytes);
    } else if (admit(slot, bytes)) {
        begin(slot, bytes, length);
    }
}
