/* SPDX-License-Identifier: MIT */
/* Bringing host and reader into step: when a reader is opened, and after a command without an answer. */
#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_iccd.h"
#include "driver/ccid_link_state.h"

#define ABORT_MS 3000         /* for all of it */
#define ABORT_CONTROL_MS 1000 /* some never answer the request on the control pipe */
#define FAULTS_MAX 10         /* bad messages while an abort's answer is waited for */
#define OPEN_MS 3000          /* for the first answer of a reader */
#define AGAIN_MS 100          /* for those behind */
#define OPEN_TRIES 3
#define ABORT_TRIES 10

#define REQUEST_OUT 0x21 /* class, interface */
#define REQUEST_ABORT 0x01
#define REQUEST_POWER_OFF 0x63 /* ICCD */

/* The control request's part of an abort. */
static int ask_abort(struct ccid_link *link, struct link_slot *slot, uint8_t seq, struct deadline deadline)
{
    int rc = link_control(link, slot, false, REQUEST_OUT, REQUEST_ABORT, (uint16_t)(seq << 8 | slot->index),
                          NULL, 0, NULL, deadline_min(deadline, deadline_in_ms(ABORT_CONTROL_MS)));

    if (rc && rc != RC_READER_UNAVAILABLE)
        log_debug("CCID: slot %u: the reader does not take ABORT on the control pipe (%d)",
                  (unsigned)slot->index, rc);
    return rc;
}

/* The SlotStatus that ends an abort; what else comes is for nobody. */
static int await_abort(struct ccid_link *link, struct link_slot *slot, const struct ccid_command *abort,
                       struct deadline deadline)
{
    struct link_wait wait = {.deadline = deadline};
    struct ccid_answer answer;
    int rc = RC_IO;

    for (unsigned i = 0; i < FAULTS_MAX; i++) {
        rc = link_receive(link, slot, abort, wait, &answer);
        if (rc != RC_IO)
            break;
        pthread_mutex_lock(&link->lock);
        slot->waiting = true;
        slot->lost = false;
        pthread_mutex_unlock(&link->lock);
    }
    return rc;
}

/* Both parts with one number: control request, then message; the reader fails all commands of the slot in
 * between, and its SlotStatus ends it (5.3.1). Some stall the request and take the message alone. One that
 * has lost the request waits for it behind the message, and so does one that took it for the missing half of
 * an older abort. */
int link_abort_once(struct ccid_link *link, struct link_slot *slot, bool in_abort, struct deadline deadline)
{
    struct ccid_command abort = {.type = CCID_ABORT, .slot = slot->index, .seq = link_next_seq(link)};
    struct deadline first = deadline;
    int rc, asked;

    link_settle(link, slot);
    link_forget_answer(link, slot); /* and half of one */
    asked = ask_abort(link, slot, abort.seq, deadline);
    if (asked == RC_READER_UNAVAILABLE)
        return asked;
    rc = link_send(link, slot, &abort, deadline);
    if (rc)
        return rc;
    if (asked || in_abort)
        first = deadline_min(deadline, deadline_in_ms(ABORT_CONTROL_MS));
    rc = await_abort(link, slot, &abort, first);
    if (rc == RC_TIMEOUT && (asked || in_abort) && !deadline_passed(deadline)) {
        asked = ask_abort(link, slot, abort.seq, deadline);
        if (asked == RC_OK)
            rc = await_abort(link, slot, &abort, deadline);
        else if (asked == RC_READER_UNAVAILABLE)
            rc = asked;
    }
    link_settle(link, slot);
    return rc;
}

