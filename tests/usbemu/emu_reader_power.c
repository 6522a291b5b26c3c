/* SPDX-License-Identifier: MIT */
/* Activation, voltages, ATR, PPS by the reader, parameters (CCID 1.1, 6.1.1 to 6.1.7). */
#include <string.h>

#include "base/rc.h"
#include "iso/atr.h"
#include "iso/pps.h"
#include "tests/usbemu/emu_reader_state.h"

#define AUTO_PARAMETERS 0x2
#define AUTO_ACTIVATION 0x4
#define AUTO_VOLTAGE 0x8
#define AUTO_NEGOTIATION 0x40
#define AUTO_PPS 0x80

static uint32_t features(const struct emu_slot *slot)
{
    return slot->function->reader->config.features;
}

void parameters_default(struct emu_slot *slot)
{
    /* 6.1.5: T=0, F = 372, D = 1, WI 10. */
    static const uint8_t t0[] = {PPS_DEFAULT_FD, 0, 0, 10, 0, 0, 0};

    slot->protocol = 0;
    memcpy(slot->parameters, t0, sizeof t0);
}

/* As the ATR says, with the protocol and speed that the card is in now. */
static void parameters_from(struct emu_slot *slot, const struct atr *atr)
{
    struct ccid_parameters parameters =
        ccid_parameters_of(atr, (uint8_t)emu_line_protocol(slot->line), emu_line_speed(slot->line));

    slot->protocol = parameters.protocol;
    memset(slot->parameters, 0, sizeof slot->parameters);
    ccid_parameters_build(&parameters, slot->parameters);
}

/* Exchanges PPS with the card, which may keep to the default speed: emu_line_speed. */
static bool negotiate(struct emu_slot *slot, unsigned protocol, uint8_t fd)
{
    uint8_t request[PPS_FRAME_MAX], agreed;
    size_t length = pps_build(protocol, fd, request);
    struct buffer answer = {0};
    bool good =
        emu_line_send(slot->line, PPS_DEFAULT_FD, EMU_UNKNOWN, request, length, &answer) == LINE_SAID &&
        !pps_check(request, length, answer.data, answer.length, &agreed);

    buffer_fini(&answer);
    return good;
}

static bool reset(struct emu_slot *slot, uint8_t voltages, struct buffer *atr)
{
    for (uint8_t voltage = 4; voltage; voltage >>= 1) {
        if (!(voltages & voltage))
            continue;
        atr->length = 0;
        if (emu_line_reset(slot->line, voltage, atr) == LINE_SAID)
            return true;
    }
    return false;
}

/* PPS after the reset, by the reader's own choice; without it if the card does not want to. */
static void set_up(struct emu_slot *slot, uint8_t voltages, struct buffer *atr)
{
    uint32_t max_rate = slot->function->reader->config.max_rate;
    struct pps_reader can = {.clock_khz = slot->function->reader->config.clock_khz, .max_rate = max_rate};
    struct atr parsed;
    uint8_t fd;

    parameters_default(slot);
    if (atr_parse(atr->data, atr->length, &parsed) ||
        !(features(slot) & (AUTO_PARAMETERS | AUTO_NEGOTIATION)))
        return;
    if (features(slot) & AUTO_NEGOTIATION && !parsed.specific && parsed.protocols & 3) {
        fd = pps_speed(&parsed, &can);
        if (fd != PPS_DEFAULT_FD && !negotiate(slot, parsed.first_protocol, fd) &&
            !reset(slot, voltages, atr))
            return;
    }
    parameters_from(slot, &parsed);
}

bool power_activate(struct emu_slot *slot, uint8_t voltages, struct buffer *ret_atr)
{
    struct buffer atr = {0};
    struct atr parsed;
    bool good;

    slot->active = false;
    slot->ifsd_done = false;
    exchange_forget(slot);
    good = reset(slot, voltages, &atr);
    slot->reset_ms = emu_line_delay(slot->line);
    if (good) {
        slot->active = true;
        set_up(slot, voltages, &atr);
        if (ret_atr && slot->function->reader->config.strict_atr &&
            (atr_parse(atr.data, atr.length, &parsed) || parsed.faults & (ATR_TCK_MISSING | ATR_TCK_WRONG)))
            power_off(slot);
    }
    if (ret_atr)
        *ret_atr = atr;
    else
        buffer_fini(&atr);
    return good;
}

/* The voltages that bPowerSelect stands for; 0: it may not be said to this reader. */
static uint8_t selected(const struct emu_slot *slot, uint8_t select)
{
    static const uint8_t masks[] = {7, 1, 2, 4};
    uint8_t voltages = slot->function->reader->config.voltages;

    if (!voltages)
        voltages = 7;
    if (!select)
        return features(slot) & (AUTO_PARAMETERS | AUTO_ACTIVATION | AUTO_VOLTAGE) ? voltages : 0;
    return select < sizeof masks ? voltages & masks[select] : 0;
}

