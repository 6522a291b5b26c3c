/* SPDX-License-Identifier: MIT */
/*
 * What a subcommand is: one const struct per file in commands/. It feeds dispatch, help, shell, completion
 * and the check of the man pages.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdbool.h>

struct call;

/* Kind of an option's value or of an argument: checked by the parser, known to completion. */
enum value_kind {
    VALUE_NONE, /* a flag */
    VALUE_TEXT,
    VALUE_ANY,     /* a text that may be empty */
    VALUE_CHOICE,  /* one of choices */
    VALUE_NUMBER,  /* not negative, decimal or 0x… */
    VALUE_SECONDS, /* 5, 0.25; with unit: 250ms, 5s, 2m */
    VALUE_HEX,     /* bytes */
    VALUE_APDU,    /* cli/apdu_text.h */
    VALUE_READER,  /* number, name, part of a name or device */
    VALUE_URIS,    /* vpcd:…, sim:… */
    VALUE_FILE,
    VALUE_APPLICATION, /* a name of cli/explain/aid.h, or an AID in hex */
    VALUE_ATTRIBUTE,   /* name or number */
    VALUE_COMMAND,
    VALUE_SESSION,
    VALUE_CARD_TYPE, /* a name in the database */
    VALUE_GROUP,
    VALUE_DESCRIPTOR, /* a number of one to read a secret from; at most SECRETS_MAX of this and the next */
    VALUE_VARIABLE,   /* of the environment, with a secret in it */
};

struct option_spec {
    const char *name; /* without "--" */
    char letter;      /* 0 = none */
    enum value_kind value;
    const char *placeholder; /* "SECONDS" in help; NULL for a flag */
    const char *choices;     /* VALUE_CHOICE: "leave|reset|unpower|eject" */
    const char *help;        /* one line without full stop */
};

struct argument_spec {
    const char *name; /* "APDU" in help */
    enum value_kind value;
    const char *choices;
    bool optional;
    bool many; /* the last one may repeat */
    const char *help;
};

/* What the kit does before run() and undoes after it. */
enum command_needs {
    NEED_NOTHING,
    NEED_SERVICE, /* a context: call->desk->context */
    NEED_READER,  /* and a reader picked: call->reader */
    NEED_CARD,    /* and a card connected: call->desk->card */
    NEED_DIRECT,  /* and a handle on the reader: the desk's, else a direct connection, card or not */
};

enum command_flags {
    COMMAND_LOCAL = 1,  /* never forwarded to a background session */
    COMMAND_HIDDEN = 2, /* not in help and completion */
    COMMAND_KEEPS = 4,  /* needs a desk that lives on after the command: shell or session; one-shot without a
                           session is STATUS_USAGE that says how to open one */
    COMMAND_TIMES = 8,  /* sees to --timeout itself; else the kit ends the command then */
    COMMAND_REPEATS = 16, /* runs until interrupted (watch) */
    COMMAND_OPENS = 32,   /* one-shot: runs in a session that is opened for it (front->open_session) */
    COMMAND_URGENT = 64,  /* does not wait for the command that a session runs, but ends it */
    COMMAND_PASSES = 128, /* what follows its first argument belongs to that, options too */
    COMMAND_SECRET = 256, /* who mistypes it may have typed a secret: no word of it is repeated in an error,
                             and the shell's history does not get the line */
};

/*
 * A command, or a family of commands: "pin" with the children "pin verify", "pin status". A family is one
 * file with one entry in the table. It has no run, needs, arguments, options or flags but HIDDEN and SECRET;
 * named alone, it shows its usage. Each child is a full command that is called by the last word of its name:
 *
 *     static const struct command verify = {.name = "pin verify", .summary = ..., .run = run_verify};
 *     static const struct command *const children[] = {&status, &verify, NULL};
 *     const struct command command_pin = {.name = "pin", .group = ..., .summary = ..., .children = children};
 *
 * Its manual page is the family's, which tells about all of them.
 */
struct command {
    const char *name;                      /* "apdu"; of a child all words: "pin verify" */
    const char *alias;                     /* NULL = none; of a child its last word only */
    const char *group;                     /* heading in help: "Readers", "Card", "Context", … */
    const char *summary;                   /* one line, lower case, without full stop */
    const char *description;               /* paragraphs for help NAME; NULL = none */
    const char *examples;                  /* lines for help NAME; NULL = none */
    const struct argument_spec *arguments; /* ended by name NULL; NULL = none */
    const struct option_spec *options;     /* ended by name NULL; NULL = none */
    enum command_needs needs;
    unsigned flags;

    /* Returns an exit status; errors are reported already (call_fail). NULL for a family. */
    int (*run)(struct call *call);

    const struct command *const *children; /* ended by NULL; of a family only. Its children have none; they
                                              need no group. */
};

/* The last word of its name: what it is called by in its table. */
const char *command_word(const struct command *command);

/* The table: pointers, ended by NULL. Found by that word or the alias; NULL if none. */
const struct command *command_find(const struct command *const *commands, const char *name);

/* The command whose name is nearest to a mistyped one, or NULL if none is near. */
const struct command *command_suggest(const struct command *const *commands, const char *name);

#endif
