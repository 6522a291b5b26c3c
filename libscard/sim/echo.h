/* SPDX-License-Identifier: MIT */
/*
 * sim:echo - a card for measuring. It allocates nothing but the response buffer.
 *
 * A command with data is answered with that data, one without data with Le bytes counting 00 01 … FF 00 …,
 * both with 9000; a malformed one with 6700.
 *
 * Options: reply=N   answer every well-formed command with N counting bytes (0 … 65536) instead
 */
#ifndef SIM_ECHO_H
#define SIM_ECHO_H

#include "sim/card.h"

int echo_new(const struct uri *uri, struct sim_card **ret_card);

#endif
