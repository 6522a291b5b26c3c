/* SPDX-License-Identifier: MIT */
#include "driver/ccid_device.h"

#include <string.h>

#include "base/log.h"
#include "base/rc.h"

/* A slot that says it is busy (6.2.6: E0, F2) is asked again after pauses of this many ms and more. */
static const uint16_t busy_pauses[] = {10, 20, 50, 100, 200, 400, 800};

void ccid_slot_unpowered(struct ccid_slot *slot)
{
    slot->powered = slot->warm_due = false;
    slot->atr_length = 0;
    slot->atr = (struct atr){0};
    slot->voltage = 0;
    slot->protocol = PROTOCOL_NONE;
    slot->fd = PPS_DEFAULT_FD;
    slot->t1 = (struct t1){0};
    slot->exchange_ms = 0;
}

int ccid_slot_lost(struct ccid_slot *slot)
{
    ccid_slot_unpowered(slot);
    slot->left = true;
    ccid_link_look_again(slot->device->link, slot->index);
    return detail_set(RC_NO_CARD, "%s: the card has been taken out, or lost its power", slot->reader.device);
}

int ccid_slot_look(struct ccid_slot *slot, enum ccid_card *ret_card)
{
    struct ccid_command command = {.type = CCID_GET_SLOT_STATUS, .slot = slot->index};
    struct ccid_answer answer = {0};
    int64_t time = clock_now_ns();
    int rc = ccid_link_exchange(slot->device->link, &command, CCID_ANSWER_MS, &answer);

    if (!rc)
        rc = ccid_rc(&command, &answer);
    if (rc)
        return rc;
    time = clock_now_ns() - time;
    if (!slot->reader_ns || time < slot->reader_ns)
        slot->reader_ns = time;
    /* A card that has no power although it was never switched off is another one, or was out meanwhile. */
    if (slot->powered && answer.card != CCID_CARD_ACTIVE)
        (void)ccid_slot_lost(slot);
    *ret_card = answer.card;
    return RC_OK;
}

static bool is_about_card(uint8_t type)
{
    return type == CCID_XFR_BLOCK || type == CCID_SECURE || type == CCID_SET_PARAMETERS ||
           type == CCID_POWER_ON;
}

/* The exchange failed by rc: because the card is no longer there? */
static int look_for_card(struct ccid_slot *slot, const struct ccid_answer *answer, int rc)
{
    enum ccid_card card = CCID_CARD_ACTIVE;
    bool powered = slot->powered;
    int looked;

    /* It was away when the reader answered; one that is in now is another. */
    if (rc == RC_NO_CARD)
        return ccid_slot_lost(slot);
    if (rc != RC_MUTE && rc != RC_TIMEOUT && !(answer->failed && answer->card != CCID_CARD_ACTIVE))
        return rc;
    looked = ccid_slot_look(slot, &card);
    if (looked == RC_READER_UNAVAILABLE || looked == RC_CANCELLED)
        return looked;
    if (!looked && (card == CCID_CARD_ABSENT || powered != slot->powered))
        return ccid_slot_lost(slot);
    return rc;
}

static int try_command(struct ccid_slot *slot, struct ccid_command *command, uint64_t timeout_ms,
                       struct ccid_answer *ret_answer)
{
    int rc = ccid_link_exchange(slot->device->link, command, timeout_ms, ret_answer);

    if (rc) {
        *ret_answer = (struct ccid_answer){0};
        return rc;
    }
    return ccid_rc(command, ret_answer);
}

int ccid_slot_command(struct ccid_slot *slot, struct ccid_command *command, uint64_t timeout_ms,
                      struct ccid_answer *ret_answer)
{
    int rc;

    command->slot = slot->index;
    rc = try_command(slot, command, timeout_ms, ret_answer);
    for (size_t i = 0; rc == CCID_BUSY && i < sizeof busy_pauses / sizeof *busy_pauses; i++) {
        rc = ccid_link_pause(slot->device->link, slot->index, busy_pauses[i]);
        if (!rc)
            rc = try_command(slot, command, timeout_ms, ret_answer);
    }
    if (rc == CCID_BUSY)
        return detail_set(RC_NOT_TRANSACTED, "%s: the reader says that it is busy, and stays so (error %02X)",
                          slot->reader.device, (unsigned)ret_answer->error);
    if (rc < 0 && is_about_card(command->type))
        rc = look_for_card(slot, ret_answer, rc);
    return rc;
}
