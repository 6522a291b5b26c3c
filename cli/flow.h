/* SPDX-License-Identifier: MIT */
/*
 * One-line flow of a shell or script:
 *
 *   if LEFT HOW RIGHT then LINE [else LINE]     = and == equal, != not equal (case does not matter), ~ an
 *                                               extended regular expression; LEFT may be SW for $SW, and x in
 *                                               its RIGHT is any digit: if SW=61xx then …
 *   for NAME in WORD… do LINE
 *
 * LINE is read when it is run, so that its variables are those of then. An else belongs to the first if of
 * the line.
 */
#ifndef CLI_FLOW_H
#define CLI_FLOW_H

#include <stdbool.h>

#include "cli/front.h"

/* Does the line begin with if or for, in a shell or script? */
bool flow_is(const struct front *front, const char *line);

/* Runs it through typed_run. STATUS_DONE when no LINE is to be run; else the status of the last one, for a
 * loop of the first failure. A loop ends at a failure as a script does; in a shell, or with stop off, it goes
 * on after an answer that is not as expected. */
int flow_run(const struct front *front, const char *line);

#endif
