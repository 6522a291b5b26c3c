/* SPDX-License-Identifier: MIT */
/*
 * Names of cards by ATR, from the list of pcsc-tools where one is installed. It is read at run time, never
 * part of the program: entries are an ATR, literal or as a regular expression, and lines that begin with a
 * tab; '#' is a comment.
 */
#ifndef CLI_ATR_LIST_H
#define CLI_ATR_LIST_H

#include <stddef.h>
#include <stdint.h>

struct atr_names { /* {0} is an empty one */
    char **names;  /* each line of every entry that matches, in the list's order; UTF-8 or not */
    size_t count;
};

/* Adds all that a list's text says of an ATR. RC_NO_MEMORY. */
int atr_list_find(const char *text, size_t length, const uint8_t *atr, size_t atr_length,
                  struct atr_names *names);

/* The same of the list that is there; nothing without one, or when it cannot be read. */
int atr_list_names(const uint8_t *atr, size_t atr_length, struct atr_names *names);

void atr_names_fini(struct atr_names *names);

#endif
