/* SPDX-License-Identifier: MIT */
/* A record as text, in each of the three renderings (cli/output.h). Pure. */
#ifndef CLI_RENDER_H
#define CLI_RENDER_H

#include "base/bytes.h"
#include "cli/output.h"
#include "cli/record.h"

/* Appends the rendering with its newline; nothing if the record has nothing for that reader. Names come from
 * readers and cards: control characters in them become '?' for people and blanks in columns, bytes that are
 * no UTF-8 become U+FFFD in JSON. RC_NO_MEMORY. */
int render_record(enum output_mode mode, const struct record *record, struct buffer *text);

#endif
