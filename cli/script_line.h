/* SPDX-License-Identifier: MIT */
/*
 * The lines of a script, joined and sorted. Pure.
 *
 * scard's own scripts: one command or APDU per line; a line that begins with '#' (blanks before it do not
 * matter) is a comment; a line that ends in '\' goes on in the next, with one blank between.
 *
 * scriptor's (pcsc-tools), in its order: "exit" anywhere in a line, in any case and even in a comment, ends
 * the script; empty lines and lines with '#' in the first column are skipped, also between joined ones;
 * "reset" anywhere resets the card; a '\' at the end joins with one blank; the rest is an APDU in hex.
 */
#ifndef CLI_SCRIPT_LINE_H
#define CLI_SCRIPT_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

enum script_step {
    SCRIPT_NOTHING, /* a comment, an empty line, or one that goes on */
    SCRIPT_LINE,    /* a command or APDU: in text */
    SCRIPT_RESET,
    SCRIPT_EXIT,
};

/* {.scriptor = …} is one at the beginning of a file. */
struct script_lines {
    bool scriptor;
    size_t line;  /* number of the line taken last, from 1 */
    size_t first; /* where the step began: less than line when it was joined */
    bool joining;
    struct buffer text; /* ended by NUL, without blanks at both ends */
};

/* Takes the next line, without its newline; a '\r' at its end is dropped. RC_INVALID_VALUE with a detail for
 * a NUL in the line; RC_NO_MEMORY. */
int script_lines_take(struct script_lines *lines, const char *line, size_t length,
                      enum script_step *ret_step);

/* At the end of the file: a last line that ended in '\' is a step as it is. */
int script_lines_end(struct script_lines *lines, enum script_step *ret_step);

void script_lines_fini(struct script_lines *lines); /* wipes */

#endif
