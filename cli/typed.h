/* SPDX-License-Identifier: MIT */
/* One typed line, in a shell or a script: a command, or an APDU that stands for "apdu LINE". */
#ifndef CLI_TYPED_H
#define CLI_TYPED_H

#include <stdbool.h>

#include "cli/front.h"

/* Is the line an APDU rather than a command? A word that is a command's name is a command. Pure. */
bool typed_is_apdu(const struct command *const *commands, const char *line);

/* Where an APDU line ends: the length without a comment (a '#' behind a blank, outside of quotes) and without
 * blanks. Pure. */
size_t typed_apdu_length(const char *line);

/* May a secret be in it by mistake: does it name a command that has COMMAND_SECRET, or nearly so, or set a
 * variable that is called like one (pin, newkey)? Also when out of memory, or it cannot be taken apart. */
bool typed_is_secret(const struct command *const *commands, const char *line);

/* Runs the line through dispatch. A line without words does nothing. If its command needs a card, the front's
 * desk is connected first to the reader of the front (choose.h), so that the next line finds the card as this
 * one left it; a line with its own -r gets its own connection. Returns an exit status; errors are reported.
 */
int typed_run(const struct front *front, const char *line);

/* The same for words. */
int typed_run_words(const struct front *front, int count, const char *const *words);

#endif
