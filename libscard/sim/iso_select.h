/* SPDX-License-Identifier: MIT */
#ifndef SIM_ISO_SELECT_H
#define SIM_ISO_SELECT_H

#include "sim/iso_card.h"

/* SELECT (ISO 7816-4:2013, 11.1.1). */
iso_handler iso_select;

#endif
