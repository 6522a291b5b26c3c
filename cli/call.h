/* SPDX-License-Identifier: MIT */
/* One call of one command: what was typed, and what it works on. */
#ifndef CLI_CALL_H
#define CLI_CALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "cli/command.h"
#include "cli/desk.h"
#include "cli/front.h"
#include "cli/output.h"

struct call_option {
    const struct option_spec *spec;
    const char *value; /* "" for a flag */
};

struct call {
    const struct front *front;
    const struct command *command;
    struct globals globals; /* the front's, changed by this call's options */
    int word_count;         /* what was typed */
    const char *const *words;
    struct call_option *options;
    size_t option_count;
    const char **arguments; /* borrowed texts */
    size_t argument_count;
    struct desk *desk; /* the front's, or a guest for this call */
    struct output *output;
    struct desk guest;      /* a connection for this call only */
    bool decode;            /* people: explain answers, whatever the front says */
    struct buffer *answers; /* the data of each answer are put behind it; NULL = nowhere */
    int64_t exchange_ms;    /* the time that the exchange on its way has of its own; 0 = none */
    bool hushed;            /* exchanges are shown with --verbose only, and on stderr */
    char *reader;           /* the picked reader (NEED_READER, NEED_CARD, NEED_DIRECT); owned */
};

/* Value of the command's own option, last one wins; NULL if not given. name must be in the table. */
const char *call_option(const struct call *call, const char *name);
bool call_flag(const struct call *call, const char *name);
/* Values that the parser has checked already; fallback if not given. */
uint64_t call_number(const struct call *call, const char *name, uint64_t fallback);
/* Argument number index, or NULL. */
const char *call_argument(const struct call *call, size_t index);

/* Reports an error and returns status. fix: what to do next, a sentence, or "". */
int call_fail(struct call *call, enum status status, const char *fix, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Reports a PC/SC code: "<format>: <detail or words of the code>. <advice>"; returns its status.
 * SCARD_E_CANCELLED after an interrupt is STATUS_INTERRUPTED and says nothing more than that. */
int call_fail_scard(struct call *call, LONG code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Reports an RC_* with its detail: RC_CANCELLED as an interrupt, RC_INVALID_VALUE as usage, RC_NO_MEMORY,
 * else transport. */
int call_fail_rc(struct call *call, int rc, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* STATUS_DONE if the desk is connected; else reports STATUS_USAGE and says how to connect. */
int call_connected(struct call *call);

/* Hexadecimal text (blanks, ':', ',' allowed) as bytes. STATUS_DONE, or the status of a reported failure. */
int call_hex(struct call *call, const char *text, struct buffer *bytes);

/* STATUS_SERVICE, "out of memory". */
int call_no_memory(struct call *call);

bool call_interrupted(const struct call *call);

/* Longest line that is read: the longest APDU takes a quarter of it. */
#define CALL_LINE_MAX (1u << 20)

/* One line of standard input without its newline, into a buffer that is emptied first and gets a NUL behind
 * length. 1 line, 0 end of input, RC_CANCELLED interrupted, RC_INVALID_VALUE too long, RC_IO, RC_NO_MEMORY.
 * Reads byte by byte where input cannot seek, so that nothing behind the line is taken from whoever reads
 * next. */
int call_read_line(struct call *call, struct buffer *line);

/* All of a file ("-": standard input) behind data's length. RC_IO with a detail, also when it has more than
 * most bytes; RC_CANCELLED, RC_NO_MEMORY. */
int call_read_file(struct call *call, const char *name, size_t most, struct buffer *data);

#endif
