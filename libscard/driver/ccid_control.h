/* SPDX-License-Identifier: MIT */
/*
 * Control codes: PC/SC part 10 features and TLV properties, and escape commands.
 *
 * SCARD_CTL_CODE(3400) and Windows' 00313520: feature list. SCARD_CTL_CODE(1) and Windows' 003136B0: escape,
 * if the user or the quirk table allows it; else RC_DENIED with a detail that says how to allow it.
 */
#ifndef DRIVER_CCID_CONTROL_H
#define DRIVER_CCID_CONTROL_H

#include "driver/ccid_device.h"

/* As the reader seam's control. */
int ccid_control(struct ccid_slot *slot, uint32_t code, const uint8_t *in, size_t in_length, uint8_t *out,
                 size_t capacity, size_t *ret_length);

/* An escape command that the driver itself sends; answer room as given, more is RC_INSUFFICIENT_BUFFER. */
int ccid_escape(struct ccid_slot *slot, const uint8_t *in, size_t in_length, uint8_t *out, size_t capacity,
                size_t *ret_length);

#endif