void link_clear(struct ccid_link *link, struct link_slot *slot)
{
    bool alone = link->descriptor->transport == CCID_BULK;

    pthread_mutex_lock(&link->lock);
    slot->waiting = false;
    for (size_t i = 0; i < link->slot_count; i++)
        alone = alone && !link->slots[i].waiting;
    alone = alone && !link->sending && !link->reader && !link->gone;
    if (alone) {
        link->sending = true;
        link->reader = slot;
    }
    pthread_mutex_unlock(&link->lock);
    if (!alone)
        return;
    link->pipe->ops->clear(link->pipe, false);
    pthread_mutex_lock(&link->lock);
    link->sending = false;
    link->reader = NULL;
    link->pieces.length = 0;
    pthread_cond_broadcast(&link->changed);
    pthread_mutex_unlock(&link->lock);
}

/* There are no numbers that would tell a late response from the next one: the card is switched off. */
static int switch_off(struct ccid_link *link, struct link_slot *slot)
{
    return link_control(link, slot, false, REQUEST_OUT, REQUEST_POWER_OFF, 0, NULL, 0, NULL,
                        deadline_in_ms(ABORT_MS));
}

int link_abort(struct ccid_link *link, struct link_slot *slot, bool in_abort)
{
    int rc = link->descriptor->transport == CCID_BULK
                 ? link_abort_once(link, slot, in_abort, deadline_in_ms(ABORT_MS))
                 : switch_off(link, slot);

    if (rc && rc != RC_READER_UNAVAILABLE) {
        log_debug("CCID: slot %u: the command could not be aborted; its answer will be dropped",
                  (unsigned)slot->index);
        link_clear(link, slot);
        rc = RC_OK;
    }
    return rc;
}

static int ask_status(struct ccid_link *link, uint64_t timeout_ms)
{
    struct ccid_command command = {.type = CCID_GET_SLOT_STATUS};
    struct link_slot *slot = &link->slots[0];
    struct ccid_answer answer;
    int rc;

    if (link->descriptor->transport != CCID_BULK)
        return ccid_link_exchange(link, &command, timeout_ms, &answer);
    rc = link_try(link, slot, &command, timeout_ms, false, &answer);
    link_settle(link, slot);
    if (rc && rc != RC_READER_UNAVAILABLE)
        link_clear(link, slot);
    return rc;
}

/* A slot that was left in the middle of a command, by readers that do not answer before it has ended. */
static void wake_up(struct ccid_link *link, uint64_t timeout_ms)
{
    for (unsigned i = 0; i < ABORT_TRIES; i++) {
        int rc = link_abort_once(link, &link->slots[0], false, deadline_in_ms(timeout_ms));

        if (!rc || rc == RC_READER_UNAVAILABLE)
            return;
    }
}

static int get_into_step(struct ccid_link *link)
{
    unsigned times = link->quirk->open_times ? link->quirk->open_times : 1;
    int rc = RC_TIMEOUT;

    if (link->quirk->flags & CCID_CLEAR_INTERRUPT)
        link->pipe->ops->clear(link->pipe, true);
    link_read_notices(link, NULL);
    if (link->quirk->flags & CCID_ABORT_AT_OPEN)
        wake_up(link, AGAIN_MS * times);
    if (link->descriptor->transport != CCID_BULK)
        iccd_start(link);
    for (unsigned i = 0; i < OPEN_TRIES && rc && rc != RC_READER_UNAVAILABLE; i++)
        rc = ask_status(link, (uint64_t)OPEN_MS * times);
    if (rc == RC_READER_UNAVAILABLE)
        return rc;
    if (rc)
        return detail_set(RC_READER_UNAVAILABLE,
                          "the reader does not answer (%u times asked for its slot's status); unplug it and "
                          "plug it in again",
                          (unsigned)OPEN_TRIES);
    /* Answers that an earlier owner did not wait for are behind us when these have come. */
    for (unsigned i = 0; i < 2 && rc != RC_READER_UNAVAILABLE; i++)
        rc = ask_status(link, (uint64_t)AGAIN_MS * times);
    return rc == RC_READER_UNAVAILABLE ? rc : RC_OK;
}

int ccid_link_start(struct ccid_link *link)
{
    int rc;

    ccid_link_begin(link, 0);
    rc = get_into_step(link);
    ccid_link_end(link, 0);
    return rc;
}
