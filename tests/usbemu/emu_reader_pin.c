/* SPDX-License-Identifier: MIT */
/* PIN entry (CCID 1.1, 6.1.11). */
#include "tests/usbemu/emu_reader_state.h"

void pin_secure(struct emu_slot *slot, const uint8_t *data, size_t length)
{
    (void)data;
    (void)length;
    slot_fail(slot, CCID_NOT_SUPPORTED);
    slot_send(slot, 0);
}

void pin_stop(struct emu_slot *slot)
{
    slot->pin.waiting = false;
    emu_cancel(&slot->pin);
}
