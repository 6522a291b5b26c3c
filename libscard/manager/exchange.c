/* SPDX-License-Identifier: MIT */
#include "manager/exchange.h"

#include <string.h>

#include "base/log.h"
#include "base/rc.h"
#include "manager/handle.h"
#include "manager/slot.h"
#include "manager/turn.h"

/* Attributes that the manager answers itself (PC/SC part 3, 3.1.2). */
#define TAG_ATR_STRING 0x00090303
#define TAG_FRIENDLY_NAME 0x7FFF0003
#define TAG_SYSTEM_NAME 0x7FFF0004
#define TAG_DEVICE_UNIT 0x7FFF0001
#define TAG_TRANSMISSIONS 0x7FFE0001 /* SCARD_PERF_NUM_TRANSMISSIONS of Windows */

/* PC/SC knows one code for an exchange that failed between reader and card. */
static int exchange_failed(struct slot *slot, int rc)
{
    slot_failed(slot, rc);
    switch (rc) {
    case RC_MUTE:
    case RC_TIMEOUT:
    case RC_IO:
    case RC_UNRESPONSIVE:
        return RC_NOT_TRANSACTED;
    default:
        return rc;
    }
}

/* With the turn: is there a card that can be spoken to, and is it spoken to as agreed? */
static int card_ready(const struct slot *slot, uint32_t protocol)
{
    if (!slot->present)
        return RC_NO_CARD;
    if (!slot->powered)
        return detail_set(RC_NOT_TRANSACTED, "%s: the card is not powered; reconnect to power it up",
                          slot->name);
    if (protocol != PROTOCOL_RAW && protocol != slot->protocol)
        return RC_PROTO_MISMATCH;
    return RC_OK;
}

int exchange_transmit(struct service_handle *service_handle, uint32_t protocol, const uint8_t *command,
                      size_t command_length, uint8_t *response, size_t capacity, size_t *ret_length)
{
    struct handle *handle = handle_of(service_handle);
    struct slot *slot = handle->slot;
    struct manager *manager = slot->manager;
    struct wake_later later;
    int rc;

    pthread_mutex_lock(&manager->lock);
    rc = handle_take_turn(handle, handle_patience(handle));
    if (rc)
        goto out;
    rc = card_ready(slot, protocol);
    if (!rc) {
        uint32_t active = slot->protocol ? slot->protocol : protocol;
        struct reader *device = slot->device;

        rc = slot_enter(slot);
        if (!rc)
            rc = exchange_failed(
                slot, slot_leave(slot, device->ops->transmit(device, active, command, command_length,
                                                             response, capacity, ret_length)));
        if (!rc)
            slot->transmissions++;
        /* A card swapped just now may fail before anybody looked; the user is told what happened to it. */
        if (rc == RC_NOT_TRANSACTED && !slot_look(slot) && handle->event == EVENT_REMOVED)
            rc = RC_CARD_REMOVED;
    }
    wait_defer(manager, &later);
    turn_give(slot);
out:
    wait_unlock(manager);
    return rc;
}

int exchange_control(struct service_handle *service_handle, uint32_t code, const uint8_t *in,
                     size_t in_length, uint8_t *out, size_t capacity, size_t *ret_length)
{
    struct handle *handle = handle_of(service_handle);
    struct slot *slot = handle->slot;
    struct manager *manager = slot->manager;
    int rc;

    pthread_mutex_lock(&manager->lock);
    rc = handle_take_turn(handle, TURN_ANYWAY | TURN_AT_ONCE);
    if (!rc) {
        struct reader *device = slot->device;

        rc = slot_enter(slot);
        if (!rc)
            rc = exchange_failed(slot, slot_leave(slot, device->ops->control(device, code, in, in_length, out,
                                                                             capacity, ret_length)));
        /* A command to the reader may have moved the card: whoever asks next is told of it. */
        if (!rc)
            slot_look(slot);
        turn_give(slot);
    }
    pthread_mutex_unlock(&manager->lock);
    return rc;
}

static int answer(const void *value, size_t length, uint8_t *out, size_t capacity, size_t *ret_length)
{
    *ret_length = length;
    if (length > capacity)
        return RC_INSUFFICIENT_BUFFER;
    if (length)
        memcpy(out, value, length);
    return RC_OK;
}

/* A number that needs neither card nor turn. */
static int get_transmissions(struct handle *handle, uint8_t *out, size_t capacity, size_t *ret_length)
{
    struct manager *manager = handle->slot->manager;
    uint32_t count;
    int rc;

    pthread_mutex_lock(&manager->lock);
    rc = handle->closed ? RC_INVALID_HANDLE : handle->slot->attached ? RC_OK : RC_READER_UNAVAILABLE;
    count = handle->slot->transmissions;
    pthread_mutex_unlock(&manager->lock);
    return rc ? rc : answer(&count, sizeof count, out, capacity, ret_length);
}

/* With the turn. */
static int get_attribute(struct slot *slot, uint32_t tag, uint8_t *out, size_t capacity, size_t *ret_length)
{
    struct reader *device = slot->device;
    uint32_t unit = slot->index;
    int rc;

    if (tag == TAG_FRIENDLY_NAME || tag == TAG_SYSTEM_NAME)
        return answer(slot->name, strlen(slot->name) + 1, out, capacity, ret_length);
    if (tag == TAG_ATR_STRING)
        return answer(slot->atr, slot->present ? slot->atr_length : 0, out, capacity, ret_length);
    if (tag == TAG_DEVICE_UNIT)
        return answer(&unit, sizeof unit, out, capacity, ret_length);
    rc = slot_enter(slot);
    if (rc)
        return rc;
    return exchange_failed(
        slot, slot_leave(slot, device->ops->get_attribute(device, tag, out, capacity, ret_length)));
}

int exchange_get_attribute(struct service_handle *service_handle, uint32_t tag, uint8_t *out, size_t capacity,
                           size_t *ret_length)
{
    struct handle *handle = handle_of(service_handle);
    struct slot *slot = handle->slot;
    struct manager *manager = slot->manager;
    int rc;

    if (tag == TAG_TRANSMISSIONS)
        return get_transmissions(handle, out, capacity, ret_length);
    pthread_mutex_lock(&manager->lock);
    rc = handle_take_turn(handle, TURN_AT_ONCE);
    if (!rc) {
        rc = get_attribute(slot, tag, out, capacity, ret_length);
        turn_give(slot);
    }
    pthread_mutex_unlock(&manager->lock);
    return rc;
}

int exchange_set_attribute(struct service_handle *service_handle, uint32_t tag, const uint8_t *value,
                           size_t length)
{
    struct handle *handle = handle_of(service_handle);
    struct slot *slot = handle->slot;
    struct manager *manager = slot->manager;
    int rc;

    pthread_mutex_lock(&manager->lock);
    rc = handle_take_turn(handle, TURN_AT_ONCE);
    if (!rc) {
        struct reader *device = slot->device;

        rc = slot_enter(slot);
        if (!rc)
            rc = exchange_failed(slot,
                                 slot_leave(slot, device->ops->set_attribute(device, tag, value, length)));
        turn_give(slot);
    }
    pthread_mutex_unlock(&manager->lock);
    return rc;
}
