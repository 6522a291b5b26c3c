/* SPDX-License-Identifier: MIT */
/* The dialog's watch over readers and cards: a thread with a context of its own, so that what it waits for is
 * not the caller's. */
#ifndef API_DIALOG_WATCH_H
#define API_DIALOG_WATCH_H

#include <pthread.h>
#include <winscard.h>

struct dialog_watch {
    int changed; /* eventfd: readable after a change of the readers or of a card */
    SCARDCONTEXT context;
    pthread_t thread;
};

/* SCARD_E_NO_MEMORY, also without descriptors or threads, and what SCardEstablishContext says. */
LONG dialog_watch_start(struct dialog_watch *watch);
void dialog_watch_stop(struct dialog_watch *watch);

#endif
