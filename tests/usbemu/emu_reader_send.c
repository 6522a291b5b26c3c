/* SPDX-License-Identifier: MIT */
/* What goes to the host: answers when they are due, time extensions, notices - and the faults of rules. */
#include <errno.h>
#include <string.h>

#include "tests/usbemu/emu_reader_state.h"

#define STATUS_FAILED 0x40
#define STATUS_EXTENSION 0x80
#define NOTICE_SLOTS 0x50
#define NOTICE_HARDWARE 0x51

static void host_in(struct emu_reader *reader, uint8_t endpoint, const uint8_t *bytes, size_t length,
                    int failure)
{
    if (reader->device.host)
        reader->device.host->in(&reader->device, endpoint, bytes, length, failure);
}

void reader_in(struct emu_function *function, const uint8_t *bytes, size_t length, int failure)
{
    struct emu_reader *reader = function->reader;

    reader_record(reader, EMU_IN, function->in, bytes, length, failure);
    if (reader->config.transport != EMU_BULK) { /* the host fetches it by control transfer */
        if (length > 7 && (bytes[7] & 0xC0) == STATUS_EXTENSION)
            return;
        function->iccd.length = 0;
        if (length && buffer_append(&function->iccd, bytes, length))
            function->iccd.length = 0;
        return;
    }
    if (reader->config.loses_full & 2 && length && length % reader->config.packet == 0)
        return;
    for (size_t piece = reader->config.pieces; piece && length > piece; bytes += piece, length -= piece)
        host_in(reader, function->in, bytes, piece, 0);
    host_in(reader, function->in, bytes, length, failure);
    if (length && length % reader->config.packet == 0 && !failure && !reader->config.no_empty)
        host_in(reader, function->in, NULL, 0, 0);
}

static void unplug_now(void *user)
{
    struct emu_reader *reader = user;

    if (reader->device.host && reader->device.host->unplug)
        reader->device.host->unplug(&reader->device);
    else if (reader->unplug)
        reader->unplug(reader->unplug_user);
}

void reader_unplug(struct emu_reader *reader, unsigned ms)
{
    emu_later(ms, unplug_now, reader);
}

static int failure_of(enum emu_action action)
{
    switch (action) {
    case EMU_STALL:
        return -EPIPE;
    case EMU_PROTO:
        return -EPROTO;
    case EMU_BABBLE:
        return -EOVERFLOW;
    default:
        return 0;
    }
}

static void send_notice(struct emu_function *function, const uint8_t *bytes, size_t length)
{
    struct emu_reader *reader = function->reader;
    struct emu_fault fault;
    int failure = 0;

    if (!function->interrupt)
        return;
    if (emu_fault_take(&reader->rules, EMU_INTERRUPT, bytes[0], 0, 0, &fault)) {
        failure = failure_of(fault.action);
        if (fault.action == EMU_UNPLUG)
            reader_unplug(reader, fault.value);
        if (fault.action == EMU_SILENT || (fault.action == EMU_UNPLUG && !fault.value))
            return;
        if (fault.action == EMU_SHORT && fault.value < length)
            length = fault.value;
        if (fault.action == EMU_EMPTY)
            length = 0;
        if (fault.action == EMU_STRAY)
            host_in(reader, function->interrupt, NULL, 0, 0);
        if (failure)
            length = 0;
    }
    reader_record(reader, EMU_INTERRUPT, function->interrupt, bytes, length, failure);
    host_in(reader, function->interrupt, bytes, length, failure);
}

/* CCID 1.1, 6.3.1. */
void reader_notify(struct emu_function *function)
{
    unsigned slots = function->reader->config.slots;
    uint8_t bytes[1 + 256 / 4] = {NOTICE_SLOTS};

    if (!function->claimed)
        return;
    for (unsigned i = 0; i < slots; i++) {
        struct emu_slot *slot = &function->slots[i];
        unsigned bits = (slot->line ? 1U : 0U) | (slot->changed ? 2U : 0U);

        bytes[1 + i / 4] |= (uint8_t)(bits << i % 4 * 2);
        slot->changed = false;
    }
    function->notified = true;
    send_notice(function, bytes, 1 + (slots + 3) / 4);
}

void emu_reader_hardware_error(struct emu_reader *reader, unsigned index, uint8_t code)
{
    emu_lock();
    struct emu_slot *slot = reader_slot(reader, index);
    const uint8_t bytes[] = {NOTICE_HARDWARE, (uint8_t)slot->index, slot->seq, code};

    send_notice(slot->function, bytes, sizeof bytes);
    emu_unlock();
}

static void head(uint8_t *bytes, uint8_t type, size_t length, const struct emu_slot *slot, uint8_t status,
                 uint8_t error, uint8_t parameter)
{
    bytes[0] = type;
    for (unsigned i = 0; i < 4; i++)
        bytes[1 + i] = (uint8_t)(length >> 8 * i);
    bytes[5] = (uint8_t)slot->index;
    bytes[6] = slot->seq;
    bytes[7] = status;
    bytes[8] = error;
    bytes[9] = parameter;
}

static void answer_build(struct emu_slot *slot, uint8_t type, uint8_t status, uint8_t error,
                         uint8_t parameter, const uint8_t *data, size_t length)
{
    slot->answer.length = 0;
    if (buffer_reserve(&slot->answer, CCID_HEADER + length)) {
        emu_blame("usbemu has no memory");
        return;
    }
    head(slot->answer.data, type, length, slot, status, error, parameter);
    if (length)
        memcpy(slot->answer.data + CCID_HEADER, data, length);
    slot->answer.length = CCID_HEADER + length;
}

