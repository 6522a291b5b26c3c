/* SPDX-License-Identifier: MIT */
#include "driver/ccid_exchange.h"

#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_character.h"
#include "driver/ccid_extended.h"
#include "driver/ccid_predict.h"
#include "iso/apdu.h"
#include "iso/t0_host.h"

#define PACKET 64 /* CCID_NO_FULL_PACKETS */

bool ccid_exchange_is_lost(const struct ccid_slot *slot, size_t length)
{
    return slot->device->quirk.flags & CCID_NO_FULL_PACKETS && (CCID_HEADER + length) % PACKET == 0;
}

int ccid_exchange_message(struct ccid_slot *slot, const uint8_t *bytes, size_t length, uint16_t level,
                          unsigned wtx_multiplier, struct ccid_answer *ret_answer)
{
    struct ccid_command command = {.type = CCID_XFR_BLOCK,
                                   .parameter = (uint8_t)wtx_multiplier,
                                   .level = level,
                                   .data = bytes,
                                   .length = length};
    uint32_t room = slot->device->descriptor.max_message - CCID_HEADER;
    int64_t time;
    int rc;

    if (length > room) {
        *ret_answer = (struct ccid_answer){0};
        return detail_set(RC_UNSUPPORTED, "%s: the reader carries at most %lu bytes at once, not %zu",
                          slot->reader.device, (unsigned long)room, length);
    }
    if (ccid_exchange_is_lost(slot, length)) {
        *ret_answer = (struct ccid_answer){0};
        return detail_set(RC_UNSUPPORTED,
                          "%s: this reader loses a command of %zu bytes, and no other of another length; "
                          "send the data in other portions",
                          slot->reader.device, length);
    }
    time = clock_now_ns();
    rc = ccid_slot_command(slot, &command, slot->exchange_ms * (wtx_multiplier ? wtx_multiplier : 1),
                           ret_answer);
    time = clock_now_ns() - time;
    slot->card_ns += time > slot->reader_ns ? time - slot->reader_ns : 0;
    return rc;
}

/* One message there, one back; the first capacity bytes of it in any case. */
static int exchange_once(struct ccid_slot *slot, const uint8_t *bytes, size_t length, unsigned wtx_multiplier,
                         uint8_t *answer, size_t capacity, size_t *ret_length, struct ccid_answer *ret_came)
{
    int rc = ccid_exchange_message(slot, bytes, length, 0, wtx_multiplier, ret_came);
    size_t copied = ret_came->length < capacity ? ret_came->length : capacity;

    if (rc)
        return rc;
    if (copied)
        memcpy(answer, ret_came->data, copied);
    *ret_length = ret_came->length;
    if (ret_came->length > capacity)
        return detail_set(RC_INSUFFICIENT_BUFFER, "response has %zu bytes, the buffer %zu", *ret_length,
                          capacity);
    return RC_OK;
}

/* The card is still there: ccid_slot_command has looked for it. */
int ccid_exchange_block(void *user, const uint8_t *block, size_t length, uint8_t *answer, size_t capacity,
                        size_t *ret_length, unsigned wtx_multiplier)
{
    struct ccid_slot *slot = user;
    struct ccid_answer came;
    int rc;

    if (slot->device->descriptor.level == CCID_CHARACTER)
        rc = ccid_character_block(slot, block, length, wtx_multiplier, answer, capacity, ret_length, &came);
    else
        rc = exchange_once(slot, block, length, wtx_multiplier, answer, capacity, ret_length, &came);
    if (rc == RC_INSUFFICIENT_BUFFER) /* T=1 judges it by *ret_length */
        return RC_OK;
    if (rc == RC_MUTE || rc == RC_TIMEOUT)
        return T1_TIMEOUT;
    return rc == RC_NOT_TRANSACTED && came.error == CCID_PARITY ? T1_PARITY : rc;
}

int ccid_exchange_raw(struct ccid_slot *slot, const uint8_t *bytes, size_t length, size_t expect,
                      uint8_t *answer, size_t capacity, size_t *ret_length)
{
    struct ccid_answer came;

    if (slot->device->descriptor.level == CCID_CHARACTER)
        return ccid_character_swap(slot, bytes, length, expect, 0, answer, capacity, ret_length, &came);
    if (slot->device->descriptor.level == CCID_EXTENDED_APDU)
        return ccid_extended_exchange(slot, bytes, length, answer, capacity, ret_length);
    return exchange_once(slot, bytes, length, 0, answer, capacity, ret_length, &came);
}

