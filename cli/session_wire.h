/* SPDX-License-Identifier: MIT */
/*
 * What a session and the program that was called say to each other, on a stream socket. A frame is the length
 * of its body (four bytes, big endian), its type, its body. Texts end with NUL.
 *
 *   to the session
 *     RUN     one command, see struct session_request; with descriptors (SESSION_FDS, the terminal and
 * secrets may lack) CANCEL  interrupt it INFO    who are you from it BEGIN   the command has its turn DONE
 * exit status (one byte) INFO    see struct session_facts
 *
 * A session that ends closes the socket; what had no BEGIN was never begun.
 */
#ifndef CLI_SESSION_WIRE_H
#define CLI_SESSION_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/bytes.h"
#include "cli/front.h"

enum session_frame {
    SESSION_RUN = 1,
    SESSION_CANCEL,
    SESSION_INFO,
    SESSION_BEGIN,
    SESSION_DONE,
};

enum session_fd {
    SESSION_STDIN,
    SESSION_STDOUT,
    SESSION_STDERR,
    SESSION_DIRECTORY,
    SESSION_TERMINAL,
    SESSION_SECRET, /* the first of SECRETS_MAX: see struct front */
    SESSION_FDS = SESSION_SECRET + SECRETS_MAX
};

/* More than any argument vector: execve(2) takes no more than 6 MiB. */
#define SESSION_BODY_MAX (8u << 20)

/* One end: what came and was not taken yet. */
struct session_wire {
    int fd; /* owned */
    struct buffer in;
    int fds[SESSION_FDS]; /* owned; came in this order */
    size_t fd_count;
};

void session_wire_init(struct session_wire *wire, int fd);
void session_wire_fini(struct session_wire *wire); /* closes all, wipes */

/* Takes what is there. 1 something came, 0 nothing is there now, RC_SERVICE_STOPPED at the end, RC_IO when it
 * failed or more descriptors came than there can be: give it up then. */
int session_wire_receive(struct session_wire *wire);

/* The first frame: 1 it is there, its body borrowed until session_wire_drop; 0 it is not complete;
 * RC_INVALID_VALUE it cannot be one. */
int session_wire_first(const struct session_wire *wire, uint8_t *ret_type, struct bytes *ret_body);
void session_wire_drop(struct session_wire *wire);

/* Sends a frame; wait false: RC_IO instead of waiting for room. RC_SERVICE_STOPPED if the other end is gone.
 */
int session_wire_send(int fd, bool wait, uint8_t type, const struct buffer *body, const int *fds,
                      size_t fd_count);

struct session_request {
    bool urgent;     /* ends what runs, and comes next */
    uint8_t secrets; /* so many descriptors are SESSION_SECRET and on, the last ones */
    int argc;
    const char **argv;  /* argc texts */
    const char *reader; /* SCARD_READER, NO_COLOR and TERM of the caller; NULL = not set */
    const char *no_color;
    const char *term;
    char *text; /* what the texts point into, when parsed */
    size_t text_length;
};

/* Pure. RC_INVALID_VALUE for anything that session_request_append does not make; RC_NO_MEMORY. */
int session_request_parse(struct bytes body, struct session_request *ret_request);
void session_request_fini(struct session_request *request); /* of a parsed one; wipes */
int session_request_append(const struct session_request *request, struct buffer *body);

struct session_facts {
    pid_t pid;
    bool busy;
    uint32_t depth;     /* transactions begun and not ended */
    const char *reader; /* the connected one, "" = none */
};

/* reader borrows from body. RC_INVALID_VALUE. */
int session_facts_parse(struct bytes body, struct session_facts *ret_facts);
int session_facts_append(const struct session_facts *facts, struct buffer *body);

#endif