void slot_answer(struct emu_slot *slot, uint8_t type, uint8_t parameter, const uint8_t *data, size_t length)
{
    answer_build(slot, type, card_status(slot), 0, parameter, data, length);
}

void slot_fail(struct emu_slot *slot, uint8_t error)
{
    uint8_t type = ccid_answer_type(slot->type);

    answer_build(slot, type ? type : CCID_SLOT_STATUS, card_status(slot) | STATUS_FAILED, error, 0, NULL, 0);
}

static void send_extension(struct emu_slot *slot)
{
    uint8_t bytes[CCID_HEADER];

    head(bytes, ccid_answer_type(slot->type), 0, slot, card_status(slot) | STATUS_EXTENSION,
         (uint8_t)slot->multiplier, 0);
    reader_in(slot->function, bytes, sizeof bytes, 0);
}

/* An answer that is of another command than the host waits for. */
static void send_stale(struct emu_slot *slot)
{
    uint8_t bytes[CCID_HEADER + 2] = {0};

    head(bytes, CCID_DATA_BLOCK, 2, slot, 0, 0, 0);
    bytes[6]--;
    bytes[CCID_HEADER] = 0x6F;
    reader_in(slot->function, bytes, sizeof bytes, 0);
}

static void spoil(struct emu_slot *slot, const struct emu_fault *fault)
{
    uint8_t *bytes = slot->answer.data;
    unsigned value = fault->value;

    switch (fault->action) {
    case EMU_BADSEQ:
        bytes[6] ^= (uint8_t)(value ? value : 0x55);
        break;
    case EMU_BADSLOT:
        bytes[5] ^= (uint8_t)(value ? value : 0x01);
        break;
    case EMU_BADTYPE:
        bytes[0] ^= (uint8_t)(value ? value : 0x03);
        break;
    case EMU_BADLENGTH:
        bytes[1] ^= (uint8_t)(value ? value : 0x01);
        break;
    case EMU_ERROR: /* which ends a chain */
        if (slot->giving || slot->gathering)
            exchange_forget(slot);
        slot_fail(slot, (uint8_t)value);
        break;
    case EMU_SHORT:
        if (value < slot->answer.length)
            slot->answer.length = value;
        break;
    case EMU_STALE:
        send_stale(slot);
        break;
    case EMU_STRAY:
        reader_in(slot->function, NULL, 0, 0);
        break;
    default:
        break;
    }
}

static void answer_now(struct emu_slot *slot)
{
    const struct emu_fault *fault = &slot->fault;
    bool faulty = slot->has_fault;
    int failure = faulty ? failure_of(fault->action) : 0;

    slot->has_fault = false;
    slot->busy = false;
    if (failure) {
        reader_in(slot->function, NULL, 0, failure);
        return;
    }
    if (faulty && fault->action == EMU_SILENT)
        return;
    if (faulty && fault->action == EMU_EMPTY)
        slot->answer.length = 0;
    else if (faulty)
        spoil(slot, fault);
    reader_in(slot->function, slot->answer.data, slot->answer.length, 0);
}

static void due(void *user)
{
    struct emu_slot *slot = user;

    if (slot->extensions) {
        slot->extensions--;
        send_extension(slot);
        emu_later(slot->interval_ms, due, slot);
        return;
    }
    if (slot->leaves) {
        slot->leaves = false;
        emu_reader_remove(slot->function->reader,
                          (unsigned)(slot->function - slot->function->reader->functions) *
                                  slot->function->reader->config.slots +
                              slot->index);
        return; /* which has answered */
    }
    answer_now(slot);
}

/* The rules about this answer. false: nothing more is to be done. */
static bool suffer(struct emu_slot *slot, unsigned *delay_ms)
{
    struct emu_reader *reader = slot->function->reader;
    struct emu_fault fault;

    if (!slot->answer.length ||
        !emu_fault_take(&reader->rules, EMU_IN, slot->type, slot->answer.data[0], slot->index, &fault))
        return true;
    switch (fault.action) {
    case EMU_DELAY:
        *delay_ms += fault.value;
        break;
    case EMU_EXTEND:
        slot->extensions += fault.value ? fault.value : 1;
        slot->multiplier = 1;
        break;
    case EMU_REMOVE:
        slot->leaves = true;
        break;
    case EMU_UNPLUG:
        reader_unplug(reader, fault.value);
        return fault.value != 0;
    default:
        slot->fault = fault;
        slot->has_fault = true;
        break;
    }
    return true;
}

void slot_send(struct emu_slot *slot, unsigned delay_ms)
{
    unsigned every_ms = slot->function->reader->config.extension_ms;

    if (!suffer(slot, &delay_ms)) {
        slot->busy = false;
        return;
    }
    if (every_ms && delay_ms > every_ms) {
        slot->extensions += (delay_ms - 1) / every_ms;
        slot->multiplier = 1;
    }
    if (!delay_ms) {
        for (; slot->extensions; slot->extensions--)
            send_extension(slot);
        if (!slot->leaves) {
            answer_now(slot);
            return;
        }
    }
    slot->interval_ms = delay_ms / (slot->extensions + 1);
    emu_later(slot->interval_ms, due, slot);
}

void slot_drop(struct emu_slot *slot, bool tell)
{
    if (!slot->busy)
        return;
    emu_cancel(slot);
    pin_stop(slot);
    slot->extensions = 0;
    slot->leaves = slot->has_fault = false;
    slot->busy = false;
    if (!tell)
        return;
    slot_fail(slot, CCID_ABORTED);
    reader_in(slot->function, slot->answer.data, slot->answer.length, 0);
}
