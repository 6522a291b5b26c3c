/* SPDX-License-Identifier: MIT */
/* What the shell shows of reader and card: the prompt, and events in words. */
#ifndef CLI_SHELL_PROMPT_H
#define CLI_SHELL_PROMPT_H

#include "cli/desk.h"
#include "cli/watcher.h"

enum card_state {
    CARD_NONE, /* not connected */
    CARD_READY,
    CARD_ABSENT, /* "-" */
    CARD_RESET,  /* "!": another reset it since */
    CARD_OTHER,  /* "!": taken out, and one is in again */
    CARD_GONE,   /* the reader is away */
    CARD_HELD,   /* another program has a transaction: who asks would have to wait */
};

/* By SCardStatus, which does not touch the card, but waits behind a transaction of another until the desk's
 * interrupt ends that: CARD_HELD. */
enum card_state shell_card_state(const struct desk *desk);

/* "READER [card T=1]> ", "PIV@READER [card T=1, channel 1, transaction]> ", and "scard> " without a
 * connection, as a new string; NULL when out of memory. Pure.
 */
char *shell_prompt(const struct desk *desk, enum card_state state);

/* "READER: card out" as a new string; NULL for what needs no words, or out of memory. Pure. */
char *shell_event_words(const struct watcher_event *event);

#endif
