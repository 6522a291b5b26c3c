/* SPDX-License-Identifier: MIT */
/* Where {pin} and its like come from: a file, descriptor or variable, one line each in order of use, or the
 * terminal. */
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

/* The value of a variable of the environment as a descriptor, the caller's; or -1. wipe: the value is
 * overwritten, so that nobody finds it in /proc any more. */
int secret_variable_fd(const char *name, bool wipe);

/* Is its value a place that means nothing in a session: then its descriptor is passed on. */
bool secret_is_place(const struct option_spec *spec);

/* From the call's options NAME-file, NAME-fd and NAME-env, all of which its command has; the terminal if none
 * is given. A file that others may read is remarked upon. STATUS_DONE, or the status of a reported failure.
 */
int secret_open(struct call *call, const char *name, struct secret_source *ret_source);
void secret_close(struct secret_source *source);

/* Appends the secret called name. RC_CANCELLED after an interrupt; RC_IO with a detail when there is no
 * terminal or the input has ended. Never echoes; wipes what it used. */
int secret_read(struct call *call, struct secret_source *source, const char *name, struct buffer *data);

/* The same with words of its own for the prompt, without the colon. */
int secret_ask(struct call *call, struct secret_source *source, const char *name, const char *prompt,
               struct buffer *data);

#endif
