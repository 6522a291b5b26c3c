/* SPDX-License-Identifier: MIT */
/* An explanation as records and as text for people. */
#ifndef CLI_EXPLAIN_SHOW_H
#define CLI_EXPLAIN_SHOW_H

#include "cli/explain/explanation.h"
#include "cli/output.h"

/* Appends the parts to the text for people: a line each, indented, bytes cut to what a line holds. Bytes of
 * hidden parts are "**". */
void explain_people(const struct output *output, struct record *record, const struct explanation *explanation,
                    const uint8_t *bytes);

/* The same in short, dim, to stand below the bytes: a line each, no longer than the terminal is wide, of many
 * parts the first ones. */
void explain_brief(const struct output *output, struct record *record, const struct explanation *explanation,
                   const uint8_t *bytes);

/* Writes a record "part" for each part, for pipes and JSON: depth, label, offset, length, hex ("**" if
 * hidden), text. Nothing for people, who have explain_people. Returns a status. */
int explain_parts(struct output *output, const struct explanation *explanation, const uint8_t *bytes);

#endif
