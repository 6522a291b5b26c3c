/* SPDX-License-Identifier: MIT */
/* The background process of a session. */
#ifndef CLI_SESSION_SERVER_H
#define CLI_SESSION_SERVER_H

#include "cli/front.h"

/* Runs the session to its end: argv is SESSION_WORD, the name, the idle time in ms (0 = for ever);
 * descriptors as cli/session_start.h says. The first command comes from the opener; the session ends with it
 * unless it succeeds and leaves a context. offers: the commands, and the hooks that a session offers; threads
 * and signals must not have been touched. Returns an exit status. */
int session_serve(const struct front *offers, int argc, const char *const *argv);

#endif
