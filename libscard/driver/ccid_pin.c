/* SPDX-License-Identifier: MIT */
#include "driver/ccid_pin.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_control.h"
#include "driver/ccid_features.h"
#include "driver/ccid_pin_data.h"
#include "base/give.h"
#include "iso/apdu.h"
#include "iso/t0_host.h"

#define SW_LENGTH 2
#define ENTRY_SECONDS 90 /* a person at a keypad; more if the program allows more */
#define MARGIN_SECONDS 10
#define KEY_UP_MS 250

/* What the reader is to be told, and what of it. */
struct entry {
    struct ccid_pin_request request;
    uint8_t *data; /* of Secure */
    size_t length;
};

static bool is_tpdu(const struct ccid_slot *slot, enum protocol protocol)
{
    return slot->device->descriptor.level == CCID_TPDU && slot->protocol == protocol;
}

static int check_ready(const struct ccid_slot *slot, bool modify)
{
    const struct ccid_device *device = slot->device;
    const char *name = slot->reader.device;

    if (modify ? !ccid_features_can_modify(device) : !ccid_features_can_verify(device))
        return detail_set(RC_UNSUPPORTED, "%s: a PIN cannot be %s on this reader", name,
                          modify ? "changed" : "entered");
    if (slot->left)
        return detail_set(RC_NO_CARD, "%s: the card has left", name);
    if (!slot->powered)
        return detail_set(RC_NOT_TRANSACTED, "%s: the card is not powered; connect to it first", name);
    if (slot->warm_due)
        return detail_set(RC_NOT_TRANSACTED, "%s: the card has to be reset first", name);
    if (device->descriptor.level == CCID_TPDU && slot->protocol != PROTOCOL_T0 &&
        slot->protocol != PROTOCOL_T1)
        return detail_set(RC_PROTO_MISMATCH, "%s: the card has not been set to T=0 or T=1", name);
    return RC_OK;
}

/* How many bytes at the end of the APDU have no place in a T=0 TPDU. An APDU that only the reader makes whole
 * may be malformed, and goes as it is. */
static int cut_for_t0(const struct ccid_pin_request *request, size_t *ret_cut)
{
    struct t0_host_tpdu tpdu;
    int rc = t0_host_map(request->apdu, request->apdu_length, &tpdu);

    *ret_cut = rc ? 0 : request->apdu_length - tpdu.length;
    return rc == RC_UNSUPPORTED ? rc : RC_OK;
}

static int prepare(struct ccid_slot *slot, struct entry *entry)
{
    size_t room = slot->device->descriptor.max_message - CCID_HEADER, cut = 0;
    uint8_t prologue[3] = {0}; /* for T=1 at TPDU level only (6.1.11.7) */
    int rc = RC_OK;

    if (is_tpdu(slot, PROTOCOL_T1))
        rc = t1_secure_prologue(&slot->t1, entry->request.apdu_length, prologue);
    else if (is_tpdu(slot, PROTOCOL_T0))
        rc = cut_for_t0(&entry->request, &cut);
    if (rc)
        return rc;
    entry->data = malloc(ccid_pin_room(&entry->request));
    if (!entry->data)
        return RC_NO_MEMORY;
    entry->length = ccid_pin_write(&slot->device->quirk, &entry->request, prologue, entry->data) - cut;
    if (entry->length > room)
        return detail_set(
            RC_UNSUPPORTED,
            "PIN entry for an APDU of %zu bytes needs a message of %zu; the reader's have at most "
            "%lu (dwMaxCCIDMessageLength)",
            entry->request.apdu_length, entry->length + CCID_HEADER,
            (unsigned long)slot->device->descriptor.max_message);
    return RC_OK;
}

static int soothe(struct ccid_slot *slot, const struct ccid_pin_request *request)
{
    static const uint8_t no_padding[] = {0x80, 0x02, 0x00};
    uint32_t flags = slot->device->quirk.flags;
    uint8_t answer[CCID_HEADER];
    size_t length;
    int rc = RC_OK;

    if (flags & CCID_PIN_PAUSE)
        rc = ccid_link_pause(slot->device->link, slot->index, KEY_UP_MS);
    /* A PIN that is padded where it should not be would cost the user a try: without this, no entry. */
    if (!rc && flags & CCID_PIN_NO_PADDING && !request->modify && request->apdu_length == 4 &&
        !request->block)
        rc = ccid_escape(slot, no_padding, sizeof no_padding, answer, sizeof answer, &length);
    return rc == RC_INSUFFICIENT_BUFFER ? RC_OK : rc;
}

static bool is_ended_by_user(const struct ccid_answer *answer)
{
    return answer->failed && (answer->error == CCID_PIN_CANCELLED || answer->error == CCID_PIN_TIMEOUT);
}

static int tell_end(const struct ccid_answer *answer, uint8_t *out, size_t capacity, size_t *ret_length)
{
    const uint8_t status[SW_LENGTH] = {0x64, answer->error == CCID_PIN_CANCELLED};

    return give(status, sizeof status, out, capacity, ret_length);
}

