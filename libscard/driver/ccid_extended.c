/* SPDX-License-Identifier: MIT */
#include "driver/ccid_extended.h"

#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_exchange.h"
#include "iso/apdu.h"

/* The reader answers, but not as it should: it must not be left in the middle of a chain. */
static int out_of_step(struct ccid_slot *slot)
{
    int rc = ccid_link_abandon(slot->device->link, slot->index);

    return rc ? rc : RC_NOT_TRANSACTED;
}

/* All of the command; *ret_answer is the one to its last part. */
static int send_parts(struct ccid_slot *slot, const uint8_t *command, size_t length,
                      struct ccid_answer *ret_answer)
{
    size_t room = slot->device->descriptor.max_message - CCID_HEADER;
    size_t sent = 0;

    for (;;) {
        size_t part = length - sent < room ? length - sent : room;
        bool last = sent + part == length;
        enum ccid_part level = sent ? last ? CCID_ENDS : CCID_CONTINUES : last ? CCID_WHOLE : CCID_BEGINS;
        int rc = ccid_exchange_message(slot, command + sent, part, (uint16_t)level, 0, ret_answer);

        if (rc || last)
            return rc;
        if (ret_answer->parameter != CCID_GO_ON || ret_answer->length)
            return detail_set(out_of_step(slot),
                              "%s: the reader did not ask for the rest of the command after %zu of %zu bytes",
                              slot->reader.device, sent + part, length);
        sent += part;
    }
}

/* What follows answer and all behind it. The chain is always read to its end, or the reader would stay in
 * the middle of it; but it has one, whatever the reader does: an empty part counts as a byte. */
static int receive_parts(struct ccid_slot *slot, struct ccid_answer *answer, uint8_t *response,
                         size_t capacity, size_t *ret_length)
{
    size_t length = 0, budget = APDU_RESPONSE_MAX;

    for (;;) {
        size_t room = capacity - (length < capacity ? length : capacity);
        size_t used = answer->length ? answer->length : 1;
        int rc;

        if (answer->length && room)
            memcpy(response + length, answer->data, answer->length < room ? answer->length : room);
        length += answer->length;
        if (answer->parameter == CCID_WHOLE || answer->parameter == CCID_ENDS) {
            *ret_length = length;
            return RC_OK;
        }
        if ((answer->parameter != CCID_BEGINS && answer->parameter != CCID_CONTINUES) || used > budget)
            return detail_set(out_of_step(slot),
                              "%s: the reader's answer has no end (part %02X after %zu bytes)",
                              slot->reader.device, (unsigned)answer->parameter, length);
        budget -= used;
        rc = ccid_exchange_message(slot, NULL, 0, CCID_GO_ON, 0, answer);
        if (rc)
            return rc;
    }
}

int ccid_extended_exchange(struct ccid_slot *slot, const uint8_t *command, size_t length, uint8_t *response,
                           size_t capacity, size_t *ret_length)
{
    struct ccid_answer answer;
    size_t received = 0;
    int rc;

    if (slot->device->descriptor.max_message <= CCID_HEADER)
        return detail_set(RC_UNSUPPORTED, "%s: the reader says that its messages have no room for an APDU",
                          slot->reader.device);
    rc = send_parts(slot, command, length, &answer);
    if (!rc)
        rc = receive_parts(slot, &answer, response, capacity, &received);
    if (rc)
        return rc;
    *ret_length = received;
    if (received > capacity)
        return detail_set(RC_INSUFFICIENT_BUFFER, "response has %zu bytes, the buffer %zu", received,
                          capacity);
    return RC_OK;
}
