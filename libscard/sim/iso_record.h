/* SPDX-License-Identifier: MIT */
/* Record EFs (ISO 7816-4:2013, 11.3). */
#ifndef SIM_ISO_RECORD_H
#define SIM_ISO_RECORD_H

#include "sim/iso_card.h"

iso_handler iso_read_record;   /* B2 */
iso_handler iso_write_record;  /* DC update, D2 write */
iso_handler iso_append_record; /* E2 */

#endif
