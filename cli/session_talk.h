/* SPDX-License-Identifier: MIT */
/* The calling program's half of a command that runs in a session. */
#ifndef CLI_SESSION_TALK_H
#define CLI_SESSION_TALK_H

#include "cli/call.h"
#include "cli/session_wire.h"

/* Sends the command and waits for its end; an interrupt of the call interrupts it there. 1: *ret_status is
 * its exit status, or that of a reported failure. 0: the session ended before the command began, nothing is
 * reported. */
int session_talk(struct call *call, struct session_wire *wire, int argc, const char *const *argv,
                 int *ret_status);

/* Asks who is there. 1, the facts borrowed until the wire is used again; 0: no answer, no matter why. */
int session_talk_facts(struct call *call, struct session_wire *wire, struct session_facts *ret_facts);

#endif
