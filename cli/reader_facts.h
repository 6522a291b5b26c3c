/* SPDX-License-Identifier: MIT */
/* The facts that a driver tells of a reader (scard_reader_fact "facts"), as a record. */
#ifndef CLI_READER_FACTS_H
#define CLI_READER_FACTS_H

#include "cli/record.h"

/* Adds what text, lines "key=value", says: a field for each known key, in the order of the table, with '_'
 * for '-'; keys that come many times are lists; what is not known is in the list "more". Text for people is
 * added as well. */
void reader_facts_add(struct record *record, const char *text);

#endif
