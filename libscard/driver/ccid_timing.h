/* SPDX-License-Identifier: MIT */
/* Waiting times of an XfrBlock from the card's parameters (ISO 7816-3:2006, 10.2 and 11.4.3). Pure. */
#ifndef DRIVER_CCID_TIMING_H
#define DRIVER_CCID_TIMING_H

#include <stdint.h>

#include "driver/ccid_descriptor.h"
#include "driver/reader.h"
#include "iso/atr.h"

/* Milliseconds after which the reader must have answered, for a whole TPDU or block; at least 3000. */
uint64_t ccid_timing_ms(const struct ccid_descriptor *descriptor, const struct atr *atr,
                        enum protocol protocol, uint8_t fd);

#endif
