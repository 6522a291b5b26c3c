/* SPDX-License-Identifier: MIT */
#include "driver/ccid_power.h"

#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_control.h"
#include "driver/ccid_timing.h"

/* A reader may try three voltages by itself, and each time 33 characters of an ATR may take 9600 etu each. */
#define POWER_ON_MS 60000
#define LOOKS 3   /* in vain: it is not looked again just because of that */
#define OFF_MS 10 /* ISO 7816-3:2006, 6.4: between deactivation and the next activation */

static bool is_in(enum ccid_card card)
{
    return card == CCID_CARD_ACTIVE || card == CCID_CARD_INACTIVE;
}

/* Can one card have taken the place of another since the last look without the status showing it? Not where
 * the host powered the first and the reader does not power cards by itself. */
static bool may_be_another(const struct ccid_slot *slot)
{
    return !slot->powered || slot->device->descriptor.features & CCID_AUTO_ACTIVATION;
}

/* What there was to see has not been seen. A reader that goes on failing is asked again when it has something
 * new to tell, or a program wants it. */
static int look_failed(struct ccid_slot *slot, int rc)
{
    if (rc == RC_READER_UNAVAILABLE)
        return rc;
    if (rc != RC_CANCELLED && slot->looks_failed < LOOKS)
        slot->looks_failed++;
    if (rc != RC_CANCELLED && slot->looks_failed == LOOKS)
        return detail_set(RC_READER_UNAVAILABLE,
                          "%s: the reader does not say whether a card is in; unplug it and plug it in again",
                          slot->reader.device);
    ccid_link_look_again(slot->device->link, slot->index);
    return rc;
}

int ccid_power_presence(struct ccid_slot *slot, bool *ret_present)
{
    enum ccid_card card = CCID_CARD_ABSENT;

    if (ccid_link_seen(slot->device->link, slot->index) && slot->told)
        slot->out = true;
    if (!slot->left) {
        int rc = ccid_slot_look(slot, &card);

        if (rc)
            return look_failed(slot, rc);
        if (slot->out && is_in(card) && may_be_another(slot))
            (void)ccid_slot_lost(slot);
    }
    slot->out = slot->told = false;
    slot->looks_failed = 0;
    if (slot->left) {
        slot->left = false;
        ccid_link_look_again(slot->device->link, slot->index);
        *ret_present = false;
        return RC_OK;
    }
    slot->told = *ret_present = is_in(card);
    return RC_OK;
}

/* What the reader has to say against it does not matter: no card, off already. */
static int power_off(struct ccid_slot *slot)
{
    struct ccid_command command = {.type = CCID_POWER_OFF};
    struct ccid_answer answer;
    int rc;

    ccid_slot_unpowered(slot);
    rc = ccid_slot_command(slot, &command, CCID_ANSWER_MS, &answer);
    return answer.failed && rc != RC_READER_UNAVAILABLE ? RC_OK : rc;
}

static int power_on(struct ccid_slot *slot, uint8_t voltage, struct ccid_answer *ret_answer)
{
    struct ccid_command command = {.type = CCID_POWER_ON, .parameter = voltage};

    return ccid_slot_command(slot, &command, POWER_ON_MS, ret_answer);
}

/* The OpenPGP card 1.1 needs longer for a key operation than its ATR says. */
static bool is_slow_card(const uint8_t *atr, size_t length)
{
    static const uint8_t openpgp_1_1[] = {0x3B, 0xFA, 0x13, 0x00, 0xFF, 0x81, 0x31, 0x80, 0x45, 0x00,
                                          0x31, 0xC1, 0x73, 0xC0, 0x01, 0x00, 0x00, 0x90, 0x00, 0xB1};

    return length == sizeof openpgp_1_1 && !memcmp(atr, openpgp_1_1, length);
}

static int take_atr(struct ccid_slot *slot, uint8_t voltage, const struct ccid_answer *answer)
{
    struct atr atr;
    int rc;

    if (!answer->length)
        return detail_set(RC_MUTE, "%s: the card does not answer the reset", slot->reader.device);
    if (answer->length < 2 || answer->length > ATR_MAX)
        return detail_set(RC_INVALID_ATR, "%s: the card's ATR has %zu bytes; it must have 2 to %d",
                          slot->reader.device, answer->length, ATR_MAX);
    memcpy(slot->atr_bytes, answer->data, answer->length);
    rc = atr_parse(slot->atr_bytes, answer->length, &atr);
    if (rc)
        return rc;
    if (is_slow_card(slot->atr_bytes, answer->length))
        atr.bwi = 7;
    slot->atr = atr;
    slot->atr_length = answer->length;
    slot->voltage = voltage;
    slot->powered = true;
    slot->exchange_ms = ccid_timing_ms(&slot->device->descriptor, &slot->atr,
                                       atr.first_protocol == 1 ? PROTOCOL_T1 : PROTOCOL_T0, PPS_DEFAULT_FD);
    return RC_OK;
}