static int take_block(struct ccid_slot *slot, int event, const struct ccid_answer *answer, uint8_t *out,
                      size_t capacity, size_t *ret_length)
{
    uint8_t block[T1_BLOCK_MAX] = {0};
    size_t length = answer->length < sizeof block ? answer->length : sizeof block;
    int rc;

    /* The engine may exchange more blocks, and with them goes the link's room. */
    if (length)
        memcpy(block, answer->data, length);
    rc = t1_secure_answer(&slot->t1, event, block, answer->length > length ? 0 : length, out, capacity,
                          ret_length);
    secret_wipe(block, sizeof block);
    return rc;
}

/* T=1 at TPDU level: rc as the exchange of Secure gave it. */
static int take_t1(struct ccid_slot *slot, int rc, const struct ccid_answer *answer, uint8_t *out,
                   size_t capacity, size_t *ret_length)
{
    if (!rc || !answer->failed)
        return take_block(slot, rc, answer, out, capacity, ret_length);
    if (answer->error == CCID_PARITY || answer->error == CCID_MUTE)
        return take_block(slot, answer->error == CCID_PARITY ? T1_PARITY : T1_TIMEOUT, answer, out, capacity,
                          ret_length);
    /* A value that the reader did not like, or a slot at work (6.2.6): the block was not sent. Else nobody
     * knows, as when the time is over. */
    if (answer->error > CCID_LAST_OFFSET && answer->error != CCID_SLOT_BUSY)
        (void)t1_secure_answer(&slot->t1, RC_TIMEOUT, NULL, 0, out, capacity, ret_length);
    return rc;
}

/* At extended APDU level a response may come in parts (6.2.1). */
static int take_response(struct ccid_slot *slot, struct ccid_answer *answer, uint8_t *out, size_t capacity,
                         size_t *ret_length)
{
    struct ccid_command go_on = {.type = CCID_XFR_BLOCK, .level = CCID_GO_ON};
    size_t total = 0;

    for (;;) {
        size_t room = total < capacity ? capacity - total : 0;
        int rc;

        if (answer->length && room)
            memcpy(out + total, answer->data, answer->length < room ? answer->length : room);
        total += answer->length;
        if (slot->device->descriptor.level != CCID_EXTENDED_APDU ||
            (answer->parameter != CCID_BEGINS && answer->parameter != CCID_CONTINUES))
            break;
        if (!answer->length || total > APDU_RESPONSE_MAX)
            return detail_set(RC_IO, "%s: the parts of the response have no end", slot->reader.device);
        rc = ccid_slot_command(slot, &go_on, slot->exchange_ms, answer);
        if (rc)
            return rc < 0 ? rc
                          : detail_set(RC_NOT_TRANSACTED, "%s: the slot is at work", slot->reader.device);
    }
    if (total < SW_LENGTH)
        return detail_set(RC_IO, "%s: a response of %zu bytes to the PIN entry", slot->reader.device, total);
    *ret_length = total;
    if (total > capacity)
        return detail_set(RC_INSUFFICIENT_BUFFER, "the response has %zu bytes, there is room for %zu", total,
                          capacity);
    return RC_OK;
}

static int enter(struct ccid_slot *slot, const struct entry *entry, uint8_t *out, size_t capacity,
                 size_t *ret_length)
{
    struct ccid_command command = {.type = CCID_SECURE, .data = entry->data, .length = entry->length};
    uint64_t seconds = entry->request.seconds + MARGIN_SECONDS;
    bool blocks = is_tpdu(slot, PROTOCOL_T1);
    struct ccid_answer answer = {0};
    int rc = ccid_slot_command(slot, &command, 1000 * (seconds > ENTRY_SECONDS ? seconds : ENTRY_SECONDS),
                               &answer);

    if (rc == RC_NO_CARD)
        return rc;
    if (is_ended_by_user(&answer))
        return tell_end(&answer, out, capacity, ret_length);
    if (blocks)
        return take_t1(slot, rc, &answer, out, capacity, ret_length);
    /* The card may wait for the rest of a command. */
    if (is_tpdu(slot, PROTOCOL_T0) && (rc == RC_CANCELLED || rc == RC_TIMEOUT))
        slot->warm_due = true;
    return rc ? rc : take_response(slot, &answer, out, capacity, ret_length);
}

int ccid_pin(struct ccid_slot *slot, bool modify, const uint8_t *in, size_t length, uint8_t *out,
             size_t capacity, size_t *ret_length)
{
    struct entry entry = {0};
    int rc = check_ready(slot, modify);

    if (!rc)
        rc = ccid_pin_read(modify, in, length, &entry.request);
    if (!rc && capacity < SW_LENGTH) {
        *ret_length = SW_LENGTH;
        rc = detail_set(RC_INSUFFICIENT_BUFFER, "no room for the status bytes of the PIN entry");
    }
    if (!rc)
        rc = prepare(slot, &entry);
    if (!rc)
        rc = soothe(slot, &entry.request);
    if (!rc)
        rc = enter(slot, &entry, out, capacity, ret_length);
    if (entry.data)
        secret_wipe(entry.data, ccid_pin_room(&entry.request));
    free(entry.data);
    return rc;
}
