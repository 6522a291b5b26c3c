/* SPDX-License-Identifier: MIT */
/*
 * Ctrl-C: ends the PC/SC call that a command is in, from a thread that watches.
 *
 * Raised stays raised until cleared, so a command that goes on to its next call is ended there too
 * (SCardCancel itself is not sticky; the watcher repeats it while the interrupt is raised and a context is
 * watched).
 */
#ifndef CLI_INTERRUPT_H
#define CLI_INTERRUPT_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <winscard.h>

#include "base/deadline.h"

enum interrupt_cause {
    INTERRUPT_NONE,
    INTERRUPT_USER,
    INTERRUPT_TIMEOUT,
    INTERRUPT_CANCEL, /* as SCardCancel: an exchange that is on the card comes to its end first */
    INTERRUPT_PIPE,   /* nobody reads the output any more */
};

struct interrupt {
    int event_fd;             /* readable while raised: poll it beside other input, never read it */
    int wake_fd;              /* ends the watcher */
    int signal_fd;            /* SIGINT, SIGTERM, SIGHUP, or -1 */
    atomic_int cause;         /* enum interrupt_cause; not NONE = raised */
    atomic_bool over;         /* SIGTERM or SIGHUP came; stays */
    int64_t signalled_ns;     /* when the last signal came; the watcher's */
    struct deadline deadline; /* raises by itself then */
    pthread_mutex_t lock;
    SCARDCONTEXT context; /* whose calls are ended; 0 = none */
    int output_fd;        /* raises when its reader goes away; -1 = none */
    bool stop;
    pthread_t watcher;
};

/* Starts the watcher. signals: block SIGINT, SIGTERM and SIGHUP in the calling thread (call it before other
 * threads are made) and raise on them; a second signal while raised ends the process as that signal does,
 * unless it comes together with the first. RC_*. */
int interrupt_init(struct interrupt *interrupt, bool signals);
void interrupt_fini(struct interrupt *interrupt);

void interrupt_raise(struct interrupt *interrupt); /* async-signal-safe */

/* The gentle one, INTERRUPT_CANCEL; nothing when raised already. interrupt_raise after it is stronger. */
void interrupt_cancel(struct interrupt *interrupt);

bool interrupt_raised(const struct interrupt *interrupt);
enum interrupt_cause interrupt_cause(const struct interrupt *interrupt);

/* Did SIGTERM or SIGHUP come, which mean the program and not one command? Stays so. */
bool interrupt_over(const struct interrupt *interrupt);

/* Back to not raised, without deadline. */
void interrupt_clear(struct interrupt *interrupt);

/* Raises with INTERRUPT_TIMEOUT at that moment, unless cleared before. */
void interrupt_at(struct interrupt *interrupt, struct deadline deadline);

/* What interrupt_at set last; never when cleared. */
struct deadline interrupt_deadline(struct interrupt *interrupt);

/* Raises with INTERRUPT_PIPE once the other end of this pipe or socket is closed; -1: no longer. For commands
 * that go on without writing, who would not notice otherwise. */
void interrupt_output(struct interrupt *interrupt, int fd);

/* The context whose calls an interrupt ends, 0 for none. After it returns the watcher no longer uses the old
 * one. */
void interrupt_watch(struct interrupt *interrupt, SCARDCONTEXT context);

#endif