void power_on(struct emu_slot *slot, uint8_t select)
{
    const struct emu_reader_config *config = &slot->function->reader->config;
    uint8_t voltages = selected(slot, select);
    struct buffer atr = {0};
    unsigned delay_ms = 0;

    if (!slot->line) {
        slot_fail(slot, CCID_MUTE);
    } else if (!voltages) {
        slot_fail(slot, 7);
    } else if (config->emv_first && !slot->emv_off) {
        slot_fail(slot, CCID_NOT_EMV);
    } else if (config->off_first && !slot->off_seen) {
        slot_fail(slot, CCID_HARDWARE);
    } else {
        bool good = power_activate(slot, voltages, &atr);

        delay_ms = slot->reset_ms;
        if (!good)
            slot_fail(slot, CCID_MUTE);
        else if (!slot->active)
            slot_fail(slot, CCID_BAD_TCK);
        else
            slot_answer(slot, CCID_DATA_BLOCK, 0, atr.data, atr.length);
    }
    slot->host_on = slot->active;
    slot->off_seen = false;
    buffer_fini(&atr);
    slot_send(slot, delay_ms);
}

void power_off(struct emu_slot *slot)
{
    if (slot->line)
        emu_line_off(slot->line);
    slot->active = false;
    slot->clock_status = 0;
    parameters_default(slot);
    exchange_forget(slot);
}

void parameters_answer(struct emu_slot *slot)
{
    if (!slot->active)
        slot_fail(slot, CCID_MUTE);
    else
        slot_answer(slot, CCID_PARAMETERS, slot->protocol, slot->parameters, slot->protocol ? 7 : 5);
}

/* Offset of the first field that cannot be; 0: all can. */
static uint8_t bad_field(const struct emu_reader_config *config, uint8_t protocol, const uint8_t *data,
                         size_t length)
{
    uint32_t rate = length ? pps_rate(config->clock_khz, data[0]) : 0;

    if (protocol > 1 || !(config->protocols >> protocol & 1))
        return 7;
    if (length != (protocol ? 7 : 5)) {
        emu_blame("SetParameters for T=%u with %zu bytes", (unsigned)protocol, length);
        return CCID_BAD_LENGTH;
    }
    if (!rate || rate > config->max_rate)
        return 10;
    if (protocol ? (data[1] & 0xFC) != 0x10 : data[1] & ~0x02) {
        emu_blame("SetParameters for T=%u: reserved bits in bmTCCKS %02X", (unsigned)protocol,
                  (unsigned)data[1]);
        return 11;
    }
    if (protocol && (!data[5] || data[5] == 0xFF))
        return 15;
    return 0;
}

/* The reader makes the card speak so. */
static bool obey(struct emu_slot *slot, uint8_t protocol, uint8_t fd)
{
    struct buffer atr = {0};
    bool good = true;

    if (protocol == emu_line_protocol(slot->line) && fd == emu_line_speed(slot->line))
        return true;
    if (features(slot) & AUTO_NEGOTIATION) { /* which has had its PPS, so another reset is needed */
        good = reset(slot, slot->function->reader->config.voltages, &atr);
        slot->ifsd_done = false;
        buffer_fini(&atr);
    }
    return good && !emu_line_used(slot->line) && negotiate(slot, protocol, fd);
}

void parameters_set(struct emu_slot *slot, uint8_t protocol, const uint8_t *data, size_t length)
{
    const struct emu_reader_config *config = &slot->function->reader->config;
    uint8_t bad = bad_field(config, protocol, data, length);

    if (!slot->active) {
        slot_fail(slot, CCID_MUTE);
        return;
    }
    if (bad) {
        slot_fail(slot, bad);
        return;
    }
    if (config->real_max_rate && pps_rate(config->clock_khz, data[0]) > config->real_max_rate) {
        emu_line_off(slot->line); /* it does not hear the card any more */
        slot_fail(slot, CCID_HARDWARE);
        return;
    }
    if (features(slot) & (AUTO_PPS | AUTO_NEGOTIATION) && !obey(slot, protocol, data[0])) {
        slot_fail(slot, CCID_MUTE);
        return;
    }
    if (protocol != slot->protocol)
        slot->ifsd_done = false;
    slot->protocol = protocol;
    memset(slot->parameters, 0, sizeof slot->parameters);
    memcpy(slot->parameters, data, length);
    if (features(slot) & (AUTO_PPS | AUTO_NEGOTIATION))
        slot->parameters[0] = emu_line_speed(slot->line); /* the card may have kept to the default */
    parameters_answer(slot);
}
