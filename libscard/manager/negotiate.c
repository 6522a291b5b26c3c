/* SPDX-License-Identifier: MIT */
#include "manager/negotiate.h"

#include "base/log.h"
#include "base/rc.h"
#include "iso/atr.h"
#include "manager/slot.h"
#include "manager/watch.h"

static const char *protocol_words(uint32_t mask)
{
    switch (mask & (PROTOCOL_T0 | PROTOCOL_T1)) {
    case PROTOCOL_T0:
        return "T=0";
    case PROTOCOL_T1:
        return "T=1";
    case PROTOCOL_T0 | PROTOCOL_T1:
        return "T=0 or T=1";
    default:
        return "neither T=0 nor T=1";
    }
}

/* (I/O) */
static int set_protocol(struct slot *slot, uint32_t protocol)
{
    int rc = slot_enter(slot);

    if (rc)
        return rc;
    rc = slot_leave(slot, slot->device->ops->set_protocol(slot->device, protocol));
    if (rc == RC_OK) {
        slot->protocol = protocol;
        watch_tell_observer(slot->manager);
    }
    return slot_failed(slot, rc);
}

static bool card_refused(int rc)
{
    return rc && rc != RC_NO_CARD && rc != RC_READER_UNAVAILABLE && rc != RC_CANCELLED;
}

/* Off: a card whose PPS exchange failed is deactivated before anything else (ISO 7816-3:2006, 9.1). */
static int give_up_protocol(struct slot *slot, int rc, const struct handle *except)
{
    slot_power(slot, POWER_OFF, except);
    return rc == RC_PROTO_MISMATCH ? rc : RC_UNRESPONSIVE;
}

int negotiate_protocol(struct slot *slot, uint32_t protocols, const struct handle *except)
{
    struct atr atr;
    uint32_t offered = 0, wanted;
    int rc;

    if (slot->protocol) {
        if (slot->protocol & protocols)
            return RC_OK;
        return detail_set(RC_PROTO_MISMATCH, "%s: the card already speaks %s", slot->name,
                          slot->protocol == PROTOCOL_RAW ? "raw" : protocol_words(slot->protocol));
    }
    if (protocols & PROTOCOL_RAW) {
        slot->protocol = PROTOCOL_RAW;
        watch_tell_observer(slot->manager);
        return RC_OK;
    }
    if (!atr_parse(slot->atr, slot->atr_length, &atr))
        offered = atr_protocol_mask(&atr);
    wanted = offered & protocols;
    if (!wanted)
        return detail_set(RC_PROTO_MISMATCH, "%s: the card offers %s, asked for was %s", slot->name,
                          protocol_words(offered), protocol_words(protocols));
    rc = set_protocol(slot, wanted & PROTOCOL_T1 ? PROTOCOL_T1 : PROTOCOL_T0);
    if (!card_refused(rc))
        return rc;
    if (wanted != (PROTOCOL_T0 | PROTOCOL_T1))
        return give_up_protocol(slot, rc, except);
    rc = slot_power(slot, POWER_COLD, except);
    if (!rc)
        rc = set_protocol(slot, PROTOCOL_T0);
    return card_refused(rc) ? give_up_protocol(slot, rc, except) : rc;
}
