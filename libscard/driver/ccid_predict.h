/* SPDX-License-Identifier: MIT */
/* What a reader can carry, said before anything is sent to it. Pure. */
#ifndef DRIVER_CCID_PREDICT_H
#define DRIVER_CCID_PREDICT_H

#include <stddef.h>
#include <stdint.h>

#include "driver/ccid_descriptor.h"
#include "driver/reader.h"

/* The longest APDU in bytes, of any case, and the largest Le. SIZE_MAX: no limit. */
struct ccid_limits {
    size_t command;
    size_t le;
};

/* Of a reader (descriptor corrected by the quirks) in a protocol; at APDU levels it does not matter which. */
struct ccid_limits ccid_limits(const struct ccid_descriptor *descriptor, enum protocol protocol);

/* Could this reader carry a command APDU of that length, with that Le (0: none; up to 65536), in that
 * protocol? RC_OK; RC_UNSUPPORTED with a detail that names the reader's limit. descriptor is corrected by the
 * quirks. */
int ccid_predict(const struct ccid_descriptor *descriptor, enum protocol protocol, size_t command_length,
                 size_t le);

#endif
