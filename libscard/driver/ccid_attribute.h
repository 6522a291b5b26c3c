/* SPDX-License-Identifier: MIT */
/* Attributes that a CCID reader can answer (PC/SC part 3, 3.1.1). */
#ifndef DRIVER_CCID_ATTRIBUTE_H
#define DRIVER_CCID_ATTRIBUTE_H

#include "driver/ccid_device.h"

/* As the reader seam's get_attribute and set_attribute. */
int ccid_attribute_get(struct ccid_slot *slot, uint32_t tag, uint8_t *out, size_t capacity,
                       size_t *ret_length);
int ccid_attribute_set(struct ccid_slot *slot, uint32_t tag, const uint8_t *value, size_t length);

#endif
