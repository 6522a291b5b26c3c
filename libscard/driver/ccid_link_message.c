/* SPDX-License-Identifier: MIT */
/* One message out, and the one that answers it in, whoever reads it. */
#include "base/log.h"
#include "base/rc.h"
#include "driver/ccid_link_state.h"

#define SEND_MS 5000   /* for the transfer of a command */
#define DROPPED_MAX 10 /* messages in a row that nobody waits for */
#define LONGEST_MESSAGE (CCID_HEADER + 65544)

void link_forget_answer(struct ccid_link *link, struct link_slot *slot)
{
    secret_wipe(slot->box.data, slot->box.length);
    slot->box.length = 0;
    if (link->slot_count == 1) {
        secret_wipe(link->pieces.data, link->pieces.length);
        link->pieces.length = 0;
    }
}

void link_settle(struct ccid_link *link, struct link_slot *slot)
{
    pthread_mutex_lock(&link->lock);
    slot->waiting = false;
    slot->mail = NULL;
    pthread_mutex_unlock(&link->lock);
}

int link_send(struct ccid_link *link, struct link_slot *slot, const struct ccid_command *command,
              struct deadline deadline)
{
    size_t length;
    int rc;

    pthread_mutex_lock(&link->lock);
    while (link->sending && !link->gone)
        link_wait_change(link, deadline_never());
    if (link->gone) {
        pthread_mutex_unlock(&link->lock);
        return link_say_gone();
    }
    link->sending = true;
    /* Another thread may read the answer before the transfer has ended here. */
    slot->waiting = true;
    slot->seq = command->seq;
    slot->mail = NULL;
    slot->lost = false;
    pthread_mutex_unlock(&link->lock);

    rc = ccid_build(command, link->out, link->descriptor->max_message, &length);
    if (!rc) {
        rc = link->pipe->ops->bulk_out(link->pipe, link->out, length, deadline);
        secret_wipe(link->out, length);
    }

    pthread_mutex_lock(&link->lock);
    link->sending = false;
    if (rc == RC_READER_UNAVAILABLE)
        link_gone(link);
    if (rc == RC_CANCELLED && !link_take_cancel(slot))
        rc = RC_IO;
    if (link->slot_count > 1)
        pthread_cond_broadcast(&link->changed);
    pthread_mutex_unlock(&link->lock);
    if (rc == RC_READER_UNAVAILABLE)
        return link_say_gone();
    if (rc == PIPE_STALLED)
        return detail_set(RC_IO, "the reader refused to take command %02X", (unsigned)command->type);
    return rc;
}

/* Bytes that a message has which begins like this; as far as that can be said. */
static size_t announced(const struct buffer *pieces)
{
    const uint8_t *at = pieces->data;
    uint64_t length;

    if (pieces->length < CCID_HEADER)
        return CCID_HEADER;
    length = CCID_HEADER +
             ((uint64_t)at[1] | (uint64_t)at[2] << 8 | (uint64_t)at[3] << 16 | (uint64_t)at[4] << 24);
    return length > LONGEST_MESSAGE ? pieces->length : (size_t)length;
}

/* The reader's: the next message, which may come in several transfers (CCID_PIECES). What has come before a
 * wait ended is kept for the next call. */
static int read_pieces(struct ccid_link *link, const uint8_t **ret_bytes, size_t *ret_length,
                       struct deadline deadline)
{
    struct buffer *pieces = &link->pieces;
    const uint8_t *bytes;
    size_t length;
    int rc;

    if (link->pieces_done)
        pieces->length = 0;
    link->pieces_done = false;
    do {
        rc = link->pipe->ops->bulk_in(link->pipe, &bytes, &length, deadline);
        if (!rc)
            rc = buffer_append(pieces, bytes, length);
        if (rc)
            return rc;
    } while (length && pieces->length < announced(pieces));
    link->pieces_done = pieces->length >= announced(pieces);
    *ret_bytes = pieces->data;
    *ret_length = link->pieces_done ? pieces->length : 0;
    return RC_OK;
}

static int read_message(struct ccid_link *link, const uint8_t **ret_bytes, size_t *ret_length,
                        struct deadline deadline)
{
    if (link->quirk->flags & CCID_PIECES)
        return read_pieces(link, ret_bytes, ret_length, deadline);
    return link->pipe->ops->bulk_in(link->pipe, ret_bytes, ret_length, deadline);
}

/* Under the lock, the reader's. Puts the message where its slot finds it; false: nobody waits for it. */
static bool post(struct ccid_link *link, const uint8_t *bytes, size_t length)
{
    int number = ccid_slot_of(bytes, length, (unsigned)link->slot_count);
    struct link_slot *to;

    if (number < 0)
        return false;
    to = &link->slots[number];
    if (!to->waiting || bytes[6] != to->seq) {
        log_debug("CCID: dropped message %02X of slot %d, number %u: nobody waits for it", (unsigned)bytes[0],
                  number, (unsigned)bytes[6]);
        return false;
    }
    /* The pipe's buffer is good until the next bulk_in, which with one slot is the slot's own. */
    if (link->slot_count > 1) {
        secret_wipe(to->box.data, to->box.length);
        to->box.length = 0;
        if (buffer_append(&to->box, bytes, length)) {
            to->lost = true;
            return true;
        }
        bytes = to->box.data;
    }
    /* Of a time extension and the answer behind it, the answer counts. */
    to->mail = bytes;
    to->mail_length = length;
    return true;
}

