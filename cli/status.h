/* SPDX-License-Identifier: MIT */
/* Exit statuses of scard, and what every SCARD_* code means to its user. Pure. */
#ifndef CLI_STATUS_H
#define CLI_STATUS_H

#include <stddef.h>

#include <winscard.h>

/* Published in the man page; never renumbered. */
enum status {
    STATUS_DONE = 0,
    STATUS_ANSWER = 1,  /* the card answered other than expected; or what was asked for is not there */
    STATUS_USAGE = 2,   /* nothing was sent */
    STATUS_SERVICE = 3, /* service not available, or it failed in itself */
    STATUS_READER = 4,  /* no such reader, or the choice is ambiguous */
    STATUS_NO_CARD = 5,
    STATUS_SHARING = 6, /* another user of the reader stands in the way */
    STATUS_PERMISSION = 7,
    STATUS_LOST = 8,      /* card removed, or reset by another */
    STATUS_TRANSPORT = 9, /* card or reader does not work as it should; a file or stream failed */
    STATUS_TIMEOUT = 10,
    STATUS_REFUSED = 11,      /* it might have blocked the card: nothing was sent */
    STATUS_INTERRUPTED = 130, /* Ctrl-C */
    STATUS_PIPE = 141,        /* whoever read the output went away, as SIGPIPE would say it */
};

/* Short stable name for JSON: "done", "answer", "usage", "service", "reader", "no-card", "sharing",
 * "permission", "lost", "transport", "timeout", "refused", "interrupted", "pipe"; "unknown" for another
 * number. */
const char *status_name(int status);

/* One row of the table SCARD code -> what a user is told. */
struct status_words {
    LONG code;
    enum status status;
    const char *name;   /* "SCARD_E_NO_SMARTCARD" */
    const char *what;   /* "no card is in the reader": continues a sentence, without full stop */
    const char *advice; /* what to do next, a whole sentence; "" if there is nothing to advise */
};

/* Never NULL: an unknown code gets a row that says so (status STATUS_TRANSPORT). */
const struct status_words *status_of_scard(LONG code);

/* The rows in order of code, for documentation and tests. */
const struct status_words *status_table(size_t *ret_count);

#endif
