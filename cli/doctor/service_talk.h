/* SPDX-License-Identifier: MIT */
/* Who answers at a server's socket, and what: the first words of pcscd's protocol. */
#ifndef CLI_DOCTOR_SERVICE_TALK_H
#define CLI_DOCTOR_SERVICE_TALK_H

#include <stdint.h>
#include <sys/types.h>

#include "base/deadline.h"
#include "cli/doctor/system.h"

enum talk_state {
    TALK_ABSENT,   /* there is no socket */
    TALK_STALE,    /* there is one, but nobody listens */
    TALK_SILENT,   /* nobody answered in time */
    TALK_DENIED,   /* this user may not connect */
    TALK_MISMATCH, /* it speaks another version: major and minor are set */
    TALK_REFUSED,  /* it lets nobody have a context: code is set */
    TALK_ANSWERS,
};

struct talk {
    enum talk_state state;
    int error; /* errno behind DENIED, SILENT */
    int32_t major, minor;
    uint32_t code; /* SCARD_* */
    pid_t server;  /* 0 = not known */
};

/* Connects to the socket at path of that system, or, with host, of the running one; asks for a context, and
 * goes. */
struct talk talk_to(const struct system *system, const char *path, bool host, struct deadline deadline);

#endif
