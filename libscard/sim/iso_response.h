/* SPDX-License-Identifier: MIT */
/* Fits responses to Le and keeps the rest for GET RESPONSE (ISO 7816-4:2013, 11.7.1). */
#ifndef SIM_ISO_RESPONSE_H
#define SIM_ISO_RESPONSE_H

#include "sim/iso_card.h"

/* response->data from start on is the data field for the command; cuts it and appends SW1 SW2.
 * RC_NO_MEMORY leaves nothing behind start. */
int iso_response_finish(struct iso_card *card, const struct apdu *apdu, int sw, size_t start,
                        struct buffer *response);

void iso_response_drop(struct iso_card *card);

iso_handler iso_get_response; /* C0 */

#endif
