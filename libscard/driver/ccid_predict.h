/* SPDX-License-Identifier: MIT */
/* What a reader can carry, said before anything is sent to it. Pure. */
#ifndef DRIVER_CCID_PREDICT_H
#define DRIVER_CCID_PREDICT_H

#include <stddef.h>

#include "driver/ccid_descriptor.h"
#include "driver/reader.h"

/* Could this reader carry a command APDU of that length, with that Le (0: none; up to 65536), in that
 * protocol? RC_OK; RC_UNSUPPORTED with a detail that names the reader's limit. descriptor is corrected by the
 * quirks. */
int ccid_predict(const struct ccid_descriptor *descriptor, enum protocol protocol, size_t command_length,
                 size_t le);

#endif