static int leave_emv_mode(struct ccid_slot *slot)
{
    static const uint8_t iso_mode[] = {0x1F, 0x01};
    uint8_t room[64];
    size_t length;
    int rc = ccid_escape(slot, iso_mode, sizeof iso_mode, room, sizeof room, &length);

    return rc == RC_INSUFFICIENT_BUFFER ? RC_OK : rc;
}

static int try_voltage(struct ccid_slot *slot, uint8_t voltage)
{
    struct ccid_answer answer;
    int rc = power_on(slot, voltage, &answer);

    if (rc && answer.failed && answer.error == CCID_NOT_EMV && slot->device->quirk.flags & CCID_ISO_MODE) {
        int switched = leave_emv_mode(slot);

        if (switched)
            return switched;
        rc = power_on(slot, voltage, &answer);
    }
    return rc ? rc : take_atr(slot, voltage, &answer);
}

/* bPowerSelect values to try, from the lowest voltage up (6.1.1). */
static size_t voltages_of(const struct ccid_descriptor *descriptor, uint8_t ret_voltages[3])
{
    static const struct {
        uint8_t bit, select;
    } rising[] = {{4, 3}, {2, 2}, {1, 1}};
    size_t count = 0;

    if (descriptor->features & (CCID_AUTO_VOLTAGE | CCID_AUTO_ACTIVATION | CCID_AUTO_PARAMETERS)) {
        ret_voltages[0] = 0;
        return 1;
    }
    for (size_t i = 0; i < sizeof rising / sizeof *rising; i++)
        if (descriptor->voltages & rising[i].bit)
            ret_voltages[count++] = rising[i].select;
    return count;
}

static bool is_of_card(int rc)
{
    return rc == RC_MUTE || rc == RC_INVALID_ATR || rc == RC_UNSUPPORTED || rc == RC_NOT_TRANSACTED;
}

/* The card is off, and off again after each voltage that does not do. */
static int activate(struct ccid_slot *slot)
{
    uint8_t voltages[3];
    size_t count = voltages_of(&slot->device->descriptor, voltages);
    int rc = RC_MUTE;

    for (size_t i = 0; i < count; i++) {
        int off;

        rc = try_voltage(slot, voltages[i]);
        if (!is_of_card(rc))
            return rc;
        off = power_off(slot);
        if (!off && i + 1 < count)
            off = ccid_link_pause(slot->device->link, slot->index, OFF_MS);
        if (off)
            return off;
    }
    return rc == RC_INVALID_ATR ? rc : RC_MUTE;
}

static int cold_reset(struct ccid_slot *slot, enum ccid_card card)
{
    if (card == CCID_CARD_ACTIVE || slot->device->quirk.flags & CCID_OFF_BEFORE_ON) {
        int rc = power_off(slot);

        if (!rc)
            rc = ccid_link_pause(slot->device->link, slot->index, OFF_MS);
        if (rc)
            return rc;
    }
    return activate(slot);
}

/* A card that does not stand it is reset cold. */
static int warm_reset(struct ccid_slot *slot)
{
    uint8_t voltage = slot->voltage;
    int rc;

    ccid_slot_unpowered(slot);
    rc = try_voltage(slot, voltage);
    return is_of_card(rc) ? cold_reset(slot, CCID_CARD_ACTIVE) : rc;
}

int ccid_power(struct ccid_slot *slot, enum power_action action, uint8_t atr[ATR_MAX], size_t *ret_atr_length)
{
    bool powered = slot->powered;
    enum ccid_card card = CCID_CARD_ABSENT;
    /* First of all: a card that was swapped must not pass for the one that was powered. */
    int rc = ccid_slot_look(slot, &card);

    if (rc)
        return rc;
    if (powered && !slot->powered)
        return detail_set(RC_NO_CARD, "%s: the card has been taken out", slot->reader.device);
    if (action == POWER_OFF) {
        rc = card == CCID_CARD_ABSENT ? RC_OK : power_off(slot);
        if (!rc)
            *ret_atr_length = 0;
        return rc;
    }
    if (card == CCID_CARD_ABSENT)
        return detail_set(RC_NO_CARD, "%s: no card is in", slot->reader.device);
    rc = action == POWER_WARM && powered ? warm_reset(slot) : cold_reset(slot, card);
    if (rc)
        return rc;
    memcpy(atr, slot->atr_bytes, slot->atr_length);
    *ret_atr_length = slot->atr_length;
    return RC_OK;
}
