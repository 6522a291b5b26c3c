/* SPDX-License-Identifier: MIT */
/* Names of the features of PC/SC part 10, 2.3. Pure. */
#ifndef CLI_FEATURES_H
#define CLI_FEATURES_H

#include <stdint.h>

/* "VERIFY_PIN_DIRECT"; "unknown" for a tag that the standard does not name. */
const char *features_name(uint8_t tag);

#endif