/* Under the lock. Something came in that cannot be read any more: it may have been anybody's answer. */
static void lose(struct ccid_link *link, const struct link_slot *but)
{
    for (size_t i = 0; i < link->slot_count; i++)
        if (&link->slots[i] != but && link->slots[i].waiting)
            link->slots[i].lost = true;
}

/* Under the lock: what a read brought, in the thread of slot. RC_OK: go on. */
static int deliver(struct ccid_link *link, struct link_slot *slot, int rc, const uint8_t *bytes,
                   size_t length, unsigned *dropped)
{
    switch (rc) {
    case RC_OK:
        break;
    case RC_CANCELLED: /* perhaps meant for the read before this; the slot knows */
        return RC_OK;
    case RC_TIMEOUT:
        return rc;
    case RC_READER_UNAVAILABLE:
        link_gone(link);
        return link_say_gone();
    case PIPE_STALLED:
        lose(link, slot);
        return detail_set(RC_IO, "the reader refused to give its answer, which is lost");
    case PIPE_OVERFLOW:
        lose(link, slot);
        return detail_set(RC_IO, "the reader sent more than it said it would; its answer is lost");
    default:
        lose(link, slot);
        return rc;
    }
    if (length && length < CCID_HEADER) {
        lose(link, slot);
        return detail_set(RC_IO, "reader sent a message of %zu bytes, too short for CCID", length);
    }
    if ((length && post(link, bytes, length)) || ++*dropped <= DROPPED_MAX)
        return RC_OK;
    return detail_set(RC_IO, "the reader sends nothing but messages that nobody waits for");
}

/* Under the lock, which is let go of meanwhile. */
static int read_one(struct ccid_link *link, struct link_slot *slot, struct deadline deadline,
                    unsigned *dropped)
{
    const uint8_t *bytes = NULL;
    size_t length = 0;
    int rc;

    link->reader = slot;
    pthread_mutex_unlock(&link->lock);
    rc = read_message(link, &bytes, &length, deadline);
    pthread_mutex_lock(&link->lock);
    rc = deliver(link, slot, rc, bytes, length, dropped);
    link->reader = NULL;
    if (link->slot_count > 1)
        pthread_cond_broadcast(&link->changed);
    return rc;
}

static struct deadline extended(const struct link_wait *wait, const struct ccid_answer *answer,
                                uint64_t extra_ms)
{
    uint64_t ms;

    if (!wait->timeout_ms)
        return wait->deadline;
    if (__builtin_mul_overflow(wait->timeout_ms, (uint64_t)answer->extension, &ms) ||
        __builtin_add_overflow(ms, extra_ms, &ms))
        return deadline_never();
    return deadline_in_ms(ms);
}

/* Under the lock. Waits for mail. */
static int wait_for_mail(struct ccid_link *link, struct link_slot *slot, const struct link_wait *wait)
{
    unsigned dropped = 0;
    bool in_time = true;
    int rc = RC_OK;

    while (!rc && !slot->mail) {
        if (slot->lost)
            return detail_set(RC_IO, "the reader's answer was lost in a transfer that failed");
        if (link->gone)
            return link_say_gone();
        if (wait->cancellable && link_take_cancel(slot))
            return RC_CANCELLED;
        if (!in_time)
            return RC_TIMEOUT;
        if (link->reader)
            in_time = link_wait_change(link, wait->deadline);
        else
            rc = read_one(link, slot, wait->deadline, &dropped);
    }
    return slot->mail ? RC_OK : rc;
}

int link_receive(struct ccid_link *link, struct link_slot *slot, const struct ccid_command *command,
                 struct link_wait wait, struct ccid_answer *ret_answer)
{
    struct ccid_answer answer = {0};
    int rc;

    pthread_mutex_lock(&link->lock);
    do {
        rc = wait_for_mail(link, slot, &wait);
        if (rc)
            break;
        rc = ccid_check(command, slot->mail, slot->mail_length, &answer);
        slot->mail = NULL;
        if (rc == CCID_WAIT)
            wait.deadline = extended(&wait, &answer, link->quirk->extra_ms);
        else
            slot->waiting = false;
    } while (rc > 0);
    pthread_mutex_unlock(&link->lock);
    if (!rc)
        *ret_answer = answer;
    return rc;
}

/* Some readers leave an empty packet behind, and may not take a command before it has been fetched. A
 * transfer that is under way while the command is sent takes it whenever it comes, so there is no need to
 * wait for it: empty packets are dropped when the answer is read. */
static void fetch_empty_packet(struct ccid_link *link, struct link_slot *slot)
{
    unsigned dropped = 0;

    pthread_mutex_lock(&link->lock);
    if (!link->reader && !link->gone)
        read_one(link, slot, deadline_in_ms(0), &dropped);
    pthread_mutex_unlock(&link->lock);
}

int link_try(struct ccid_link *link, struct link_slot *slot, struct ccid_command *command,
             uint64_t timeout_ms, bool cancellable, struct ccid_answer *ret_answer)
{
    struct link_wait wait = {.timeout_ms = timeout_ms, .cancellable = cancellable};
    uint64_t ms;
    int rc;

    link_forget_answer(link, slot);
    if (link->quirk->flags & CCID_EMPTY_PACKETS)
        fetch_empty_packet(link, slot);
    command->seq = link_next_seq(link);
    rc = link_send(link, slot, command, deadline_in_ms(SEND_MS));
    if (rc)
        return rc;
    if (!timeout_ms || __builtin_add_overflow(timeout_ms, (uint64_t)link->quirk->extra_ms, &ms))
        wait.deadline = deadline_never();
    else
        wait.deadline = deadline_in_ms(ms);
    return link_receive(link, slot, command, wait, ret_answer);
}
