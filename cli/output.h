/* SPDX-License-Identifier: MIT */
/*
 * The only place of the program that writes. Given descriptors, so that a session can run a command with the
 * streams of its client.
 *
 * The same record in three renderings:
 *   people   a terminal: aligned, in colour unless NO_COLOR is set or TERM is dumb
 *   bare     anything else: no headings, tabs between columns, hex without blanks; stable
 *   JSON     --json: one object per line: "v" (1), "t" (type of record), then its fields; hex in upper case
 *            without blanks; absent values null; unknown keys are to be ignored
 *
 * An error is a record too. As text it goes to stderr, "scard: WHAT. WHAT TO DO NEXT."; with --json it goes
 * to stdout, so that who reads that one stream sees all of it in order:
 *   {"v":1,"t":"error","code":4,"name":"reader","scard":"0x80100009","detail":"…","fix":"…"}
 * ("scard" is null where no PC/SC code is behind it). Each record is one write(2): never half a line.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/interrupt.h"
#include "cli/record.h"
#include "cli/status.h"

enum output_mode { OUTPUT_PEOPLE, OUTPUT_BARE, OUTPUT_JSON };

struct output {
    int out, err; /* borrowed descriptors */
    enum output_mode mode;
    bool color_out, color_err;
    bool quiet;  /* --quiet: records marked as remarks are dropped */
    bool broken; /* a write to out failed: EPIPE; long-running commands end then */
    int broken_errno;
    const char *program; /* prefix of error texts, "scard"; NULL = none (the shell) */
    const struct interrupt
        *interrupt; /* ends the wait for room in a non-blocking descriptor (ECANCELED); NULL = none */

    /* Called before anything is written to a terminal and after it, so that a shell can lift its input line
     * out of the way; may be NULL. */
    void (*before)(void *user);
    void (*after)(void *user);
    void *user;
};

/* What the environment and the descriptors say. Pass the client's NO_COLOR and TERM in a session. */
void output_init(struct output *output, int out, int err, const char *no_color, const char *term);

/* Writes a record to out. STATUS_DONE; STATUS_PIPE; STATUS_TRANSPORT when it cannot be written or memory is
 * out. Commands may ignore the result: dispatch asks for broken at the end. */
int output_record(struct output *output, const struct record *record);

/* The same for a remark: on stderr for people, nothing when quiet or bare, on stdout in JSON. */
int output_remark(struct output *output, const struct record *record);

/* The same for what a script has to know of, too, as that a result is not whole: on stderr also when bare. */
int output_notice(struct output *output, const struct record *record);

/* Text as it is to out, for help and completion; not for results. */
int output_text(struct output *output, const char *text, size_t length);

/* An error record. what: whole sentence or clause without full stop; fix: a sentence or "". scard: 0 = none.
 * Commands stand in fix as "scard list", in quotes; where there is no program they lose their first word.
 * Returns status. */
int output_error(struct output *output, int status, LONG scard, const char *what, const char *fix);

/* Width of the terminal on out; 0 if it is none or does not say. */
unsigned output_columns(const struct output *output);

/* Escape sequences for a people text on out; "" without colour. PAINT_END ends any other. */
enum paint { PAINT_GOOD, PAINT_BAD, PAINT_WARN, PAINT_DIM, PAINT_BOLD, PAINT_END };
const char *output_paint(const struct output *output, enum paint paint);

#endif
