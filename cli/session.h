/* SPDX-License-Identifier: MIT */
/*
 * Background sessions: a desk that outlives the command. `connect` leaves one behind; later commands of the
 * same terminal or script are run in it, with the streams of the program that was called.
 */
#ifndef CLI_SESSION_H
#define CLI_SESSION_H

#include "cli/call.h"

/* Runs the call in the session it names (--session, SCARD_SESSION, the caller's own), passing on the argument
 * vector, streams, directory, terminal and interrupts. 1: *ret_status is its exit status. 0: there is no such
 * session and none was asked for by name. RC_*: it is there but cannot be used; reported already, *ret_status
 * is set. */
int session_forward(struct call *call, int argc, const char *const *argv, int *ret_status);

/* front->open_session of the program: starts a session, connects call->reader in it with the share mode and
 * protocols of the call's options, and returns once it can be used. An exit status; errors are reported. */
int session_open(struct call *call);

#endif
