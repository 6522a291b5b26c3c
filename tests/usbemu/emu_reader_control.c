/* SPDX-License-Identifier: MIT */
/* Class requests (CCID 1.1, 5.3). */
#include <errno.h>
#include <string.h>

#include "tests/usbemu/emu_reader_state.h"

#define REQUEST_ABORT 0x01
#define REQUEST_CLOCKS 0x02
#define REQUEST_RATES 0x03
#define CLASS_OUT 0x21
#define CLASS_IN 0xA1

/* 5.3.1. */
static int request_abort(struct emu_function *function, uint8_t slot_index, uint8_t seq)
{
    struct emu_slot *slot;

    if (slot_index >= function->reader->config.slots) {
        emu_blame("ABORT for slot %u", (unsigned)slot_index);
        return -EPIPE;
    }
    slot = &function->slots[slot_index];
    if (slot->abort_came && slot->abort_seq != seq)
        emu_blame("ABORT: bSeq %02X, the message said %02X", (unsigned)seq, (unsigned)slot->abort_seq);
    if (slot->abort_came) {
        uint8_t answer[CCID_HEADER] = {CCID_SLOT_STATUS, 0, 0, 0, 0, slot_index, slot->abort_seq};

        slot->abort_came = false;
        slot_drop(slot, true);
        exchange_forget(slot);
        answer[7] = card_status(slot);
        reader_in(function, answer, sizeof answer, 0);
        return 0;
    }
    slot->abort_asked = true;
    slot->abort_seq = seq;
    return 0;
}

static int give_list(const uint32_t *list, unsigned count, uint8_t *data, size_t length)
{
    size_t given = 0;

    for (unsigned i = 0; i < count; i++)
        for (unsigned j = 0; j < 4 && given < length; j++)
            data[given++] = (uint8_t)(list[i] >> 8 * j);
    return (int)given;
}

static int carry_out(struct emu_function *function, const uint8_t setup[8], uint8_t *data, size_t length)
{
    const struct emu_reader_config *config = &function->reader->config;
    uint16_t value = (uint16_t)(setup[2] | setup[3] << 8);

    if (config->transport != EMU_BULK)
        return iccd_request(function, setup, data, length);
    if (setup[0] == CLASS_OUT && setup[1] == REQUEST_ABORT)
        return config->abort_stalls ? -EPIPE : request_abort(function, (uint8_t)value, (uint8_t)(value >> 8));
    if (setup[0] == CLASS_IN && setup[1] == REQUEST_CLOCKS && config->clock_count && !config->rates_stall)
        return give_list(config->clocks, config->clock_count, data, length);
    if (setup[0] == CLASS_IN && setup[1] == REQUEST_RATES && config->rate_count && !config->rates_stall)
        return give_list(config->rates, config->rate_count, data, length);
    return -EPIPE;
}

static int faulty(struct emu_reader *reader, const struct emu_fault *fault, int rc)
{
    switch (fault->action) {
    case EMU_STALL:
        return -EPIPE;
    case EMU_PROTO:
        return -EPROTO;
    case EMU_BABBLE:
        return -EOVERFLOW;
    case EMU_SILENT:
        return -EAGAIN;
    case EMU_UNPLUG:
        reader_unplug(reader, fault->value);
        return fault->value ? rc : -EAGAIN;
    case EMU_EMPTY:
        return rc > 0 ? 0 : rc;
    case EMU_SHORT:
        return rc > (int)fault->value ? (int)fault->value : rc;
    default:
        return rc;
    }
}

int control_request(struct emu_reader *reader, const uint8_t setup[8], uint8_t *data, size_t length)
{
    struct emu_fault fault;
    bool has_fault = emu_fault_take(&reader->rules, EMU_CONTROL, setup[1], 0, 0, &fault);
    uint8_t request[8 + 64];
    size_t sent = setup[0] & 0x80 ? 0 : length < 64 ? length : 64;
    int rc = -EPIPE;

    memcpy(request, setup, 8);
    if (sent)
        memcpy(request + 8, data, sent);
    reader_record(reader, EMU_CONTROL, 0x00, request, 8 + sent, 0);
    /* A fault that loses the request before it has reached the function. */
    if (has_fault && (fault.action == EMU_STALL || fault.action == EMU_SILENT || fault.action == EMU_PROTO))
        return faulty(reader, &fault, 0);
    for (unsigned i = 0; i < reader->config.interfaces; i++)
        if (reader->functions[i].interface == setup[4])
            rc = carry_out(&reader->functions[i], setup, data, length);
    if (has_fault)
        rc = faulty(reader, &fault, rc);
    reader_record(reader, EMU_CONTROL, 0x80, rc > 0 && setup[0] & 0x80 ? data : NULL,
                  rc > 0 && setup[0] & 0x80 ? (size_t)rc : 0, rc < 0 ? rc : 0);
    return rc;
}
