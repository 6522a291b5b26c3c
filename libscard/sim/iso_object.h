/* SPDX-License-Identifier: MIT */
/* Things the card gives out that are in no file. */
#ifndef SIM_ISO_OBJECT_H
#define SIM_ISO_OBJECT_H

#include "sim/iso_card.h"

iso_handler iso_get_data; /* GET DATA CA (ISO 7816-4:2013, 11.4.3): 4F name of the current DF, 43, 47, 5F52 */
iso_handler iso_get_challenge; /* GET CHALLENGE 84 (11.5.3): Le random bytes */

#endif