/* The link has aborted it; version A of ICCD knows no abort, and the card has been switched off. */
static bool is_broken_off(const struct ccid_slot *slot, int rc)
{
    return rc == RC_CANCELLED || rc == RC_TIMEOUT ||
           (rc == RC_IO && slot->device->descriptor.transport == CCID_ICCD_A);
}

static int exchange_t0(struct ccid_slot *slot, const uint8_t *command, size_t length, uint8_t *response,
                       size_t capacity, size_t *ret_length)
{
    struct t0_host_tpdu tpdu;
    struct ccid_answer came;
    int rc = t0_host_map(command, length, &tpdu);

    if (rc)
        return rc;
    if (slot->device->descriptor.level == CCID_CHARACTER) {
        rc = t0_host_transceive(&tpdu, ccid_character_t0, slot, response, capacity, ret_length);
        /* Between two bytes of a command nobody knows what the card waits for. */
        slot->warm_due = rc && rc != RC_INSUFFICIENT_BUFFER && slot->powered;
        return rc;
    }
    rc = exchange_once(slot, tpdu.bytes, tpdu.length, 0, response, capacity, ret_length, &came);
    slot->warm_due = is_broken_off(slot, rc) && slot->powered;
    return rc;
}

/* Is there a card that is spoken to as agreed? */
static int check_ready(const struct ccid_slot *slot, enum protocol protocol)
{
    const char *device = slot->reader.device;

    if (slot->left)
        return detail_set(RC_NO_CARD, "%s: the card has been taken out", device);
    if (!slot->powered)
        return detail_set(RC_NOT_TRANSACTED, "%s: the card is not powered", device);
    if (slot->warm_due)
        return detail_set(RC_NOT_TRANSACTED,
                          "%s: a command was broken off and the card may wait for its rest; reset it",
                          device);
    if (protocol != PROTOCOL_RAW && protocol != slot->protocol)
        return detail_set(RC_NOT_TRANSACTED, "%s: the card has not been set to this protocol", device);
    return RC_OK;
}

/* A malformed APDU is not ours to refuse: only its length counts then. */
static int check_carried(const struct ccid_slot *slot, enum protocol protocol, const uint8_t *command,
                         size_t length)
{
    struct apdu apdu;
    size_t le = apdu_parse(command, length, &apdu, NULL) ? 0 : apdu.le;

    return ccid_predict(&slot->device->descriptor, protocol, length, le);
}

static int exchange_raw_protocol(struct ccid_slot *slot, const uint8_t *command, size_t length,
                                 uint8_t *response, size_t capacity, size_t *ret_length)
{
    if (slot->device->descriptor.level == CCID_CHARACTER)
        return detail_set(RC_UNSUPPORTED,
                          "%s: this reader works character by character, and must be told how many are due: "
                          "connect with T=0 or T=1",
                          slot->reader.device);
    return ccid_exchange_raw(slot, command, length, 0, response, capacity, ret_length);
}

static int exchange_apdu(struct ccid_slot *slot, enum protocol protocol, const uint8_t *command,
                         size_t length, uint8_t *response, size_t capacity, size_t *ret_length)
{
    int rc = check_carried(slot, protocol, command, length);

    if (rc)
        return rc;
    if (slot->device->descriptor.level >= CCID_SHORT_APDU)
        return ccid_exchange_raw(slot, command, length, 0, response, capacity, ret_length);
    if (protocol == PROTOCOL_T0)
        return exchange_t0(slot, command, length, response, capacity, ret_length);
    return t1_transceive(&slot->t1, command, length, response, capacity, ret_length);
}

int ccid_exchange(struct ccid_slot *slot, enum protocol protocol, const uint8_t *command,
                  size_t command_length, uint8_t *response, size_t capacity, size_t *ret_length)
{
    size_t length = 0;
    int rc = check_ready(slot, protocol);

    if (rc)
        return rc;
    slot->card_ns = 0;
    if (protocol == PROTOCOL_RAW)
        rc = exchange_raw_protocol(slot, command, command_length, response, capacity, &length);
    else
        rc = exchange_apdu(slot, protocol, command, command_length, response, capacity, &length);
    if (rc == RC_INSUFFICIENT_BUFFER)
        *ret_length = length;
    if (rc)
        return rc;
    if (length < 2)
        return detail_set(RC_NOT_TRANSACTED, "%s: the card answered %zu bytes, which holds no SW1 SW2",
                          slot->reader.device, length);
    *ret_length = length;
    return RC_OK;
}
