/* SPDX-License-Identifier: MIT */
/*
 * Background sessions: a desk that outlives the command. `connect` and `establish` leave one behind; later
 * commands of the same terminal or script are run in it, with the streams of the program that was called.
 *
 * Which session: --session, SCARD_SESSION, else that of the nearest ancestor process that has one. A session
 * opened without a name belongs to the parent process, as a rule the shell, and ends when that exits. Any
 * session ends when its context is released, when it was not used for its idle time, and on SIGTERM or
 * SIGHUP; never in the middle of a command but by a signal or the owner's exit, which interrupt it.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/call.h"

/* Runs the call in its session, passing on the argument vector, streams, directory, terminal and interrupts.
 * 1: *ret_status is its exit status. 0: there is no session to run it in; the caller does. RC_*: a session
 * was asked for by name that is not there or cannot be used; reported, *ret_status is set.
 *
 * 0 also for commands that are never forwarded, for those that open a named session that is not there yet,
 * and for those that need no card when it was SCARD_SESSION that named a session which is not there. */
int session_forward(struct call *call, int argc, const char *const *argv, int *ret_status);

/* front->open_session of the program: starts a session, runs this call in it (dispatch with FRONT_SESSION)
 * and returns its exit status once the session can be used. Nothing is left behind when that is not
 * STATUS_DONE. Uses the command's option "idle" if it was given. Lets go of the caller's own context first.
 */
int session_open(struct call *call);

struct session_entry {
    const char *name;
    bool current; /* this call would be run in it */
    bool busy;    /* a command runs */
    uint32_t depth;
    pid_t pid;
    const char *reader; /* "" = not connected */
};

/* Calls fn for each session of the user that answers. STATUS_DONE, what fn returned when it was something
 * else, or the status of a reported failure. */
int session_each(struct call *call, int (*fn)(struct call *call, const struct session_entry *entry));

#endif
