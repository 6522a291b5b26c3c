/* SPDX-License-Identifier: MIT */
/*
 * The working half of a session: one thread that owns the desk and runs commands on it, one after the other
 * in order of arrival. All functions are for the session's main thread; none waits for a command but
 * session_worker_stop.
 */
#ifndef CLI_SESSION_WORKER_H
#define CLI_SESSION_WORKER_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "cli/desk.h"
#include "cli/front.h"
#include "cli/interrupt.h"
#include "cli/session_wire.h"

enum session_turn { TURN_NONE, TURN_WAITING, TURN_RUNNING, TURN_DONE };

/* One command of one client. The owner keeps it until it is done or was taken back. */
struct session_command {
    struct session_request request;
    int fds[SESSION_FDS]; /* owned, closed when the command is done; -1 = lacks */
    int reply;            /* borrowed: where BEGIN goes */
    enum session_turn turn;
    int status; /* when done */
    struct session_command *next;
};

struct session_worker {
    const struct front *offers;
    struct desk desk;           /* the thread's */
    struct interrupt interrupt; /* raised only while running, under the lock */
    int done_fd;                /* readable when a command was done: read it */
    pthread_t thread;
    pthread_mutex_t lock; /* for what follows, and for turn, status and next of the commands */
    pthread_cond_t changed;
    struct session_command *waiting, *running;
    bool opened; /* a command succeeded */
    bool over;   /* no context is left, or the first command failed: the session has no reason to go on */
    bool stop;
    unsigned depth; /* copy of the desk's */
    char *reader;   /* the same; NULL = not connected */
};

/* RC_*; offers is borrowed. */
int session_worker_start(struct session_worker *worker, const struct front *offers);

/* Interrupts what runs, waits for its end, and releases the context: the card is reset if it is in a
 * transaction. What waits stays as it is. */
void session_worker_stop(struct session_worker *worker);

/* Lets a command wait for its turn; an urgent one is next, and what runs is ended (INTERRUPT_CANCEL). */
void session_worker_add(struct session_worker *worker, struct session_command *command);

/* What its client wants no more: true if it had not begun and is taken back; else it is interrupted, and will
 * be done as any other. */
bool session_worker_cancel(struct session_worker *worker, struct session_command *command);

enum session_turn session_worker_turn(struct session_worker *worker, const struct session_command *command);

struct session_worker_state {
    bool busy, opened, over;
};
struct session_worker_state session_worker_state(struct session_worker *worker);

/* Appends the body of an INFO frame. RC_NO_MEMORY. */
int session_worker_facts(struct session_worker *worker, struct buffer *body);

/* Closes the descriptors and wipes the request of a command that is not with the worker. */
void session_command_fini(struct session_command *command);

#endif
