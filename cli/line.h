/* SPDX-License-Identifier: MIT */
/*
 * Reading lines from a terminal with editing, history and completion, while other things happen. Only
 * line*.c know GNU readline - whose state is global, so there is one at a time.
 */
#ifndef CLI_LINE_H
#define CLI_LINE_H

#include <stdbool.h>

#include "cli/complete.h"
#include "cli/interrupt.h"

/* Room for a hint with its NUL. */
#define LINE_HINT_MAX 160

struct line_hooks {
    void *user;

    /* The prompt as a new string; asked before each line and again after each event. NULL: out of memory. */
    char *(*prompt)(void *user);

    /* Called while event_fd is readable, with a line being typed: takes the events, says what there is to say
     * with line_print. */
    void (*event)(void *user);
    int event_fd; /* -1 = none; asked before each line */

    /* event is called as often as this, too; -1 = no. For what nobody tells of. Asked again after each time.
     */
    int event_every_ms;

    /* See complete_word. */
    enum complete_kind (*complete)(void *user, int count, const char *const *words, const char *prefix,
                                   complete_fn *fn, void *fn_user);

    /* Words on the line so far, shown dim behind it; false: none. Printable. May be NULL. */
    bool (*hint)(void *user, const char *line, char text[LINE_HINT_MAX]);
};

/* Descriptors of the terminal; interrupt is raised by Ctrl-C. All borrowed. RC_NO_MEMORY. */
int line_open(int input, int output, struct interrupt *interrupt, const struct line_hooks *hooks);
void line_close(void);

/* One line without its newline; the caller frees it with line_free. 1 a line, 0 the end (Ctrl-D in an empty
 * line), RC_IO with a detail, RC_NO_MEMORY. Ctrl-C begins a new line. */
int line_read(char **ret_text);
void line_free(char *text); /* wipes */

/* Prints text, which needs no newline, above the line being typed. */
void line_print(const char *text);

/* Adds a line to those that the arrow keys give. */
void line_remember(const char *text);

#endif
