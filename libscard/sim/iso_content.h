/* SPDX-License-Identifier: MIT */
/* What is on the file-system card when it is new; see sim/iso.h. */
#ifndef SIM_ISO_CONTENT_H
#define SIM_ISO_CONTENT_H

#include "sim/iso_file.h"

/* Makes the tree. serial: decimal digits for 2FE2, or NULL. services (1 byte) and capabilities (3 bytes) go
 * into EF.ATR/INFO as in the historical bytes. RC_NO_MEMORY. */
int iso_content_new(const char *serial, uint8_t services, const uint8_t *capabilities,
                    struct iso_file **ret_mf);

#endif
