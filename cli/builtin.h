/* SPDX-License-Identifier: MIT */
/* The commands that only a series of commands has, a shell or a script: exit, let, set, ... */
#ifndef CLI_BUILTIN_H
#define CLI_BUILTIN_H

#include "cli/complete.h"
#include "cli/exchange.h"
#include "cli/front.h"
#include "cli/variables.h"

/* front->user of a shell or script. */
struct series {
    struct front *front;         /* whose settings "set" changes */
    struct variables *variables; /* its own, or those of the series that runs it */
    struct variables own;
    struct buffer data;           /* of the answer so far, for the variable _ */
    bool ended;                   /* by exit */
    int status;                   /* that exit gave */
    bool *keep_going;             /* of a script; NULL in a shell */
    bool *hints;                  /* of a shell; NULL in a script */
    const char *history_path;     /* NULL = none is kept */
    char *reader, *reader_before; /* that "use" named; NULL = none */
    struct buffer seen;           /* files and applications that the card told of: hex, each ended by NUL */
    unsigned nesting;             /* of if and for */
};

/* A series that the front runs; outer: the series that it is started from, or NULL. Sets front->user and
 * front->exchanged, so the front must not move. */
void series_begin(struct series *series, struct front *front, struct series *outer);
void series_end(struct series *series); /* wipes */

/* The line with its variables, a new string to be wiped. RC_*, as variables_expand. */
int series_expand(const struct front *front, const char *line, enum variables_line kind, char **ret_line);

/* complete_word, and what only a series has: variables behind a '$', and what a setting may be. */
enum complete_kind series_complete(const struct front *front, int count, const char *const *words,
                                   const char *prefix, complete_fn *fn, void *user);

/* "on|off", for each setting; NULL for those that are anything, or no setting. */
const char *builtin_setting_choices(const char *name);

/* The commands and the built-in ones as a new table; free() it. NULL: out of memory. */
const struct command **builtin_table(const struct command *const *commands, bool with_history);

/* The rest of the built-in commands, ended by NULL. */
extern const struct command *const builtin_values[];   /* let, echo, assert */
extern const struct command *const builtin_card[];     /* use, sleep, read, ... */
extern const struct command *const builtin_flow[];     /* if, for: cli/flow.h */
extern const struct command *const builtin_settings[]; /* set, channel */

#endif
