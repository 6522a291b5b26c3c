/* SPDX-License-Identifier: MIT */
/* What a card is called, by its ATR: first the card types of the database, then the list of pcsc-tools. */
#ifndef CLI_CARD_NAMES_H
#define CLI_CARD_NAMES_H

#include "cli/atr_list.h"

/* Adds the names, each once; none is no failure. RC_NO_MEMORY. atr_names_fini. */
int card_names_find(const uint8_t *atr, size_t atr_length, struct atr_names *names);

#endif
