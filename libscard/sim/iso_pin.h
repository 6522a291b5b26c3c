/* SPDX-License-Identifier: MIT */
/* The PIN and its resetting code (ISO 7816-4:2013, 11.5). */
#ifndef SIM_ISO_PIN_H
#define SIM_ISO_PIN_H

#include "sim/iso_card.h"

/* Takes pin, puk and tries from the options. RC_INVALID_VALUE with a detail that shows no secret. */
int iso_pin_init(struct iso_card *card, const struct uri *uri);

iso_handler iso_verify;      /* 20 */
iso_handler iso_change_pin;  /* 24 */
iso_handler iso_reset_tries; /* 2C */

#endif
