/* SPDX-License-Identifier: MIT */
#include "driver/ccid_character.h"

#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_exchange.h"

#define PROLOGUE 3 /* NAD PCB LEN */

int ccid_character_swap(struct ccid_slot *slot, const uint8_t *bytes, size_t length, size_t expect,
                        unsigned wtx_multiplier, uint8_t *answer, size_t capacity, size_t *ret_length,
                        struct ccid_answer *ret_came)
{
    size_t got = 0;

    do {
        int rc =
            ccid_exchange_message(slot, bytes, length, (uint16_t)(expect - got), wtx_multiplier, ret_came);
        size_t came = ret_came->length, room = capacity - got;

        *ret_length = got;
        if (rc)
            return rc;
        if (!came)
            return detail_set(RC_NOT_TRANSACTED, "%s: the reader brought %zu bytes of the card, %zu were due",
                              slot->reader.device, got, expect);
        memcpy(answer + got, ret_came->data, came < room ? came : room);
        got += came;
        bytes = NULL;
        length = 0;
    } while (got < expect && got <= capacity);
    *ret_length = got;
    if (got > capacity)
        return detail_set(RC_INSUFFICIENT_BUFFER,
                          "%s: the reader brought %zu bytes of the card, %zu were due", slot->reader.device,
                          got, expect);
    return RC_OK;
}

int ccid_character_t0(void *user, const uint8_t *send, size_t send_length, uint8_t *receive,
                      size_t receive_length, size_t *ret_length)
{
    struct ccid_answer came;
    int rc = RC_OK;

    /* T=0 knows no longest pause between characters to the card (ISO 7816-3:2006, 10.2). */
    if (ccid_exchange_is_lost(user, send_length)) {
        rc = ccid_exchange_message(user, send, 1, 0, 0, &came);
        send++;
        send_length--;
    }
    if (!rc)
        rc = ccid_character_swap(user, send, send_length, receive_length, 0, receive, receive_length,
                                 ret_length, &came);

    return rc == RC_INSUFFICIENT_BUFFER ? RC_NOT_TRANSACTED : rc;
}

/* Fewer bytes than were due are a damaged block, which T=1 asks for again. */
static int fewer_is_damage(int rc, const struct ccid_answer *came)
{
    return rc == RC_NOT_TRANSACTED && !came->failed ? RC_OK : rc;
}

int ccid_character_block(struct ccid_slot *slot, const uint8_t *block, size_t length, unsigned wtx_multiplier,
                         uint8_t *answer, size_t capacity, size_t *ret_length, struct ccid_answer *ret_came)
{
    size_t got = 0, more = 0, due;
    int rc =
        ccid_character_swap(slot, block, length, PROLOGUE, wtx_multiplier, answer, capacity, &got, ret_came);

    *ret_length = got;
    if (rc)
        return fewer_is_damage(rc, ret_came);
    due = PROLOGUE + (size_t)answer[2] + t1_edc_length(&slot->t1);
    /* LEN FF is reserved: what would follow does not fit, and T=1 judges by what is there. */
    if (got >= due || due > capacity)
        return RC_OK;
    rc = ccid_character_swap(slot, NULL, 0, due - got, 0, answer + got, capacity - got, &more, ret_came);
    *ret_length = got + more;
    return fewer_is_damage(rc, ret_came);
}
