/* SPDX-License-Identifier: MIT */
/* The options that every command has; they may stand before or behind its name. */
#ifndef CLI_GLOBALS_H
#define CLI_GLOBALS_H

#include "cli/call.h"
#include "cli/command.h"
#include "cli/front.h"

/* Ended by name NULL. */
extern const struct option_spec globals_options[];

void globals_init(struct globals *globals);

/* Takes one option that the parser has checked. */
void globals_set(struct globals *globals, const struct option_spec *spec, const char *value);

#endif
