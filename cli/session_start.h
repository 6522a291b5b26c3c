/* SPDX-License-Identifier: MIT */
/* What session_open (cli/session.h) hands to the process that becomes the session. */
#ifndef CLI_SESSION_START_H
#define CLI_SESSION_START_H

/* First word of the command line that makes the program a session: main() asks for it before anything else.
 */
#define SESSION_WORD "__session"

/* What the process inherits. */
enum session_inherited {
    SESSION_FD_OPENER = 3, /* connection to the program that opened the session */
    SESSION_FD_PLACE,      /* the directory of sessions */
    SESSION_FD_LOCK,       /* holds the name */
    SESSION_FD_LISTEN,
    SESSION_FD_OWNER, /* pidfd of the process that the session belongs to; may lack */
    SESSION_FD_END,
};

#endif
