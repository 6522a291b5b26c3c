/* SPDX-License-Identifier: MIT */
/* What a virtual reader tells about itself: attributes, and the control codes of PC/SC part 10. */
#ifndef DRIVER_VPCD_FACTS_H
#define DRIVER_VPCD_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "driver/reader.h"

struct vpcd_facts {
    const struct reader *reader;
    uint16_t port;
    bool present;
    const uint8_t *atr;
    size_t atr_length; /* 0 = card not powered */
    int64_t card_ns;   /* READER_CARD_TIME */
};

/* Both: the value into out, its length into *ret_length, also with RC_INSUFFICIENT_BUFFER;
 * RC_UNSUPPORTED with a detail for what there is not. */
int vpcd_facts_attribute(const struct vpcd_facts *facts, uint32_t tag, uint8_t *out, size_t capacity,
                         size_t *ret_length);
int vpcd_facts_control(const char *device, uint32_t code, uint8_t *out, size_t capacity, size_t *ret_length);

#endif
