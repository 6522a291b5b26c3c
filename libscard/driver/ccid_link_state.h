/* SPDX-License-Identifier: MIT */
/* A link, as the files ccid_link_*.c share it. Not for others. */
#ifndef DRIVER_CCID_LINK_STATE_H
#define DRIVER_CCID_LINK_STATE_H

#include <pthread.h>

#include "base/bytes.h"
#include "base/deadline.h"
#include "driver/ccid_link.h"

/* Under the link's lock, but for what only the thread that has the slot uses (box, once waiting is false). */
struct link_slot {
    uint8_t index;
    bool in_call;   /* between begin and end: may be cancelled */
    bool cancelled; /* and nobody has been told yet */
    bool waiting;   /* for the answer number seq */
    uint8_t seq;
    bool lost;           /* that answer was lost in a transfer that failed */
    const uint8_t *mail; /* a message with this number; NULL: none yet */
    size_t mail_length;
    struct buffer box; /* holds mail where the pipe's own buffer may be used by another slot before */

    bool noticed; /* the last notice that spoke of it: there is a card */
    bool left;    /* notices say so, ccid_link_seen has not */

    int look_fd;  /* eventfd: look at the slot */
    int timer_fd; /* look at it regularly; -1: no need */
    int event_fd; /* epoll over these two and the pipe's */
};

struct ccid_link {
    struct pipe *pipe;
    const struct ccid_descriptor *descriptor;
    const struct ccid_quirk *quirk;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* anything below, or a slot */
    bool gone;
    uint8_t seq;                  /* of the next message */
    unsigned busy;                /* slots that have a command under way */
    bool sending;                 /* a bulk_out is under way */
    bool noticing;                /* notices are being read */
    bool polling;                 /* slots have to be looked at regularly */
    bool forgotten;               /* in a forked child */
    struct link_slot *reader;     /* whose thread is in bulk_in */
    struct link_slot *controller; /* whose thread is in control */

    uint8_t *out;         /* the sender's: message under construction, descriptor->max_message bytes */
    struct buffer pieces; /* the reader's: message that comes in several transfers */
    bool pieces_done;

    size_t slot_count;
    struct link_slot *slots;
};

/* How long to wait for an answer. */
struct link_wait {
    struct deadline deadline;
    uint64_t timeout_ms; /* for time extensions; 0: they change nothing */
    bool cancellable;
};

/* All below: without the lock, unless said otherwise. */

/* RC_READER_UNAVAILABLE, with words. */
int link_say_gone(void);

/* ccid_link.c. Under the lock. */
void link_gone(struct ccid_link *link);
bool link_take_cancel(struct link_slot *slot);
/* Result: false when the deadline has passed. */
bool link_wait_change(struct ccid_link *link, struct deadline deadline);

/* The pipe's control, one at a time; cancellable: RC_CANCELLED by ccid_link_cancel. */
int link_control(struct ccid_link *link, struct link_slot *slot, bool cancellable, uint8_t request_type,
                 uint8_t request, uint16_t value, uint8_t *bytes, size_t length, size_t *ret_length,
                 struct deadline deadline);
uint8_t link_next_seq(struct ccid_link *link);

/* ccid_link_message.c. From send on, the slot waits for the answer with command->seq. */
int link_send(struct ccid_link *link, struct link_slot *slot, const struct ccid_command *command,
              struct deadline deadline);
int link_receive(struct ccid_link *link, struct link_slot *slot, const struct ccid_command *command,
                 struct link_wait wait, struct ccid_answer *ret_answer);
/* Both. The caller says what becomes of a command without answer. */
int link_try(struct ccid_link *link, struct link_slot *slot, struct ccid_command *command,
             uint64_t timeout_ms, bool cancellable, struct ccid_answer *ret_answer);
/* The slot waits for no answer any more. */
void link_settle(struct ccid_link *link, struct link_slot *slot);
/* Wipes what the slot holds of its last answer. */
void link_forget_answer(struct ccid_link *link, struct link_slot *slot);

/* ccid_link_abort.c. Makes the slot ready for the next command; RC_OK or RC_READER_UNAVAILABLE. in_abort: the
 * reader has said that it has half of an abort already. */
int link_abort(struct ccid_link *link, struct link_slot *slot, bool in_abort);
/* One try (5.3.1). RC_OK: the reader has answered it. */
int link_abort_once(struct ccid_link *link, struct link_slot *slot, bool in_abort, struct deadline deadline);
/* Clears the bulk endpoints, if no other slot uses them. */
void link_clear(struct ccid_link *link, struct link_slot *slot);

/* ccid_link_watch.c */
int link_watch_init(struct ccid_link *link, struct link_slot *slot);
void link_watch_fini(struct link_slot *slot);
/* Reads what notices there are; all slots but this are to be looked at (NULL: none, they are old). */
void link_read_notices(struct ccid_link *link, const struct link_slot *self);

#endif
