/* SPDX-License-Identifier: MIT */
/*
 * The history file of the shell: one line of text each, at most HISTORY_LINES of them, the newest last.
 *
 * Several shells may append at once: each write is made under a lock on the file, and a file that was
 * shortened by another is opened anew. The file has mode 0600; folders that have to be made have 0700.
 */
#ifndef CLI_HISTORY_H
#define CLI_HISTORY_H

#include "base/bytes.h"

#define HISTORY_LINES 5000

/* $XDG_STATE_HOME/scard/history, by default ~/.local/state/scard/history. Caller frees; NULL when there is
 * neither variable, or out of memory. */
char *history_path(void);

/* A copy of the line if it may be kept; NULL if not - it begins with a blank, is empty, has control
 * characters, holds the data of a secret command or an option with a secret -, and when out of memory. Caller
 * frees. Pure. */
char *history_storable(const char *line);

/* The file's text behind text's length; nothing if there is no such file. RC_IO with a detail, RC_NO_MEMORY.
 */
int history_load(const char *path, struct buffer *text);

/* The line that an event means, in the file's text: "!!" the last one, "!12" that number, "!apdu" the last
 * one that begins so. NULL: there is none, or out of memory. Caller frees. Pure. */
char *history_find(const struct buffer *text, const char *event);

/* Appends a line that history_storable made. RC_IO with a detail, RC_NO_MEMORY. */
int history_append(const char *path, const char *line);

#endif
