/* SPDX-License-Identifier: MIT */
/*
 * A front: what runs commands - the program itself, a shell, a script, a background session. It owns what
 * lives over many commands and says what it can do.
 */
#ifndef CLI_FRONT_H
#define CLI_FRONT_H

#include <stdbool.h>
#include <stdint.h>

#include "cli/command.h"
#include "cli/desk.h"
#include "cli/interrupt.h"
#include "cli/output.h"

struct call;
struct exchange;
struct exchange_result;
struct apdu_text;
struct tap;

enum front_kind { FRONT_ONE_SHOT, FRONT_SHELL, FRONT_SCRIPT, FRONT_SESSION };

/* Global options as parsed; texts are borrowed from the argument vector. */
struct globals {
    const char *reader;               /* -r; NULL = not given */
    const char *readers;              /* --readers */
    const char *session;              /* --session */
    const char *trace, *trace_format; /* --trace, --trace-format */
    bool json, raw, show_secrets, verbose, quiet, help, version;
    bool has_share, has_protocols, has_timeout;
    DWORD share;        /* SCARD_SHARE_SHARED when not given */
    DWORD protocols;    /* SCARD_PROTOCOL_ANY when not given */
    int64_t timeout_ms; /* -1 = none */
};

/* Options of one command that name a place of a secret (VALUE_DESCRIPTOR, VALUE_VARIABLE). */
#define SECRETS_MAX 4

struct front {
    enum front_kind kind;
    const struct command *const *commands; /* ended by NULL */
    struct desk *desk;
    struct output *output;
    struct interrupt *interrupt;
    struct globals globals; /* defaults for each command: what was given when the front was started */
    const char *reader;     /* SCARD_READER of whoever gives the commands; NULL = not set */
    int input;              /* standard input of the command */
    int directory;          /* where relative file names start: AT_FDCWD or a descriptor */
    int terminal;           /* for prompts without echo; -1 = open /dev/tty */
    const int *secret_fds; /* SECRETS_MAX: what those options of the command that were given stand for, in the
                              order of its table; -1 = nothing; NULL = this program's own */
    int depth;             /* of scripts that run each other */

    /* What the kit cannot do itself; NULL = not offered here. Each behaves like a command's run. */
    int (*open_session)(
        struct call *call); /* COMMAND_OPENS of a one-shot: open a session and run the call in it */
    int (*run_shell)(struct call *call);
    int (*run_script)(struct call *call);
    int (*run_program)(struct call *call); /* becomes it: for a one-shot front */

    /* Told of every exchange, also automatic ones, before it is shown; NULL = nobody. */
    void (*exchanged)(void *user, const struct exchange *exchange);
    void *user;

    /* Decides what becomes of an answer to an APDU with an expectation, in place of STATUS_ANSWER for a wrong
     * one; NULL = nobody. */
    int (*judge)(struct call *call, const struct apdu_text *apdu, const struct exchange_result *result);
    bool decode;     /* people: explain data objects in answers */
    struct tap *tap; /* of a script that is a test (cli/tap.h); else NULL */
};

/* A front with nothing but its defaults. */
void front_init(struct front *front, enum front_kind kind, const struct command *const *commands,
                struct desk *desk, struct output *output, struct interrupt *interrupt);

#endif
