/* SPDX-License-Identifier: MIT */
/* Transparent EFs (ISO 7816-4:2013, 11.2). */
#ifndef SIM_ISO_BINARY_H
#define SIM_ISO_BINARY_H

#include "sim/iso_card.h"

iso_handler iso_read_binary;  /* B0 */
iso_handler iso_read_data;    /* B1: offset and data in data objects */
iso_handler iso_write_binary; /* D6 update, D0 write */
iso_handler iso_write_data;   /* D7 */
iso_handler iso_erase_binary; /* 0E */

#endif
