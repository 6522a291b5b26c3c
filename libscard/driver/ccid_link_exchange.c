/* SPDX-License-Identifier: MIT */
/* A command of a slot: its turn, its answer, and what to do when there is none. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_iccd.h"
#include "driver/ccid_link_state.h"

/* At most busy_slots commands are under way in the device (5.1, bMaxCCIDBusySlots). */
static int take_turn(struct ccid_link *link, struct link_slot *slot, bool cancellable)
{
    int rc = RC_OK;

    pthread_mutex_lock(&link->lock);
    while (link->busy >= link->descriptor->busy_slots && !link->gone && !(cancellable && slot->cancelled))
        link_wait_change(link, deadline_never());
    if (link->gone)
        rc = link_say_gone();
    else if (cancellable && link_take_cancel(slot))
        rc = RC_CANCELLED;
    else
        link->busy++;
    pthread_mutex_unlock(&link->lock);
    return rc;
}

static void end_turn(struct ccid_link *link, struct link_slot *slot)
{
    pthread_mutex_lock(&link->lock);
    slot->waiting = false;
    slot->mail = NULL;
    link->busy--;
    pthread_cond_broadcast(&link->changed);
    pthread_mutex_unlock(&link->lock);
}

/* Asks only: does no harm if it is done twice. */
static bool may_be_repeated(uint8_t type)
{
    return type == CCID_GET_SLOT_STATUS || type == CCID_GET_PARAMETERS;
}

/* Nothing is under way for the slot any more, and rc has the words that it was born with. */
static int give_up(struct ccid_link *link, struct link_slot *slot, int rc)
{
    char words[DETAIL_ROOM];

    snprintf(words, sizeof words, "%s", detail_get());
    if (link_abort(link, slot, false))
        return link_say_gone();
    return strcmp(words, detail_get()) ? detail_set(rc, "%s", words) : rc;
}

/* An answer that cannot be read may have been the middle of a chain, which the reader is in then. */
static bool may_be_chained(const struct ccid_link *link, const struct ccid_command *command, int rc)
{
    return rc == RC_IO && command->type == CCID_XFR_BLOCK && link->descriptor->level == CCID_EXTENDED_APDU;
}

/* The reader refuses commands until it has both parts of an abort (5.3.1): it has lost one of ours, or has
 * one of somebody who had it before. */
static bool is_in_abort(const struct ccid_answer *answer)
{
    return answer->failed && answer->error == CCID_ABORTED;
}

/* Commands that a reader which refused them has not begun, and that do no harm if it has. */
static bool may_follow_abort(uint8_t type)
{
    return type != CCID_XFR_BLOCK && type != CCID_SECURE && type != CCID_ESCAPE;
}

static int exchange(struct ccid_link *link, struct link_slot *slot, struct ccid_command *command,
                    uint64_t timeout_ms, struct ccid_answer *ret_answer)
{
    unsigned tries = may_be_repeated(command->type) ? 2 : 1;
    int rc = RC_IO;

    for (unsigned i = 0; i < tries && rc == RC_IO; i++) {
        rc = link_try(link, slot, command, timeout_ms, true, ret_answer);
        if (rc && rc != RC_READER_UNAVAILABLE && (slot->waiting || may_be_chained(link, command, rc)))
            rc = give_up(link, slot, rc);
    }
    if (!rc && is_in_abort(ret_answer) && !link_abort(link, slot, true) && may_follow_abort(command->type)) {
        rc = link_try(link, slot, command, timeout_ms, true, ret_answer);
        if (rc && rc != RC_READER_UNAVAILABLE && slot->waiting)
            rc = give_up(link, slot, rc);
    }
    if (rc == RC_TIMEOUT)
        return detail_set(rc, "the reader did not answer command %02X in time", (unsigned)command->type);
    return rc;
}

static int exchange_control(struct ccid_link *link, struct link_slot *slot,
                            const struct ccid_command *command, uint64_t timeout_ms,
                            struct ccid_answer *ret_answer)
{
    int rc;

    link_forget_answer(link, slot);
    slot->box.length = slot->box.capacity; /* for the wiping of it */
    if (link->descriptor->transport == CCID_ICCD_A)
        rc = iccd_a_exchange(link, command, timeout_ms, slot->box.data, slot->box.capacity, ret_answer);
    else
        rc = iccd_b_exchange(link, command, timeout_ms, slot->box.data, slot->box.capacity, ret_answer);
    if (command->type != CCID_XFR_BLOCK)
        return rc;
    /* Version A knows no beginning of a command: what comes next would be taken for the rest of this one. */
    if (rc == RC_TIMEOUT || rc == RC_CANCELLED || (rc == RC_IO && link->descriptor->transport == CCID_ICCD_A))
        rc = give_up(link, slot, rc);
    return rc;
}

int ccid_link_exchange(struct ccid_link *link, struct ccid_command *command, uint64_t timeout_ms,
                       struct ccid_answer *ret_answer)
{
    struct link_slot *slot = &link->slots[command->slot];
    int rc;

    if (command->length > link->descriptor->max_message - CCID_HEADER)
        return detail_set(RC_INVALID_VALUE,
                          "a message of %zu bytes is longer than the %lu that the reader takes",
                          command->length + CCID_HEADER, (unsigned long)link->descriptor->max_message);
    rc = take_turn(link, slot, true);
    if (rc)
        return rc;
    if (link->descriptor->transport == CCID_BULK)
        rc = exchange(link, slot, command, timeout_ms, ret_answer);
    else
        rc = exchange_control(link, slot, command, timeout_ms, ret_answer);
    end_turn(link, slot);
    return rc;
}

int ccid_link_abandon(struct ccid_link *link, uint8_t slot)
{
    struct link_slot *self = &link->slots[slot];
    int rc = take_turn(link, self, false);

    if (rc)
        return rc;
    rc = give_up(link, self, RC_OK);
    end_turn(link, self);
    return rc;
}
