/* SPDX-License-Identifier: MIT */
/* A log that is being read: what log.c and the forms of lines share. */
#ifndef CLI_EXPLAIN_LOG_STATE_H
#define CLI_EXPLAIN_LOG_STATE_H

#include "base/bytes.h"
#include "cli/explain/log.h"

struct log_state {
    log_item_fn *fn;
    void *user;
    unsigned line, skipped;

    /* What was read and may go on in the next line; handed on by log_flush. */
    bool pending;
    struct log_item item;
    struct buffer bytes;
    bool wants_status; /* data of a response so far */
    bool goes_on;      /* lines of bytes behind it belong to it */
    size_t dump;       /* bytes of a dump that are still to come; SIZE_MAX: till it ends */
    bool has_status;   /* for the end of a dump */
    uint8_t status[2];
    bool wrapped;         /* scdaemon: the next line goes on with its bytes */
    struct buffer joined; /* log_etsi.c: lines that go on */
    bool after_command;   /* the last one handed on was a command: plain bytes are its answer */
};

struct log_text {
    const char *at, *end;
};

/* Hands on what is pending. */
int log_flush(struct log_state *state);

/* Begins an item; what was pending is handed on. */
int log_begin(struct log_state *state, enum explain_kind kind);

/* Appends the bytes in hex from text's beginning on - pairs with single blanks between - and moves text
 * behind them.
 * "**" sets cut and ends them. *ret_count: how many. RC_NO_MEMORY. */
int log_take_hex(struct log_state *state, struct log_text *text, size_t *ret_count);

/* Forms of lines: 1 it was one, 0 not, RC_*. */
int log_take_line(struct log_state *state, struct log_text text);
int log_take_json(struct log_state *state, struct log_text text);

int log_take_etsi(struct log_state *state, struct log_text text);

/* At the end of the text: what was to go on. */
int log_end_etsi(struct log_state *state);

/* Takes a line that goes on with the bytes of the one before. The same. */
int log_take_wrapped(struct log_state *state, struct log_text text);

/* Takes a line of a dump. The same. */
int log_take_dump(struct log_state *state, struct log_text text);

#endif
