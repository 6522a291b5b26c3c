/* SPDX-License-Identifier: MIT */
/* Where {pin} and its like come from: a file or descriptor, one line each in order of use, or the terminal.
 */
#ifndef CLI_SECRET_H
#define CLI_SECRET_H

#include "base/bytes.h"
#include "cli/call.h"

struct secret_source {
    int fd;      /* lines are read from it; -1 = ask on the terminal */
    bool opened; /* fd is ours to close */
};

/* The descriptor that --pin-fd names: one that this program was started with and that can be read, not one of
 * its own; or -1. */
int secret_inherited_fd(const char *text);

/* From the call's options --pin-file and --pin-fd. STATUS_DONE, or the status of a reported failure. */
int secret_open(struct call *call, const char *file, const char *fd, struct secret_source *ret_source);
void secret_close(struct secret_source *source);

/* Appends the secret called name. RC_CANCELLED after an interrupt; RC_IO with a detail when there is no
 * terminal or the input has ended. Never echoes; wipes what it used. */
int secret_read(struct call *call, struct secret_source *source, const char *name, struct buffer *data);

#endif
