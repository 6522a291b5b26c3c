/* SPDX-License-Identifier: MIT */
/* XfrBlock at extended APDU level: APDUs in several messages, both ways (CCID 1.1, 6.1.4 and 6.2.1). */
#include "iso/apdu.h"
#include "tests/usbemu/emu_reader_state.h"

#define BAD_LEVEL 8

static void give_part(struct emu_slot *slot)
{
    size_t room = slot->function->reader->capacity - CCID_HEADER;
    size_t left = slot->response.length - slot->response_at;
    bool begins = !slot->response_at, ends = left <= room;
    enum ccid_part part = begins ? (ends ? CCID_WHOLE : CCID_BEGINS) : (ends ? CCID_ENDS : CCID_CONTINUES);

    slot_answer(slot, CCID_DATA_BLOCK, (uint8_t)part, left ? slot->response.data + slot->response_at : NULL,
                ends ? left : room);
    slot->response_at += ends ? left : room;
    slot->giving = !ends;
    if (ends)
        exchange_forget(slot);
}

static void run(struct emu_slot *slot)
{
    slot->response.length = slot->response_at = 0;
    slot->gathering = false;
    if (slot->command.length > APDU_COMMAND_MAX) {
        emu_blame("APDU of %zu bytes", slot->command.length);
        slot_fail(slot, CCID_BAD_LENGTH);
    } else if (exchange_card(slot, slot->command.data, slot->command.length, &slot->response)) {
        give_part(slot);
    }
}

static void gather(struct emu_slot *slot, bool first, bool last, const uint8_t *data, size_t length)
{
    if (first && slot->giving)
        emu_blame("XfrBlock: a new APDU in the middle of the answer to another");
    if (first && slot->gathering)
        emu_blame("XfrBlock: a new APDU in the middle of another");
    if (first)
        exchange_forget(slot);
    if (!first && !slot->gathering) {
        emu_blame("XfrBlock: goes on with an APDU that was not begun");
        slot_fail(slot, BAD_LEVEL);
        return;
    }
    slot->gathering = true;
    if (buffer_append(&slot->command, data, length))
        slot_fail(slot, CCID_HARDWARE);
    else if (last)
        run(slot);
    else
        slot_answer(slot, CCID_DATA_BLOCK, CCID_GO_ON, NULL, 0);
}

void chain_block(struct emu_slot *slot, uint16_t level, const uint8_t *data, size_t length)
{
    switch (level) {
    case CCID_WHOLE:
        gather(slot, true, true, data, length);
        break;
    case CCID_BEGINS:
        gather(slot, true, false, data, length);
        break;
    case CCID_CONTINUES:
        gather(slot, false, false, data, length);
        break;
    case CCID_ENDS:
        gather(slot, false, true, data, length);
        break;
    case CCID_GO_ON:
        if (length)
            emu_blame("XfrBlock: asks for the next part with %zu bytes of data", length);
        if (slot->giving) {
            give_part(slot);
            break;
        }
        emu_blame("XfrBlock: asks for the next part of no answer");
        slot_fail(slot, BAD_LEVEL);
        break;
    default:
        emu_blame("XfrBlock: wLevelParameter %04X at extended APDU level", (unsigned)level);
        slot_fail(slot, BAD_LEVEL);
    }
}
