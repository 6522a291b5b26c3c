/* SPDX-License-Identifier: MIT */
/*
 * Control codes (ccid_features.h): PC/SC part 10 features and properties, PIN entry, and escape commands.
 *
 * Escape commands can do anything to a reader, its firmware included: they need the permission of the user or
 * of the quirk table, or else are RC_DENIED with a detail that says how to permit them - but for a few that
 * are known to be harmless.
 */
#ifndef DRIVER_CCID_CONTROL_H
#define DRIVER_CCID_CONTROL_H

#include "driver/ccid_device.h"

/* As the reader seam's control, inside ccid_link_begin and _end. */
int ccid_control(struct ccid_slot *slot, uint32_t code, const uint8_t *in, size_t in_length, uint8_t *out,
                 size_t capacity, size_t *ret_length);

/* An escape command that the driver itself sends; answer room as given, more is RC_INSUFFICIENT_BUFFER.
 * RC_INVALID_VALUE: longer than the reader's messages. */
int ccid_escape(struct ccid_slot *slot, const uint8_t *in, size_t in_length, uint8_t *out, size_t capacity,
                size_t *ret_length);

#endif
