/* SPDX-License-Identifier: MIT */
/* Names of instructions, by application. */
#ifndef CLI_EXPLAIN_INS_H
#define CLI_EXPLAIN_INS_H

#include "cli/explain/context.h"

/* "READ BINARY"; NULL if it has no name. context: the application selected. */
const char *explain_ins(uint8_t cla, uint8_t ins, enum explain_context context);

/* The same of a command of which two bytes or more are there: P1 and P2 may tell more. NULL. */
const char *explain_ins_of(const uint8_t *command, size_t length, enum explain_context context);

#endif
