/* SPDX-License-Identifier: MIT */
/* A few words on an APDU while it is being typed: its name, its case, what is missing or too much. Pure. */
#ifndef CLI_APDU_HINT_H
#define CLI_APDU_HINT_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/explain/context.h"

#define APDU_HINT_MAX 160

/* line: what was typed so far, in the grammar of cli/apdu_text.h. False and "" when there is nothing to say:
 * less than two bytes, no APDU, or data that comes from elsewhere (@FILE, {pin}). Never tells data bytes. */
bool apdu_hint(const char *line, enum explain_context context, char text[APDU_HINT_MAX]);

#endif
