/* SPDX-License-Identifier: MIT */
/* PIN entry on the keys of the reader (PC/SC part 10, 2.5): the PIN never comes to this computer. */
#ifndef CLI_PIN_PAD_H
#define CLI_PIN_PAD_H

#include "cli/call.h"
#include "cli/pin_block.h"

struct pin_pad {
    const uint8_t *header; /* CLA INS P1 P2 */
    struct pin_format format;
    uint8_t least, most; /* digits */
    bool modify;         /* an old and a new PIN, one behind the other */
};

/* Has the reader ask, complete the APDU and send it. STATUS_DONE with the card's word, or the status of a
 * reported failure: no such keys, entry cancelled or too late. */
int pin_pad_enter(struct call *call, const struct pin_pad *pad, uint16_t *ret_sw);

#endif
