/* SPDX-License-Identifier: MIT */
/* The ATR of a simulated card, after the option protocol=T0|T1|both. */
#ifndef SIM_CARD_ATR_H
#define SIM_CARD_ATR_H

#include <stddef.h>
#include <stdint.h>

#include "base/uri.h"
#include "driver/reader.h"

/* Mask of enum protocol in *ret: the option, or T=1. RC_INVALID_VALUE with a detail. */
int card_atr_protocols(const struct uri *uri, unsigned *ret);

/* Writes a valid ATR that offers the protocols, with 0…15 historical bytes. Returns its length. */
size_t card_atr_build(unsigned protocols, const uint8_t *history, size_t history_length,
                      uint8_t atr[ATR_MAX]);

#endif
